"""What came of a simulation: owners' loads by day, and the counts over its cases."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.auth.settings import tenant_settings
from app.db import db
from app.routing.simulation_load import Span, daily_load, days_of
from app.routing.simulation_models import Simulation, SimulationLoad
from app.rows import array_of, fresh, insert_all

OWNERS_AT_ONCE = 100
RULES_SHOWN = 200

OWNERS = text(
    """
    select owner_id, coalesce((select max(coalesce(capacity, :capacity)) from membership where user_id = owner_id),
                              :capacity) as capacity,
      (select count(*) from simulation_case
       where simulation_id = :simulation and place > 0 and real_owner_id = o.owner_id) as real_cases,
      (select count(*) from simulation_case
       where simulation_id = :simulation and place > 0 and owner_id = o.owner_id) as cases
    from (
      select owner_id from simulation_case where simulation_id = :simulation and owner_id is not null
      union
      select a.owner_id from simulation_case c join assignment a on a.escalation_id = c.escalation_id
      where c.simulation_id = :simulation
    ) o
    where owner_id > coalesce(cast(:after as uuid), '00000000-0000-0000-0000-000000000000')
    order by owner_id limit :limit
    """
)
SIMULATED = text(
    """
    select owner_id, at as starts_at, ended_at as ends_at, weight from simulation_case
    where simulation_id = :simulation and owner_id = any(cast(:owners as uuid[]))
    """
)
# At the weight the case was raised with, as in the replay, so that the two can be laid side by side.
REAL = text(
    """
    select a.owner_id, a.assigned_at as starts_at, a.released_at as ends_at, c.weight
    from simulation_case c join assignment a on a.escalation_id = c.escalation_id
    where c.simulation_id = :simulation and a.owner_id = any(cast(:owners as uuid[]))
    """
)
COUNTS = text(
    """
    select count(*) as cases, count(*) filter (where owner_id is distinct from real_owner_id) as changed,
      count(*) filter (where failure is not null) as unrouted,
      count(*) filter (where real_failure is not null) as real_unrouted,
      count(closer_id) as closed, count(*) filter (where owner_id = closer_id) as predicted,
      count(*) filter (where real_owner_id = closer_id) as real,
      count(*) filter (where cardinality(todays) > 0) as todays
    from simulation_case where simulation_id = :simulation and place > 0
    """
)
GROUPS = text(
    """
    select 'unrouted' as part, failure as key, count(*) as cases from simulation_case
    where simulation_id = :simulation and place > 0 and failure is not null group by failure
    union all
    select 'real_unrouted', real_failure, count(*) from simulation_case
    where simulation_id = :simulation and place > 0 and real_failure is not null group by real_failure
    union all
    select 'todays', name, count(*) from simulation_case, unnest(todays) name
    where simulation_id = :simulation and place > 0 group by name
    union all
    (select 'rules', rule, count(*) from simulation_case
     where simulation_id = :simulation and place > 0 and rule is not null
     group by rule order by count(*) desc, rule limit :rules)
    order by 1, 3 desc, 2
    """
)


def measure_owners(simulation: Simulation, *, after: UUID | None, zone: ZoneInfo) -> UUID | None:
    """Lay real and simulated loads of the next owners side by side; the last one's id, None when all are done."""
    values = {"simulation": simulation.id, "after": after, "limit": OWNERS_AT_ONCE}
    owners = db.session.execute(OWNERS, {**values, "capacity": tenant_settings().capacity}).all()
    if not owners:
        return None
    ids: list[UUID] = [row.owner_id for row in owners]
    real, simulated = (_spans(question, simulation, ids) for question in (REAL, SIMULATED))
    days = days_of(simulation.since, simulation.until, zone)
    insert_all(
        fresh(
            SimulationLoad,
            simulation_id=simulation.id,
            owner_id=row.owner_id,
            capacity=Decimal(row.capacity),
            real_cases=row.real_cases,
            cases=row.cases,
            days=[
                [day.on.isoformat(), *map(float, was), *map(float, would)]
                for day, was, would in zip(
                    days, daily_load(real[row.owner_id], days), daily_load(simulated[row.owner_id], days), strict=True
                )
            ],
        )
        for row in owners
    )
    return ids[-1]


def _spans(question: Any, simulation: Simulation, owners: Sequence[UUID]) -> Mapping[UUID, list[Span]]:
    found: dict[UUID, list[Span]] = defaultdict(list)
    values = {"simulation": simulation.id, "owners": array_of(owners)}
    for row in db.session.execute(question, values):
        found[row.owner_id].append(Span(row.starts_at, _ended(row.ends_at, simulation.until), row.weight))
    return found


def _ended(ends_at: datetime | None, until: datetime) -> datetime | None:
    return None if ends_at is None or ends_at >= until else ends_at


def sum_up(simulation: Simulation) -> dict[str, Any]:
    """Counts over the cases; a rate of nothing is None."""
    counts = db.session.execute(COUNTS, {"simulation": simulation.id}).one()
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for row in db.session.execute(GROUPS, {"simulation": simulation.id, "rules": RULES_SHOWN}):
        groups[row.part][row.key] = row.cases
    return {
        "cases": counts.cases,
        "changed": counts.changed,
        "unrouted": {"cases": counts.unrouted, "codes": groups["unrouted"]},
        "real_unrouted": {"cases": counts.real_unrouted, "codes": groups["real_unrouted"]},
        "first_owner_right": {
            "closed": counts.closed,
            "predicted": _rate(counts.predicted, counts.closed),
            "real": _rate(counts.real, counts.closed),
        },
        "rules": [{"rule": rule, "cases": cases} for rule, cases in groups["rules"].items()],
        "todays_facts": {"cases": counts.todays, "fields": groups["todays"]},
    }


def _rate(right: int, closed: int) -> float | None:
    return round(right / closed, 4) if closed else None
