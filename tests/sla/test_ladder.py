"""When steps fall due, worked out by hand, and ladders that cannot be meant."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import compile_calendar
from app.sla.clock import rebuild
from app.sla.hours import WEEKDAYS
from app.sla.ladder import DEFAULT_LADDERS, Ladder, Repeat, Step, ladder_to_json, make_ladder, parse_ladder
from app.sla.ledger import Entry, Target
from app.sla.offsets import LadderError
from app.sla.steps import Timing, find_timing, next_step, passed_over, steps_from
from app.sla.targets import CLOCK_KINDS

HOUR = 3600
NEW_YORK = ZoneInfo("America/New_York")
OFFICE = compile_calendar(
    {"timezone": "America/New_York", "weekly": {day: [["09:00", "17:00"]] for day in WEEKDAYS[:5]}}
)
ALWAYS = compile_calendar({"timezone": "America/New_York", "always_open": True})


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def timing(*facts: tuple[Any, ...], as_of: str, calendar: Any = OFFICE, imported: str | None = None) -> Timing:
    entries = [
        Entry(kind, local(at), local(at), seq, more[0] if more else {}) for seq, (kind, at, *more) in enumerate(facts)
    ]
    state = rebuild(entries, calendar=calendar, zone=NEW_YORK, as_of=local(as_of))
    found = find_timing(state, calendar=calendar, zone=NEW_YORK, imported_at=local(imported) if imported else None)
    assert found is not None
    return found


def close_raised(at: str, **more: Any) -> Timing:
    return timing(("activate", at, {"target": Target("calendar_days", 30).to_json()}), as_of=at, **more)


def business(hours: int) -> dict[str, Any]:
    return {"target": Target("business_seconds", hours * HOUR).to_json()}


def planned(ladder: Ladder, found: Timing, count: int) -> list[tuple[str, str, int]]:
    return [
        (due.at.astimezone(NEW_YORK).strftime("%m-%d %H:%M"), due.step.offset, due.repeat)
        for due in islice(steps_from(next_step(ladder, found), ladder, found), count)
    ]


def test_the_close_ladder_counts_local_days_across_a_dst_change() -> None:
    # raised Tuesday 20 October, due Thursday 19 November; clocks go back on 1 November
    assert planned(DEFAULT_LADDERS["close"], close_raised("2026-10-20T11:00"), 13) == [
        ("11-04 11:00", "50%", 0),
        ("11-12 11:00", "-P7D", 0),
        ("11-16 11:00", "-P3D", 0),
        ("11-18 11:00", "-P1D", 0),
        ("11-19 11:00", "0", 0),
        ("11-20 11:00", "+P1D", 0),
        ("11-21 11:00", "+P1D", 1),
        ("11-22 11:00", "+P1D", 2),
        ("11-23 11:00", "+P1D", 3),
        ("11-24 11:00", "+P1D", 4),
        ("11-25 11:00", "+P1D", 5),
        ("11-26 11:00", "+P1D", 6),
        ("11-26 11:00", "+P7D", 0),
    ]


def test_a_step_before_due_outside_hours_is_set_to_the_last_closing() -> None:
    # raised Saturday 10 October 20:00, due Monday 9 November 20:00
    assert planned(DEFAULT_LADDERS["close"], close_raised("2026-10-10T20:00"), 6) == [
        ("10-23 17:00", "50%", 0),  # Sunday 25th
        ("11-02 17:00", "-P7D", 0),  # Monday 2nd, 20:00
        ("11-06 17:00", "-P3D", 0),  # Friday 6th, 20:00
        ("11-06 17:00", "-P1D", 0),  # Sunday 8th
        ("11-09 20:00", "0", 0),  # at and after due a step keeps its time
        ("11-10 20:00", "+P1D", 0),
    ]


def test_other_clocks_count_business_time_and_repeat_five_times() -> None:
    found = timing(("activate", "2026-10-22T15:00", business(4)), as_of="2026-10-22T15:00")
    assert planned(DEFAULT_LADDERS["acknowledge"], found, 20) == [
        ("10-23 10:00", "75%", 0),  # two hours on Thursday, one on Friday
        ("10-23 11:00", "0", 0),
        ("10-26 11:00", "+P1D", 0),
        ("10-27 11:00", "+P1D", 1),
        ("10-28 11:00", "+P1D", 2),
        ("10-29 11:00", "+P1D", 3),
        ("10-30 11:00", "+P1D", 4),
    ]


def test_a_share_used_up_at_closing_is_due_at_closing() -> None:
    found = timing(("activate", "2026-10-22T14:00", business(4)), as_of="2026-10-22T14:00")
    assert planned(DEFAULT_LADDERS["acknowledge"], found, 1) == [("10-22 17:00", "75%", 0)]


def test_a_share_is_of_the_promise_less_pauses() -> None:
    facts = [
        ("activate", "2026-10-22T09:00", business(8)),
        ("pause", "2026-10-22T11:00"),
        ("resume", "2026-10-23T11:00"),
    ]
    found = timing(*facts, as_of="2026-10-23T11:00")
    # 2 h used, 6 h left from Friday 11:00; three quarters are used up after 4 h more
    assert planned(DEFAULT_LADDERS["tier"], found, 3) == [
        ("10-23 15:00", "75%", 0),
        ("10-23 17:00", "0", 0),
        ("10-23 17:00", "0", 0),
    ]


def test_steps_that_lay_in_the_past_at_a_resume_are_passed_over() -> None:
    facts = [
        ("activate", "2026-10-22T09:00", business(8)),
        ("pause", "2026-10-22T16:30"),
        ("resume", "2026-10-23T09:00"),
    ]
    found = timing(*facts, as_of="2026-10-23T09:00")
    ladder = DEFAULT_LADDERS["plan"]
    assert planned(ladder, found, 1) == [("10-23 09:30", "0", 0)]
    assert [(due.step.offset, due.at) for due in passed_over(ladder, found)] == [("75%", local("2026-10-22T15:30"))]


def test_a_clock_that_breaches_at_its_retarget_fires_the_step_at_due_once() -> None:
    facts = [("activate", "2026-10-22T09:00", business(8)), ("retarget", "2026-10-22T14:00", business(2))]
    found = timing(*facts, as_of="2026-10-22T14:00")
    ladder = DEFAULT_LADDERS["plan"]
    assert planned(ladder, found, 2) == [("10-22 14:00", "0", 0), ("10-23 14:00", "+P1D", 0)]
    assert [due.step.offset for due in passed_over(ladder, found)] == ["75%"]


def test_a_close_that_fell_due_before_its_reopening_fires_at_due_then_and_goes_on_daily() -> None:
    facts = [
        ("activate", "2026-09-01T10:00", {"target": Target("calendar_days", 30).to_json()}),
        ("fulfil", "2026-09-25T10:00"),
        ("reopen", "2026-10-05T12:00"),
    ]
    found = timing(*facts, as_of="2026-10-05T12:00")  # was due on 1 October, 10:00
    ladder = DEFAULT_LADDERS["close"]
    assert planned(ladder, found, 4) == [
        ("10-05 12:00", "0", 0),
        ("10-06 10:00", "+P1D", 4),
        ("10-07 10:00", "+P1D", 5),
        ("10-08 10:00", "+P1D", 6),
    ]
    assert [(due.step.offset, due.repeat) for due in passed_over(ladder, found)] == [
        ("50%", 0),
        ("-P7D", 0),
        ("-P3D", 0),
        ("-P1D", 0),
        ("+P1D", 3),
    ]


def test_an_import_passes_over_what_lay_before_it_and_fires_nothing_at_once() -> None:
    found = timing(
        ("activate", "2026-09-01T10:00", {"target": Target("calendar_days", 30).to_json()}),
        as_of="2026-10-05T12:00",
        imported="2026-10-05T12:00",
    )
    assert planned(DEFAULT_LADDERS["close"], found, 1) == [("10-06 10:00", "+P1D", 4)]


def test_the_ladder_follows_an_extension() -> None:
    found = timing(
        ("activate", "2026-09-01T10:00", {"target": Target("calendar_days", 30).to_json()}),
        ("retarget", "2026-09-29T10:00", {"due_at": local("2026-10-15T10:00"), "because": "extension"}),
        as_of="2026-09-29T10:00",
    )
    assert planned(DEFAULT_LADDERS["close"], found, 3) == [
        ("10-08 10:00", "-P7D", 0),
        ("10-12 10:00", "-P3D", 0),
        ("10-14 10:00", "-P1D", 0),
    ]


def test_a_paused_or_ended_clock_has_no_steps() -> None:
    start = local("2026-10-22T09:00")
    activated = Entry("activate", start, start, 1, business(8))
    for kind in ("pause", "fulfil"):
        entries = [activated, Entry(kind, start, start, 2)]  # type: ignore[arg-type]
        state = rebuild(entries, calendar=OFFICE, zone=NEW_YORK, as_of=start)
        assert find_timing(state, calendar=OFFICE, zone=NEW_YORK) is None


def test_default_ladders_name_the_people_of_the_rules() -> None:
    def told(kind: str) -> list[tuple[str, set[str], str]]:
        return [(step.offset, set(step.audience), step.action) for step in DEFAULT_LADDERS[kind]]

    assert set(DEFAULT_LADDERS) == set(CLOCK_KINDS)
    assert told("close") == [
        ("50%", {"owner"}, "notify"),
        ("-P7D", {"owner", "csm"}, "notify"),
        ("-P3D", {"owner", "owner_manager"}, "notify"),
        ("-P1D", {"owner", "owner_manager", "account_owner"}, "notify"),
        ("0", {"owner", "csm", "owner_manager", "account_owner", "sponsor"}, "notify"),
        ("+P1D", {"owner", "owner_manager"}, "notify"),
        ("+P7D", {"sponsor"}, "notify"),
    ]
    assert told("decide") == [
        ("75%", {"approver"}, "notify"),
        ("0", {"approver", "approver_manager"}, "notify"),
        ("+P1D", {"approver", "approver_manager", "admins"}, "notify"),
    ]
    assert told("verify") == [
        ("50%", {"owner"}, "notify"),
        ("80%", {"owner"}, "notify"),
        ("0", set(), "close"),
    ]
    assert ("0", {"next_tier"}, "escalate") in told("tier")


@pytest.mark.parametrize("kind", CLOCK_KINDS)
def test_a_ladder_survives_its_own_json(kind: str) -> None:
    assert parse_ladder(ladder_to_json(DEFAULT_LADDERS[kind])) == DEFAULT_LADDERS[kind]


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ("none", ""),
        ([7], "0"),
        ([{"offset": "7 days", "audience": ["owner"]}], "0/offset"),
        ([{"audience": ["owner"]}], "0/offset"),
        ([{"offset": "0%", "audience": ["owner"]}], "0/offset"),
        ([{"offset": "100%", "audience": ["owner"]}], "0/offset"),
        ([{"offset": "-P0D", "audience": ["owner"]}], "0/offset"),
        ([{"offset": "P1D", "audience": ["owner"]}], "0/offset"),
        ([{"offset": "-P1Y", "audience": ["owner"]}], "0/offset"),
        ([{"offset": "0", "audience": ["boss"]}], "0/audience"),
        ([{"offset": "0", "audience": "owner"}], "0/audience"),
        ([{"offset": "0", "audience": ["owner", "owner"]}], "0/audience"),
        ([{"offset": "0", "audience": []}], "0/audience"),
        ([{"offset": "0", "audience": ["owner"], "action": "explode"}], "0/action"),
        ([{"offset": "0", "audience": ["owner"], "to": "x"}], "0/to"),
        ([{"offset": "-P1D", "audience": ["owner"], "repeat": {"every": "P1D"}}], "0/repeat"),
        ([{"offset": "0", "audience": ["owner"], "repeat": {"every": "daily"}}], "0/repeat/every"),
        ([{"offset": "0", "audience": ["owner"], "repeat": {"every": "P1D", "times": 0}}], "0/repeat/times"),
        ([{"offset": "0", "audience": ["owner"], "repeat": {"every": "P1D", "times": "x"}}], "0/repeat/times"),
        (
            [{"offset": "-PT1H", "audience": ["owner"]}, {"offset": "-PT60M", "audience": ["csm"]}],
            "1/offset",
        ),
    ],
)
def test_a_ladder_that_cannot_be_meant_is_refused_by_field(steps: object, field: str) -> None:
    with pytest.raises(LadderError) as refused:
        parse_ladder(steps)
    assert refused.value.field == field


def test_hours_and_minutes_count_as_written() -> None:
    ladder = make_ladder([Step("-PT1H30M", ("owner",)), Step("+P1DT2H", ("owner",))])
    found = timing(("activate", "2026-10-22T09:00", business(8)), as_of="2026-10-22T09:00")
    assert planned(ladder, found, 2) == [("10-22 15:30", "-PT1H30M", 0), ("10-26 11:00", "+P1DT2H", 0)]


def test_of_a_span_without_open_time_every_share_falls_on_the_due_time() -> None:
    """From 20:00 to the opening at 9:00 no open time passes: a fifth and three quarters of it are both up at 9:00."""
    start, due = local("2026-10-21T20:00"), local("2026-10-22T09:00")
    found = Timing(start, due, OFFICE, NEW_YORK, local=False, span_seconds=0, not_before=start)
    ladder = make_ladder([Step("20%", ("owner",)), Step("75%", ("owner",)), Step("0", ("owner",))])
    assert planned(ladder, found, 4) == [("10-22 09:00", "20%", 0), ("10-22 09:00", "75%", 0), ("10-22 09:00", "0", 0)]


OFFSETS = ("20%", "75%", "-P7D", "-P1D", "-PT2H", "0", "+PT1H", "+P1D", "+P3D")
REPEATS = (None, Repeat("P1D"), Repeat("PT5H", times=3), Repeat("P7D", times=2))


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    start = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 60_000)))
    due = start + timedelta(minutes=draw(st.integers(1, 60_000)))
    calendar = draw(st.sampled_from((OFFICE, ALWAYS)))
    return Timing(
        started_at=start,
        due_at=due,
        calendar=calendar,
        zone=NEW_YORK,
        local=draw(st.booleans()),
        span_seconds=calendar.between(start, due),
        not_before=start + timedelta(minutes=draw(st.integers(0, 90_000))),
    )


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    steps = []
    for offset in draw(st.lists(st.sampled_from(OFFSETS), min_size=1, unique=True)):
        repeat = draw(st.sampled_from(REPEATS)) if offset[0] in "0+" else None
        steps.append(Step(offset, ("owner",), repeat=repeat))
    return make_ladder(steps)


@settings(max_examples=150, deadline=None)
@given(ladders(), timings(), st.integers(0, 30_000))
def test_the_next_step_is_the_first_of_the_plan_after_it(ladder: Ladder, found: Timing, minutes: int) -> None:
    plan = list(islice(steps_from(next_step(ladder, found), ladder, found), 25))
    keys = [(due.at, due.index, due.repeat) for due in plan]
    assert all(earlier < later for earlier, later in pairwise(keys))
    assert all(due.at > found.not_before for due in plan)
    for due, following in pairwise(plan):
        assert next_step(ladder, found, after=(due.at, due.index, due.repeat)) == following
    moment = found.not_before + timedelta(minutes=minutes)
    later_ones = [due for due in plan if due.at > moment]
    if later_ones:
        assert next_step(ladder, found, after=moment) == later_ones[0]


@settings(max_examples=150, deadline=None)
@given(ladders(), timings())
def test_every_step_is_either_planned_or_passed_over(ladder: Ladder, found: Timing) -> None:
    passed = passed_over(ladder, found)
    assert all(due.at <= found.not_before for due in passed)
    reached = {due.index for due in islice(steps_from(next_step(ladder, found), ladder, found), 200)} | {
        due.index for due in passed
    }
    assert reached == set(range(len(ladder)))
