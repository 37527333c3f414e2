"""Reads of cases: the list by keyset, the record in one statement, the timeline."""

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
from app.auth.reasons import preventable_by_default
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import NotFound
from app.escalations import lifecycle
from app.escalations.case import basis_of
from app.escalations.models import Escalation, Watcher
from app.escalations.raising import Raised
from app.escalations.silence import silence_of
from app.escalations.standing import in_line
from app.escalations.tiers import TIERS
from app.escalations.words import link_for_lessons, numbered
from app.http import decode_cursor, encode_cursor
from app.playbooks.models import Task
from app.sla.models import Clock

RUNNING = ("running", "paused", "breached")
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


def item_of(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    """A line of a list from its row."""
    live = row["status"] in lifecycle.LIVE
    owner = {"id": row["owner_id"], "email": row["owner_email"], "name": row["owner_name"]}
    account = {name: row[f"account_{name}"] for name in ("id", "name", "source", "external_id", "segment")}
    amount = row["value_amount"]
    return {
        **{name: row[name] for name in PLAIN},
        "number": numbered(row["number"]),
        "account": account,
        "owner": owner if row["owner_id"] else None,
        "overdue": live and row["due_at"] < now,
        "next_due": {"clock": row["next_kind"], "at": row["next_at"]} if row["next_kind"] else None,
        "priority": {"score": row["priority_score"], "parts": row["priority_parts"]},
        "value_at_stake": {
            "amount": None if amount is None else f"{amount:.2f}",
            "currency": row["value_currency"],
            "incomplete": row["value_incomplete"],
            "unconverted": row["value_unconverted"],
        },
        "merged_into": row["merged_into_id"],
    }


PLAIN = (
    "id",
    "title",
    "status",
    "outcome",
    "tier",
    "severity",
    "reason",
    "team_id",
    "raised_at",
    "close_target_at",
    "due_at",
    "resolve_by_at",
    "completeness",
    "assignment_failed",
    "brief_missing",
    "restricted",
    "version",
)
RECORD_PLAIN = (
    "verification",
    "customer_statement",
    "desired_outcome",
    "impact",
    "answers",
    "source",
    "recorded_at",
    "resolved_at",
    "closed_at",
    "reopens",
    "forecast_close_on",
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


def case_of(row: Row[Any]) -> Escalation:
    """The case of such a row, outside the session."""
    return Escalation(**{column.name: row._mapping[column.name] for column in Escalation.__table__.columns})


def record_of(row: Row[Any], now: datetime) -> dict[str, Any]:
    found = row._mapping
    lists = ("external_refs", "contract_ids", "watchers", "forecast_slips")
    clocks = [_moments(one, "due_at", "original_due_at") for one in found["clocks"] or []]
    told = _moments(found["told"] or {}, *(found["told"] or {}))
    promised = [(one["kind"], one["state"], one["due_at"]) for one in clocks]
    return {
        **item_of(found, now),
        **{name: found[name] for name in RECORD_PLAIN},
        **{name: found[name] or [] for name in lists},
        "pending": [_moments(request, "asked_at", "until") for request in found["pending"] or []],
        "clocks": clocks,
        "silence": silence_of(found["status"], found["raised_at"], told, promised, now=now),
        **closure_of(found),
        "about_user": found["about_user"],
        "routing": found["routing"],
        "service_level": found["service_level"],
        "outage": found["outage"],
        "vendor": _moments(found["vendor"], "since") if found["vendor"] else None,
        "recurrence_of": found["recurrence_of_id"],
        "raised_by": {"kind": found["raised_by_kind"], "email": found["raised_by_email"]},
        "waiting": waiting_of(found),
        "preventable_by_default": preventable_by_default(found["reason"], tenant_settings()),
        "allowed": list(allowed_of(found)),
    }


def raised_of(raised: Raised, now: datetime) -> dict[str, Any]:
    """The answer to a raise, made from what was just written: no statement."""
    record, account = raised.record, raised.account.account
    row = {column.name: getattr(record, column.name) for column in Escalation.__table__.columns}
    owner, level = raised.owner, basis_of(record).level
    promised = [(one.kind, one.state, one.due_at) for one in raised.clocks]
    running = [one for one in raised.clocks if one.state == "running" and one.due_at is not None]
    first = min(running, key=lambda one: one.due_at or now, default=None)
    row |= {f"account_{name}": getattr(account, name) for name in ("name", "source", "external_id", "segment")}
    row |= {"owner_email": owner.email if owner else None, "owner_name": owner.name if owner else None}
    row |= {"next_kind": first.kind if first else None, "next_at": first.due_at if first else None, "pending": []}
    return {
        **item_of(row, now),
        **{name: row[name] for name in RECORD_PLAIN},
        "external_refs": list(raised.external_refs),
        "contract_ids": list(raised.account.touched_contract_ids),
        "watchers": [],
        "forecast_slips": [],
        "pending": [],
        "clocks": raised.clocks,
        "silence": silence_of(record.status, record.raised_at, {}, promised, now=now),
        **closure_of({"reason": record.reason}),
        "about_user": raised.about_user,
        "service_level": {"name": level.name, "number": level.number} if level else None,
        "routing": {"rule": raised.rule, "why": raised.why} if raised.why else None,
        "recurrence_of": record.recurrence_of_id,
        "raised_by": {"kind": record.raised_by_kind, "email": record.raised_by_email},
        "outage": {name: getattr(raised.outage, name) for name in ("id", "title", "state")} if raised.outage else None,
        "vendor": None,
        "waiting": None,
        "preventable_by_default": preventable_by_default(record.reason, tenant_settings()),
        "allowed": list(allowed_of(row)),
        "possible_duplicates": raised.duplicates,
        "approvers": raised.approvers,
        "warnings": list(raised.account.warnings),
    }


def closure_of(found: Mapping[Any, Any]) -> dict[str, Any]:
    """How the case ended: the customer's words on it, what they thought, what is done about it, and what was learnt
    from others like it."""
    survey = found.get("survey")
    return {
        "quality_control": [_moments(one, "at") for one in found.get("quality_control") or []],
        "survey": _moments(survey, "asked_at", "answered_at") if survey else None,
        "prevention": found.get("prevention") or [],
        "lessons": link_for_lessons(found["reason"]),
    }


def allowed_of(found: Mapping[Any, Any]) -> tuple[str, ...]:
    """The steps there are; with management nothing leads further up and nothing is asked but the decision."""
    extension_pending = any(request["kind"] == "extension" for request in found["pending"] or [])
    facts = lifecycle.Facts(acknowledgement_void=not found["acknowledged"], extension_pending=extension_pending)
    steps = lifecycle.allowed(found["status"], facts)
    return tuple(one for one in steps if found["tier"] != TIERS[-1] or one not in ("qualify", "escalate"))


def waiting_of(found: Mapping[Any, Any]) -> dict[str, Any] | None:
    if found["status"] != "waiting":
        return None
    return {
        "party": found["waiting_party"],
        "reason": found["waiting_reason"],
        "since": found["waiting_since"],
        "resume_on": found["resume_on"],
        "budget_used": found["wait_exhausted"],
    }


def _moments(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        **found,
        **{name: datetime.fromisoformat(found[name]) if found[name] else None for name in names},
    }


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


EVENTS = text(
    """
    select e.id, e.seq, e.kind, e.acting_for_id, e.at, e.recorded_at, e.facts, encode(e.hash, 'hex') as hash,
           case when u.id is null then null
                else json_build_object('id', u.id, 'email', u.email, 'name', u.name) end as actor,
           coalesce((select json_object_agg(t.field, t.text) from event_text t
                     where t.tenant_id = e.tenant_id and t.event_id = e.id), '{}') as texts
    from event e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    where e.escalation_id = :id and e.seq > :after order by e.seq limit :limit
    """
)


def list_tasks(escalation_id: UUID, *, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """A page of a case's tasks, oldest first: ids rise with time."""
    position = decode_cursor(cursor)
    asked = select(Task).where(Task.escalation_id == escalation_id)
    if position is not None:
        asked = asked.where(Task.id > UUID(position[0]))
    rows = list(db.session.scalars(asked.order_by(Task.id).limit(limit + 1)))
    page = rows[:limit]
    return {"items": page, "next_cursor": encode_cursor([str(page[-1].id)]) if len(rows) > limit else None}


LAST_EVENTS = text(str(EVENTS).replace("order by e.seq", "order by e.seq desc"))


def list_last_events(escalation_id: UUID, *, limit: int) -> list[dict[str, Any]]:
    """The newest events, newest first."""
    rows = db.session.execute(LAST_EVENTS, {"id": escalation_id, "after": 0, "limit": limit})
    return [dict(row._mapping) for row in rows]


def list_events(escalation_id: UUID, *, cursor: str | None, limit: int) -> dict[str, Any]:
    """The timeline, oldest first."""
    position = decode_cursor(cursor)
    values = {"id": escalation_id, "after": position[0] if position else 0, "limit": limit + 1}
    rows = db.session.execute(EVENTS, values).all()
    page = [dict(row._mapping) for row in rows[:limit]]
    return {"items": page, "next_cursor": encode_cursor([page[-1]["seq"]]) if len(rows) > limit else None}
