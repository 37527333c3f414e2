"""Publishing with open eyes: who would find no owner by this version is looked at before it comes into force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from app.auth.actor import Actor
from app.db import db
from app.routing import policies, simulation_work, simulations, validating
from app.routing.errors import PolicyOutdated, SimulationNeeded, Unrouted
from app.routing.models import PolicyVersion
from app.routing.policies import listed
from app.routing.policy import Fault
from app.routing.queries import get_policy_version
from app.routing.simulation_reading import count_cases

LOOKED_AT = timedelta(days=simulations.DAYS)
FRESH = timedelta(hours=24)
CASES_AT_ONCE = 1_000
LOOKS_AT_ONCE = 2_000_000  # cases times rules: some seconds
SHOWN = 5

FINISHED = text(
    """
    select id, (result->>'cases')::int as cases, (result->'unrouted'->>'cases')::int as unrouted from simulation
    where number = :number and state = 'done' and ended_at >= :fresh and since <= :since and until >= :fresh
    order by ended_at desc limit 1
    """
)
FIRST_UNROUTED = text(
    """
    select escalation_id, number, failure from simulation_case
    where simulation_id = :simulation and place > 0 and failure is not null
    and about_user_id is distinct from cast(:actor as uuid)
    order by place limit :shown
    """
)


@dataclass(frozen=True)
class Looked:
    """How many of the cases of the last 90 days would find no owner, and the first of them."""

    cases: int
    unrouted: int
    first: Sequence[dict[str, Any]]


def publish(number: int, *, reason: str | None, actor: Actor, now: datetime) -> list[Fault]:
    """Put a version in force; answers what it probably does not do as meant. What it names must be there still. While
    anything would be unrouted by it, only with a reason, which is kept.

    A reason is enough to take up at once an older version that nobody has looked at, or whose users, teams and skills
    have gone in part: a bad one must be stoppable. Call under the policy's lock.
    """
    version = get_policy_version(number)
    stops_a_bad_one = reason is not None and number < policies.current_number()
    checked = validating.validate(version.rules, version.weights, now=now)
    if checked.errors and not stops_a_bad_one:
        raise PolicyOutdated(
            f"Version {number} names what is not there any more: {listed(checked.errors)}. Save it anew without that",
            errors=[fault.as_error() for fault in checked.errors],
        )
    looked = _find_finished(number, actor, now) or _look(version, actor, now)
    if looked is None and not stops_a_bad_one:
        raise SimulationNeeded(
            f"More cases were raised in the last {simulations.DAYS} days than can be looked at while you wait: "
            f'POST /routing/simulate {{"number": {number}}}, and publish within 24 hours of its end',
            number=number,
        )
    if looked is not None and looked.unrouted and not reason:
        raise Unrouted(
            f"{looked.unrouted} of {looked.cases} cases of the last {simulations.DAYS} days would find no owner by "
            "version "
            f"{number}: change it, or publish it with a reason",
            unrouted=looked.unrouted,
            looked_at=looked.cases,
            cases=list(looked.first),
        )
    policies.publish_policy(
        number,
        actor=actor,
        now=now,
        reason=reason,
        cases=looked.cases if looked else None,
        unrouted=looked.unrouted if looked else None,
    )
    return [*checked.errors, *checked.warnings]


def _find_finished(number: int, actor: Actor, now: datetime) -> Looked | None:
    """What a simulation of this version found that ended in the last 24 hours and covers the last 90 days."""
    fresh = now - FRESH
    values = {"number": number, "fresh": fresh, "since": now - LOOKED_AT + FRESH}
    found = db.session.execute(FINISHED, values).one_or_none()
    if found is None:
        return None
    asked = {"simulation": found.id, "actor": actor.user_id, "shown": SHOWN}
    return Looked(found.cases, found.unrouted, [_shown(row) for row in db.session.execute(FIRST_UNROUTED, asked)])


def _shown(row: Row[Any]) -> dict[str, Any]:
    return {"escalation_id": str(row.escalation_id), "number": f"ESC-{row.number}", "failure": row.failure}


def _look(version: PolicyVersion, actor: Actor, now: datetime) -> Looked | None:
    """Replay the last 90 days here and now, when they are few."""
    since = now - LOOKED_AT
    cases = count_cases(since, now)
    if cases > CASES_AT_ONCE or cases * len(version.rules) > LOOKS_AT_ONCE:
        return None
    found = simulation_work.list_unrouted(policies.compiled(version.number), since, now) if cases else []
    mine = str(actor.user_id)
    shown = [case for case in found if case.about_user_id != mine][:SHOWN]
    return Looked(
        cases, len(found), [{"escalation_id": c.id, "number": f"ESC-{c.number}", "failure": c.failure} for c in shown]
    )
