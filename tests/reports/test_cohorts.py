"""On time by cohort, and what is given apart, from hand-stated stories."""

from datetime import date

import pytest

from app.escalations import service
from app.escalations.extending import Extension
from app.reports import cohorts
from tests.escalations.story import RESOLUTION, YES, Story, march

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def closed(story: Story, resolved: str, verified: str) -> Story:
    story.do(service.acknowledge, resolved)
    story.do(service.resolve, resolved, resolution=RESOLUTION)
    story.do(service.verify, verified, word=YES)
    return story


def test_each_case_counts_where_it_falls(story, fold, summary, company):
    """Raised on the 2nd, due on 1 April at 10:00. One closed on the 5th and one on 3 April, one silent, one withdrawn,
    one mistaken, one unresolved, one open past its target; one of the 20th is not due on 10 April."""
    closed(story("2 10:00"), "4 12:00", "5 12:00")
    closed(story("2 10:00"), "4-2 12:00", "4-3 12:00")
    ended = [story("2 10:00") for _ in range(3)]
    for one, outcome in zip(ended, ("withdrawn", "mistaken", "unresolved"), strict=True):
        if outcome == "unresolved":
            one.do(service.record_decision, "9 10:00", by=company.boss, choice="close_unresolved", reason="No way")
        one.do(service.close_unresolved, "9 12:00", by=company.boss, outcome=outcome, reason="So be it")
    story("2 10:00")
    story("20 10:00")
    fold("4-20 10:00")
    found = summary("4-10 10:00", **MARCH)["on_time"]
    counts = {
        "raised": 5, "on_time": 1, "late": 1, "unresolved": 1, "customer_silent": 0, "open_overdue": 1,
        "open_not_due": 1, "withdrawn": 1, "mistaken": 1, "merged": 0, "share": 0.25,
    }  # fmt: skip
    assert {name: found[name] for name in counts} == counts
    assert [(one["month"], one["raised"], one["share"]) for one in found["months"]] == [("2026-03-01", 5, 0.25)]
    earlier = summary("10 10:00", **MARCH)["on_time"]
    names = ("raised", "on_time", "late", "unresolved", "open_overdue", "open_not_due", "share")
    assert [earlier[name] for name in names] == [4, 1, 0, 1, 0, 2, 0.5]


def test_at_exactly_the_target_a_case_is_not_late_yet(story, fold, summary):
    story("2 10:00")
    fold("4-2 10:00")
    names = ("open_not_due", "open_overdue")
    at, after = (summary(moment, **MARCH)["on_time"] for moment in ("4-1 10:00", "4-1 10:01"))
    assert [at[name] for name in names] == [1, 0]
    assert [after[name] for name in names] == [0, 1]


def test_an_extended_case_closed_by_its_new_time_is_late_all_the_same(story, fold, summary, company):
    case = story("2 10:00")
    more = Extension(until=march("4-20 10:00"), reason="Parts", customer_agreed=True)
    case.do(service.extend, "20 10:00", by=company.boss, extension=more)
    closed(case, "4-2 12:00", "4-3 12:00")
    fold("4-20 10:00")
    found = summary("4-10 10:00", **MARCH)
    assert (found["on_time"]["late"], found["on_time"]["on_time"], found["apart"]["extended"]) == (1, 0, 1)


def test_a_reopened_case_is_open_again_and_its_last_closing_counts(story, fold, summary, company):
    case = closed(story("2 10:00"), "4 12:00", "5 12:00")
    case.do(service.reopen, "10 12:00", reason="Again")
    fold("4-3 10:00")
    closed_then, open_again = (summary(at, **MARCH)["on_time"] for at in ("6 10:00", "11 10:00"))
    assert (closed_then["on_time"], closed_then["open_not_due"]) == (1, 0)
    assert (open_again["on_time"], open_again["open_not_due"]) == (0, 1)
    case.do(service.resolve, "4-2 12:00", resolution=RESOLUTION)
    case.do(service.verify, "4-3 12:00", word=YES)
    fold("4-20 10:00")
    assert summary("6 10:00", **MARCH)["on_time"] == closed_then | {
        "rows": summary("6 10:00", **MARCH)["on_time"]["rows"]
    }
    last = summary("4-10 10:00", **MARCH)
    assert (last["on_time"]["on_time"], last["on_time"]["late"]) == (0, 1)
    assert [(p["day"], p["closed"]) for p in last["survival"]["points"]] == [(0, 0), (33, 1)]


def test_merged_cases_are_outside_the_cohort(story, fold, summary):
    first, second = story("2 10:00"), story("2 11:00")
    second.do(service.merge, "3 10:00", into_id=first.id, reason="The same")
    fold("10 10:00")
    found = summary("9 10:00", **MARCH)["on_time"]
    assert (found["raised"], found["merged"]) == (1, 1)


def test_the_share_of_first_owners_and_the_time_in_each_tier(story, fold, summary, company):
    """One is closed by its first owner after two days in tier 1, one by another after three."""
    closed(story("2 10:00"), "4 10:00", "5 12:00")
    case = story("2 10:00")
    case.do(service.assign, "3 10:00", to=service.NewOwner(owner_id=company.csm.id), reason="Knows it")
    case.do(service.acknowledge, "5 10:00", by=company.csm)
    case.do(service.resolve, "5 10:00", by=company.csm, resolution=RESOLUTION)
    case.do(service.verify, "6 12:00", by=company.csm, word=YES)
    fold("10 10:00")
    found = summary("9 10:00", **MARCH)
    right = found["first_owner_right"]
    assert (right["ended"], right["by_first_owner"], right["share"]) == (2, 1, 0.5)
    day = 86400
    assert found["tiers"]["tiers"] == [{"tier": "tier_1", "cases": 2, "seconds": 5 * day, "mean_seconds": 216000}]


def test_waiting_for_more_than_a_quarter_of_its_life_is_paused_long(story, fold, summary):
    """Raised on the 2nd and closed on the 12th: ten days; waited from the 3rd to the 6th, three of them."""
    for until in ("4 10:00", "6 10:00"):
        case = story("2 10:00")
        case.do(service.acknowledge, "2 11:00")
        case.wait("3 10:00", 9)
        case.do(service.resume, until)
        case.do(service.resolve, "11 10:00", resolution=RESOLUTION)
        case.do(service.verify, "12 10:00", word=YES)
    fold("20 10:00")
    assert summary("13 10:00", **MARCH)["apart"]["long_pause"] == 1


@pytest.mark.parametrize(
    ("first", "last", "whole"),
    [
        ("2026-01-01", "2026-03-31", ("2026-01-01", "2026-04-01")),
        ("2026-01-02", "2026-03-30", ("2026-02-01", "2026-03-01")),
        ("2026-01-02", "2026-02-27", None),
        ("2026-01-15", "2026-01-31", None),
        ("2026-12-01", "2026-12-31", ("2026-12-01", "2027-01-01")),
        ("9999-11-01", "9999-12-31", ("9999-11-01", "9999-12-01")),  # no day after it
        ("9999-12-02", "9999-12-31", None),
    ],
)
def test_a_month_is_whole_when_each_of_its_days_is_asked_for(first, last, whole):
    found = cohorts._whole_months(date.fromisoformat(first), date.fromisoformat(last))
    expected = tuple(map(date.fromisoformat, whole or (first, first)))
    assert (found["whole_from"], found["whole_until"]) == expected
