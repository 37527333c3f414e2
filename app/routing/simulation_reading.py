"""What a replay is made from, in sets: past cases by their decision records, today's people, what was in hand before.

A case belongs to a package above; what the replay asks of it beside its record is read by its table's name.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.auth.settings import tenant_settings
from app.db import db
from app.routing.people import Person, TeamFacts
from app.routing.policy import Policy
from app.routing.simulation import Away, History, Hold, Workforce
from app.routing.simulation_hours import Calendars, read_calendars
from app.rows import array_of

COUNT = text("select count(*) from decision where cause = 'raise' and at >= :since and at < :until")
# The first holding has the value and reason the case was raised with, unless they changed while it lasted.
CASES = text(
    """
    with batch as materialized (
      select id, escalation_id, at, owner_id, failure, policy_number, inputs from decision
      where cause = 'raise' and at >= :since and at < :until
      and (at, id) > (coalesce(cast(:after_at as timestamptz), '-infinity'),
                      coalesce(cast(:after_id as uuid), '00000000-0000-0000-0000-000000000000'))
      order by at, id limit :limit
    )
    select b.id, b.escalation_id, b.at, b.owner_id, b.failure, b.policy_number,
      i.facts, i.roles, i.weight, i.today, i.about_user_id, i.suggested,
      e.number, e.account_id, e.severity, e.calendar_version_id, e.zone, e.ladder_number, e.service_level_version_id,
      held.reason, coalesce(held.value, 0) as value, held.ended_at, held.closed
    from batch b
    join escalation e on e.id = b.escalation_id
    cross join lateral jsonb_to_record(b.inputs)
      as i(facts jsonb, roles jsonb, weight numeric, today date, about_user_id text, suggested jsonb)
    cross join lateral (
      select (array_agg(reason order by assigned_at, id))[1] as reason,
             (array_agg(value order by assigned_at, id))[1] as value,
             case when bool_and(released_at is not null) then max(released_at) end as ended_at,
             (array_agg(a.closed order by assigned_at desc, id desc))[1] as closed
      from assignment a where a.escalation_id = b.escalation_id
    ) held
    order by b.at, b.id
    """
)
# In somebody's hands when the period began.
CARRIED = text(
    """
    select a.escalation_id, a.account_id, a.reason, a.owner_id, a.weight, coalesce(a.value, 0) as value,
      a.assigned_at, held.ended_at, held.closed
    from assignment a
    cross join lateral (
      select case when bool_and(released_at is not null) then max(released_at) end as ended_at,
             (array_agg(h.closed order by assigned_at desc, id desc))[1] as closed
      from assignment h where h.escalation_id = a.escalation_id
    ) held
    where a.assigned_at < :since and (a.released_at is null or a.released_at > :since)
    and not exists (select from decision d where d.escalation_id = a.escalation_id and d.cause = 'raise'
                    and d.at >= :since)
    order by a.assigned_at, a.id
    """
)
PEOPLE = text(
    """
    select u.id::text as id, u.email, u.active, u.role, u.calendar, u.timezone, coalesce(known.skills, '{}') as skills,
      coalesce(places.capacity, :capacity) as capacity, last.assigned_at as last_assigned_at
    from "user" u
    left join (select user_id, max(coalesce(capacity, :capacity)) as capacity from membership group by user_id) places
      on places.user_id = u.id
    left join (select owner_id, max(assigned_at) as assigned_at from assignment where assigned_at < :since
               group by owner_id) last on last.owner_id = u.id
    left join (select k.user_id, jsonb_object_agg(s.name, k.level) as skills
               from user_skill k join skill s on s.id = k.skill_id group by k.user_id) known on known.user_id = u.id
    """
)
TEAMS = text(
    """
    select t.id::text as id, t.name, t.lead_id::text as lead_id, t.calendar,
      coalesce(jsonb_object_agg(m.user_id, coalesce(m.capacity, :capacity)::text) filter (where m.id is not null), '{}')
        as members,
      coalesce(jsonb_object_agg(m.user_id, m.weight) filter (where m.weight < 1), '{}') as weights
    from team t left join membership m on m.team_id = t.id group by t.id, t.name, t.lead_id, t.calendar
    """
)
ABSENCES = text(
    """
    select user_id::text, starts_at, ends_at, delegate_id::text from absence
    where starts_at < :until and ends_at > :since
    """
)
# By owner, and (owner empty) over all of them, since a case of two owners was one case.
HISTORY = text(
    """
    select account_id::text as account_id, reason, owner_id::text as owner_id,
      count(distinct escalation_id) filter (where closed and released_at < :since) as closed,
      count(distinct escalation_id) as cases,
      (array_agg(owner_id::text order by escalation_id desc, assigned_at desc))[1] as last_owner
    from assignment where account_id = any(cast(:ids as uuid[])) and assigned_at < :since
    group by grouping sets ((account_id, reason, owner_id), (account_id, reason))
    """
)


@dataclass(frozen=True)
class Carried:
    """What was in hand when the period began, by case."""

    escalation_id: UUID
    hold: Hold


def count_cases(since: datetime, until: datetime) -> int:
    return int(db.session.scalar(COUNT, {"since": since, "until": until}) or 0)


def read_cases(
    since: datetime, until: datetime, *, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Row[Any]]:
    """The next cases in order of their first decision, each with what its record kept; one statement."""
    after_at, after_id = after or (None, None)
    values = {"since": since, "until": until, "after_at": after_at, "after_id": after_id, "limit": limit}
    return db.session.execute(CASES, values).all()


def read_workforce(policy: Policy, since: datetime, until: datetime, *, now: datetime) -> tuple[Workforce, Calendars]:
    """Today's people and teams with their calendars, and the absences of the period; four statements."""
    settings = tenant_settings()
    values = {"capacity": settings.capacity, "since": since}
    people = db.session.execute(PEOPLE, values).all()
    teams = db.session.execute(TEAMS, values).all()
    absences = [Away(*row) for row in db.session.execute(ABSENCES, {"since": since, "until": until})]
    ids = {row.email: row.id for row in people}
    named = {"duty_owner": settings.duty_owner_email, "duty_deputy": settings.duty_deputy_email}
    workforce = Workforce(
        {row.id: _person(row, policy) for row in people},
        {row.id: TeamFacts.of(row.id, row._asdict()) for row in teams},
        absences,
        {position: ids[email] for position, email in named.items() if email in ids},
    )
    calendars = read_calendars(
        {row.id: (row.calendar, row.timezone) for row in people},
        [(row.id, row.calendar, row.members) for row in teams],
        now=now,
    )
    return workforce, calendars


def _person(row: Row[Any], policy: Policy) -> Person:
    return Person(
        id=row.id,
        active=row.active,
        role=row.role,
        load=Decimal(0),
        value_in_hand=Decimal(0),
        capacity=Decimal(row.capacity),
        last_assigned_at=row.last_assigned_at,
        skills={key: level for name, level in row.skills.items() if (key := name.casefold()) in policy.skills},
    )


def read_carried(since: datetime) -> list[Carried]:
    """One statement."""
    return [
        Carried(
            row.escalation_id,
            Hold(
                owner_id=str(row.owner_id),
                account_id=str(row.account_id),
                reason=row.reason,
                weight=row.weight,
                value=row.value,
                at=row.assigned_at,
                ended_at=row.ended_at,
                closed=row.closed,
            ),
        )
        for row in db.session.execute(CARRIED, {"since": since})
    ]


def read_history(account_ids: Collection[UUID], since: datetime) -> Mapping[str, History]:
    """What these accounts had before the period; one statement."""
    found = {str(id_): History({}, {}, {}) for id_ in account_ids}
    rows = db.session.execute(HISTORY, {"ids": array_of(account_ids), "since": since}) if found else ()
    for row in rows:
        history = found[row.account_id]
        if row.owner_id is None:
            history.earlier[row.reason] = row.cases
            history.last_owner[row.reason] = row.last_owner
        elif row.closed:
            history.closed[row.owner_id] = history.closed.get(row.owner_id, 0) + row.closed
    return found
