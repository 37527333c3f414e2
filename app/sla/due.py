"""What a clock that is due asks for now: steps to carry out, breaches to write, and when to look again.

For the sweep in `escalations`, which owns the loop, the audiences, the messages and the actions. One batch is one
transaction:

    clocks = claims.claim(limit, now)              # locked, skipping what another worker holds
    fired = due.plan_all(clocks, now)              # pure; a clock that cannot be planned is set aside, not in the way
    for each fired, for each firing:
        firing.action == "notify": resolve firing.roles to people now, through delegates; an empty role is a line too
        otherwise: one line with recipient "-"
    due.fold(...)                                  # of missed steps the latest per clock and person goes out
    new = claims.write(fired, lines, now)          # ids of the lines that are new; a line that was there sends nothing
    post intents of the lines in `new` (dedupe_key "step:" + line id, clock_id, at = firing.at), perform their actions

Write before acting: an action loads the same clocks through `Clocks`, which must find them as the sweep left them. An
action locks its escalation, and requests lock the escalation before its clocks: take escalations of claimed clocks with
SKIP LOCKED and leave out those that somebody holds, they stay due. Roles of an action say for whom or whither it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter

from app.sla.calendar import Calendar
from app.sla.ladder import Ladder, Step
from app.sla.ledger import Entry
from app.sla.models import Clock
from app.sla.steps import Due, Timing, next_step, span_of
from app.sla.stored import rebuild_ledger
from app.sla.versions import find_calendar, find_ladders

log = structlog.get_logger()
Person = TypeVar("Person")

SET_ASIDE = Counter("firsthand_clocks_set_aside_total", "Clocks the sweep could not plan and will not look at again")


@dataclass(slots=True)
class DueClock:
    """A claimed clock; `ledger` is given only where a breach must be written after more than an activation."""

    id: UUID
    escalation_id: UUID
    kind: str
    subject: str
    cycle: int
    state: str
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    breached_at: datetime | None
    target_kind: str
    target_value: int
    calendar_version_id: UUID
    zone: str
    ladder_number: int
    due_version: int
    not_before: datetime
    elapsed_seconds: int
    paused_seconds: int
    next_step_at: datetime
    next_step: int | None
    next_repeat: int
    entries: int
    ledger: Sequence[Entry] = ()

    @property
    def extended(self) -> bool:
        return self.due_at != self.original_due_at


@dataclass(frozen=True, slots=True)
class Firing:
    """A step to carry out now. `at` is when it was due, `earlier` the ones missed before that it stands for."""

    step: Step
    at: datetime
    repeat: int
    earlier: tuple[Due, ...] = ()

    @property
    def action(self) -> str:
        return self.step.action

    @property
    def roles(self) -> tuple[str, ...]:
        return self.step.audience

    @property
    def offset(self) -> str:
        """As written in the ladder; the log and the schedule name the step by it."""
        return self.step.offset


@dataclass(slots=True)
class Fired:
    """What one due clock asks for, oldest first, and how its row stands afterwards."""

    clock: DueClock
    firings: list[Firing]
    breaches: list[datetime]
    state: str
    breached_at: datetime | None
    elapsed_seconds: int
    paused_seconds: int
    next_step_at: datetime | None = None
    next_step: int | None = None
    next_repeat: int = 0
    problem: str | None = None

    @property
    def just_breached(self) -> bool:
        """Whether the promise was found broken now, as against passing its original due time."""
        return self.state == "breached" and self.clock.state != "breached"


@dataclass(slots=True)
class Told(Generic[Person]):
    """One person hears of the latest step meant for them; `folded` are the earlier ones, each for the log."""

    person: Person
    firing: Firing
    folded: list[Due] = field(default_factory=list)

    @property
    def stands_for(self) -> int:
        """How many steps the message stands for, its own included."""
        return 1 + len(self.folded)


def fold(meant: Iterable[tuple[Firing, Iterable[Person]]]) -> list[Told[Person]]:
    """Of one clock's `notify` firings, oldest first, with the people each is meant for: what each person hears."""
    told: dict[Person, Told[Person]] = {}
    for firing, people in meant:
        for person in people:
            missed = list(firing.earlier)
            if before := told.pop(person, None):
                own = Due(before.firing.at, 0, before.firing.step, before.firing.repeat)
                missed = [*before.folded, own, *missed]
            told[person] = Told(person, firing, missed)
    return list(told.values())


def plan_all(clocks: Iterable[DueClock], now: datetime) -> list[Fired]:
    """As `plan`; a clock that cannot be planned is set aside with the reason on its row and holds up no other."""
    return [_plan_or_set_aside(clock, now) for clock in clocks]


def _plan_or_set_aside(clock: DueClock, now: datetime) -> Fired:
    try:
        return plan(clock, now)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return set_aside(clock, error)


def set_aside(clock: DueClock, error: Exception) -> Fired:
    """The clock as it was, with what it ran into, not to be looked at again until somebody has."""
    SET_ASIDE.inc()
    log.error("clock_set_aside", clock_id=str(clock.id), escalation_id=str(clock.escalation_id), error=repr(error))
    return _unchanged(clock, problem=repr(error))


def _unchanged(clock: DueClock, problem: str | None = None) -> Fired:
    return Fired(
        clock,
        [],
        [],
        clock.state,
        clock.breached_at,
        clock.elapsed_seconds,
        clock.paused_seconds,
        problem=problem,
    )


def plan(clock: DueClock, now: datetime) -> Fired:
    """Everything due by `now`: each step with its missed repeats folded into it, of actions of a kind only the last."""
    fired = _unchanged(clock)
    calendar = find_calendar(clock.calendar_version_id)
    _plan_breaches(fired, calendar, now)
    _plan_steps(fired, calendar, now)
    return fired


def _plan_breaches(fired: Fired, calendar: Calendar, now: datetime) -> None:
    """The moments whose breach the ledger does not hold yet: what lies before the row's cursor has been written."""
    clock = fired.clock
    original, due = clock.original_due_at, clock.due_at
    if clock.extended and original is not None and clock.next_step_at <= original <= now:
        fired.breaches.append(original)
    if clock.state == "running" and due is not None and max(due, clock.not_before) <= now:
        fired.breaches.append(max(due, clock.not_before))
    if fired.breaches:
        _apply_breaches(fired, calendar, now)


def _apply_breaches(fired: Fired, calendar: Calendar, now: datetime) -> None:
    """The row as of now; a ledger of one activation needs no rebuilding."""
    clock = fired.clock
    if clock.entries == 1:
        fired.state, fired.breached_at = "breached", fired.breaches[-1]
        passed = calendar.between if clock.target_kind == "business_seconds" else _seconds
        fired.elapsed_seconds = passed(clock.started_at, now)
        return
    written = [Entry("breach", at, now, clock.entries + n) for n, at in enumerate(fired.breaches, start=1)]
    state = rebuild_ledger([*clock.ledger, *written], zone=clock.zone, as_of=now)
    fired.state, fired.breached_at = state.state, state.breached_at
    fired.elapsed_seconds, fired.paused_seconds = state.elapsed_seconds, state.paused_seconds


def _seconds(start: datetime, end: datetime) -> int:
    gone = end - start
    return gone.days * 86_400 + gone.seconds


def _plan_steps(fired: Fired, calendar: Calendar, now: datetime) -> None:
    clock = fired.clock
    ladder = find_ladders(clock.ladder_number)[clock.kind]
    timing = timing_of_row(clock, calendar)
    upcoming = first_due(clock, ladder, timing)
    due: list[Due] = []
    while upcoming is not None and upcoming.at <= now:
        due.append(upcoming)
        upcoming = next_step(ladder, timing, after=upcoming)
    fired.firings = _gather(due)
    fired.next_step_at = _next_look(fired, upcoming, now)
    if upcoming is not None and upcoming.at == fired.next_step_at:
        fired.next_step, fired.next_repeat = upcoming.index, upcoming.repeat


def first_due(clock: DueClock | Clock, ladder: Ladder, timing: Timing) -> Due | None:
    """The step a clock stands before; None when only a breach is to come."""
    if clock.next_step_at is None:
        return None
    if clock.next_step is None:
        return next_step(ladder, timing, after=clock.next_step_at)
    return Due(clock.next_step_at, clock.next_step, ladder[clock.next_step], clock.next_repeat)


def _next_look(fired: Fired, upcoming: Due | None, now: datetime) -> datetime | None:
    clock = fired.clock
    moments = [upcoming.at] if upcoming is not None else []
    if fired.state == "running" and clock.due_at is not None:
        moments.append(max(clock.due_at, clock.not_before))
    if clock.extended and clock.original_due_at is not None and clock.original_due_at > now:
        moments.append(clock.original_due_at)
    return min(moments, default=None)


def timing_of_row(clock: DueClock | Clock, calendar: Calendar) -> Timing:
    """The timing of a stored clock that has a due time, without its ledger."""
    if clock.due_at is None:
        raise ValueError("a clock without a due time has no steps")
    local = clock.target_kind == "calendar_days"
    whole = 0 if local else calendar.between(clock.started_at, clock.due_at)
    promised = clock.target_value if clock.target_kind == "business_seconds" and clock.breached_at is not None else 0
    return Timing(
        started_at=clock.started_at,
        due_at=clock.due_at,
        calendar=calendar,
        zone=ZoneInfo(clock.zone),
        local=local,
        span_seconds=span_of(whole, clock.paused_seconds, promised),
        not_before=clock.not_before,
        breaches_at=clock.breached_at if clock.breached_at == clock.not_before else None,
    )


def _gather(due: list[Due]) -> list[Firing]:
    """Repeats of a step fold into its last one, actions into the last of their kind; oldest first."""
    last: dict[object, list[Due]] = {}
    for one in due:
        key = one.index if one.step.action == "notify" else one.step.action
        last[key] = [*last.pop(key, ()), one]
    return [Firing(ones[-1].step, ones[-1].at, ones[-1].repeat, tuple(ones[:-1])) for ones in last.values()]
