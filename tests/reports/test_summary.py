"""The executive summary: figures from hand-stated stories, as of any moment."""

from dataclasses import replace

from sqlalchemy import event

from app import create_app
from app.accounts import service as accounts
from app.db import db, transaction
from app.escalations import service
from tests.conftest import ApiClient
from tests.escalations.story import RESOLUTION, YES, march


def test_an_open_case_counts_from_its_raise_until_it_is_closed(story, fold, summary):
    case = story("2 10:00")
    case.do(service.acknowledge, "2 11:00")
    case.do(service.resolve, "4 12:00", resolution=RESOLUTION)
    case.do(service.verify, "5 12:00", word=YES)
    fold("6 10:00")
    counts = {at: summary(at)["open"]["count"] for at in ("2 09:59", "2 10:00", "4 13:00", "5 11:59", "5 12:00")}
    assert counts == {"2 09:59": 0, "2 10:00": 1, "4 13:00": 1, "5 11:59": 1, "5 12:00": 0}


def test_two_cases_on_one_contract_put_its_value_at_stake_once(story, fold, summary):
    story("2 10:00")
    story("2 11:00")
    fold("3 10:00")
    found = summary("2 12:00")
    assert found["open"]["count"] == 2
    assert (found["open"]["accounts"], found["open"]["groups"]) == (1, 1)
    assert found["value_at_stake"]["amount"] == "120000.00"


def test_value_is_the_union_over_accounts_and_an_ancestors_contract_counts_once(story, fold, summary, buy):
    parent, other = buy("P", "K-P", 1000), buy("O", "K-O", 50)
    with transaction():
        child = accounts.upsert_account(
            "crm", "C", {"name": "Child", "parent_external_id": "P"}, now=march("1 9:00")
        ).record.id
        deal = {"name": "More", "amount": 400, "currency": "USD", "probability": 0.5, "closes_on": "2026-06-01"}
        accounts.upsert_opportunity("crm", "O", "D-1", deal, now=march("1 9:00"))
        renewal = {**deal, "type": "renewal", "amount": 9999}
        accounts.upsert_opportunity("crm", "O", "D-2", renewal, now=march("1 9:00"))
    for account in (parent, child, other, other):
        story("2 10:00", account_id=account)
    fold("3 10:00")
    found = summary("2 12:00")
    assert (found["open"]["count"], found["open"]["accounts"], found["open"]["groups"]) == (4, 3, 2)
    assert found["value_at_stake"]["amount"] == "1250.00"  # 1000 once, 50, and half of 400; the renewal is no pipeline


def test_an_amount_without_a_rate_is_listed_and_never_counts_as_nothing(story, fold, summary, buy):
    eur, jpy = buy("E", "K-E", 1000, "EUR"), buy("J", "K-J", 700, "JPY")
    with transaction():
        accounts.upsert_rate("EUR", "2026-03-01", "1.25", now=march("2 09:00"))
    story("2 10:00", account_id=eur)
    fold("2 10:30")
    story("2 11:00", account_id=jpy)
    fold("3 10:00")
    assert summary("2 10:15")["value_at_stake"]["amount"] == "1250.00"
    total = summary("2 12:00")["value_at_stake"]
    assert (total["amount"], total["incomplete"]) == ("1250.00", True)
    assert total["unconverted"] == [{"currency": "JPY", "amount": "700.00", "lines": 1}]


def test_nothing_convertible_is_no_amount(story, fold, summary, buy):
    story("2 10:00", account_id=buy("J", "K-J", 700, "JPY"))
    fold("3 10:00")
    assert summary("2 12:00")["value_at_stake"]["amount"] is None


def test_a_rate_holds_from_when_it_was_recorded_and_a_week(story, fold, summary, buy):
    story("2 10:00", account_id=buy("E", "K-E", 1000, "EUR"))
    with transaction():
        accounts.upsert_rate("EUR", "2026-03-02", "1.25", now=march("3 09:00"))
    with transaction():
        accounts.upsert_rate("EUR", "2026-03-02", "1.50", now=march("4 09:00"))
    fold("20 10:00")
    moments = ("2 12:00", "3 12:00", "4 12:00", "9 12:00", "10 12:00")
    amounts = [summary(at)["value_at_stake"]["amount"] for at in moments]
    assert amounts == [None, "1250.00", "1500.00", "1500.00", None]


def test_the_summary_takes_the_same_few_statements_however_much_there_is(story, fold, summary, statements):
    counts = []
    for _ in range(2):
        story("2 10:00")
        fold("3 10:00")
        with statements() as sent:
            summary("2 12:00")
        counts.append(len([one for one in sent if "last_used_at = " not in one]))
    assert counts[1] <= counts[0]
    assert counts[1] <= 11


def test_with_a_replica_set_the_figures_are_read_there(settings, story, fold, company, client):
    story("2 10:00")
    fold("3 10:00")
    asked = {"as_of": march("2 12:00").isoformat()}
    app = create_app(replace(settings, replica_url=settings.database_url))
    with app.app_context():
        replica = db.engines["replica"]
    read = []
    event.listen(replica, "before_cursor_execute", lambda c, cursor, statement, *rest: read.append(statement))
    answer = ApiClient(app, client.token).get("/api/v1/reports/summary", query_string=asked)
    assert answer.json == client.get("/api/v1/reports/summary", query_string=asked).json
    assert answer.json["open"]["count"] == 1
    assert sum("case_fact" in statement for statement in read) == 3
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
