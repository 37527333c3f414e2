"""What changed between two moments: the most telling change of each case, from stories stated by hand."""

import pytest

from app.escalations import service
from app.escalations.extending import Extension
from tests.escalations.story import RESOLUTION, YES, march

SINCE, AS_OF = "28 10:00", "4-5 10:00"


def close(case, resolved, verified, *, again=False):
    admin = case.tenant.admin
    if not again:
        case.do(service.acknowledge, resolved, by=admin)
    case.do(service.resolve, resolved, by=admin, resolution=RESOLUTION)
    case.do(service.verify, verified, by=admin, word=YES)


@pytest.fixture
def told(summary):
    """Number of the case → its change, between two moments; and the counts."""

    def ask(since=SINCE, as_of=AS_OF):
        found = summary(as_of, since=march(since).isoformat())["changes"]
        return {one["escalation"]["id"]: one["change"] for one in found["items"]}, found["counts"]

    return ask


def test_each_case_is_told_by_its_most_telling_change(story, fold, told, tenant, company):
    """Raised on the 2nd the target is 1 April at 10:00, raised on the 20th it is 19 April."""
    boss, admin = {"by": company.boss}, {"by": tenant.admin}
    untouched, missed, working = story("20 10:00"), story("2 10:00"), story("20 10:00")
    working.do(service.acknowledge, "30 10:00", **admin)
    missed_and_worked_on = story("2 10:00")
    missed_and_worked_on.do(service.acknowledge, "30 10:00", **admin)
    raised = story("30 10:00")
    closed, before, again = story("20 10:00"), story("20 10:00"), story("20 10:00")
    close(closed, "29 10:00", "30 10:00")
    close(before, "21 10:00", "22 10:00")
    close(again, "21 10:00", "22 10:00")
    again.do(service.reopen, "30 10:00", **admin, reason="Again")
    extended, up, graver, merged = story("20 10:00"), story("20 10:00"), story("20 10:00"), story("20 11:00")
    until = Extension(until=march("4-25 10:00"), reason="More", customer_agreed=True)
    extended.do(service.extend, "30 10:00", **boss, extension=until)
    up.do(service.escalate, "30 10:00", **admin, hop=service.Hop(reason="time", brief="All"))
    graver.do(service.edit, "30 10:00", **admin, changes={"severity": 1})
    merged.do(service.merge, "30 10:00", **admin, into_id=untouched.id, reason="The same")
    back_and_forth = story("20 10:00")
    close(back_and_forth, "21 10:00", "22 10:00")
    back_and_forth.do(service.reopen, "29 10:00", **admin, reason="Again")
    close(back_and_forth, "30 10:00", "31 10:00", again=True)
    fold("4-10 10:00")
    changes, counts = told()
    assert changes == {
        str(case.id): change
        for case, change in (
            (missed, "missed"), (missed_and_worked_on, "missed"), (raised, "raised"), (closed, "closed"),
            (again, "reopened"), (extended, "extended"), (up, "moved_up"), (graver, "more_severe"), (merged, "merged"),
        )
    }  # fmt: skip
    assert counts == {
        "missed": 2, "raised": 1, "closed": 1, "reopened": 1, "extended": 1, "moved_up": 1, "more_severe": 1,
        "merged": 1,
    }  # fmt: skip
    assert told("21 12:00", "25 10:00")[0][str(before.id)] == "closed"


def test_between_a_moment_and_itself_nothing_changed(story, fold, told):
    story("2 10:00")
    fold("3 10:00")
    assert told("2 12:00", "2 12:00") == ({}, {})
    assert told("2 09:59", "2 12:00")[1] == {"raised": 1}


def test_the_gravest_comes_first_and_at_most_twenty_are_told(story, fold, summary):
    for minute in range(22):
        story(f"2 10:{minute:02}", severity=1 + minute % 4)
    fold("3 10:00")
    found = summary("2 12:00", since=march("2 09:00").isoformat())["changes"]
    assert found["counts"] == {"raised": 22}
    assert [one["severity"] for one in found["items"]] == 6 * [1] + 6 * [2] + 5 * [3] + 3 * [4]
