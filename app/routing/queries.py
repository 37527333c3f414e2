"""Reads of people, load and decisions; the two statements every routing costs stand here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PGUUID

from app.auth.models import User
from app.db import db, question
from app.errors import NotFound
from app.routing.models import PolicyVersion, Team
from app.rows import array_of

# One statement: the teams and people asked for with what they hold, whose hours they keep and, if a rule asks for them,
# their skills, the previous owner and who is on duty, and through chains whom those name who are absent now. The lists
# stand in a row of their own so that the planner does not see how long they are: it would make a new plan for each
# decision, which takes longer than the answer. Whoever is wanted is found before what they hold is summed, since the
# planner, who takes them for thousands, would sum it for everybody. What was closed is counted from the account, whose
# cases are few.
READ_PEOPLE = question(
    """
    with recursive asked as materialized (
      select cast(:teams as uuid[]) as teams, cast(:people as uuid[]) as people, cast(:duty as text[]) as duty,
             cast(:skilled as boolean) as skilled
    ), teams as (
      select id, name, lead_id, calendar from team where id = any((select teams from asked)::uuid[])
    ), members as (
      select team_id, user_id, coalesce(capacity, :capacity) as capacity, weight from membership
      where team_id = any((select teams from asked)::uuid[])
    ), previous as (
      select owner_id from assignment
      where account_id = :account and reason = :reason and escalation_id < :escalation
      order by escalation_id desc, assigned_at desc limit 1
    ), closed as materialized (
      select owner_id, count(distinct escalation_id) as count from assignment
      where account_id = :account and closed and escalation_id <> :escalation group by owner_id
    ), away as (
      select user_id, delegate_id, ends_at from absence where starts_at <= :now and ends_at > :now
    ), wanted (id) as (
      (select unnest(people) from asked union select lead_id from teams union select user_id from members
       union select owner_id from previous
       union select id from "user" where email = any((select duty from asked)::text[]))
      union
      select away.delegate_id from away join wanted on wanted.id = away.user_id
    ), found as materialized (
      select id, email, name, active, role, calendar, timezone from "user"
      where id = any(array(select id from wanted))
    ), people as (
      select u.id, u.email, u.name, u.active, u.role, held.load, held.value_in_hand, places.capacity,
             last.assigned_at as last_assigned_at,
             coalesce((select count from closed where owner_id = u.id), 0) as closed_for_account,
             away.user_id is not null as absent, away.delegate_id, away.ends_at as absent_until,
             u.calendar, u.timezone, skilled.skills
      from found u left join away on away.user_id = u.id
      cross join lateral (
        select coalesce(sum(weight), 0) as load, coalesce(sum(value), 0) as value_in_hand from assignment
        where owner_id = u.id and released_at is null and escalation_id <> :escalation) held
      cross join lateral (
        select coalesce(max(coalesce(capacity, :capacity)), :capacity) as capacity from membership
        where user_id = u.id) places
      cross join lateral (
        select max(assigned_at) as assigned_at from assignment
        where owner_id = u.id and escalation_id <> :escalation) last
      left join lateral (
        select jsonb_object_agg(skill.name, user_skill.level) as skills
        from user_skill join skill on skill.id = user_skill.skill_id
        where user_skill.user_id = u.id and (select skilled from asked)) skilled on true
    )
    select
      (select coalesce(jsonb_agg(to_jsonb(people) || jsonb_build_object(
          'load', load::text, 'value_in_hand', value_in_hand::text, 'capacity', capacity::text)), '[]') from people),
      (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'lead_id', lead_id, 'calendar', calendar,
          'members', coalesce(capacities, '{}'), 'weights', coalesce(weights, '{}'))), '[]')
       from teams cross join lateral (
         select jsonb_object_agg(user_id, capacity::text) as capacities,
                jsonb_object_agg(user_id, weight) filter (where weight <> 1) as weights
         from members where team_id = teams.id) of_team),
      (select owner_id::text from previous)
    """,
    "people teams previous",
)

# The first of the candidates who still has room keeps a lock on their row until the end of the transaction.
CLAIM_PLACE = question(
    "select claim_place(:candidates, :capacities, :work, :escalation)",
    "place",
    bindparam("candidates", type_=ARRAY(PGUUID)),
)

HOLD_STAND_IN = text(
    """
    select id from "user" where id = any(cast(:ids as uuid[])) and active
    order by array_position(cast(:ids as uuid[]), id) limit 1 for share
    """
)

LAST_RESORT = text(
    """
    select id, email, name, active, role from "user"
    where active and role <> 'integration' and id is distinct from cast(:about as uuid)
    order by exists (select 1 from absence where user_id = "user".id and starts_at <= :now and ends_at > :now),
             id = any(:exclude), role <> 'admin', created_at, id limit 1
    """
).bindparams(bindparam("exclude", type_=ARRAY(PGUUID)))


@dataclass(frozen=True)
class Staff:
    """What one read found: people by id (with e-mail and name), teams by id, the previous owner."""

    people: Mapping[str, Mapping[str, Any]]
    teams: Mapping[str, Mapping[str, Any]]
    previous_owner_id: str | None


def read_staff(
    *,
    teams: Collection[str],
    people: Collection[str],
    duty: Sequence[str],
    account_id: UUID,
    escalation_id: UUID,
    reason: str,
    capacity: int,
    now: datetime,
    skilled: bool = False,
) -> Staff:
    """Everybody a decision may choose from, with what they hold and whether they are absent now, in one statement."""
    row = db.session.execute(
        READ_PEOPLE,
        {
            "teams": array_of(sorted(map(UUID, teams))),
            "people": array_of(sorted(map(UUID, people))),
            "duty": array_of(duty),
            "account": account_id,
            "escalation": escalation_id,
            "reason": reason,
            "capacity": capacity,
            "now": now,
            "skilled": skilled,
        },
    ).one()
    return Staff({p["id"]: p for p in row[0]}, {t["id"]: t for t in row[1]}, row[2])


def claim_place(places: Sequence[tuple[str, Decimal]], *, weight: Decimal, escalation_id: UUID) -> str | None:
    """The first of these people, in this order, in whose hands the work still fits; until commit nobody else takes
    the place. The others' rows are left unlocked, so two claims never wait for each other in a circle."""
    claimed: UUID | None = db.session.scalar(
        CLAIM_PLACE,
        {
            "candidates": [UUID(id_) for id_, _ in places],
            "capacities": [capacity for _, capacity in places],
            "work": weight,
            "escalation": escalation_id,
        },
    )
    return None if claimed is None else str(claimed)


def hold_stand_in(candidates: Sequence[str]) -> str | None:
    """The first of these people, in this order, who is active still; until commit nobody can deactivate them. They
    need no place, so any number of cases may hold one of them at the same time."""
    held: UUID | None = db.session.scalar(HOLD_STAND_IN, {"ids": array_of(map(UUID, candidates))})
    return None if held is None else str(held)


def list_gone(ids: Collection[str]) -> frozenset[str]:
    """Those of these users who are not active any more."""
    asked = select(User.id).where(User.id.in_(map(UUID, ids)), User.active.is_(False))
    return frozenset(map(str, db.session.scalars(asked)))


def find_last_resort(
    *, exclude: Collection[str], about_user_id: UUID | None, now: datetime
) -> Mapping[str, Any] | None:
    """Whoever is left when nobody on duty can take a case: admins first, then those who gave it up, the absent last."""
    values = {"exclude": sorted(map(UUID, exclude)), "about": about_user_id, "now": now}
    row = db.session.execute(LAST_RESORT, values).one_or_none()
    return None if row is None else {**row._mapping, "id": str(row.id)}


def get_policy_version(number: int) -> PolicyVersion:
    version = db.session.scalar(select(PolicyVersion).where(PolicyVersion.number == number))
    if version is None:
        raise NotFound(f"There is no policy version {number}")
    return version


def list_policy_versions(numbers: Collection[int]) -> list[PolicyVersion]:
    return list(db.session.scalars(select(PolicyVersion).where(PolicyVersion.number.in_(numbers))))


def newest_policy_version() -> PolicyVersion | None:
    return db.session.scalar(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(1))


def find_team(team_id: UUID) -> Team | None:
    return db.session.scalar(select(Team).where(Team.id == team_id))


def count_for_account(account_id: UUID, *, reason: str, escalation_id: UUID) -> tuple[int, int]:
    """(others in somebody's hands now, earlier ones with this reason) of an account's escalations."""
    row = db.session.execute(
        text(
            "select count(distinct escalation_id) filter (where released_at is null and escalation_id <> :escalation),"
            " count(distinct escalation_id) filter (where reason = :reason and escalation_id < :escalation)"
            " from assignment where account_id = :account"
        ),
        {"account": account_id, "reason": reason, "escalation": escalation_id},
    ).one()
    return row[0], row[1]
