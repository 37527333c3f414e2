"""Relief for an overloaded team: who would give which case to whom, and doing it once somebody has confirmed it.

Moved are open cases of its members that came by way of this team or of none (an account's owner has it): not
restricted, and none that is about the one who asks. What members hold for other teams counts as load and stays.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from app.auth import queries as users
from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import Forbidden
from app.escalations import promises
from app.escalations.case import Act, Change
from app.escalations.errors import GroundChanged
from app.escalations.models import LIVE_SQL
from app.escalations.owning import hand_over, named, routing_input
from app.escalations.standing import lock_record, standing_of
from app.escalations.words import numbered
from app.routing import service as routing
from app.routing.models import Team
from app.routing.rebalance import Case, Member, Proposal, propose
from app.rows import array_of
from app.sla import service as sla
from app.sla.errors import BasisUnreadable

log = structlog.get_logger()

EXACTLY = timedelta(microseconds=1)
WHY = "has room where a colleague of the team held more than fits"

# Everybody of the team with all they hold; their skills by name, whatever its case.
MEMBERS = text(
    """
    select u.id, u.email, u.name, u.calendar, u.timezone, coalesce(m.capacity, :capacity) as capacity,
           u.active and u.role <> 'integration' and not exists (
               select from absence a where a.user_id = u.id and a.starts_at <= :now and a.ends_at > :now) as takes,
           (select coalesce(sum(weight), 0) from assignment h
            where h.owner_id = u.id and h.released_at is null) as load,
           (select jsonb_object_agg(lower(s.name), k.level) from user_skill k join skill s on s.id = k.skill_id
            where k.user_id = u.id) as skills
    from membership m join "user" u on u.id = m.user_id where m.team_id = :team order by u.id
    """
)
# What may be moved, with the skills that the rule asked for which chose its owner last.
CASES = text(
    f"""
    select e.id, e.number, e.title, e.owner_id, e.severity, e.acknowledged, e.about_user_id, h.weight,
           e.raised_at, chosen.required, e.calendar_version_id, e.zone, e.ladder_number, e.service_level_version_id
    from membership m
    join escalation e on e.owner_id = m.user_id and coalesce(e.team_id, m.team_id) = m.team_id and e.{LIVE_SQL}
    join assignment h on h.escalation_id = e.id and h.released_at is null
    left join lateral (
        select r.rule -> 'required_skills' as required
        from decision d join policy_version v on v.number = d.policy_number
        cross join lateral jsonb_array_elements(v.rules) r(rule)
        where d.escalation_id = e.id and d.rule is not null and r.rule ->> 'name' = d.rule
        order by d.at desc, d.id desc limit 1) chosen on true
    where m.team_id = :team and not e.restricted and e.about_user_id is distinct from cast(:me as uuid) order by e.id
    """  # noqa: S608 - the part is ours
)
LOCK_USERS = text('select id from "user" where id = any(cast(:ids as uuid[])) order by id for no key update')


@dataclass(frozen=True)
class Plan:
    """A proposal with what it was made from; `digest` is the same as long as all of that is."""

    team: Team
    members: Sequence[Any]
    cases: Mapping[str, Any]
    proposal: Proposal

    @property
    def digest(self) -> str:
        moves = [(move.case_id, move.from_id, move.to_id) for move in self.proposal.moves]
        people = [(str(one.id), str(one.load), str(one.capacity), one.takes) for one in self.members]
        return sha256(json.dumps([str(self.team.id), people, moves]).encode()).hexdigest()


def check_may(team: Team, actor: Actor, now: datetime) -> None:
    """Who leads the team, stands in for its lead or is above them, and admins."""
    if actor.role == "admin" or (team.lead_id is not None and actor.user_id == team.lead_id):
        return
    if team.lead_id is not None:
        stand_in = routing.find_stand_ins([team.lead_id], now=now).get(team.lead_id)
        if actor.user_id in (stand_in.id if stand_in else None, *auth.line_above(team.lead_id)):
            return
    raise Forbidden("Only the team's lead, who stands in for them, the line above and admins may do this")


def plan(team: Team, *, actor: Actor, now: datetime) -> Plan:
    """What is proposed as things stand, in two statements; one more each for calendars and versions met first."""
    members = db.session.execute(MEMBERS, {"team": team.id, "capacity": tenant_settings().capacity, "now": now}).all()
    rows = db.session.execute(CASES, {"team": team.id, "me": actor.user_id}).all()
    fits = _judge(team, members, rows, now)
    people = [Member(str(one.id), one.load, Decimal(one.capacity), one.takes) for one in members]
    cases = [
        Case(
            str(row.id),
            str(row.owner_id),
            row.weight,
            fits[row.id],
            row.acknowledged,
            (now - row.raised_at) // EXACTLY,
        )
        for row in rows
    ]
    return Plan(team, members, {str(row.id): row for row in rows}, propose(people, cases))


def _judge(team: Team, members: Sequence[Any], cases: Sequence[Any], now: datetime) -> Mapping[UUID, frozenset[str]]:
    """By case, who of the team may have it: able to, and at work before they would have to acknowledge it."""
    hours = routing.read_openings(((one.calendar, one.timezone) for one in members), team.calendar, now=now)
    due = _acknowledge_dues(cases, now)
    return {
        case.id: frozenset(
            str(one.id)
            for one in members
            if _fits(one, case) and _works(hours[(one.calendar, one.timezone)], due[case.id])
        )
        for case in cases
    }


def _works(hours: Any, due_at: datetime | None) -> bool:
    return hours is None or hours.serves(by=due_at)


def _acknowledge_dues(cases: Sequence[Any], now: datetime) -> Mapping[UUID, datetime | None]:
    """When each would have to be acknowledged by whom it were given to now; None where its calendar cannot be read:
    only who is at work takes it then, as nobody can say by when the others would have to be there."""
    stored = {
        case.id: (case.calendar_version_id, case.zone, case.ladder_number, case.service_level_version_id)
        for case in cases
    }
    bases = sla.read_bases(stored.values())
    return {case.id: _acknowledge_due(bases[stored[case.id]], case.severity, now) for case in cases}


def _acknowledge_due(basis: sla.Basis, severity: int, now: datetime) -> datetime | None:
    try:
        return sla.acknowledge_due(basis, severity=severity, now=now)
    except BasisUnreadable as error:
        log.error("acknowledge_due_unknown", calendar_version_id=str(basis.calendar_version_id), error=str(error))
        return None


def _fits(member: Any, case: Any) -> bool:
    """Not whom the case is about; with every skill that its rule requires."""
    skills = member.skills or {}
    required = case.required or []
    masters = all(skills.get(one["skill"].lower(), 0) >= one.get("level", 1) for one in required)
    return masters and member.id != case.about_user_id


def answer_of(found: Plan) -> dict[str, Any]:
    """The proposal as answered, people and cases named."""
    proposal = found.proposal
    people = {str(one.id): {"id": one.id, "email": one.email, "name": one.name} for one in found.members}
    moves = [
        {
            "escalation_id": move.case_id,
            "number": numbered(found.cases[move.case_id].number),
            "title": found.cases[move.case_id].title,
            "severity": found.cases[move.case_id].severity,
            "weight": float(found.cases[move.case_id].weight),
            "from_user": people[move.from_id],
            "to_user": people[move.to_id],
        }
        for move in proposal.moves
    ]
    loads = [
        {
            "user": people[str(one.id)],
            "capacity": float(one.capacity),
            "before": float(one.load),
            "after": float(proposal.loads[str(one.id)]),
            "over_by": float(proposal.remaining.get(str(one.id), 0)),
        }
        for one in found.members
    ]
    return {
        "team_id": found.team.id,
        "digest": found.digest,
        "complete": not proposal.remaining,
        "fewest": proposal.fewest,
        "impossible": proposal.impossible,
        "moves": moves,
        "people": loads,
    }


def apply(team: Team, *, digest: str, reason: str, act: Act) -> Plan:
    """Exactly the moves of the proposal with this digest; refused when it is not what is proposed now."""
    seen = plan(team, actor=act.actor, now=act.now)
    if seen.digest != digest:
        raise GroundChanged
    for id_ in sorted(UUID(move.case_id) for move in seen.proposal.moves):
        lock_record(id_)
    db.session.execute(LOCK_USERS, {"ids": array_of([one.id for one in seen.members])})
    found = plan(team, actor=act.actor, now=act.now)  # with what was committed up to the locks
    if found.digest != digest:
        raise GroundChanged
    for move in found.proposal.moves:
        _move(UUID(move.case_id), UUID(move.to_id), team, reason=reason, act=act)
    return found


def _move(escalation_id: UUID, to_id: UUID, team: Team, *, reason: str, act: Act) -> None:
    record = lock_record(escalation_id)
    change, had_by = Change(record, standing_of(record, act.actor, now=act.now), act), record.owner_id
    facts = routing_input(change, change.account)
    given = routing.appoint(facts, to_id, actor=act.actor, now=act.now, cause="rebalance", why=WHY)
    hand_over(change, change.account, replace(given, team_id=team.id), cause="rebalance", reason=reason)
    promises.owner_changed(change)
    subject = f"{named(record, change.account)}: given to {given.owner.name}"
    change.tell(users.list_active(ids=[had_by] if had_by else []), "reassigned", subject, reason)
    change.save()
