"""What one decision is made from, read late and once: the people the matching rules may name, with all that counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.auth.settings import tenant_settings
from app.routing import queries, suggestions
from app.routing.choice import work_weight
from app.routing.facts import kept_facts
from app.routing.hours import WorkingHours, read_hours
from app.routing.inputs import RoutingInput
from app.routing.people import Hours, Inputs, People, Suggestion, TeamFacts
from app.routing.policy import Looked, Policy, Rule, Target
from app.routing.queries import Staff
from app.sla import service as sla

COUNTS = frozenset({"counts.open_escalations", "counts.repeats"})


@dataclass(frozen=True)
class Question:
    """Who shall own this case: by these `rules`, which match it, or from one team; never one of `exclude`.

    `looked` is what all rules say of it, None when a team is asked for instead; `duty` has the addresses of duty owner
    and deputy by position; `suggested` whom history suggests.
    """

    facts: RoutingInput
    now: datetime
    today: date
    looked: Sequence[Looked] | None
    rules: Sequence[Rule]
    exclude: Collection[UUID]
    team_id: UUID | None
    duty: Mapping[str, str]
    suggested: tuple[Suggestion, ...]

    @property
    def targets(self) -> list[Target]:
        return [target for rule in self.rules for target in rule.targets]


def read_inputs(
    policy: Policy, facts: RoutingInput, *, now: datetime, exclude: Collection[UUID], team_id: UUID | None
) -> tuple[Inputs, Staff]:
    """One statement for the people; one more for a policy that asks for counts, and for calendars met first."""
    question = ask(policy, facts, now=now, exclude=exclude, team_id=team_id)
    staff = read_staff(question)
    return assemble(policy, question, staff), staff


def ask(
    policy: Policy, facts: RoutingInput, *, now: datetime, exclude: Collection[UUID] = (), team_id: UUID | None = None
) -> Question:
    """The question with the rules that match, which say whom to read."""
    facts, settings = _with_counts(policy, facts), tenant_settings()
    today = now.astimezone(ZoneInfo(settings.timezone)).date()
    looked = None if team_id else policy.look(facts.facts, today=today, now=now)
    rules = [rule for rule, matched, _ in looked or () if matched]
    positions = {"duty_owner": settings.duty_owner_email, "duty_deputy": settings.duty_deputy_email}
    duty = {position: email for position, email in positions.items() if email}
    asks_history = any(target.kind == "suggested" for rule in rules for target in rule.targets)
    suggested = suggestions.find(facts) if asks_history else ()
    return Question(facts, now, today, looked, rules, exclude, team_id, duty, suggested)


def read_staff(question: Question) -> Staff:
    """Everybody the matching rules may name, their stand-ins and who is on duty."""
    facts, targets = question.facts, question.targets
    return queries.read_staff(
        teams={t.team_id for t in targets if t.team_id} | ({str(question.team_id)} if question.team_id else set()),
        people={t.user_id for t in targets if t.user_id}
        | set(map(str, facts.roles.values()))
        | {suggestion.user_id for suggestion in question.suggested},
        duty=list(question.duty.values()),
        account_id=facts.account_id,
        escalation_id=facts.escalation_id,
        reason=facts.reason,
        capacity=tenant_settings().capacity,
        now=question.now,
        skilled=any(rule.asks_skills for rule in question.rules),
    )


def assemble(policy: Policy, question: Question, staff: Staff) -> Inputs:
    """What the decision is made from and keeps: ids and numbers, when each works, the facts the policy has conditions
    on and every short one, the skills its rules ask for."""
    facts, now = question.facts, question.now
    basis = facts.basis or sla.basis(severity=facts.severity, now=now)
    hours = read_hours(staff.people, staff.teams, basis=basis, severity=facts.severity, now=now)
    by_email = {person["email"]: id_ for id_, person in staff.people.items()}
    return Inputs(
        now=now,
        today=question.today,
        tie_key=str(facts.escalation_id),
        weight=work_weight(facts.severity, facts.status),
        facts=kept_facts(facts.facts, policy.fields),
        roles={role: str(user_id) for role, user_id in facts.roles.items()},
        about_user_id=str(facts.about_user_id) if facts.about_user_id else None,
        exclude=frozenset(map(str, question.exclude)),
        team_id=str(question.team_id) if question.team_id else None,
        people=People(
            {id_: _record(row, policy.skills, hours.people[id_]) for id_, row in staff.people.items()}, hours.people
        ),
        teams={id_: _team(id_, row, hours) for id_, row in staff.teams.items()},
        previous_owner_id=staff.previous_owner_id,
        duty={position: by_email[email] for position, email in question.duty.items() if email in by_email},
        due_at=hours.due_at,
        suggested=question.suggested,
        zone=basis.zone,
        looked=question.looked,
    )


def _record(row: Mapping[str, Any], skills: frozenset[str], hours: Hours | None) -> dict[str, Any]:
    """A row of the database as the decision keeps it: without name and address, with what the calendar said."""
    return {
        "active": row["active"],
        "role": row["role"],
        "load": row["load"],
        "value_in_hand": row["value_in_hand"],
        "capacity": row["capacity"],
        "last_assigned_at": row["last_assigned_at"],
        "closed_for_account": row["closed_for_account"],
        "absent": row["absent"],
        "delegate_id": row["delegate_id"],
        "absent_until": row["absent_until"],
        "skills": _asked_for(row["skills"], skills) if row["skills"] else {},
        "hours": hours.record if hours else None,
    }


def _asked_for(levels: Mapping[str, int], skills: frozenset[str]) -> dict[str, int]:
    return {key: level for name, level in levels.items() if (key := name.casefold()) in skills}


def _team(id_: str, row: Mapping[str, Any], hours: WorkingHours) -> TeamFacts:
    return TeamFacts.of(id_, row, hours.teams.get(id_, {}))


def _with_counts(policy: Policy, facts: RoutingInput) -> RoutingInput:
    """What the account has in hand and had before is counted only for a policy that asks for it."""
    if not policy.fields & COUNTS or any(facts.facts.get(name) is not None for name in COUNTS):
        return facts
    counted = queries.count_for_account(facts.account_id, reason=facts.reason, escalation_id=facts.escalation_id)
    return replace(facts, facts={**facts.facts, **dict(zip(sorted(COUNTS), counted, strict=True))})
