"""Due clocks in batches: claimed under a lock that other workers skip, written back in sets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Result, TextClause, text

from app.db import current_tenant, db, new_id
from app.sla.due import DueClock, Fired
from app.sla.ledgers import load_ledgers
from app.sla.versions import load_versions

# A column's values travel as one text: building arrays value by value would cost more than the rest of the sweep.
SEPARATOR = "\x1f"
ADVANCED = {
    "id": "uuid",
    "state": "text",
    "breached_at": "timestamptz",
    "elapsed_seconds": "int",
    "paused_seconds": "int",
    "entries": "int",
    "next_step_at": "timestamptz",
    "next_step": "int",
    "next_repeat": "int",
    "problem": "text",
}
BREACHED = {"id": "uuid", "clock_id": "uuid", "escalation_id": "uuid", "seq": "int", "at": "timestamptz"}
LOGGED = {
    "id": "uuid",
    "clock_id": "uuid",
    "escalation_id": "uuid",
    "kind": "text",
    "cycle": "int",
    "due_version": "int",
    "step": "text",
    "repeat": "int",
    "action": "text",
    "recipient": "text",
    "roles": "text",
    "channel": "text",
    "outcome": "text",
    "reason": "text",
    "folded": "int",
    "delegate_id": "uuid",
    "at": "timestamptz",
}


def unnest(alias: str, columns: Mapping[str, str]) -> str:
    """The FROM item that turns one text per column, as `joined` makes them, into rows."""
    arrays = [f"cast(string_to_array(:{name}, chr(31), '') as {type_}[])" for name, type_ in columns.items()]
    return f"unnest({', '.join(arrays)}) as {alias}({', '.join(columns)})"


def joined(columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """One text per column; no value and an empty text are both NULL. A value with the separator in it is refused."""
    texts = {
        name: SEPARATOR.join(_hexes(column) if columns[name] == "uuid" else _words(column))
        for name, column in zip(columns, zip(*rows, strict=True), strict=True)
    }
    if any(text_.count(SEPARATOR) != len(rows) - 1 for text_ in texts.values()):
        raise ValueError("a value holds the separator of columns")
    return texts


def _words(values: Sequence[Any]) -> list[str]:
    return ["" if value is None else str(value) for value in values]


def _hexes(ids: Sequence[UUID | None]) -> list[str]:
    """Without dashes, which take three times as long to put in."""
    return ["" if id_ is None else f"{id_.int:032x}" for id_ in ids]


# Raw: the order of columns is that of DueClock, and one index scan finds and locks the batch.
COLUMNS = """
    id, escalation_id, kind, subject, cycle, state, started_at, due_at, original_due_at, breached_at,
    target_kind, target_value, calendar_version_id, zone, ladder_number, due_version, not_before,
    elapsed_seconds, paused_seconds, next_step_at, next_step, next_repeat, entries
"""
CLAIM = text(
    f"""
    select {COLUMNS} from clock where next_step_at <= :now order by next_step_at limit :limit for update skip locked
    """  # noqa: S608 - columns are ours
)
# Of one clock, whose escalation is locked already: waited for, not skipped.
CLAIM_ONE = text(f"select {COLUMNS} from clock where id = :id and next_step_at <= :now for update")  # noqa: S608
SET_ASIDE = text("update clock set problem = :problem, next_step_at = null where tenant_id = :tenant and id = :id")
# From the first step that the log does not hold (a broken promise that resumes goes on under a later due version);
# an original due time whose breach is written is not passed again.
TAKE_UP_AGAIN = text(
    """
    update clock c set problem = null, next_step = null, next_repeat = 0, next_step_at = case
        when c.ended_at is null and c.due_at is not null then greatest(
            coalesce((select max(l.at) + interval '1 microsecond' from step_log l
                      where l.tenant_id = c.tenant_id and l.clock_id = c.id and l.cycle = c.cycle
                        and (l.due_version = c.due_version or l.at > c.not_before) and l.outcome <> 'passed_over'),
                     c.not_before - interval '1 microsecond'),
            (select max(e.at) + interval '1 microsecond' from clock_entry e
             where e.tenant_id = c.tenant_id and e.clock_id = c.id and e.type = 'breach'
               and e.at = c.original_due_at and c.original_due_at <> c.due_at)) end
    where c.problem is not null
    """
)
ADVANCE = text(
    f"""
    update clock c
    set state = f.state, breached_at = f.breached_at, elapsed_seconds = f.elapsed_seconds,
        paused_seconds = f.paused_seconds, entries = f.entries, next_step_at = f.next_step_at,
        next_step = f.next_step, next_repeat = f.next_repeat, problem = f.problem
    from {unnest("f", ADVANCED)}
    where c.tenant_id = :tenant and c.id = f.id
    """  # noqa: S608 - names and types are ours
)
WRITE_BREACHES = text(
    f"""
    insert into clock_entry (tenant_id, id, clock_id, escalation_id, seq, type, at, recorded_at, facts)
    select :tenant, b.id, b.clock_id, b.escalation_id, b.seq, 'breach', b.at, :now, '{{}}'
    from {unnest("b", BREACHED)}
    """  # noqa: S608
)
# What stands already under the same key was done before: its id does not come back.
WRITE_LOG = text(
    f"""
    insert into step_log (tenant_id, id, clock_id, escalation_id, kind, cycle, due_version, step, repeat, action,
                          recipient, roles, channel, outcome, reason, folded, delegate_id, at, fired_at, recorded_at)
    select :tenant, l.id, l.clock_id, l.escalation_id, l.kind, l.cycle, l.due_version, l.step, l.repeat, l.action,
           l.recipient, coalesce(string_to_array(l.roles, ','), '{{}}'), l.channel, l.outcome, l.reason, l.folded,
           l.delegate_id, l.at, :now, :now
    from {unnest("l", LOGGED)}
    on conflict do nothing
    returning id
    """  # noqa: S608
)


@dataclass(slots=True)
class Line:
    """A line of the step log: what one step did for one recipient, or why it did not.

    `recipient` is a user's id, `-` for actions and for nobody; `outcome` one of sent, done, suppressed, folded;
    `delegate_id` who was told in the recipient's place.
    """

    clock: DueClock
    step: str
    repeat: int
    action: str
    recipient: str
    at: datetime
    outcome: str
    roles: Sequence[str] = ()
    channel: str | None = None
    reason: str | None = None
    folded: int = 0
    delegate_id: UUID | None = None
    id: UUID = field(default_factory=new_id)


def claim(limit: int, now: datetime) -> list[DueClock]:
    """The longest due clocks of the tenant in scope, locked until the transaction ends.

    One statement; a second for the ledgers of those whose breach is not the first thing that happened to them.
    """
    return _with_ledgers([DueClock(*row) for row in db.session.execute(CLAIM, {"limit": limit, "now": now}).all()], now)


def claim_one(clock_id: UUID, now: datetime) -> DueClock | None:
    """This clock if it is still due; lock its escalation before, as every use case does."""
    row = db.session.execute(CLAIM_ONE, {"id": clock_id, "now": now}).one_or_none()
    return _with_ledgers([DueClock(*row)], now)[0] if row else None


def set_aside(clock_id: UUID, problem: str) -> None:
    """Keep why this clock could not be swept on its row, and look at it no more."""
    db.session.execute(SET_ASIDE, {"tenant": current_tenant(), "id": clock_id, "problem": problem})


def take_up_again() -> int:
    """Let the sweep look again at every clock of the tenant in scope that was set aside; answers how many there were.

    Steps that the log holds are not done again; those missed since fold as after downtime.
    """
    return cast(CursorResult[Any], db.session.execute(TAKE_UP_AGAIN)).rowcount


def _with_ledgers(clocks: list[DueClock], now: datetime) -> list[DueClock]:
    load_versions({clock.calendar_version_id for clock in clocks}, {clock.ladder_number for clock in clocks})
    moved = {clock.id: clock for clock in clocks if clock.entries > 1 and _may_breach(clock, now)}
    for clock_id, entries in load_ledgers(list(moved)).items():
        moved[clock_id].ledger = entries
    return clocks


def _may_breach(clock: DueClock, now: datetime) -> bool:
    running_out = clock.state == "running" and clock.due_at is not None and clock.due_at <= now
    return running_out or clock.extended


def write(fired: Collection[Fired], lines: Collection[Line], now: datetime) -> set[UUID]:
    """Where each clock stands now, its breaches, and the log; answers the ids of the lines that are new.

    At most three statements. Only what is new may be sent or done.
    """
    if fired:
        _send(ADVANCE, ADVANCED, [_advance(one) for one in fired])
    if breaches := [row for one in fired for row in _breaches(one)]:
        _send(WRITE_BREACHES, BREACHED, breaches, now=now)
    return write_lines(lines, now)


def write_lines(lines: Collection[Line], now: datetime) -> set[UUID]:
    """Log lines alone, in one statement; answers the ids of those that are new."""
    if not lines:
        return set()
    return set(_send(WRITE_LOG, LOGGED, [_line(line) for line in lines], now=now).scalars())


def _send(
    statement: TextClause, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]], **values: Any
) -> Result[Any]:
    return db.session.execute(statement, {"tenant": current_tenant(), **joined(columns, rows), **values})


def _advance(fired: Fired) -> tuple[Any, ...]:
    return (
        fired.clock.id,
        fired.state,
        fired.breached_at,
        fired.elapsed_seconds,
        fired.paused_seconds,
        fired.clock.entries + len(fired.breaches),
        fired.next_step_at,
        fired.next_step,
        fired.next_repeat,
        fired.problem,
    )


def _breaches(fired: Fired) -> list[tuple[Any, ...]]:
    clock = fired.clock
    return [
        (new_id(), clock.id, clock.escalation_id, clock.entries + number, at)
        for number, at in enumerate(fired.breaches, start=1)
    ]


def _line(line: Line) -> tuple[Any, ...]:
    clock = line.clock
    return (
        line.id,
        clock.id,
        clock.escalation_id,
        clock.kind,
        clock.cycle,
        clock.due_version,
        line.step,
        line.repeat,
        line.action,
        line.recipient,
        ",".join(line.roles),
        line.channel,
        line.outcome,
        line.reason,
        line.folded,
        line.delegate_id,
        line.at,
    )
