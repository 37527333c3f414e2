"""Early warning: who is likely to escalate next, by hand-stated parts, as of any moment."""

from datetime import timedelta

import pytest

from app.accounts import service as accounts
from app.db import transaction
from app.escalations import service
from app.reports.jobs import fold_tenant
from app.reports.noting import note_accounts
from tests.escalations.story import RESOLUTION, YES, march


@pytest.fixture
def put(tenant, company):
    """`put("A", "1 9:00", health=70)`: the CRM says this of an account."""

    def write(name, at, **fields):
        with transaction():
            told = {"name": name, "owner_email": company.owner.email, **fields}
            return accounts.upsert_account("crm", name, told, now=march(at)).record.id

    return write


@pytest.fixture
def note(tenant):
    """The daily note, and a fold that makes answers final for it."""

    def run(at):
        with transaction():
            note_accounts(march(at))
        assert fold_tenant(tenant.id, march(at) + timedelta(seconds=3)) is False

    return run


@pytest.fixture
def warnings(company, as_user):
    boss = as_user(company.boss)

    def ask(at, status=200, *, user=None, **query):
        caller = as_user(user) if user else boss
        answer = caller.get("/api/v1/reports/early-warning", query_string={"as_of": march(at).isoformat(), **query})
        assert answer.status_code == status, answer.text
        return answer.json

    return ask


def ended(case, month="4"):
    case.do(service.acknowledge, f"{month}-2 11:00")
    case.do(service.resolve, f"{month}-4 12:00", resolution=RESOLUTION)
    case.do(service.verify, f"{month}-5 12:00", word=YES)


def by_name(found):
    return {item["account"]["name"]: item for item in found["items"]}


def test_each_part_counts_by_its_own_measure_and_says_so_in_words(put, buy, note, warnings):
    """On 20 April. F: health 75 to 45 in March: 20·(60−45)/60 = 5, 25·30/30 = 25; nothing else: 30 points.

    R: health 30: 10; from 48 a month before: 25·18/30 = 15; renews on 20 May, 30 days away: 10·(1−30/90) = 6.7; worth
    as much as three of four accounts: 5·3/4 = 3.8. L: health 10 alone: 16.7, not listed.
    """
    put("F", "1 9:00", health=75)
    put("F", "10 9:00", health=45)
    put("R", "1 9:00", health=48)
    put("L", "1 9:00", health=10)
    buy("R", "K-R", 1000, ends_on="2026-05-19")
    put("R", "20 9:00", health=30)
    note("4-20 1:00")
    found = warnings("4-20 1:00")
    shown = by_name(found)
    assert list(shown) == ["R", "F"]
    assert shown["F"]["parts"] == {
        "health": 5.0, "falling": 25.0, "repeats": 0.0, "silence": 0.0, "renewal": 0.0, "value": 0.0
    }  # fmt: skip
    assert shown["F"]["score"] == 30.0
    assert shown["F"]["reasons"] == [
        "health fell from 75 to 45 within 90 days", "health is 45 of 100, under 60"
    ]  # fmt: skip
    parts = {"health": 10.0, "falling": 15.0, "repeats": 0.0, "silence": 0.0, "renewal": 6.7, "value": 3.8}
    assert shown["R"]["parts"] == parts
    assert shown["R"]["reasons"][2] == "renews in 30 days"
    assert (shown["R"]["renewal_on"], shown["R"]["value"]["amount"]) == ("2026-05-20", "1000.00")
    assert sum(shown["R"]["parts"].values()) == pytest.approx(shown["R"]["score"], abs=0.15)
    assert (found["listed"], found["busy"], found["least"]) == (2, 0, 25)


def test_repeats_count_ninety_days_and_those_that_came_back_twice(story, put, note, warnings, company):
    """Three in April, one of them the recurrence of another: (3 + 1) / 4 is all 25 points. On 10 July none is left."""
    account = put("A", "1 9:00", health=100)
    first = story("4-1 10:00", account_id=account)
    ended(first)
    for again in (first.id, None):
        ended(story("4-1 11:00", account_id=account, recurrence_of_id=again))
    note("4-21 1:00")
    item = by_name(warnings("4-21 1:00"))["A"]
    assert (item["parts"]["repeats"], item["raised"], item["again"]) == (25.0, 3, 1)
    assert item["reasons"] == ["3 escalations in the last 90 days, 1 of them came back"]
    note("7-10 1:00")
    assert warnings("7-10 1:00")["items"] == []


def test_an_unanswered_message_counts_by_the_day_until_it_is_answered(story, put, note, warnings):
    """They wrote on the 10th to a closed case: on the 14th 15·4/10 = 6 points, on the 20th all 15; told on the 21st."""
    account = put("A", "1 9:00", health=15)
    case = story("4-1 10:00", account_id=account)
    ended(case)
    case.update("4-6 10:00")
    case.message("4-10 1:00")
    note("4-11 1:00")
    for day, points, said in (("14", 6.0, "wrote 4 days ago and got no answer"),
                              ("20", 15.0, "wrote 10 days ago and got no answer")):  # fmt: skip
        note(f"4-{day} 1:00")
        item = by_name(warnings(f"4-{day} 1:00"))["A"]
        assert (item["parts"]["silence"], said in item["reasons"]) == (points, True)
    case.update("4-21 10:00")
    note("4-22 1:00")
    assert by_name(warnings("4-22 1:00")) == {}  # 15 points for health and 6.2 for one case are left
    assert by_name(warnings("4-20 1:00"))["A"]["parts"]["silence"] == 15.0


def test_an_account_with_an_open_case_has_escalated_and_is_counted_apart(story, put, note, warnings):
    account = put("A", "1 9:00", health=90)
    put("A", "2 9:00", health=20)
    note("4-1 1:00")
    assert "A" in by_name(warnings("4-1 1:00"))
    story("4-1 10:00", account_id=account)
    note("4-2 1:00")
    found = warnings("4-2 1:00")
    assert (found["items"], found["listed"], found["busy"]) == ([], 0, 1)


def test_what_comes_later_changes_no_answer_about_the_past_and_gone_accounts_leave_the_list(put, note, warnings, story):
    put("A", "1 9:00", health=90)
    put("A", "2 9:00", health=20)
    note("5 1:00")
    before = warnings("5 1:00")
    assert list(by_name(before)) == ["A"]
    put("A", "6 9:00", health=80)
    put("B", "6 9:00", health=0)
    note("7 1:00")
    assert warnings("5 1:00") == before
    assert by_name(warnings("7 1:00")) == {}
    assert warnings("1 1:00")["looked_at"] == 0


def test_pages_follow_each_other_by_points(put, note, warnings):
    for n in range(5):
        put(f"A{n}", "1 9:00", health=90)
        put(f"A{n}", "2 9:00", health=20 + n // 2)
    note("5 1:00")
    names, cursor = [], {}
    while cursor is not None:
        page = warnings("5 1:00", limit=2, **cursor)
        names += [item["account"]["name"] for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert sorted(names) == ["A0", "A1", "A2", "A3", "A4"]
    assert set(names[:2]) == {"A0", "A1"}
    assert names[4] == "A4"


def test_looking_back_says_how_many_of_those_listed_raised_a_case(story, put, note, warnings):
    """Noted on 1 April: two of four were listed, of whom one raised a case by 30 June, and one of the two others."""
    named = {name: put(name, "1 9:00", health=90) for name in "ABCD"}
    for name in "AB":
        put(name, "10 9:00", health=30)
    note("4-1 1:00")
    for name in "AC":
        story("5-2 10:00", account_id=named[name])
    note("6-30 1:00")
    found = warnings("6-30 1:00")["hindsight"]
    assert (found["listed"], found["listed_raised"], found["listed_share"]) == (2, 1, 0.5)
    assert (found["others_raised"], found["others"]) == (1, 3)  # and the company's own account
    assert warnings("5 1:00")["hindsight"] is None


def test_a_case_that_a_reader_may_not_see_gives_no_points_in_their_list(story, put, note, warnings, make_user):
    account = put("A", "1 9:00", health=0)
    case = story("4-1 10:00", account_id=account, restricted=True)
    ended(case)
    note("4-21 1:00")
    assert by_name(warnings("4-21 1:00"))["A"]["parts"]["repeats"] == 6.2
    assert by_name(warnings("4-21 1:00", user=make_user("executive", "other@example.com"))) == {}


def test_reading_takes_few_statements_however_many_accounts_there_are(put, note, warnings, statements):
    counts = []
    for n in range(2):
        put(f"A{n}", "1 9:00", health=90)
        put(f"A{n}", "2 9:00", health=20)
        note(f"{5 + n} 1:00")
        with statements() as sent:
            warnings(f"{5 + n} 1:00")
        counts.append(len([one for one in sent if "last_used_at = " not in one]))
    assert counts[1] <= counts[0]
    assert counts[1] <= 10
