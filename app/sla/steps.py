"""When the steps of a ladder fall due on one clock: all of them, the next one, and those passed over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.sla.calendar import BeyondCalendar, Calendar, local_days_later
from app.sla.ladder import Ladder, Step
from app.sla.ledger import State
from app.sla.offsets import Length


@dataclass(frozen=True, slots=True)
class Timing:
    """What the times of steps depend on.

    `local`: lengths are local calendar days (the `close` clock), else business time.
    `span_seconds`: the business time from start to due less what was paused; shares are counted back from
    the due time in it, so that 75 % is where three quarters of the promise are used up, pauses or not.
    `not_before`: steps up to then are passed over. `breaches_at`: the clock breached at a re-target or
    reopen; its steps at due fire then, though their time is not after `not_before`.
    """

    started_at: datetime
    due_at: datetime
    calendar: Calendar
    zone: ZoneInfo
    local: bool
    span_seconds: int
    not_before: datetime
    breaches_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A step of the ladder (by its index) at its time; repeats count from 0."""

    at: datetime
    index: int
    step: Step
    repeat: int = 0


Cursor = Due | tuple[datetime, int, int] | datetime | None


def find_timing(
    state: State, *, calendar: Calendar, zone: ZoneInfo, imported_at: datetime | None = None
) -> Timing | None:
    """The timing of a clock as it stands; None while it has no due time or once it has ended."""
    due_at = state.due_at
    if due_at is None or state.ended_at is not None:
        return None
    local = state.target.kind == "calendar_days"
    whole = 0 if local else calendar.between(state.cycle_started_at, due_at)
    promised = state.target.value if state.target.pauses and state.breached_at is not None else 0
    at_once = state.breached_at is not None and state.breached_at == state.not_before
    imported = imported_at is not None and imported_at > state.not_before
    return Timing(
        started_at=state.cycle_started_at,
        due_at=due_at,
        calendar=calendar,
        zone=zone,
        local=local,
        span_seconds=span_of(whole, state.paused_seconds, promised),
        not_before=imported_at if imported_at and imported else state.not_before,
        breaches_at=state.breached_at if at_once and not imported else None,
    )


def span_of(whole: int, paused: int, promised: int) -> int:
    """The time used from start to due. `promised` is what a breached clock had surely used by then: a pause after the
    breach takes nothing from it."""
    return max(whole - paused, min(promised, whole))


def steps_from(due: Due | None, ladder: Ladder, timing: Timing) -> Iterator[Due]:
    """This step and all after it in order of time, at one time in order of the ladder; may go on for ever."""
    while due is not None:
        yield due
        due = next_step(ladder, timing, after=due)


def next_step(ladder: Ladder, timing: Timing, *, after: Cursor = None) -> Due | None:
    """The first step after the one given, after a moment, or of all; None when the ladder is used up."""
    floor = _floor(after)
    gone = max(floor[0], timing.not_before) if floor else timing.not_before
    best: Due | None = None
    for index, step in enumerate(ladder):
        if step.when.before_due:
            if _is_past_due(gone, timing):
                continue
        elif best is not None and best.at < timing.due_at:
            continue  # what comes at or after the due time cannot be earlier
        due = _first(step, index, timing, floor)
        if due is not None and (best is None or due.at < best.at):
            best = due
    return best


def _is_past_due(gone: datetime, timing: Timing) -> bool:
    """Whether no step before due is left; of a span of almost nothing the shares fall on the due time itself."""
    return gone > timing.due_at or (gone == timing.due_at and (timing.local or timing.span_seconds >= 100))


def passed_over(ladder: Ladder, timing: Timing) -> list[Due]:
    """The steps never fired because they lay in the past; of a repeated one the latest stands for all."""
    passed: list[Due] = []
    for index, step in enumerate(ladder):
        at = _time(step, 0, timing)
        if at is None or at > timing.not_before or _fires_at_once(step, timing):
            continue
        latest = Due(at, index, step)
        if step.repeat:
            following = _first(step, index, timing, None)
            latest = _latest_before(following, latest, timing)
        passed.append(latest)
    return sorted(passed, key=lambda due: (due.at, due.index))


def _latest_before(following: Due | None, first: Due, timing: Timing) -> Due:
    repeat = first.step.repeat
    number = following.repeat - 1 if following else (repeat.times or 1) - 1 if repeat else 0
    return replace(first, repeat=number, at=_time(first.step, number, timing) or first.at)


Floor = tuple[datetime, int, int] | None


def _floor(after: Cursor) -> Floor:
    if after is None or isinstance(after, tuple):
        return after
    if isinstance(after, Due):
        return after.at, after.index, after.repeat
    return after, 1_000_000, 0  # after everything at that moment


def _first(step: Step, index: int, timing: Timing, floor: Floor) -> Due | None:
    """The first time this step comes after `floor` and is not passed over."""
    number = _skip(step, timing, floor) if step.repeat else 0
    times = step.repeat.times if step.repeat else 1
    while times is None or number < times:
        at = _time(step, number, timing)
        if at is None:
            return None
        fires = at > timing.not_before or (number == 0 and _fires_at_once(step, timing))
        if fires and (floor is None or (at, index, number) > floor):
            return Due(at, index, step, number)
        number += 1
    return None


def _skip(step: Step, timing: Timing, floor: Floor) -> int:
    """A repeat number that lies surely before the first one wanted, and near it."""
    wanted = max(timing.not_before, floor[0]) if floor else timing.not_before
    if step.repeat is None or wanted <= timing.due_at:
        return 0
    first, every = step.when.length, step.repeat.length
    if timing.local:
        gone = (wanted - timing.due_at).total_seconds() - first.days * 86_400 - first.seconds
        return max(0, int(gone // (every.days * 86_400 + every.seconds)) - 1)
    gone = timing.calendar.between(timing.due_at, wanted) - _business(first, timing)
    return max(0, int(gone // _business(every, timing)) - 1)


def _fires_at_once(step: Step, timing: Timing) -> bool:
    return timing.breaches_at is not None and step.offset == "0"


def _time(step: Step, number: int, timing: Timing) -> datetime | None:
    """The time of a step's repeat; None beyond the years that calendars know."""
    if number == 0 and _fires_at_once(step, timing):
        return timing.breaches_at
    try:
        if step.when.before_due:
            return _inside(_before_due(step, timing), timing)
        return _after_due(step, number, timing)
    except BeyondCalendar:
        return None


def _inside(at: datetime, timing: Timing) -> datetime:
    """A step before due outside opening hours is set to the last closing before it."""
    if timing.calendar.is_open(at):
        return at
    return timing.calendar.prev_close(at) or at


def _before_due(step: Step, timing: Timing) -> datetime:
    when = step.when
    if when.share is None:
        if timing.local:
            at = local_days_later(timing.due_at, -when.length.days, timing.zone)
            return at - timedelta(seconds=when.length.seconds)
        return timing.calendar.subtract(timing.due_at, _business(when.length, timing))
    if timing.local:
        return _local_share(when.share, timing)
    left = timing.span_seconds * (100 - when.share) // 100
    return timing.calendar.subtract(timing.due_at, left, at_closing=True)


def _local_share(share: int, timing: Timing) -> datetime:
    """The share of the span on the local wall clock: half of 30 days is the same local time 15 days later."""
    start, due = (at.astimezone(timing.zone).replace(tzinfo=None) for at in (timing.started_at, timing.due_at))
    wall = start + (due - start) * share / 100
    return wall.replace(tzinfo=timing.zone).astimezone(timing.due_at.tzinfo)


def _after_due(step: Step, number: int, timing: Timing) -> datetime:
    length = step.when.length
    if step.repeat and number:
        length = length.plus(step.repeat.length.times(number))
    if not length.days and not length.seconds:
        return timing.due_at
    if timing.local:
        at = local_days_later(timing.due_at, length.days, timing.zone)
        return at + timedelta(seconds=length.seconds)
    return timing.calendar.add(timing.due_at, _business(length, timing))


def _business(length: Length, timing: Timing) -> int:
    return length.days * timing.calendar.day_seconds + length.seconds
