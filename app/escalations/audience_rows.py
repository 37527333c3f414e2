"""The rows that audiences are resolved from, each read once for a whole batch of escalations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.rows import array_of

READ_CASES = text(
    """
    select e.id, e.number, e.title, e.severity, e.status, e.tier, e.restricted, e.owner_id, e.about_user_id,
           e.resolve_by_at, a.name as account, lower(a.owner_email) as account_owner_email,
           lower(a.csm_email) as csm_email, lower(a.sponsor_email) as sponsor_email, t.lead_id,
           case when :watchers then array(select w.user_id from watcher w where w.escalation_id = e.id)
                else '{}' end as watcher_ids,
           case when :tasks then (select jsonb_object_agg(k.id, jsonb_build_array(k.title, k.assignee_id, k.kind))
                                  from task k where k.tenant_id = e.tenant_id and k.escalation_id = e.id
                                  and k.state = 'open') end as tasks
    from escalation e
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    left join team t on t.tenant_id = e.tenant_id and t.id = e.team_id
    where e.id = any(cast(:ids as uuid[]))
    """
)
# Everybody asked for, their managers, and whom those name who are absent now, through chains.
READ_PEOPLE = text(
    """
    with recursive asked as (
        select id, manager_id from "user"
        where id = any(cast(:ids as uuid[])) or email = any(cast(:emails as text[])) or (:admins and role = 'admin')
    ), away as (
        select user_id, delegate_id from absence where starts_at <= :now and ends_at > :now
    ), named (id) as (
        (select id from asked union select manager_id from asked)
        union
        select away.delegate_id from away join named on named.id = away.user_id
    )
    select u.id, u.email, u.name, u.active, u.role, u.manager_id, away.user_id is not null, away.delegate_id
    from named join "user" u on u.id = named.id left join away on away.user_id = u.id
    """
)
READ_LEADS = text("select tier, lead_id from team where tier is not null and lead_id is not null order by name desc")


@dataclass(frozen=True, slots=True)
class OpenTask:
    """What a reminder says of a task, and who does it."""

    title: str
    assignee_id: UUID | None
    kind: str = "manual"


@dataclass(frozen=True, slots=True)
class Case:
    """What a message says of an escalation, and whom its roles name; in the order of READ_CASES.

    `tasks` are the open ones by id, as the subjects of their clocks name them.
    """

    id: UUID
    number: int
    title: str
    severity: int
    status: str
    tier: str
    restricted: bool
    owner_id: UUID | None
    about_user_id: UUID | None
    resolve_by_at: datetime
    account: str
    account_owner_email: str | None
    csm_email: str | None
    sponsor_email: str | None
    lead_id: UUID | None
    watcher_ids: list[UUID]
    tasks: Mapping[str, OpenTask]

    def find_doer(self, subject: str) -> UUID | None:
        """Who hears of this task in the owner's stead: its assignee, but of a restricted case they may not see."""
        task = self.tasks.get(subject)
        doer = None if task is None or self.restricted else task.assignee_id
        return None if doer == self.owner_id else doer

    @property
    def asked_id(self) -> UUID | None:
        """Whom the tier asks whether it can be resolved there, if that is not the owner."""
        asked = (task.assignee_id for task in self.tasks.values() if task.kind == "qualification")
        return next((id_ for id_ in asked if id_ != self.owner_id and not self.restricted), None)


@dataclass(frozen=True, slots=True)
class Person:
    """A colleague as they stand now; in the order of READ_PEOPLE."""

    id: UUID
    email: str
    name: str
    active: bool
    role: str
    manager_id: UUID | None
    absent: bool
    delegate_id: UUID | None


def read_cases(escalation_ids: Collection[UUID], *, watchers: bool = False, tasks: bool = False) -> dict[UUID, Case]:
    """The escalations by id, with their watchers and open tasks where asked for, in one statement."""
    values = {"ids": array_of(escalation_ids), "watchers": watchers, "tasks": tasks}
    rows = db.session.execute(READ_CASES, values).all()
    return {row.id: Case(*[*row[:-1], _tasks(row.tasks)]) for row in rows}


def _tasks(found: dict[str, tuple[str, str | None, str]] | None) -> dict[str, OpenTask]:
    rows = (found or {}).items()
    return {id_: OpenTask(title, UUID(doer) if doer else None, kind) for id_, (title, doer, kind) in rows}


def read_people(ids: Collection[UUID], emails: Collection[str], *, admins: bool, now: datetime) -> list[Person]:
    """Those of these ids and addresses, with their managers and whoever stands in: one statement."""
    values = {"ids": array_of(ids), "emails": array_of(emails), "admins": admins, "now": now}
    return [Person(*row) for row in db.session.execute(READ_PEOPLE, values).all()]


def read_leads() -> dict[str, UUID]:
    """The lead of each tier's team."""
    return {row.tier: row.lead_id for row in db.session.execute(READ_LEADS)}
