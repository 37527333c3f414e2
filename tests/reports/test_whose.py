"""A report about some accounts: named ones, or those the reader stands for."""

import pytest
from sqlalchemy import update

from app.accounts import service as accounts
from app.accounts.models import Account
from app.db import db, transaction
from app.escalations import service
from tests.escalations.story import RESOLUTION, YES, march

SUMMARY = "/api/v1/reports/summary"


def named(account, at="1 9:00", **people):
    with transaction():
        return accounts.upsert_account("crm", account, {"name": account, **people}, now=march(at)).record.id


@pytest.fixture
def three(story, fold, buy, company):
    """Two accounts of the executive's, as sponsor and as owner, and one of somebody else's; a case on each."""
    ours, also, theirs = (buy(name, f"K-{name}", worth) for name, worth in (("O", 100), ("A", 20), ("T", 3)))
    named("O", owner_email=company.owner.email, sponsor_email=company.boss.email.upper())
    named("A", owner_email=company.boss.email)
    done = story("2 10:00", account_id=ours)
    done.do(service.acknowledge, "2 11:00")
    done.do(service.resolve, "4 12:00", resolution=RESOLUTION)
    done.do(service.verify, "5 12:00", word=YES)
    for account in (ours, also, theirs):
        story("6 10:00", account_id=account)
    fold("7 10:00")
    return ours, also, theirs


def figures(found):
    return (
        found["open"]["count"],
        found["value_at_stake"]["amount"],
        found["on_time"]["raised"],
        found["on_time"]["on_time"],
        found["changes"]["counts"],
    )


def test_a_report_of_some_accounts_counts_those_alone(three, summary):
    ours, also, theirs = three
    at = "7 09:00"
    whole = {"closed": 1, "raised": 3}
    assert figures(summary(at)) == (3, "123.00", 4, 1, whole)
    assert figures(summary(at, accounts=f"{ours},{theirs}")) == (2, "103.00", 3, 1, {"closed": 1, "raised": 2})
    assert figures(summary(at, own_accounts="true")) == (2, "120.00", 3, 1, {"closed": 1, "raised": 2})
    assert figures(summary(at, own_accounts="true", accounts=str(also))) == (1, "20.00", 1, 0, {"raised": 1})
    assert figures(summary(at, own_accounts="true", accounts=str(theirs))) == (0, "0.00", 0, 0, {})


def test_its_figures_lead_to_the_rows_of_the_same_accounts(three, summary, company, as_user):
    found, boss = summary("7 09:00", own_accounts="true"), as_user(company.boss)
    counts = {name: len(boss.get(found[name]["rows"]).json["items"]) for name in ("open", "value_at_stake", "on_time")}
    assert counts == {"open": 2, "value_at_stake": 2, "on_time": 3}


def test_what_was_merged_into_an_account_is_part_of_it(three, summary):
    _, also, theirs = three
    with transaction():
        db.session.execute(update(Account).where(Account.id == theirs).values(merged_into_id=also))
    assert summary("6 12:00", own_accounts="true")["open"]["count"] == 3


@pytest.mark.parametrize(
    ("accounts", "fault"), [("x", "ids"), (",", "1 to 50"), ("01900000-0000-7000-8000-000000000000", "no account")]
)
def test_accounts_that_there_are_not_are_named(company, as_user, accounts, fault):
    answer = as_user(company.boss).get(SUMMARY, query_string={"accounts": accounts})
    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json["errors"]] == ["accounts"]
    assert fault in answer.json["errors"][0]["detail"]
