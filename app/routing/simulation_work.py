"""The work of a simulation, in batches that stand in rows: cases replayed, owners measured, all of it counted.

Each batch is one transaction. A process that dies leaves whole batches; the next takes up what they say and goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from app.auth.settings import tenant_settings
from app.db import db
from app.routing import quality, simulation_reading
from app.routing.people import Suggestion
from app.routing.policy import Policy, compile_policy
from app.routing.simulation import Hold, Past, Replay
from app.routing.simulation_facts import SEVERITY_OF, Known, read_facts
from app.routing.simulation_models import Simulation, SimulationCase
from app.routing.simulation_result import measure_owners, sum_up
from app.routing.simulations import get_simulation
from app.rows import fresh, insert_all
from app.sla import service as sla

BATCH = 250


@dataclass
class Work:
    """A replay under way in this process; `done` says to which row of the simulation it belongs."""

    replay: Replay
    zone: ZoneInfo
    done: int


@dataclass(frozen=True)
class Worked:
    """After a batch: whether there is more, and the replay to go on with."""

    more: bool
    work: Work | None = None


def run_batch(simulation_id: UUID, work: Work | None, *, now: datetime) -> Worked:
    """The next batch, in the caller's transaction. One that another process is at, or that ended, is left alone."""
    asked = select(Simulation).where(Simulation.id == simulation_id, Simulation.ended_at.is_(None))
    simulation = db.session.scalars(asked.with_for_update(skip_locked=True)).one_or_none()
    if simulation is None:
        return Worked(more=False)
    if simulation.state == "measuring":
        _measure(simulation, now)
    else:
        if work is None or work.done != simulation.done:
            work = _take_up(simulation, now)
        _replay_on(simulation, work, now)
    db.session.flush()
    return Worked(more=simulation.ended_at is None, work=work)


def fail(simulation_id: UUID, problem: str, *, now: datetime) -> None:
    """It can't be done; what is wrong stands in its row."""
    simulation = get_simulation(simulation_id, lock=True)
    if simulation.ended_at is None:
        simulation.state, simulation.problem, simulation.ended_at = "failed", problem, now


def replay_of(policy: Policy, since: datetime, until: datetime, *, now: datetime) -> Replay:
    """A replay with today's people, who have nothing in hand yet."""
    workforce, calendars = simulation_reading.read_workforce(policy, since, until, now=now)
    return Replay(policy, workforce, fit=calendars.fit)


def _take_up(simulation: Simulation, now: datetime) -> Work:
    """Begin, or go on where the last batch ended: what it gave to whom stands in the rows."""
    policy = compile_policy(simulation.number or 0, simulation.rules, simulation.weights)
    work = Work(replay_of(policy, simulation.since, simulation.until, now=now), _zone(), simulation.done)
    if simulation.state == "waiting":
        simulation.state = "running"
        insert_all(
            _carried_row(simulation, place, carried)
            for place, carried in enumerate(simulation_reading.read_carried(simulation.since), -(10**9))
        )
    for row in _held(simulation.id):
        hold = Hold(
            owner_id=str(row.owner_id) if row.owner_id else None,
            account_id=str(row.account_id),
            reason=row.reason,
            weight=row.weight,
            value=row.value,
            at=row.at,
            ended_at=row.ended_at,
            closed=row.closed,
        )
        work.replay.move_to(hold.at)
        work.replay.hold(hold, counts=row.place > 0)
    return work


def _held(simulation_id: UUID) -> Sequence[Row[Any]]:
    columns = ("place", "owner_id", "account_id", "reason", "weight", "value", "at", "ended_at", "closed")
    asked = select(*(getattr(SimulationCase, name) for name in columns))
    return db.session.execute(
        asked.where(SimulationCase.simulation_id == simulation_id).order_by(SimulationCase.place)
    ).all()


def _replay_on(simulation: Simulation, work: Work, now: datetime) -> None:
    after = (simulation.after_at, simulation.after_id) if simulation.after_at and simulation.after_id else None
    rows = simulation_reading.read_cases(simulation.since, simulation.until, after=after, limit=BATCH)
    closers = quality.find_closers([row.escalation_id for row in rows]) if rows else {}
    pasts = read_pasts(rows, work, since=simulation.since, now=now)
    insert_all(
        _case_row(simulation, simulation.done + n, row, past, known, work.replay, closers)
        for n, (row, (past, known)) in enumerate(zip(rows, pasts, strict=True), 1)
    )
    simulation.done = work.done = simulation.done + len(rows)
    simulation.total = max(simulation.total, simulation.done)
    if len(rows) == BATCH:
        simulation.after_at, simulation.after_id = rows[-1].at, rows[-1].id
    else:
        simulation.state, simulation.total = "measuring", simulation.done
        simulation.after_at = simulation.after_id = None


def read_pasts(rows: Sequence[Row[Any]], work: Work, *, since: datetime, now: datetime) -> list[tuple[Past, Known]]:
    """The cases as the replay takes them, with what their accounts had before."""
    unmet = {row.account_id for row in rows if str(row.account_id) not in work.replay.history}
    work.replay.history.update(simulation_reading.read_history(unmet, since))
    facts = read_facts(rows, work.replay.policy, now=now) if rows else []
    return [(_past(row, known, work.zone), known) for row, known in zip(rows, facts, strict=True)]


def _past(row: Row[Any], known: Known, zone: ZoneInfo) -> Past:
    return Past(
        id=str(row.escalation_id),
        at=row.at,
        today=row.today or row.at.astimezone(zone).date(),
        ended_at=row.ended_at,
        closed=row.closed,
        account_id=str(row.account_id),
        reason=row.reason,
        weight=row.weight,
        value=row.value,
        facts=known.facts,
        roles=row.roles or {},
        about_user_id=row.about_user_id,
        suggested=tuple(map(Suggestion.of, row.suggested or ())),
        severity=SEVERITY_OF.get(row.weight, row.severity),
        basis=sla.basis_of(row.calendar_version_id, row.zone, row.ladder_number, row.service_level_version_id),
    )


def _case_row(
    simulation: Simulation,
    place: int,
    row: Row[Any],
    past: Past,
    known: Known,
    replay: Replay,
    closers: Mapping[UUID, UUID],
) -> SimulationCase:
    outcome = replay.step(past)
    return fresh(
        SimulationCase,
        simulation_id=simulation.id,
        place=place,
        escalation_id=row.escalation_id,
        number=row.number,
        about_user_id=UUID(past.about_user_id) if past.about_user_id else None,
        account_id=row.account_id,
        reason=past.reason,
        weight=past.weight,
        value=past.value,
        at=past.at,
        ended_at=past.ended_at,
        closed=past.closed,
        real_owner_id=row.owner_id,
        real_failure=row.failure,
        owner_id=UUID(outcome.owner_id) if outcome.owner_id else None,
        team_id=UUID(outcome.team_id) if outcome.team_id else None,
        rule=outcome.rule,
        why=outcome.why or None,
        failure=outcome.failure,
        closer_id=closers.get(row.escalation_id),
        todays=known.todays,
    )


def _carried_row(simulation: Simulation, place: int, carried: simulation_reading.Carried) -> SimulationCase:
    hold = carried.hold
    owner_id = UUID(hold.owner_id or "")
    return fresh(
        SimulationCase,
        simulation_id=simulation.id,
        place=place,
        escalation_id=carried.escalation_id,
        account_id=UUID(hold.account_id),
        reason=hold.reason,
        weight=hold.weight,
        value=hold.value,
        at=hold.at,
        ended_at=hold.ended_at,
        closed=hold.closed,
        real_owner_id=owner_id,
        owner_id=owner_id,
        todays=[],
    )


def _measure(simulation: Simulation, now: datetime) -> None:
    """The next owners' loads by day; after the last, what came of it all."""
    last = measure_owners(simulation, after=simulation.after_id, zone=_zone())
    if last is not None:
        simulation.after_id = last
        return
    simulation.after_id = None
    simulation.result = sum_up(simulation)
    simulation.state, simulation.ended_at = "done", now


def _zone() -> ZoneInfo:
    return ZoneInfo(tenant_settings().timezone)


@dataclass(frozen=True)
class UnroutedCase:
    """A past case that would have found no owner."""

    id: str
    number: int | None
    failure: str
    about_user_id: str | None


def list_unrouted(policy: Policy, since: datetime, until: datetime) -> list[UnroutedCase]:
    """The cases of a period that would have found no owner, in order of time; nothing is stored."""
    work = Work(replay_of(policy, since, until, now=until), _zone(), 0)
    for carried in simulation_reading.read_carried(since):
        work.replay.hold(carried.hold, counts=False)
    found: list[UnroutedCase] = []
    after: tuple[datetime, UUID] | None = None
    while rows := simulation_reading.read_cases(since, until, after=after, limit=BATCH):
        for row, (past, _) in zip(rows, read_pasts(rows, work, since=since, now=until), strict=True):
            failure = work.replay.step(past).failure
            if failure is not None:
                found.append(UnroutedCase(past.id, row.number, failure, past.about_user_id))
        after = (rows[-1].at, rows[-1].id)
    return found
