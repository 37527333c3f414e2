"""What moves a promise: waiting and its budget, extensions; every due time is worked out by hand."""

from typing import Any

import pytest

from app.errors import AppError
from app.escalations import service
from tests.conftest import TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import RESOLUTION, YES, Story, march


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    """A case of severity 2 raised on Monday the 2nd at 10, acknowledged at 11."""
    story = Story(tenant, company).raised()
    story.do(service.acknowledge, "2 11:00")
    return story


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_a_wait_stops_what_pauses_for_its_party_and_nothing_else(story: Story) -> None:
    story.update("2 11:00")
    story.wait("3 11:00", 6, party="vendor")
    states = {kind: story.cycles(kind)[-1].state for kind in ("still_on_it", "customer_update", "plan", "close")}
    assert states == {"still_on_it": "paused", "customer_update": "running", "plan": "running", "close": "running"}
    story.wait("3 13:00", 6, party="customer")
    assert story.shown("customer_update") == [("paused", None)]
    story.do(service.resume, "4 13:00")
    assert story.shown("customer_update") == [("running", "5 11:00")]  # 10 of 16 hours used, 6 to go
    assert story.shown("still_on_it")[-1] == ("running", "11 13:00")  # resuming is a sign of work
    assert story.agrees()


def test_the_budget_is_the_union_of_all_waits_and_when_it_is_used_up_the_clocks_run(story: Story) -> None:
    story.wait("2 11:00", 9)
    story.do(service.resume, "4 11:00")  # two business days
    story.wait("5 11:00", 19)
    story.wait("9 11:00", 23, party="vendor")  # another party: one wait more, no day twice
    assert story.record().wake_at == march("17 11:00")  # eight days from the 5th at 11
    assert story.wake("17 10:59") == 0
    assert story.wake("18 09:00") == 1  # the worker was away
    record = story.record()
    assert (record.status, record.wait_exhausted, record.wake_at) == ("waiting", True, march("23 09:00"))
    assert story.shown("still_on_it")[-1] == ("running", "24 11:00")  # five days from when the budget ended
    assert [event.at for event in story.events("wait_budget_used")] == [march("17 11:00")]
    assert len(story.told("wait_budget")) == 2
    assert story.wake("23 09:00") == 1
    assert story.record().status == "in_progress"
    story.wait("24 10:00", 26)  # nothing is left: the clocks run on
    assert story.shown("still_on_it")[-1] == ("running", "31 10:00")
    assert story.agrees()


def test_a_wait_ends_at_its_own_moment_however_late_it_is_seen(story: Story) -> None:
    story.wait("2 12:00", 4)
    assert story.wake("6 12:00") == 1
    assert story.shown("still_on_it")[-1] == ("running", "10 17:00")  # five days from the 4th at 9
    assert [event.at for event in story.events("resume")] == [march("4 09:00")]
    assert story.record().wait_used_seconds == (5 + 8) * 3600


def test_resuming_by_hand_what_should_have_resumed_by_itself_makes_the_wait_no_longer(story: Story) -> None:
    story.open_clock("tier", "2 10:00", 8)
    story.wait("2 12:00", 4)
    story.do(service.resume, "5 12:00")
    assert story.shown("tier") == [("breached", "4 15:00")]  # 2 h used before, 6 from the 4th at 9
    assert story.agrees()


def test_a_clock_paused_for_more_than_a_quarter_of_its_life_is_never_plain_met(story: Story) -> None:
    story.open_clock("tier", "2 11:00", 24)
    story.wait("2 12:00", 4)
    story.do(service.resume, "2 16:00")  # 4 h of a life of 16 h: a quarter, not more
    story.do(service.escalate, "4 11:00", hop=service.Hop(reason="time", brief="Tried"))
    assert [(clock.state, clock.flags) for clock in story.cycles("tier")] == [("met", [])]


def test_waiting_and_resuming_at_one_instant_leaves_the_clock_running(story: Story) -> None:
    story.wait("3 11:00", 6)
    story.do(service.resume, "3 11:00")
    assert story.shown("still_on_it")[-1] == ("running", "10 11:00")
    story.wait("3 11:00", 6)
    assert story.shown("still_on_it")[-1] == ("paused", None)
    assert story.agrees()


def test_closing_and_reopening_at_one_instant_leaves_the_case_with_its_clocks(story: Story) -> None:
    values = {"outcome": "withdrawn", "reason": "They took it back"}
    for _ in range(2):
        story.do(service.close_unresolved, "3 11:00", by=story.company.manager, **values)
        assert story.shown("close") == [("met", "4-1 10:00")]
        story.do(service.reopen, "3 11:00", reason="A slip")
        assert story.shown("close") == [("running", "4-1 10:00")]
        assert story.shown("plan") == [("running", "9 11:00")]
    assert story.agrees()


# -- extension --------------------------------------------------------------------------------------------------------


def ask(story: Story, at: str, until: str, **more: Any) -> None:
    extension = service.Extension(until=march(until), reason="A release is needed", customer_agreed=True)
    story.do(service.extend, at, extension=extension, **more)


def answer(story: Story, at: str, *, approved: bool = True, **more: Any) -> None:
    story.do(service.answer_extension, at, by=story.company.manager, approved=approved, reason="Because", **more)


def test_until_it_is_granted_nothing_moves_and_a_second_ask_replaces_the_first(story: Story) -> None:
    ask(story, "20 10:00", "4-7 10:00")
    ask(story, "23 10:00", "4-10 10:00")
    assert story.shown("close") == [("running", "4-1 10:00")]
    answer(story, "24 10:00")
    [clock] = story.cycles("close")
    assert story.shown("close") == [("running", "4-10 10:00")]
    assert clock.original_due_at == march("4-1 10:00") == story.record().close_target_at
    asked = [event.facts["until"][:10] for event in story.events("extension_asked")]
    assert (asked, len(story.events("extend"))) == (["2026-04-07", "2026-04-10"], 1)
    assert story.record().due_at == march("4-10 10:00")
    assert story.record().resolve_by_at == march("4-3 10:00")  # five business days before


def test_a_declined_extension_moves_nothing(story: Story) -> None:
    ask(story, "20 10:00", "4-7 10:00")
    answer(story, "23 10:00", approved=False)
    assert (story.shown("close"), len(story.events("extension_declined"))) == ([("running", "4-1 10:00")], 1)


def test_pending_at_the_due_time_it_changes_nothing_and_granted_later_the_clock_runs_again(story: Story) -> None:
    ask(story, "31 10:00", "4-10 10:00")
    story.sweep("4-1 10:00")
    assert story.shown("close") == [("breached", "4-1 10:00")]
    answer(story, "4-2 10:00")
    assert story.shown("close") == [("running", "4-10 10:00")]
    assert story.ledger("close") == [("activate", "2 10:00"), ("breach", "4-1 10:00"), ("retarget", "4-2 10:00")]
    assert story.agrees()


def test_a_second_grant_must_be_later_than_the_first(story: Story) -> None:
    ask(story, "20 10:00", "4-7 10:00", by=story.company.manager)
    with pytest.raises(AppError, match="later than the present due time"):
        ask(story, "23 10:00", "4-7 10:00", by=story.company.manager)
    ask(story, "23 10:00", "4-8 10:00", by=story.company.manager)
    assert story.shown("close") == [("running", "4-8 10:00")]
    assert story.cycles("close")[0].original_due_at == march("4-1 10:00")


def test_the_original_breach_of_an_extended_clock_is_written_at_its_moment_and_told_to_nobody(story: Story) -> None:
    ask(story, "20 10:00", "4-10 10:00", by=story.company.manager)
    story.sweep("4-1 09:59")
    before = len(story.told("overdue"))
    story.sweep("4-1 12:00")
    assert story.ledger("close")[-1] == ("breach", "4-1 10:00")
    assert story.shown("close") == [("running", "4-10 10:00")]
    assert not [subject for subject in story.told("overdue")[before:] if ": close" in subject]
    assert story.agrees()


@pytest.mark.parametrize(
    ("confirmed", "state", "flags"),
    [
        ("4-1 10:00", "met", []),
        ("4-1 10:01", "met", ["late_by_original"]),
        ("4-10 10:00", "met", ["late_by_original"]),
        ("4-10 10:01", "missed", []),
    ],
)
def test_on_time_is_judged_by_the_original_and_met_by_the_extended_due(
    story: Story, confirmed: str, state: str, flags: list[str]
) -> None:
    ask(story, "20 10:00", "4-10 10:00", by=story.company.manager)
    story.do(service.resolve, "31 10:00", resolution=RESOLUTION)
    story.do(service.verify, confirmed, word=YES)
    [clock] = story.cycles("close")
    assert (clock.state, clock.flags) == (state, flags)
    assert (("breach", "4-1 10:00") in story.ledger("close")) is (confirmed != "4-1 10:00")
    assert story.agrees()
