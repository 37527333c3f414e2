"""The clock machine against timelines worked out by hand, and its properties."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import compile_calendar
from app.sla.clock import due_breach, due_original_breach, next_breach, rebuild
from app.sla.hours import WEEKDAYS
from app.sla.ledger import Entry, EntryType, LedgerError, Move, State, Target, can
from app.sla.targets import find_target, make_target, pauses

HOUR = 3600
OFFICE = compile_calendar(
    {"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}},
)
LATE_OFFICE = compile_calendar(
    {"timezone": "UTC", "weekly": {day: [["12:00", "20:00"]] for day in WEEKDAYS[:5]}},
)
ZONE = ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    """A moment; a bare clock time is on Monday 2026-01-05, UTC."""
    return datetime.fromisoformat(text if "T" in text else f"2026-01-05T{text}Z").astimezone(UTC)


def business(hours: float) -> dict[str, Any]:
    return {"target": Target("business_seconds", int(hours * HOUR)).to_json()}


CLOSE = {"target": Target("calendar_days", 30).to_json()}


def ledger(*facts: tuple[Any, ...]) -> list[Entry]:
    """Entries from (type, at, data?, recorded_at?), written in this order."""
    entries = []
    for seq, (kind, at, *more) in enumerate(facts, start=1):
        recorded = utc(more[1]) if len(more) > 1 else utc(at)
        entries.append(Entry(kind, utc(at), recorded, seq, more[0] if more else {}))
    return entries


def clock(entries: Sequence[Entry], as_of: str | None = None) -> State:
    return rebuild(entries, calendar=OFFICE, zone=ZONE, as_of=utc(as_of) if as_of else None)


def test_a_running_clock_is_due_after_its_business_time() -> None:
    state = clock(ledger(("activate", "15:00", business(4))), "16:00")
    assert (state.state, state.due_at, state.elapsed_seconds) == ("running", utc("2026-01-06T11:00Z"), HOUR)
    assert state.original_due_at == state.due_at


@pytest.mark.parametrize(("done", "expected"), [("13:00", "met"), ("13:00:00.000001", "missed"), ("10:00", "met")])
def test_met_up_to_and_including_the_due_moment(done: str, expected: str) -> None:
    state = clock(ledger(("activate", "09:00", business(4)), ("fulfil", done)))
    assert (state.state, state.ended_at) == (expected, utc(done))


def test_a_clock_past_due_is_breached_with_or_without_its_entry() -> None:
    facts = [("activate", "09:00", business(4))]
    seen = clock(ledger(*facts, ("breach", "13:00")), "14:00")
    unseen = clock(ledger(*facts), "14:00")
    assert seen.state == unseen.state == "breached"
    assert seen.breached_at == unseen.breached_at == utc("13:00")
    assert seen.elapsed_seconds == unseen.elapsed_seconds == 5 * HOUR
    assert clock(ledger(*facts), "12:59").state == "running"


def test_a_breach_is_asked_for_until_the_ledger_holds_it() -> None:
    running = clock(ledger(("activate", "09:00", business(4))), "12:00")
    assert due_breach(running, utc("12:59")) is None
    assert due_breach(running, utc("14:00")) == utc("13:00")
    written = clock(ledger(("activate", "09:00", business(4)), ("breach", "13:00")), "14:00")
    assert due_breach(written, utc("14:00")) is None


def test_fulfilment_at_the_due_moment_comes_before_the_breach_written_there() -> None:
    state = clock(ledger(("activate", "09:00", business(4)), ("breach", "13:00"), ("fulfil", "13:00")))
    assert (state.state, state.breached_at, state.void) == ("met", None, (2,))


def test_pausing_keeps_what_was_elapsed() -> None:
    facts = [("activate", "09:00", business(4)), ("pause", "10:00")]
    paused = clock(ledger(*facts), "15:00")
    assert (paused.state, paused.due_at, paused.original_due_at) == ("paused", None, None)
    assert (paused.elapsed_seconds, paused.paused_seconds) == (HOUR, 5 * HOUR)
    resumed = clock(ledger(*facts, ("resume", "15:00")), "15:00")
    assert (resumed.state, resumed.due_at) == ("running", utc("2026-01-06T10:00Z"))
    assert resumed.moves == (Move(utc("15:00"), utc("13:00"), utc("2026-01-06T10:00Z"), "resume"),)
    assert resumed.not_before == utc("15:00")


def test_a_pause_at_the_due_moment_is_not_a_breach() -> None:
    facts = [("activate", "09:00", business(4)), ("pause", "13:00"), ("breach", "13:00")]
    state = clock(ledger(*facts), "16:00")
    assert (state.state, state.void) == ("paused", (3,))
    resumed = clock(ledger(*facts, ("resume", "16:00")), "16:00")
    assert (resumed.state, resumed.due_at, resumed.breached_at) == ("breached", utc("16:00"), utc("16:00"))


def test_a_breached_clock_stays_breached_through_a_wait() -> None:
    facts = [("activate", "09:00", business(2)), ("pause", "12:00")]
    state = clock(ledger(*facts), "14:00")
    assert (state.state, state.due_at, state.held) == ("breached", utc("11:00"), True)
    assert (state.elapsed_seconds, state.paused_seconds) == (3 * HOUR, 2 * HOUR)
    after = clock(ledger(*facts, ("resume", "15:00")), "16:00")
    assert (after.state, after.due_at, after.moves) == ("breached", utc("11:00"), ())
    assert after.not_before == utc("09:00")  # its reminders went on


@pytest.mark.parametrize(("resumed", "flags"), [("11:00", ()), ("11:20", ()), ("11:21", ("long_pause",))])
def test_paused_for_more_than_a_quarter_of_its_life_is_flagged(resumed: str, flags: tuple[str, ...]) -> None:
    # runs 09:00-10:00 and three hours after the resume: a life of 4 h + pause; a quarter of it is 1 h 20 min
    done = (utc(resumed) + timedelta(hours=3)).isoformat()
    facts = [("activate", "09:00", business(6)), ("pause", "10:00"), ("resume", resumed), ("fulfil", done)]
    state = clock(ledger(*facts))
    assert (state.state, state.flags) == ("met", flags)


def test_met_in_time_but_logged_after_the_due_time_is_flagged() -> None:
    facts = [("activate", "09:00", business(4)), ("breach", "13:00"), ("fulfil", "12:00", {}, "15:00")]
    state = clock(ledger(*facts))
    assert (state.state, state.flags, state.void) == ("met", ("logged_late",), (2,))
    assert clock(ledger(*facts), "14:00").state == "breached"  # as known then


def test_three_hours_with_one_used_tightened_to_two_is_due_in_one() -> None:
    facts = [
        ("activate", "09:00", business(3)),
        ("retarget", "10:00", {**business(2), "because": "severity"}),
    ]
    state = clock(ledger(*facts), "10:00")
    assert (state.state, state.due_at) == ("running", utc("11:00"))
    assert state.moves == (Move(utc("10:00"), utc("12:00"), utc("11:00"), "severity"),)


def test_a_new_target_already_used_up_is_due_and_breached_at_its_own_moment() -> None:
    facts = [("activate", "09:00", business(6)), ("retarget", "13:00", business(2))]
    state = clock(ledger(*facts), "13:00")
    assert (state.state, state.due_at, state.breached_at) == ("breached", utc("13:00"), utc("13:00"))
    assert state.not_before == utc("13:00")


def test_a_breached_clock_stays_due_as_it_was_when_the_new_target_is_used_up_too() -> None:
    facts = [("activate", "09:00", business(2)), ("retarget", "14:00", business(3))]
    state = clock(ledger(*facts), "15:00")
    assert (state.state, state.due_at, state.moves) == ("breached", utc("11:00"), ())


def test_a_breached_clock_runs_again_under_a_longer_target() -> None:
    facts = [("activate", "09:00", business(2)), ("breach", "11:00"), ("retarget", "12:00", business(6))]
    state = clock(ledger(*facts), "12:00")
    assert (state.state, state.due_at, state.breached_at) == ("running", utc("15:00"), None)


def test_a_retarget_while_paused_shows_in_the_due_time_on_resuming() -> None:
    facts = [("activate", "09:00", business(3)), ("pause", "10:00"), ("retarget", "11:00", business(2))]
    paused = clock(ledger(*facts), "11:00")
    assert (paused.state, paused.due_at, paused.moves) == ("paused", None, ())
    resumed = clock(ledger(*facts, ("resume", "12:00")), "12:00")
    assert (resumed.due_at, resumed.paused_seconds) == (utc("13:00"), 2 * HOUR)
    assert resumed.moves == (Move(utc("12:00"), utc("12:00"), utc("13:00"), "resume"),)


def test_another_calendar_counts_from_its_retarget_on() -> None:
    facts = [
        ("activate", "09:00", business(6)),
        ("retarget", "10:00", {"calendar": "2", "because": "calendar"}),
    ]
    state = rebuild(ledger(*facts), calendar=OFFICE, zone=ZONE, calendars={"2": LATE_OFFICE})
    assert state.due_at == utc("17:00")  # one hour used, five more from 12:00
    with pytest.raises(LedgerError):
        clock(ledger(*facts))


def test_a_reopened_clock_runs_on_and_the_time_between_is_no_long_pause() -> None:
    facts = [("activate", "09:00", business(4)), ("fulfil", "10:00"), ("reopen", "15:00")]
    state = clock(ledger(*facts), "15:00")
    assert (state.state, state.cycle, state.due_at) == ("running", 1, utc("2026-01-06T10:00Z"))
    assert (state.elapsed_seconds, state.paused_seconds, state.ended_at) == (HOUR, 5 * HOUR, None)
    met = clock(ledger(*facts, ("fulfil", "16:00")))
    assert (met.state, met.flags) == ("met", ())


def test_reopening_what_was_missed_leaves_it_breached() -> None:
    facts = [("activate", "09:00", business(2)), ("fulfil", "12:00"), ("reopen", "14:00")]
    state = clock(ledger(*facts), "14:00")
    assert (state.state, state.due_at, state.breached_at) == ("breached", utc("11:00"), utc("11:00"))


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        ("2026-02-20T10:00-05:00", "2026-03-22T10:00-04:00"),
        ("2026-10-10T10:00-04:00", "2026-11-09T10:00-05:00"),
        ("2026-02-06T02:30-05:00", "2026-03-08T03:30-04:00"),  # 02:30 is skipped that day
    ],
)
def test_close_is_due_at_the_same_local_time_thirty_days_later(raised: str, due: str) -> None:
    assert clock(ledger(("activate", raised, CLOSE))).due_at == utc(due)


def test_close_never_pauses() -> None:
    facts = [("activate", "2026-01-05T10:00Z", CLOSE), ("pause", "2026-01-06T10:00Z")]
    state = clock(ledger(*facts), "2026-01-07T10:00Z")
    assert (state.state, state.due_at, state.void) == ("running", utc("2026-02-04T10:00Z"), (2,))
    assert (state.elapsed_seconds, state.paused_seconds) == (48 * HOUR, 0)
    assert not can(state, "pause")


@pytest.mark.parametrize(
    ("reopened", "expected", "breached"),
    [
        ("2026-02-01T10:00Z", "running", None),
        ("2026-02-10T10:00Z", "breached", "2026-02-10T10:00Z"),  # it fell due in between
    ],
)
def test_a_reopened_close_keeps_its_due_time(reopened: str, expected: str, breached: str | None) -> None:
    facts = [
        ("activate", "2026-01-05T10:00Z", CLOSE),
        ("fulfil", "2026-01-30T10:00Z"),
        ("reopen", reopened),
    ]
    state = clock(ledger(*facts), reopened)
    assert (state.state, state.due_at) == (expected, utc("2026-02-04T10:00Z"))
    assert state.breached_at == (utc(breached) if breached else None)
    assert state.moves == ()


EXTENDED = [
    ("activate", "2026-01-05T10:00Z", CLOSE),
    ("retarget", "2026-02-01T10:00Z", {"due_at": "2026-02-14T10:00:00Z", "because": "extension"}),
]


def test_an_extension_moves_the_due_time_and_keeps_the_original() -> None:
    state = clock(ledger(*EXTENDED), "2026-02-10T10:00Z")
    original, extended = utc("2026-02-04T10:00Z"), utc("2026-02-14T10:00Z")
    assert (state.state, state.due_at, state.original_due_at) == ("running", extended, original)
    assert state.moves == (Move(utc("2026-02-01T10:00Z"), original, extended, "extension"),)
    assert due_original_breach(state, utc("2026-02-10T10:00Z")) == original
    assert due_breach(state, utc("2026-02-10T10:00Z")) is None
    assert next_breach(state) == original
    written = clock(ledger(*EXTENDED, ("breach", "2026-02-04T10:00Z")), "2026-02-10T10:00Z")
    assert next_breach(written) == extended


def test_the_original_breach_is_written_without_changing_the_state() -> None:
    state = clock(ledger(*EXTENDED, ("breach", "2026-02-04T10:00Z")), "2026-02-10T10:00Z")
    assert (state.state, state.void) == ("running", ())
    assert due_original_breach(state, utc("2026-02-10T10:00Z")) is None
    assert clock(ledger(*EXTENDED), "2026-02-15T10:00Z").state == "breached"


@pytest.mark.parametrize(
    ("closed", "expected", "flags"),
    [
        ("2026-02-04T10:00Z", "met", ()),
        ("2026-02-05T10:00Z", "met", ("late_by_original",)),
        ("2026-02-15T10:00Z", "missed", ()),
    ],
)
def test_an_extended_clock_met_after_its_original_due_time_says_so(
    closed: str, expected: str, flags: tuple[str, ...]
) -> None:
    state = clock(ledger(*EXTENDED, ("fulfil", closed)))
    assert (state.state, state.flags) == (expected, flags)


def test_a_breached_close_runs_again_when_extended() -> None:
    facts = [EXTENDED[0], ("breach", "2026-02-04T10:00Z")]
    granted = ("retarget", "2026-02-06T10:00Z", {"due_at": "2026-02-14T10:00:00Z", "because": "extension"})
    state = clock(ledger(*facts, granted), "2026-02-06T10:00Z")
    assert (state.state, state.original_due_at) == ("running", utc("2026-02-04T10:00Z"))
    assert due_original_breach(state, utc("2026-02-06T10:00Z")) is None  # written before


@pytest.mark.parametrize(
    ("cancelled", "expected"), [("12:00", "cancelled"), ("13:00", "cancelled"), ("13:01", "missed")]
)
def test_a_case_that_closes_cancels_what_runs_and_misses_what_was_breached(cancelled: str, expected: str) -> None:
    assert clock(ledger(("activate", "09:00", business(4)), ("cancel", cancelled))).state == expected


def test_another_activation_starts_the_next_cycle_from_nothing() -> None:
    facts = [("activate", "09:00", business(4)), ("fulfil", "10:00"), ("activate", "11:00", business(2))]
    state = clock(ledger(*facts), "12:00")
    assert (state.cycle, state.state, state.due_at) == (2, "running", utc("13:00"))
    assert (state.started_at, state.cycle_started_at) == (utc("09:00"), utc("11:00"))
    assert (state.elapsed_seconds, state.ended_at) == (HOUR, None)
    assert state.due_version > clock(ledger(*facts[:2])).due_version


def test_what_has_no_effect_is_void_and_changes_nothing() -> None:
    facts = [("activate", "09:00", business(4)), ("fulfil", "10:00")]
    late = [("fulfil", "11:00"), ("pause", "11:00"), ("resume", "12:00"), ("cancel", "12:00")]
    state = clock(ledger(*facts, *late))
    assert (state.state, state.ended_at, state.void) == ("met", utc("10:00"), (3, 4, 5, 6))


def test_a_fixed_target_is_due_at_its_moment() -> None:
    facts = ledger(("activate", "09:00", {"target": Target.at(utc("2026-01-10T12:00Z")).to_json()}))
    assert clock(facts).due_at == utc("2026-01-10T12:00Z")


def test_a_ledger_without_activation_is_refused() -> None:
    with pytest.raises(LedgerError):
        clock(ledger(("fulfil", "10:00")))
    with pytest.raises(LedgerError):
        clock(ledger(("activate", "10:00", business(1))), "09:00")
    with pytest.raises(LedgerError):
        Target("business_seconds", 0)


def test_which_entries_can_follow() -> None:
    running = clock(ledger(("activate", "09:00", business(4))), "10:00")
    paused = clock(ledger(("activate", "09:00", business(4)), ("pause", "10:00")), "11:00")
    met = clock(ledger(("activate", "09:00", business(4)), ("fulfil", "10:00")), "11:00")
    kinds: tuple[EntryType, ...] = ("reopen", "resume", "pause", "fulfil", "cancel", "retarget")
    assert [kind for kind in kinds if can(running, kind)] == ["pause", "fulfil", "cancel", "retarget"]
    assert [kind for kind in kinds if can(paused, kind)] == ["resume", "fulfil", "cancel", "retarget"]
    assert [kind for kind in kinds if can(met, kind)] == ["reopen"]


def test_default_targets_are_those_of_the_table() -> None:
    day = 8 * HOUR
    assert find_target("acknowledge", severity=1, day_seconds=day) == Target("business_seconds", 4 * HOUR)
    assert find_target("decide", severity=1, day_seconds=day) == Target("business_seconds", day)
    assert find_target("close", severity=3, day_seconds=day) == Target("calendar_days", 30)
    assert [find_target("customer_update", severity=n, day_seconds=day) for n in (1, 2, 3, 4)] == [
        Target("business_seconds", days * day) for days in (1, 2, 5, 5)
    ]
    assert find_target("tier", severity=1, day_seconds=day) is None
    changed = find_target("close", severity=1, day_seconds=day, settings={"close": {"calendar_days": 20}})
    assert changed == make_target({"calendar_days": 20}, day_seconds=day)
    assert pauses("customer_update", party="customer")
    assert not pauses("customer_update", party="vendor")
    assert pauses("tier", party="vendor")
    assert not pauses("close", party="customer")


TYPES: tuple[EntryType, ...] = (
    "activate",
    "reopen",
    "resume",
    "pause",
    "fulfil",
    "cancel",
    "breach",
    "retarget",
)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Any entries at whole half hours of two weeks, many at the same moment, after an activation."""
    start = utc("09:00")
    target = st.builds(Target, st.sampled_from(("business_seconds", "calendar_days")), st.integers(1, 20))
    entries = [Entry("activate", start, start, 0, {"target": draw(target).to_json()})]
    for seq in range(1, draw(st.integers(1, 10))):
        at = start + timedelta(minutes=30 * draw(st.integers(0, 400)))
        late = timedelta(minutes=30 * draw(st.integers(0, 4)))
        data: dict[str, Any] = {}
        kind = draw(st.sampled_from(TYPES))
        if kind in ("activate", "retarget"):
            seconds = draw(st.integers(1, 30)) * HOUR
            data = {"target": Target("business_seconds", seconds).to_json()}
        if kind == "retarget" and draw(st.booleans()):
            data = {"due_at": start + timedelta(hours=draw(st.integers(1, 300))), "because": "extension"}
        entries.append(Entry(kind, at, at + late, seq, data))
    return entries


AS_OF = "2026-01-16T12:00Z"


@settings(max_examples=200, deadline=None)
@given(ledgers(), st.randoms())
def test_the_order_in_which_entries_are_read_makes_no_difference(entries: list[Entry], random: Any) -> None:
    shuffled = random.sample(entries, len(entries))
    assert clock(shuffled, AS_OF) == clock(entries, AS_OF)


@settings(max_examples=200, deadline=None)
@given(ledgers())
def test_writing_the_breaches_that_timestamps_show_changes_no_state(entries: list[Entry]) -> None:
    before = clock(entries, AS_OF)
    for find in (due_breach, due_original_breach):
        moment = find(before, utc(AS_OF))
        written = [*entries, Entry("breach", moment, moment, len(entries))] if moment else entries
        after = clock(written, AS_OF)
        assert (after.state, after.due_at, after.elapsed_seconds, after.flags, after.moves) == (
            before.state,
            before.due_at,
            before.elapsed_seconds,
            before.flags,
            before.moves,
        )
        assert find(after, utc(AS_OF)) is None


@settings(max_examples=200, deadline=None)
@given(ledgers())
def test_a_state_never_contradicts_itself(entries: list[Entry]) -> None:
    state = clock(entries, AS_OF)
    assert (state.due_at is None) <= state.held
    assert (state.ended_at is not None) == (state.state in ("met", "missed", "cancelled"))
    if state.state == "running":
        assert state.due_at is not None
        assert state.due_at > utc(AS_OF)
    if state.state == "breached":
        assert state.breached_at is not None
        assert state.breached_at <= utc(AS_OF)
    assert all(move.becomes >= move.at for move in state.moves)
    assert state.paused_seconds >= 0
    if state.target.pauses and state.ended_at is None:
        life = OFFICE.between(state.cycle_started_at, utc(AS_OF))
        assert state.elapsed_seconds + state.paused_seconds == life
