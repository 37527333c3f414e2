"""Who owns a case: one decision kept for ever, one claimed place, and who holds what now."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth import service as auth
from app.auth.actor import Actor, UserRef
from app.auth.models import User
from app.db import Model, db
from app.routing import queries
from app.routing.absences import (
    Chains,
    add_absence,
    away_until,
    end_absence,
    find_stand_ins,
    get_absence,
    list_due,
    read_chains,
)
from app.routing.absences import check_may as check_absences_of
from app.routing.choice import work_weight
from app.routing.decide import Outcome, decide
from app.routing.decide import describe as describe_purely
from app.routing.decide import rerun as rerun_purely
from app.routing.errors import NoDutyOwner, OwnerNotAllowed
from app.routing.holding import assign, held_since, list_leaving, reassign, release, reweigh
from app.routing.inputs import Cause, RoutingInput, RoutingResult
from app.routing.learning.course import fault as fault_of_learning
from app.routing.learning.store import forget as forget_models
from app.routing.members import change_members, leave_teams, note_change, put_member, remove_member
from app.routing.models import Decision
from app.routing.openings import read_openings
from app.routing.people import Inputs
from app.routing.policies import compiled, compiled_all, current_policy, first_version, publish_policy, save_policy
from app.routing.policy import Policy
from app.routing.quality import find_closers, misrouted
from app.routing.queries import Staff
from app.routing.reading import read_inputs
from app.routing.skills import create_skill, put_skills
from app.routing.teams import change_team, create_team, find_team_of_tier, get_team, upsert_team
from app.rows import fresh

__all__ = [
    "Chains",
    "RoutingInput",
    "RoutingResult",
    "UserRef",
    "add_absence",
    "appoint",
    "asks",
    "assign",
    "away_until",
    "change_members",
    "change_team",
    "check_absences_of",
    "create_skill",
    "create_team",
    "describe",
    "describe_all",
    "end_absence",
    "explain",
    "fault_of_learning",
    "find_closers",
    "find_stand_ins",
    "find_team_of_tier",
    "forget_models",
    "get_absence",
    "get_team",
    "held_since",
    "install_defaults",
    "leave_teams",
    "list_due",
    "list_leaving",
    "misrouted",
    "note_change",
    "publish_policy",
    "put_member",
    "put_skills",
    "read_chains",
    "read_openings",
    "reassign",
    "release",
    "remove_member",
    "rerun",
    "reweigh",
    "route",
    "save_policy",
    "upsert_team",
    "work_weight",
]


def install_defaults(now: datetime) -> list[Model]:
    """A new tenant's first policy, current from here on; the caller inserts the row."""
    auth.set_current(policy=1)
    return first_version(now)


def route(
    facts: RoutingInput,
    *,
    actor: Actor,
    now: datetime,
    cause: Cause,
    exclude: Collection[UUID] = (),
    team_id: UUID | None = None,
) -> RoutingResult:
    """An owner, always, whose place is claimed until the end of the transaction: insert `result.decision` and the rows
    of `assign` in it, and call this late, since another case for the same person waits from here to the commit.

    `exclude` are users who shall not get it (who declines it), `team_id` asks for a team instead of the rules. Two
    statements; one more for a policy that asks for counts, when this process meets the policy or a calendar first,
    when no rule's target could take it, and when a place went meanwhile.
    """
    policy = current_policy()
    inputs, staff = read_inputs(policy, facts, now=now, exclude=exclude, team_id=team_id)
    outcome, inputs, staff = _settle(policy, facts, inputs, staff)
    return result_of(policy, facts, inputs, outcome, staff, cause=cause)


def explain(
    facts: RoutingInput, *, now: datetime, team_id: UUID | None = None, number: int | None = None
) -> RoutingResult:
    """Who would get it now and why, by the current policy or another version; nothing is claimed or kept.

    `team_id` asks for a team instead of the rules.
    """
    policy = compiled(number) if number else current_policy()
    inputs, staff = read_inputs(policy, facts, now=now, exclude=(), team_id=team_id)
    outcome = decide(policy, inputs)
    if outcome.owner_id is None:
        inputs, staff = _with_last_resort(facts, inputs, staff)
        outcome = decide(policy, inputs)
    return result_of(policy, facts, inputs, outcome, staff, cause="explain")


def appoint(
    facts: RoutingInput, owner_id: UUID, *, actor: Actor, now: datetime, cause: Cause, why: str | None = None
) -> RoutingResult:
    """A person names the owner, or an absence does: kept as a decision too. Full hands don't forbid it; who named them
    knows better. Until the end of the transaction nobody deactivates them."""
    user = db.session.scalar(select(User).where(User.id == owner_id).with_for_update(read=True))
    if user is None or not auth.can_own(user):
        raise OwnerNotAllowed("Expected an active colleague")
    if user.id == facts.about_user_id:
        raise OwnerNotAllowed("The case is about this person")
    weight = work_weight(facts.severity, facts.status)
    decision = fresh(
        Decision,
        escalation_id=facts.escalation_id,
        at=now,
        recorded_at=now,
        policy_number=current_policy().number,
        cause=cause,
        why=why or f"was named by {'the engine' if actor.is_system else 'a colleague'}",
        owner_id=user.id,
        rules=[],
        candidates=[],
        excluded={},
        inputs={"named_by": str(actor.user_id) if actor.user_id else None, "weight": str(weight)},
    )
    owner = UserRef(user.id, user.email, user.name)
    return RoutingResult(owner, None, None, decision.why, None, weight, decision)


def describe(decision: Decision) -> list[dict[str, Any]]:
    """The rules a decision looked at, each comparison with what was written, the fact it saw and whether it held."""
    if not decision.rules:
        return []
    return describe_purely(compiled(decision.policy_number), decision.rules, decision.inputs)


def describe_all(decisions: Sequence[Decision]) -> list[list[dict[str, Any]]]:
    """The same of many decisions; one statement for all policy versions not met here before."""
    policies = compiled_all({decision.policy_number for decision in decisions if decision.rules})
    return [
        describe_purely(policies[decision.policy_number], decision.rules, decision.inputs) if decision.rules else []
        for decision in decisions
    ]


def asks(fact: str) -> bool:
    """Whether the current policy has a condition on this fact, which may cost a statement to know."""
    return fact in current_policy().fields


def rerun(decision: Decision) -> UUID:
    """The owner that the decision's own inputs and policy version give now; an owner named by hand stays named."""
    if "named_by" in decision.inputs:
        return decision.owner_id
    owner_id = rerun_purely(compiled(decision.policy_number), decision.inputs)
    if owner_id is None:
        raise NoDutyOwner
    return UUID(owner_id)


def _settle(policy: Policy, facts: RoutingInput, inputs: Inputs, staff: Staff) -> tuple[Outcome, Inputs, Staff]:
    """Decide and claim until somebody is held; whoever was passed over is noted each time, so the rounds end."""
    while True:
        outcome = decide(policy, inputs)
        if outcome.owner_id is None:
            inputs, staff = _with_last_resort(facts, inputs, staff)
            continue
        held, inputs = _claim(outcome, inputs, facts.escalation_id)
        if held != outcome.owner_id:
            outcome = decide(policy, inputs)
        if held is not None and held == outcome.owner_id:
            return outcome, inputs, staff


def _claim(outcome: Outcome, inputs: Inputs, escalation_id: UUID) -> tuple[str | None, Inputs]:
    """Whom the database holds for this case until the commit; those passed over lost their place or are gone."""
    if outcome.failure is not None:
        order = [candidate["id"] for candidate in outcome.candidates]
        held = queries.hold_stand_in(order)
    else:
        order = [id_ for id_, _ in outcome.places]
        held = queries.claim_place(outcome.places, weight=inputs.weight, escalation_id=escalation_id)
    passed = frozenset(order[: order.index(held)] if held else order)
    if not passed:
        return held, inputs
    gone = passed if outcome.failure is not None else queries.list_gone(passed)
    return held, replace(inputs, lost=inputs.lost | (passed - gone), gone=inputs.gone | gone)


def _with_last_resort(facts: RoutingInput, inputs: Inputs, staff: Staff) -> tuple[Inputs, Staff]:
    """Whoever is left; only a tenant without anybody who can own work, the one it is about aside, has nobody."""
    found = queries.find_last_resort(exclude=inputs.exclude, about_user_id=facts.about_user_id, now=inputs.now)
    if found is None:
        raise NoDutyOwner
    people = {**staff.people, found["id"]: found}
    return replace(inputs, last_resort=found["id"]), replace(staff, people=people)


def result_of(
    policy: Policy, facts: RoutingInput, inputs: Inputs, outcome: Outcome, staff: Staff, *, cause: Cause
) -> RoutingResult:
    person = staff.people[str(outcome.owner_id)]
    owner = UserRef(UUID(person["id"]), person["email"], person["name"])
    team_id = UUID(outcome.team_id) if outcome.team_id else None
    decision = fresh(
        Decision,
        escalation_id=facts.escalation_id,
        at=inputs.now,
        recorded_at=inputs.now,
        policy_number=policy.number,
        cause=cause,
        rule=outcome.rule,
        why=outcome.why,
        owner_id=owner.id,
        team_id=team_id,
        failure=outcome.failure,
        rules=outcome.rules,
        candidates=outcome.candidates,
        excluded=outcome.excluded,
        inputs=inputs.as_record(),
    )
    return RoutingResult(owner, team_id, outcome.rule, outcome.why, outcome.failure, inputs.weight, decision)
