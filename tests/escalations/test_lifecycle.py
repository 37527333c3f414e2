from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.escalations import lifecycle
from app.escalations.lifecycle import MomentRefused, StepNotAllowed, allowed, next_status

ANY_OPEN = ("open", "in_progress", "waiting", "resolved")

# The table of the domain page, line by line: from, action, to.
LINES = [
    ("requested", "approve", "open"),
    ("requested", "decline", "declined"),
    ("open", "acknowledge", "in_progress"),
    *[(status, "assign", status) for status in ANY_OPEN],
    ("in_progress", "wait", "waiting"),
    ("waiting", "wait", "waiting"),
    ("waiting", "resume", "in_progress"),
    ("open", "qualify", "open"),
    ("in_progress", "qualify", "in_progress"),
    ("waiting", "qualify", "waiting"),
    ("open", "escalate", "open"),
    ("in_progress", "escalate", "in_progress"),
    ("waiting", "escalate", "waiting"),
    ("in_progress", "resolve", "resolved"),
    ("waiting", "resolve", "resolved"),
    *[(status, "close-unresolved", "closed") for status in ANY_OPEN],
    *[(status, "decision", status) for status in ANY_OPEN],
    *[(status, "merge", "merged") for status in ANY_OPEN],
    *[(status, "extend", status) for status in ANY_OPEN],
    ("open", "plan", "open"),
    ("in_progress", "plan", "in_progress"),
    ("waiting", "plan", "waiting"),
    ("closed", "reopen", "in_progress"),
    *[(status, "watch", status) for status in lifecycle.STATUSES if status != "merged"],
]


@pytest.mark.parametrize(("status", "action", "to"), LINES)
def test_each_line_of_the_table_leads_where_it_says(status: str, action: str, to: str) -> None:
    assert next_status(status, action) == to


def test_whatever_the_table_does_not_list_is_refused_with_what_is_allowed() -> None:
    listed = {(status, action) for status, action, _ in LINES} | {("resolved", "verify")}
    for status in lifecycle.STATUSES:
        for action in lifecycle.ACTIONS:
            if (status, action) in listed:
                continue
            with pytest.raises(StepNotAllowed) as refused:
                next_status(status, action, accepted=True)
            assert refused.value.current == status
            assert refused.value.action == action
            assert set(refused.value.allowed) == {a for s, a in listed if s == status}


@pytest.mark.parametrize(
    ("status", "actions"),
    [
        ("requested", ("approve", "decline", "watch")),
        (
            "open",
            (
                "acknowledge",
                "assign",
                "qualify",
                "escalate",
                "close-unresolved",
                "decision",
                "merge",
                "extend",
                "plan",
                "watch",
            ),
        ),
        ("resolved", ("assign", "verify", "close-unresolved", "decision", "merge", "extend", "watch")),
        ("closed", ("reopen", "watch")),
        ("declined", ("watch",)),
        ("merged", ()),
    ],
)
def test_a_status_names_its_actions(status: str, actions: tuple[str, ...]) -> None:
    assert allowed(status) == actions


def test_the_refusal_carries_the_code_and_status_that_callers_see() -> None:
    with pytest.raises(StepNotAllowed) as refused:
        next_status("closed", "acknowledge")
    assert (refused.value.status, refused.value.code) == (409, "step_not_allowed")
    assert refused.value.allowed == ("reopen", "watch")
    assert str(refused.value) == "acknowledge is not a step from closed; allowed: reopen, watch"


def test_a_case_closed_without_success_has_an_outcome_of_its_own() -> None:
    assert lifecycle.OUTCOMES_UNRESOLVED == ("unresolved", "withdrawn", "customer_silent", "mistaken")


def test_an_action_nobody_knows_is_refused_like_a_step_that_is_missing() -> None:
    with pytest.raises(StepNotAllowed):
        next_status("open", "explode")


@pytest.mark.parametrize(
    ("accepted", "unanswered", "to", "verification"),
    [
        (True, False, "closed", "confirmed"),
        (False, False, "in_progress", None),
        (None, True, "closed", "unanswered"),
    ],
)
def test_verify_follows_the_customers_word(
    accepted: bool | None, unanswered: bool, to: str, verification: str | None
) -> None:
    assert next_status("resolved", "verify", accepted=accepted, unanswered=unanswered) == to
    assert lifecycle.verification_of(accepted=accepted, unanswered=unanswered) == verification


def test_verify_without_any_word_is_a_mistake_of_the_caller() -> None:
    assert lifecycle.verification_of() is None
    with pytest.raises(ValueError, match="customer's word"):
        next_status("resolved", "verify")


@pytest.mark.parametrize("status", ["in_progress", "waiting"])
def test_only_a_void_acknowledgement_can_be_given_again(status: str) -> None:
    assert next_status(status, "acknowledge", acknowledgement_void=True) == status
    with pytest.raises(StepNotAllowed):
        next_status(status, "acknowledge")


@pytest.mark.parametrize("status", ANY_OPEN)
@pytest.mark.parametrize("answer", ["approve", "decline"])
def test_an_open_case_answers_a_pending_extension_and_stays(status: str, answer: str) -> None:
    assert next_status(status, answer, extension_pending=True) == status


def test_reopening_after_the_window_leaves_the_old_case_closed() -> None:
    assert next_status("closed", "reopen", within_window=False) == "closed"


@pytest.mark.parametrize(
    ("raised_by", "approval_asked", "status"),
    [
        ("colleague", True, "requested"),
        ("colleague", False, "open"),
        ("customer", True, "open"),
        ("system", True, "open"),
    ],
)
def test_only_a_colleagues_raise_waits_for_approval(raised_by: str, approval_asked: bool, status: str) -> None:
    assert lifecycle.status_on_raise(raised_by, approval_asked=approval_asked) == status


def test_every_open_status_can_reach_the_end() -> None:
    for status in lifecycle.LIVE:
        assert next_status(status, "close-unresolved") in lifecycle.ENDED


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("closed_at", "deadline"),
    [
        # Both days in winter time: 10:00 +01:00.
        ("2026-02-02T09:00:00+00:00", "2026-02-16T09:00:00+00:00"),
        # Clocks go forward on 2026-03-29: 10:00 +01:00 becomes 10:00 +02:00.
        ("2026-03-20T09:00:00+00:00", "2026-04-03T08:00:00+00:00"),
        # 02:30 doesn't exist on 2026-03-29: it becomes 03:30 +02:00.
        ("2026-03-15T01:30:00+00:00", "2026-03-29T01:30:00+00:00"),
        # 02:30 exists twice on 2026-10-25: the first, still +02:00.
        ("2026-10-11T00:30:00+00:00", "2026-10-25T00:30:00+00:00"),
        # Closed in the second 02:30 of 2026-10-25 (+01:00): 02:30 +01:00 fourteen days later.
        ("2026-10-25T01:30:00+00:00", "2026-11-08T01:30:00+00:00"),
    ],
)
def test_the_reopen_window_ends_at_the_same_local_time(closed_at: str, deadline: str) -> None:
    end = datetime.fromisoformat(deadline)
    closed = datetime.fromisoformat(closed_at)
    assert lifecycle.reopen_deadline(closed, BERLIN) == end
    assert lifecycle.can_reopen(closed, BERLIN, now=end)
    assert not lifecycle.can_reopen(closed, BERLIN, now=end + timedelta(microseconds=1))


NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RAISED = datetime(2026, 11, 20, 8, tzinfo=UTC)
DAY_AGO = datetime(2026, 11, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "raised_at", "earliest"),
    [
        (NOW, RAISED, DAY_AGO),
        (RAISED, RAISED, DAY_AGO),
        (DAY_AGO, DAY_AGO - timedelta(days=9), DAY_AGO),
    ],
)
def test_a_stated_moment_may_lie_on_each_edge(at: datetime, raised_at: datetime, earliest: datetime) -> None:
    assert lifecycle.check_at(at, now=NOW, raised_at=raised_at, earliest=earliest) == at


@pytest.mark.parametrize(
    ("at", "raised_at", "expected"),
    [
        (NOW + timedelta(seconds=1), RAISED, "not later than now"),
        (RAISED - timedelta(seconds=1), RAISED, "not before the raise"),
        (DAY_AGO - timedelta(seconds=1), DAY_AGO - timedelta(days=9), "not more than one business day ago"),
        (datetime(2026, 11, 20, 9), RAISED, "a time with an offset"),  # noqa: DTZ001 - the naive time is the point
    ],
)
def test_a_stated_moment_outside_is_refused_with_what_was_expected(
    at: datetime, raised_at: datetime, expected: str
) -> None:
    with pytest.raises(MomentRefused) as refused:
        lifecycle.check_at(at, now=NOW, raised_at=raised_at, earliest=DAY_AGO)
    assert refused.value.expected.startswith(expected)


def test_a_merge_goes_into_the_one_raised_first_and_the_number_decides_a_tie() -> None:
    earlier, later = (RAISED, 1050), (NOW, 1042)
    assert lifecycle.survivor_of(later, earlier) == earlier
    assert lifecycle.survivor_of((NOW, 1043), (NOW, 1042)) == (NOW, 1042)


@given(st.lists(st.sampled_from(lifecycle.ACTIONS), max_size=30), st.booleans())
def test_no_walk_through_the_table_leaves_the_statuses_or_a_final_one(actions: list[str], accepted: bool) -> None:
    status = "open"
    for action in actions:
        if action not in allowed(status):
            with pytest.raises(StepNotAllowed):
                next_status(status, action, accepted=accepted)
            continue
        assert status != "merged"
        status = next_status(status, action, accepted=accepted)
        assert status in lifecycle.STATUSES
