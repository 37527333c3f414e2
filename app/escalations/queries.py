"""Reads of cases: whom they are shown to, the row of the list and of the record, and tasks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    exists,
    lateral,
    literal_column,
    not_,
    or_,
    select,
    text,
    true,
)

from app.accounts.models import Account
from app.auth.actor import Actor
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import NotFound
from app.escalations.models import Escalation, Watcher
from app.escalations.record_shapes import record_of
from app.escalations.standing import in_line
from app.http import decode_cursor, encode_cursor
from app.playbooks.models import Task
from app.sla.models import Clock

COLUMNS = [column for column in Escalation.__table__.columns if column.name != "customer_statement"]

# In person or for somebody absent: the owner, anybody above them, or who has to approve the raise.
APPROVES = """
    escalation.status = 'requested' and (
        one.email = any(cast(:approvers as text[]))
        or not exists (select 1 from "user" named where named.tenant_id = escalation.tenant_id and named.active
                       and named.email = any(cast(:approvers as text[])))
        and exists (select 1 from account a
                    join "user" u on u.tenant_id = a.tenant_id and u.email = lower(a.owner_email)
                    where a.tenant_id = escalation.tenant_id and a.id = escalation.account_id
                    and u.manager_id = places.id))
"""
IN_PLACE = text(in_line("escalation", or_else=APPROVES))


def visible_to(actor: Actor, now: datetime) -> ColumnElement[bool]:
    """Not about the caller; a restricted one only for owner, line above and who has to approve it, each in person or
    for somebody absent, and for watchers and admins."""
    if actor.is_system:
        return true()
    about = or_(Escalation.about_user_id.is_(None), Escalation.about_user_id != actor.user_id)
    if actor.role == "admin":
        return about
    watching = exists().where(Watcher.escalation_id == Escalation.id, Watcher.user_id == actor.user_id)
    approvers = [email.lower() for email in tenant_settings().approval.approvers]
    in_place = IN_PLACE.bindparams(me=actor.user_id, now=now, approvers=approvers)
    return and_(about, or_(not_(Escalation.restricted), watching, in_place))


def _next_due() -> Any:
    return lateral(
        select(Clock.kind.label("next_kind"), Clock.due_at.label("next_at"))
        .where(
            Clock.tenant_id == Escalation.tenant_id,
            Clock.escalation_id == Escalation.id,
            Clock.state == "running",
            Clock.due_at.is_not(None),
        )
        .order_by(Clock.due_at)
        .limit(1)
    )


def base() -> Select[Any]:
    next_due = _next_due()
    return (
        select(
            *COLUMNS,
            Escalation.customer_statement,
            Account.name.label("account_name"),
            Account.source.label("account_source"),
            Account.external_id.label("account_external_id"),
            Account.segment.label("account_segment"),
            User.email.label("owner_email"),
            User.name.label("owner_name"),
            next_due.c.next_kind,
            next_due.c.next_at,
        )
        .join(Account, and_(Account.tenant_id == Escalation.tenant_id, Account.id == Escalation.account_id))
        .outerjoin(User, and_(User.tenant_id == Escalation.tenant_id, User.id == Escalation.owner_id))
        .outerjoin(next_due, true())
    )


# What hangs on one record, read beside it as JSON so that the record stays one statement.
BESIDE = {
    "about_user": 'select u.email from "user" u where u.id = escalation.about_user_id',
    "routing": """select json_build_object('rule', d.rule, 'why', d.why) from decision d
                  where d.escalation_id = escalation.id order by d.at desc, d.id desc limit 1""",
    "external_refs": """select json_agg(json_build_object('system', l.system, 'external_id', l.external_id,
                        'url', l.url) order by l.id) from link l where l.escalation_id = escalation.id""",
    "service_level": """select json_build_object('name', l.name, 'number', v.number)
                        from service_level_version v join service_level l on l.id = v.service_level_id
                        where v.id = escalation.service_level_version_id""",
    "outage": """select json_build_object('id', o.id, 'title', o.title, 'state', o.state) from outage o
                 where o.id = escalation.outage_id""",
    "vendor": """select json_build_object('since', e.at,
                     'name', max(t.text) filter (where t.field = 'vendor_name'),
                     'contact', max(t.text) filter (where t.field = 'vendor_contact'),
                     'reference', max(t.text) filter (where t.field = 'vendor_reference'))
                 from event e join event_text t on t.tenant_id = e.tenant_id and t.event_id = e.id
                 where escalation.tier in ('vendor', 'management') and e.escalation_id = escalation.id
                 and e.kind in ('escalate', 'edit') and e.text_hashes ? 'vendor_name'
                 group by e.id, e.seq, e.at order by e.seq desc limit 1""",
    "contract_ids": """select json_agg(c.contract_id order by c.contract_id) from escalation_contract c
                       where c.escalation_id = escalation.id""",
    "watchers": """select json_agg(u.email order by u.email) from watcher w join "user" u on u.id = w.user_id
                   where w.escalation_id = escalation.id""",
    "pending": """select json_agg(json_build_object('kind', r.kind, 'asked_at', r.asked_at, 'asker_id', r.asker_id,
                  'until', r.until, 'customer_agreed', r.customer_agreed,
                  'reason', r.reason))
                  from request r where r.escalation_id = escalation.id and r.state = 'pending'""",
    "forecast_slips": """select json_agg(json_build_object('was', f.was, 'is', f.close_on, 'at', f.at)
                         order by f.at, f.id)
                         from forecast f where f.escalation_id = escalation.id""",
    # Events are looked through only where there is something to find.
    "quality_control": """select json_agg(json_build_object(
                          'word', case when e.facts ->> 'accepted' = 'true' then 'confirmed'
                                       when e.facts ->> 'accepted' = 'false' then 'refused' else 'unanswered' end,
                          'at', e.at, 'channel', e.facts ->> 'channel',
                          'confirmed_by', (select t.text from event_text t where t.tenant_id = e.tenant_id
                                           and t.event_id = e.id and t.field = 'confirmed_by'),
                          'comment', (select t.text from event_text t where t.tenant_id = e.tenant_id
                                      and t.event_id = e.id and t.field = 'comment'),
                          'logged_by', (select u.email from "user" u where u.id = e.actor_id)) order by e.seq)
                          from event e where e.escalation_id = escalation.id and e.kind = 'verify'
                          and (escalation.status = 'closed' or escalation.reopens > 0)""",
    "survey": """select json_build_object('asked_at', s.asked_at, 'answered_at', s.answered_at, 'score', s.score,
                 'comment', (select t.text from event e join event_text t
                             on t.tenant_id = e.tenant_id and t.event_id = e.id and t.field = 'comment'
                             where e.escalation_id = s.escalation_id and e.kind = 'survey'
                             and e.facts ->> 'survey' = cast(s.id as text) and s.answered_at is not null))
                 from survey s where s.escalation_id = escalation.id order by s.id desc limit 1""",
    "prevention": """select json_agg(json_build_object('id', p.id, 'action', p.action, 'due_on', p.due_on,
                     'state', p.state, 'owner', (select u.email from "user" u where u.id = p.owner_id))
                     order by p.due_on, p.id)
                     from prevention_action p where p.escalation_id = escalation.id""",
    "clocks": """select json_agg(json_build_object('kind', k.kind, 'cycle', k.cycle, 'state', k.state,
                 'flags', k.flags,
                 'due_at', k.due_at, 'original_due_at', k.original_due_at) order by k.due_at nulls last, k.id)
                 from clock k where k.escalation_id = escalation.id""",
    "told": """select json_object_agg(v.audience, v.at) from (
               select one.audience, max(u.at) as at
               from event u cross join lateral jsonb_array_elements_text(u.facts -> 'audiences') one(audience)
               where u.escalation_id = escalation.id and u.kind = 'update' group by 1) v""",
}


def get_record(escalation_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The record with what hangs on it, in one statement; one the caller may not see looks like none."""
    return record_of(read_row(escalation_id, {}, actor=actor, now=now), now)


def read_row(escalation_id: UUID, also: Mapping[str, str], *, actor: Actor, now: datetime) -> Row[Any]:
    """The row that the record is made of, with what `also` asks beside it, in one statement."""
    query = base().where(Escalation.id == escalation_id, visible_to(actor, now))
    return _one(query.add_columns(*_beside({**BESIDE, **also})))


def _beside(questions: Mapping[str, str]) -> list[ColumnElement[Any]]:
    return [literal_column(f"({question})").label(name) for name, question in questions.items()]


def _one(query: Select[Any]) -> Row[Any]:
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return row


def get_visible(escalation_id: UUID, *, actor: Actor, now: datetime) -> Escalation:
    """The record if the caller may see it, unlocked."""
    return get_visible_with(escalation_id, {}, actor=actor, now=now)[0]


def get_visible_with(
    escalation_id: UUID, beside: Mapping[str, str], *, actor: Actor, now: datetime
) -> tuple[Escalation, Mapping[Any, Any]]:
    """The record if the caller may see it, unlocked, and what was asked beside it, in one statement."""
    query = select(Escalation).where(Escalation.id == escalation_id, visible_to(actor, now))
    row = _one(query.add_columns(*_beside(beside)))
    return row[0], row._mapping


def is_raised(escalation_id: UUID) -> bool:
    """Whether there is such a case, seen by the caller or not."""
    return db.session.scalar(select(Escalation.id).where(Escalation.id == escalation_id)) is not None


def list_tasks(escalation_id: UUID, *, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page of a case's tasks, oldest first: ids rise with time."""
    position = decode_cursor(cursor)
    asked = select(Task).where(Task.escalation_id == escalation_id)
    if position is not None:
        asked = asked.where(Task.id > UUID(position[0]))
    rows = list(db.session.scalars(asked.order_by(Task.id).limit(limit + 1)))
    page = rows[:limit]
    return {"items": page, "next_cursor": encode_cursor([str(page[-1].id)]) if len(rows) > limit else None}
