"""Due clocks in batches: claimed under a lock that other workers skip, written back in sets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import current_tenant, db, new_id
from app.sla.clocks import load_ledgers
from app.sla.due import DueClock, Fired
from app.sla.versions import load_versions

# Raw: the order of columns is that of DueClock, and one index scan finds and locks the batch.
COLUMNS = """
    id, escalation_id, kind, subject, cycle, state, started_at, due_at, original_due_at, breached_at,
    target_kind, calendar_version_id, zone, ladder_number, due_version, not_before, elapsed_seconds,
    paused_seconds, next_step_at, next_step, next_repeat, entries
"""
CLAIM = text(
    f"""
    select {COLUMNS} from clock where next_step_at <= :now order by next_step_at limit :limit for update skip locked
    """  # noqa: S608 - columns are ours
)
# Of one clock, whose escalation is locked already: waited for, not skipped.
CLAIM_ONE = text(f"select {COLUMNS} from clock where id = :id and next_step_at <= :now for update")  # noqa: S608
SET_ASIDE = text("update clock set problem = :problem, next_step_at = null where tenant_id = :tenant and id = :id")
ADVANCE = text(
    """
    update clock c
    set state = f.state, breached_at = f.breached_at, elapsed_seconds = f.elapsed_seconds,
        paused_seconds = f.paused_seconds, entries = f.entries, next_step_at = f.next_step_at,
        next_step = f.next_step, next_repeat = f.next_repeat, problem = f.problem
    from unnest(cast(:id as uuid[]), cast(:state as text[]), cast(:breached_at as timestamptz[]),
                cast(:elapsed_seconds as int[]), cast(:paused_seconds as int[]), cast(:entries as int[]),
                cast(:next_step_at as timestamptz[]), cast(:next_step as int[]), cast(:next_repeat as int[]),
                cast(:problem as text[]))
      as f(id, state, breached_at, elapsed_seconds, paused_seconds, entries, next_step_at, next_step, next_repeat,
           problem)
    where c.tenant_id = :tenant and c.id = f.id
    """
)
WRITE_BREACHES = text(
    """
    insert into clock_entry (tenant_id, id, clock_id, escalation_id, seq, type, at, recorded_at, facts)
    select :tenant, b.id, b.clock_id, b.escalation_id, b.seq, 'breach', b.at, :now, '{}'
    from unnest(cast(:id as uuid[]), cast(:clock_id as uuid[]), cast(:escalation_id as uuid[]), cast(:seq as int[]),
                cast(:at as timestamptz[]))
      as b(id, clock_id, escalation_id, seq, at)
    """
)
# What stands already under the same key was done before: its id does not come back.
WRITE_LOG = text(
    """
    insert into step_log (tenant_id, id, clock_id, escalation_id, kind, cycle, due_version, step, repeat, action,
                          recipient, roles, channel, outcome, reason, folded, at, fired_at, recorded_at)
    select :tenant, l.id, l.clock_id, l.escalation_id, l.kind, l.cycle, l.due_version, l.step, l.repeat, l.action,
           l.recipient, string_to_array(l.roles, ','), l.channel, l.outcome, l.reason, l.folded, l.at, :now, :now
    from unnest(cast(:id as uuid[]), cast(:clock_id as uuid[]), cast(:escalation_id as uuid[]), cast(:kind as text[]),
                cast(:cycle as int[]), cast(:due_version as int[]), cast(:step as text[]), cast(:repeat as int[]),
                cast(:action as text[]), cast(:recipient as text[]), cast(:roles as text[]), cast(:channel as text[]),
                cast(:outcome as text[]), cast(:reason as text[]), cast(:folded as int[]), cast(:at as timestamptz[]))
      as l(id, clock_id, escalation_id, kind, cycle, due_version, step, repeat, action, recipient, roles, channel,
           outcome, reason, folded, at)
    on conflict do nothing
    returning id
    """
)


@dataclass(slots=True)
class Line:
    """A line of the step log: what one step did for one recipient, or why it did not.

    `recipient` is a user's id, `-` for actions and for nobody; `outcome` one of sent, done, suppressed, folded.
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
    id: UUID = field(default_factory=new_id)


def claim(limit: int, now: datetime) -> list[DueClock]:
    """The longest due clocks of the tenant in scope, locked until the transaction ends.

    One statement; a second for the ledgers of those whose breach is not the first thing that happened to them.
    """
    return _with_ledgers([DueClock(*row) for row in db.session.execute(CLAIM, {"limit": limit, "now": now})], now)


def claim_one(clock_id: UUID, now: datetime) -> DueClock | None:
    """This clock if it is still due; lock its escalation before, as every use case does."""
    row = db.session.execute(CLAIM_ONE, {"id": clock_id, "now": now}).one_or_none()
    return _with_ledgers([DueClock(*row)], now)[0] if row else None


def set_aside(clock_id: UUID, problem: str) -> None:
    """Keep why this clock could not be swept on its row, and look at it no more."""
    db.session.execute(SET_ASIDE, {"tenant": current_tenant(), "id": clock_id, "problem": problem})


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
        db.session.execute(ADVANCE, {"tenant": current_tenant(), **_columns([_advance(one) for one in fired])})
    breaches = [row for one in fired for row in _breaches(one)]
    if breaches:
        db.session.execute(WRITE_BREACHES, {"tenant": current_tenant(), "now": now, **_columns(breaches)})
    return write_lines(lines, now)


def write_lines(lines: Collection[Line], now: datetime) -> set[UUID]:
    """Log lines alone, in one statement; answers the ids of those that are new."""
    if not lines:
        return set()
    columns = _columns([_line(line) for line in lines])
    return set(db.session.scalars(WRITE_LOG, {"tenant": current_tenant(), "now": now, **columns}))


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _advance(fired: Fired) -> dict[str, Any]:
    return {
        "id": fired.clock.id,
        "state": fired.state,
        "breached_at": fired.breached_at,
        "elapsed_seconds": fired.elapsed_seconds,
        "paused_seconds": fired.paused_seconds,
        "entries": fired.clock.entries + len(fired.breaches),
        "next_step_at": fired.next_step_at,
        "next_step": fired.next_step,
        "next_repeat": fired.next_repeat,
        "problem": fired.problem,
    }


def _breaches(fired: Fired) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "clock_id": fired.clock.id,
            "escalation_id": fired.clock.escalation_id,
            "seq": fired.clock.entries + number,
            "at": at,
        }
        for number, at in enumerate(fired.breaches, start=1)
    ]


def _line(line: Line) -> dict[str, Any]:
    clock = line.clock
    return {
        "id": line.id,
        "clock_id": clock.id,
        "escalation_id": clock.escalation_id,
        "kind": clock.kind,
        "cycle": clock.cycle,
        "due_version": clock.due_version,
        "step": line.step,
        "repeat": line.repeat,
        "action": line.action,
        "recipient": line.recipient,
        "roles": ",".join(line.roles),
        "channel": line.channel,
        "outcome": line.outcome,
        "reason": line.reason,
        "folded": line.folded,
        "at": line.at,
    }
