"""Reading promises: the clocks of a case, the steps to come and those behind, and how far the sweep is behind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

import structlog
from sqlalchemy import text

from app.db import db
from app.sla.due import first_due, timing_of_row
from app.sla.ledger import Entry, Move, State
from app.sla.ledgers import load_stored
from app.sla.models import Clock
from app.sla.steps import Due, steps_from
from app.sla.stored import StoredClock, rebuild_ledger, stored_state
from app.sla.versions import find_calendar, find_ladders, load_versions

log = structlog.get_logger()

MOST_STEPS = 50

# What a person was told lies in the log; that it was taken back before it was sent, or is held, stands on its message.
SENT_STEPS = text(
    """
    with line as (
        select l.id, l.clock_id, l.kind as clock, l.cycle, l.step, l.repeat, l.action, l.roles, l.channel, l.folded,
               l.at, l.fired_at, coalesce(u.email, '-') as recipient, d.email as delegated_to,
               case when i.state = 'suppressed' then 'suppressed' else l.outcome end as outcome,
               case when i.state = 'suppressed' then i.reason else l.reason end as reason,
               case when i.state = 'pending' and i.hold_until > :now then i.hold_until end as held_until
        from step_log l
        left join "user" u on u.id = case when l.recipient <> '-' then cast(l.recipient as uuid) end
        left join "user" d on d.id = l.delegate_id
        left join intent i on i.dedupe_key = 'step:' || l.id
        where l.escalation_id = :escalation_id
    )
    select * from line where held_until is not null
    union all
    (select * from line
     where held_until is null and (cast(:at as timestamptz) is null or (at, id) < (:at, cast(:id as uuid)))
     order by at desc, id desc limit :most)
    order by at, id
    """
)
# As the finder: each tenant's clocks against that tenant's own now. One step into the partial index per tenant.
OLDEST_DUE = text(
    """
    select t.id, :now + t.clock_offset - c.oldest as behind
    from tenant t
    cross join lateral (
      select min(next_step_at) as oldest from clock where tenant_id = t.id and next_step_at is not null
    ) c
    where c.oldest <= :now + t.clock_offset
    order by behind desc
    """
)
NEXT_DUE = text(
    """
    select min(c.next - t.clock_offset)
    from tenant t
    cross join lateral (
      select min(next_step_at) as next from clock where tenant_id = t.id and next_step_at > :now + t.clock_offset
    ) c
    """
)


@dataclass(frozen=True, slots=True)
class ClockView:
    """One cycle of a clock as of a moment: state and times counted up to then, with its ledger.

    `fault` is why it could not be counted, as when its zone is no more: then it is as last stored.
    """

    row: Clock
    state: State
    entries: list[Entry]
    fault: str | None = None

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """Entries in order of writing; `void` ones were overtaken by facts learnt later."""
        return [
            {
                "seq": entry.seq,
                "type": entry.type,
                "at": entry.at,
                "recorded_at": entry.recorded_at,
                "void": entry.seq in self.state.void,
                **{name: entry.data[name] for name in ("target", "due_at", "was", "because") if name in entry.data},
            }
            for entry in self.entries
        ]

    @property
    def set_aside(self) -> bool:
        """Whether the sweep could not carry on with it, so that it reminds nobody until somebody mends the cause."""
        return self.row.problem is not None

    @property
    def problem(self) -> str | None:
        """What the sweep ran into, or will."""
        return self.row.problem or self.fault

    @property
    def moves(self) -> tuple[Move, ...]:
        return self.state.moves


def list_clocks(escalation_id: UUID, now: datetime, *, kind: str | None = None) -> list[ClockView]:
    """Every cycle of every clock of a case, or of those of one kind, as of `now`, in order of start: two statements."""
    return [_view(stored, now) for stored in load_stored(escalation_id, kind=kind)]


def _view(stored: StoredClock, now: datetime) -> ClockView:
    """Due times decide, not the sweep: what is past due reads as breached before anybody has written it."""
    as_of = max(now, max(entry.recorded_at for entry in stored.entries))
    try:
        state = rebuild_ledger(stored.entries, zone=stored.row.zone, as_of=as_of)
    except (LookupError, ValueError) as error:
        return ClockView(stored.row, stored_state(stored.row), stored.entries, fault=repr(error))
    return ClockView(stored.row, state, stored.entries)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A step to come, with the roles it is meant for; who they are is known when it fires."""

    at: datetime
    clock: Clock
    step: str
    repeat: int
    action: str
    roles: tuple[str, ...]


def upcoming_steps(clocks: Iterable[Clock], until: datetime) -> list[Upcoming]:
    """The steps of these clocks up to `until` in order of time, those due and not yet fired included.

    No statement once the versions are kept. A ladder without end is shown to its 50th step to come, and of a clock
    that the sweep will set aside, as its zone is no more, nothing is to come.
    """
    running = [clock for clock in clocks if clock.next_step_at is not None]
    load_versions({clock.calendar_version_id for clock in running}, {clock.ladder_number for clock in running})
    steps = [
        Upcoming(due.at, clock, due.step.offset, due.repeat, due.step.action, due.step.audience)
        for clock in running
        for due in takewhile(lambda due: due.at <= until, _coming(clock))
    ]
    return sorted(steps, key=lambda step: step.at)


def _coming(clock: Clock) -> Iterator[Due]:
    ladder = find_ladders(clock.ladder_number)[clock.kind]
    try:
        timing = timing_of_row(clock, find_calendar(clock.calendar_version_id))
    except ZoneInfoNotFoundError:
        log.warning("clock_without_zone", clock_id=str(clock.id), zone=clock.zone)
        return iter(())
    return islice(steps_from(first_due(clock, ladder, timing), ladder, timing), MOST_STEPS)


def sent_steps(
    escalation_id: UUID, now: datetime, *, before: tuple[datetime, UUID] | None = None, most: int
) -> list[dict[str, Any]]:
    """The last `most` lines of a case's log, `before` a line if one is given, and all that are held; oldest first, in
    one statement.

    `recipient` is an e-mail, `-` for actions and nobody. `held_until`: written and waiting for its hour, so it belongs
    to what is upcoming. A message taken back before it was sent is `suppressed` with the message's reason.
    """
    at, id_ = before or (None, None)
    values = {"escalation_id": escalation_id, "now": now, "at": at, "id": id_, "most": most}
    rows = db.session.execute(SENT_STEPS, values)
    return [dict(row._mapping) for row in rows]


def find_tenants_due(real_now: datetime) -> list[UUID]:
    """Inside `finding()`: the tenants with steps due by their own time, the longest waiting first."""
    return [row.id for row in db.session.execute(OLDEST_DUE, {"now": real_now})]


def find_next_due(real_now: datetime) -> datetime | None:
    """Inside `finding()`: when (real time) the next step of any tenant that is not yet due will be."""
    found: datetime | None = db.session.scalar(NEXT_DUE, {"now": real_now})
    return found
