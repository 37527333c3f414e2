"""Questions at the edges of time and of what there is, put to every report that the API's own list names."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.accounts.models import Account
from app.db import db, transaction
from app.reports.models import CohortDay
from tests.escalations.story import march

MORE = {"/api/v1/reports/rows": {"figure": "open"}}
FIRST_MOMENTS = ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "0001-01-05T00:00:00-12:00")


@pytest.fixture
def doors(client, company):
    """Every address that answers as of a moment, with what else it needs."""
    spec = client.get("/api/v1/openapi.json").json
    found = {}
    for path, methods in spec["paths"].items():
        named = [one.get("name") for one in methods.get("get", {}).get("parameters", ())]
        if path.startswith("/api/v1/reports/") and "as_of" in named:
            real = path.replace("{account_id}", company.account_id).replace("{form}", "csv")
            plain = path.removesuffix(".{form}")
            found[real] = MORE.get(plain, {})
    assert len(found) >= 5
    return found


@pytest.fixture
def ask(client, doors):
    """What each answers to the same question: status, and the body."""

    def put(**query):
        return {path: client.get(path, query_string={**more, **query}) for path, more in doors.items()}

    return put


def test_every_report_refuses_moments_of_the_future_and_without_offset_by_name_and_answers_the_first_one(ask, fold):
    fold("3 10:00")
    for moment in ("2999-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2026-03-02T10:00:00", "yesterday", ""):
        for path, answer in ask(as_of=moment).items():
            assert (answer.status_code, answer.mimetype) == (422, "application/problem+json"), (path, moment)
            assert [one["parameter"] for one in answer.json["errors"]] == ["as_of"], (path, moment)
    for moment in FIRST_MOMENTS:
        for path, answer in ask(as_of=moment).items():
            assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "as_of"), (path, moment)
    for moment in ("1900-01-01T00:00:00+00:00", "1970-01-01T00:00:00Z"):
        for path, answer in ask(as_of=moment).items():
            assert answer.status_code == 200, (path, answer.text)


def test_no_report_takes_the_first_or_the_last_day_there_is_for_a_fault_of_its_own(ask, fold):
    fold("3 10:00")
    asked = [{name: day} for name in ("from", "to") for day in ("0001-01-01", "9999-12-31")]
    for days in (*asked, {"since": FIRST_MOMENTS[1]}, {"since": "2999-01-01T00:00:00Z"}):
        for path, answer in ask(**days).items():
            assert answer.status_code in (200, 422), (path, days, answer.text)


def test_until_the_facts_are_made_every_report_says_so(ask):
    for path, answer in ask().items():
        assert (answer.status_code, answer.json["code"]) == (503, "facts_being_made"), path


def test_without_any_case_every_report_answers_with_nothing(ask, fold):
    fold("3 10:00")
    for path, answer in ask(as_of=march("3 09:00").isoformat()).items():
        assert answer.status_code == 200, (path, answer.text)


def test_the_hour_that_summer_times_end_repeats_is_two_hours_and_the_day_is_summed_whole(client, story, fold, summary):
    """In Sydney 5 April 2026 has 25 hours, from 4 April 13:00 UTC on: at 02:30 first 15:30, then 16:30 UTC."""
    changed = client.patch("/api/v1/settings", json={"timezone": "Australia/Sydney"}, if_match="*")
    assert changed.status_code == 200, changed.text
    for at in ("4-4 12:59", "4-4 13:00", "4-4 15:30", "4-4 16:30", "4-5 13:59", "4-5 14:00"):
        story(at)
    fold("4-7 10:00")
    with transaction():
        ends = db.session.execute(select(CohortDay.ended_at, CohortDay.raised).order_by(CohortDay.ended_at)).all()
    assert [tuple(row) for row in ends] == [
        (march("4-4 13:00"), 1), (march("4-5 14:00"), 4), (march("4-6 14:00"), 1)
    ]  # fmt: skip
    twice = {offset: summary(datetime.fromisoformat(f"2026-04-05T02:30:00{offset}")) for offset in ("+11:00", "+10:00")}
    assert {offset: told["on_time"]["raised"] for offset, told in twice.items()} == {"+11:00": 3, "+10:00": 4}
    assert twice["+11:00"]["to"] == "2026-04-05"
    days = {"from": "2026-04-05", "to": "2026-04-05"}
    assert summary("4-6 13:00", **days)["on_time"]["raised"] == 4
    assert [summary(march(at))["on_time"]["raised"] for at in ("4-5 13:59", "4-5 14:00")] == [5, 6]


def test_an_account_deleted_or_merged_since_is_still_where_it_was(story, fold, summary, buy, client, company):
    gone = buy("G", "K-G", 700)
    story("2 10:00", account_id=gone)
    fold("3 10:00")
    before = summary("2 12:00")
    assert before["open"]["accounts"] == 1
    with transaction():
        account = db.session.get_one(Account, gone)
        account.gone_at = march("4 10:00")
        account.merged_into_id = company.account_id
    story("4 11:00")
    fold("5 10:00")
    assert summary("2 12:00") == before
    assert summary("4 12:00")["open"]["accounts"] == 2
    for figure in ("open", "accounts", "groups", "value_at_stake"):
        asked = {"figure": figure, "as_of": march("2 12:00").isoformat()}
        (row,) = client.get("/api/v1/reports/rows", query_string=asked).json["items"]
        assert row["account"] == {"id": str(gone), "name": "G"}


def test_the_answer_of_a_moment_between_two_microseconds_is_one_of_theirs(story, fold, summary):
    story("2 10:00")
    fold("3 10:00")
    tick = timedelta(microseconds=1)
    assert [summary(march("2 10:00") + n * tick)["open"]["count"] for n in (-1, 0, 1)] == [0, 1, 1]
