"""The rows behind the figures add up to them, and nobody's figures tell of a case they may not see."""

from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from app.accounts import service as accounts
from app.accounts.models import Contract
from app.db import db, transaction
from app.escalations import service
from tests.escalations.story import RESOLUTION, YES, march


@pytest.fixture
def rows(company, as_user):
    """Every row behind a figure, read two at a time."""

    def read(figure, at, *, user=None, **query):
        asked = {"figure": figure, "as_of": march(at).isoformat(), "limit": 2, **query}
        found, caller = [], as_user(user or company.boss)
        while True:
            answer = caller.get("/api/v1/reports/rows", query_string=asked)
            assert answer.status_code == 200, answer.text
            found += answer.json["items"]
            if answer.json["next_cursor"] is None:
                return found
            assert len(answer.json["items"]) == 2
            asked["cursor"] = answer.json["next_cursor"]

    return read


def test_open_cases_are_listed_once_each_page_by_page(story, fold, rows):
    cases = [story(f"{day} 10:00") for day in (2, 3, 4, 5, 6)]
    cases[0].do(service.acknowledge, "2 11:00")
    cases[0].do(service.resolve, "4 12:00", resolution=RESOLUTION)
    cases[0].do(service.verify, "5 12:00", word=YES)
    fold("20 10:00")
    assert [row["escalation"]["id"] for row in rows("open", "6 12:00")] == [str(case.id) for case in cases[1:]]
    assert [row["escalation"]["id"] for row in rows("on_time", "6 12:00")] == [str(cases[0].id)]
    assert rows("on_time", "5 11:00") == []
    assert len(rows("raised", "6 12:00")) == 5


def test_lines_without_a_rate_come_first_then_the_largest(story, fold, rows, buy):
    for name, arr, currency in (("E", 1000, "EUR"), ("J", 7, "JPY"), ("S", 10, "USD")):
        story("2 10:00", account_id=buy(name, f"K-{name}", arr, currency))
    with transaction():
        accounts.upsert_rate("EUR", "2026-03-01", "1.25", now=march("1 9:00"))
    story("2 10:00")
    story("2 11:00")
    fold("3 10:00")
    found = rows("value_at_stake", "2 12:00")
    shown = [(row["external_id"], row["own_amount"], row["value"]["amount"], row["escalations"]) for row in found]
    assert shown == [
        ("K-J", "7.00", None, 1),
        ("K-1", "120000.00", "120000.00", 2),
        ("K-E", "1000.00", "1250.00", 1),
        ("K-S", "10.00", "10.00", 1),
    ]


def test_the_value_of_an_account_and_of_its_group_is_a_union_each(story, fold, rows, buy):
    parent = buy("P", "K-P", 1000)
    with transaction():
        fields = {"name": "Child", "parent_external_id": "P"}
        child = accounts.upsert_account("crm", "C", fields, now=march("1 9:00")).record.id
    with transaction():
        own = {"arr": 30, "currency": "USD", "starts_on": "2026-01-01"}
        accounts.upsert_contract("crm", "C", "K-C", own, now=march("1 9:00"))
    for account in (parent, parent, child):
        story("2 10:00", account_id=account)
    fold("3 10:00")
    of_accounts = {row["account"]["name"]: row["value"]["amount"] for row in rows("accounts", "2 12:00")}
    assert of_accounts == {"P": "1000.00", "Child": "30.00"}
    groups = rows("groups", "2 12:00")
    assert [(row["account"]["name"], row["value"]["amount"], row["escalations"]) for row in groups] == [
        ("P", "1030.00", 3)
    ]


def test_renewals_within_ninety_days_are_listed_at_their_raised_price(story, fold, rows, summary, buy):
    """On 2 March, 31 May is 90 days away: a contract that ends on the 30th renews then, one that ends then does not."""
    rising = {"kind": "fixed", "percent": 10}
    story("2 10:00", account_id=buy("N", "K-N", 1000, ends_on="2026-05-30", escalator=rising))
    story("2 10:00", account_id=buy("L", "K-L", 1000, ends_on="2026-05-31", escalator=rising))
    fold("3 10:00")
    found = summary("2 12:00")["renewals_at_risk"]
    assert (found["accounts"], found["amount"]) == (1, "1100.00")
    assert [row["external_id"] for row in rows("renewals_at_risk", "2 12:00")] == ["K-N"]


def test_what_a_merged_case_touched_is_at_stake_in_the_survivor_at_the_graver_severity(story, fold, rows, summary, buy):
    """K-1 is worth 120,000.00 and K-2 1,000.00; each of two cases touches one of them."""
    buy("A-1", "K-2", 1000)
    with transaction():
        ids = dict(db.session.execute(select(Contract.external_id, Contract.id)).all())
    kept = story("2 10:00", severity=3, contract_ids=(ids["K-1"],))
    loser = story("2 11:00", severity=1, contract_ids=(ids["K-2"],))
    loser.do(service.merge, "3 10:00", into_id=kept.id, reason="The same")
    fold("4 10:00")
    for at in ("2 12:00", "3 12:00"):
        assert summary(at)["value_at_stake"]["amount"] == "121000.00"
    found = rows("value_at_stake", "3 12:00")
    assert [(row["external_id"], row["escalations"]) for row in found] == [("K-1", 1), ("K-2", 1)]
    assert [row["severity"] for row in rows("open", "3 12:00")] == [1]
    assert str(kept.record().value_amount) == "121000.00"


def test_every_figure_of_the_summary_leads_to_its_definition_and_rows(story, fold, summary, client):
    story("2 10:00")
    fold("3 10:00")
    defined = {item["key"] for item in client.get("/api/v1/reports/definitions").json["items"]}
    figures = {name: figure for name, figure in summary("2 12:00").items() if isinstance(figure, dict)}
    assert len(figures) == 9
    for figure in figures.values():
        assert figure["definition"] in defined
        answer = client.get(figure["rows"])
        assert answer.status_code == 200, answer.text
        assert parse_qs(urlsplit(figure["rows"]).query)["as_of"] == ["2026-03-02T12:00:00+00:00"]


def test_a_case_a_reader_may_not_see_is_in_no_figure_of_theirs(
    story, fold, summary, rows, tenant, company, make_user, as_user
):
    """A restricted case of a line that is not the other executive's, and one about them."""
    other = make_user("executive", "other@example.com")
    hidden = [story("2 10:00", restricted=True, severity=1), story("2 10:00", about_user=other.email, severity=1)]
    closing = story("2 10:00", restricted=True)
    closing.do(service.acknowledge, "2 11:00")
    closing.do(service.resolve, "4 12:00", resolution=RESOLUTION)
    closing.do(service.verify, "5 12:00", word=YES)
    fold("20 10:00")
    at = {"as_of": march("6 12:00").isoformat()}
    seen = as_user(other).get("/api/v1/reports/summary", query_string=at).json
    assert (seen["open"]["count"], seen["value_at_stake"]["amount"], seen["on_time"]["raised"]) == (0, "0.00", 0)
    assert (seen["first_owner_right"]["ended"], seen["survival"]["points"], seen["changes"]["items"]) == (0, [], [])
    for figure in ("open", "accounts", "value_at_stake", "raised", "on_time", "changes"):
        assert rows(figure, "6 12:00", user=other) == []
    admins = as_user(tenant.admin).get("/api/v1/reports/summary", query_string=at).json
    assert (admins["open"]["count"], admins["on_time"]["raised"]) == (len(hidden), 3)


@pytest.mark.parametrize("role", ["csm", "specialist"])
def test_reports_are_for_managers_executives_and_admins(company, make_user, as_user, role):
    assert as_user(make_user(role)).get("/api/v1/reports/summary").status_code == 403
