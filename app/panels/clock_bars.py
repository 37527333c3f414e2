"""Promises as bars: where on the way from start to due we are, what stood still, which reminders lie on it.

Pure: clocks, steps and log in, places in percent of the bar out. A bar reaches from the start of the cycle to the
latest of its due time, its original due time and now.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from app.sla.ledger import STANDING

Mark = Literal["coming", "sent", "suppressed"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A reminder on the bar, at `x` percent."""

    x: float
    mark: Mark
    at: datetime


@dataclass(frozen=True, slots=True)
class Coming:
    """What a clock brings next: a step of its ladder, with the roles it reaches."""

    at: datetime
    action: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One cycle of one clock. Places are percent of the bar; `used` ends at now or where the promise was kept."""

    kind: str
    subject: str
    cycle: int
    state: str
    flags: tuple[str, ...]
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    used: float
    due_x: float | None
    original_x: float | None
    paused: tuple[tuple[float, float], ...]
    ticks: tuple[Tick, ...]
    next: Coming | None

    @property
    def is_late(self) -> bool:
        return self.state == "breached"

    @property
    def is_extended(self) -> bool:
        return self.original_due_at is not None and self.due_at is not None and self.due_at != self.original_due_at


@dataclass(frozen=True, slots=True)
class Scale:
    """Moments as percent of the bar, a tenth exact."""

    start: datetime
    end: datetime

    def at(self, moment: datetime) -> float:
        whole = (self.end - self.start) / timedelta(seconds=1)
        part = (moment - self.start) / timedelta(seconds=1)
        return round(min(max(part / whole, 0), 1) * 100, 1) if whole > 0 else 100.0

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


def bars_of(
    clocks: Iterable[Any], coming: Sequence[Any], sent: Sequence[Mapping[str, Any]], *, now: datetime
) -> list[Bar]:
    """The bars of the clocks that stand, by what comes first; those that stand still come last."""
    bars = [bar_of(view, coming, sent, now=now) for view in clocks if view.state.state in STANDING]
    return sorted(bars, key=lambda bar: (bar.due_at is None, bar.due_at or now, bar.kind))


def bar_of(view: Any, coming: Sequence[Any], sent: Sequence[Mapping[str, Any]], *, now: datetime) -> Bar:
    """`view` is a clock as of now, `coming` the case's steps to come, `sent` the lines of its log."""
    state, row = view.state, view.row
    ahead = [step for step in coming if step.clock.id == row.id]
    behind = [line for line in sent if line["clock_id"] == row.id and line["cycle"] == row.cycle]
    known = [at for at in (state.due_at, state.original_due_at, now) if at is not None]
    scale = Scale(state.cycle_started_at, max(known))
    extended = state.original_due_at is not None and state.due_at not in (None, state.original_due_at)
    return Bar(
        kind=row.kind,
        subject=row.subject,
        cycle=row.cycle,
        state=state.state,
        flags=tuple(state.flags),
        started_at=state.cycle_started_at,
        due_at=state.due_at,
        original_due_at=state.original_due_at,
        used=scale.at(now),
        due_x=scale.at(state.due_at) if state.due_at else None,
        original_x=scale.at(state.original_due_at) if extended else None,
        paused=tuple(stretches(view.entries, state.void, scale, now=now)),
        ticks=tuple(ticks_of(ahead, behind, scale)),
        next=next((Coming(one.at, one.action, tuple(one.roles)) for one in ahead), None),
    )


def stretches(
    entries: Iterable[Any], void: Sequence[int], scale: Scale, *, now: datetime
) -> Iterable[tuple[float, float]]:
    """From where to where the clock stood still, as (place, width)."""
    since: datetime | None = None
    for entry in sorted((one for one in entries if one.seq not in void), key=lambda one: (one.at, one.seq)):
        if entry.type == "pause" and since is None:
            since = entry.at
        elif entry.type in ("resume", "reopen", "cancel", "fulfil") and since is not None:
            yield stretch(since, entry.at, scale)
            since = None
    if since is not None:
        yield stretch(since, now, scale)


def stretch(since: datetime, until: datetime, scale: Scale) -> tuple[float, float]:
    begins = scale.at(since)
    return begins, round(scale.at(until) - begins, 1)


def ticks_of(ahead: Iterable[Any], behind: Iterable[Mapping[str, Any]], scale: Scale) -> Iterable[Tick]:
    """One mark a moment: sent where anybody was told, crossed where everything was held back."""
    marks: dict[datetime, Mark] = {}
    for line in behind:
        told = line["outcome"] in ("sent", "done")
        if told or line["at"] not in marks:
            marks[line["at"]] = "sent" if told else "suppressed"
    marks |= {step.at: "coming" for step in ahead if step.at not in marks}
    return [Tick(scale.at(at), mark, at) for at, mark in sorted(marks.items()) if scale.holds(at)]
