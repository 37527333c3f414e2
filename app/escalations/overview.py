"""Everything the page of one case shows first, in few statements: the record with what hangs on it, what its reader may
do, its promises with their steps, its way up the tiers and the newest of its timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, column, literal_column, select, text
from sqlalchemy.types import JSON

from app.accounts.value import Part
from app.auth.actor import Actor
from app.db import db
from app.errors import NotFound
from app.escalations import allowing, criteria, drafting, permissions
from app.escalations.allowing import path_of
from app.escalations.attachments.reading import link_to
from app.escalations.briefing import draft_handover
from app.escalations.cascading import get_move
from app.escalations.case import list_contract_ids
from app.escalations.criteria import Criterion
from app.escalations.decisions import list_decisions
from app.escalations.dossier import get_dossier
from app.escalations.duplicates import duplicates_of
from app.escalations.following import answers_of
from app.escalations.history import Way, way_of
from app.escalations.models import Escalation
from app.escalations.outages import offers
from app.escalations.playbook_state import get_state
from app.escalations.prevention_lists import get_action, list_actions
from app.escalations.queries import BESIDE, base, visible_to
from app.escalations.record_shapes import record_of
from app.escalations.schedule import schedule_of, until_of
from app.playbooks import intake
from app.playbooks import service as playbooks
from app.playbooks.definition import Playbook
from app.rows import array_of
from app.sla import queries as sla
from app.sla.queries import ClockView, Upcoming

__all__ = [
    "MOST_EVENTS",
    "Overview",
    "draft_handover",
    "duplicates_of",
    "find_by_number",
    "get_action",
    "get_case",
    "get_dossier",
    "get_move",
    "get_overview",
    "get_state",
    "get_version",
    "link_to",
    "list_actions",
    "list_colleagues",
    "list_contract_ids",
    "list_decisions",
    "list_playbooks",
    "list_reminders",
    "list_teams",
    "list_timeline",
    "names_of_value",
    "offer_of",
    "path_of",
    "preview_update",
    "schedule_of",
]

MOST_EVENTS = 20
MOST_STEPS = 60

# Moments are written so that Python reads them back; what is listed stays short enough for one page.
BESIDE_PAGE = {
    "tasks": """select json_agg(one) from (
        select t.id, t.kind, t.key, t.title, t.role, t.required, t.customer_visible, t.state, t.reason, t.due_at,
               t.ready_at, t.ended_at, t.version, t.after, t.assignee_id, u.name as assignee
        from task t left join "user" u on u.id = t.assignee_id where t.escalation_id = escalation.id
        order by t.state <> 'open', t.ready_at is null, t.due_at nulls last, t.id limit 200) one""",
    "files": """select json_agg(one) from (
        select f.id, f.name, f.media_type, f.size, f.state, f.reason, f.uploaded_at, f.uploaded_by_id,
               u.name as uploaded_by
        from attachment f left join "user" u on u.id = f.uploaded_by_id where f.escalation_id = escalation.id
        order by f.id) one""",
    "drafts_sent": """select json_object_agg(sent.key, sent.at) from (
        select v.facts ->> 'draft' as key, max(v.at) as at from event v
        where v.escalation_id = escalation.id and v.kind = 'update' and v.facts ? 'draft' group by 1) sent""",
    "merged_here": """select json_agg(json_build_object('id', m.id, 'number', m.number) order by m.number)
        from escalation m where m.tenant_id = escalation.tenant_id and m.merged_into_id = escalation.id""",
    "survivor": """select json_build_object('id', s.id, 'number', s.number, 'title', s.title) from escalation s
        where s.tenant_id = escalation.tenant_id and s.id = escalation.merged_into_id""",
}
OWNER = text(
    """
    select json_build_object('role', u.role, 'manager', m.name, 'away_until', away.ends_at, 'delegate', d.name)
    from "user" u left join "user" m on m.id = u.manager_id
    left join lateral (select a.ends_at, a.delegate_id from absence a where a.user_id = u.id
                       and a.starts_at <= :now and a.ends_at > :now order by a.ends_at desc limit 1) away on true
    left join "user" d on d.id = away.delegate_id where u.id = escalation.owner_id
    """
)
TIMELINE = text(
    """
    select e.id, e.seq, e.kind, e.acting_for_id, e.at, e.recorded_at, e.facts, encode(e.hash, 'hex') as hash,
           u.name as actor, f.name as acting_for,
           case when e.kind = 'assign' then (
                select o.name from "user" o where o.id = cast(e.facts ->> 'owner' as uuid)) end as owner,
           case when e.facts ? 'task' and jsonb_typeof(e.facts -> 'task') = 'string' then (
                select t.title from task t where t.id = cast(e.facts ->> 'task' as uuid)) end as task,
           coalesce((select json_object_agg(t.field, t.text) from event_text t
                     where t.tenant_id = e.tenant_id and t.event_id = e.id), '{}') as texts
    from event e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    left join "user" f on f.tenant_id = e.tenant_id and f.id = e.acting_for_id
    where e.escalation_id = :id and (cast(:before as int) is null or e.seq < :before)
      and (cast(:kinds as text[]) is null or e.kind = any(cast(:kinds as text[])))
    order by e.seq desc limit :limit
    """
)


@dataclass(frozen=True)
class Overview:
    """`case` is the record as the API answers it with what only pages show; `allowed` are the reader's actions."""

    case: dict[str, Any]
    record: Escalation
    standing: permissions.Actor
    allowed: frozenset[str]
    playbook: Playbook | None
    clocks: Sequence[ClockView]
    coming: Sequence[Upcoming]
    sent: Sequence[dict[str, Any]]
    way: Way
    criteria: Sequence[Criterion]
    events: Sequence[dict[str, Any]]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What is asked of the case with its answer, then what was answered without being asked."""
        said = answers_of(self.record)
        asked = {one.key: one for one in intake.asked_for(self.playbook, self.record.reason)}
        return [
            {"key": key, "ask": asked[key].ask if key in asked else None, "answer": said.get(key),
             "required": key in asked and asked[key].required}
            for key in (*asked, *sorted(said.keys() - asked.keys()))
        ]  # fmt: skip


def get_overview(escalation_id: UUID, *, actor: Actor, now: datetime) -> Overview:
    """The case as its page shows it first, in at most eight statements; five more of one that waits for approval."""
    record, case = get_case(escalation_id, actor=actor, now=now)
    found = allowing.standing_in(record, actor, now=now)
    pending = {one["kind"]: UUID(one["asker_id"]) if one["asker_id"] else None for one in case["pending"]}
    clocks = sla.list_clocks(record.id, now)
    rows = [view.row for view in clocks]
    playbook = playbooks.find_playbook(record.playbook_version_id)
    return Overview(
        case=case,
        record=record,
        standing=found,
        allowed=frozenset(allowing.allowed_to(record, actor, found, pending)),
        playbook=playbook,
        clocks=clocks,
        coming=sla.upcoming_steps(rows, until_of(rows, now)),
        sent=sla.sent_steps(record.id, now, most=MOST_STEPS),
        way=way_of(record),
        criteria=list(criteria.of_case(record, playbook)),
        events=list_timeline(record.id, limit=MOST_EVENTS + 1),
    )


def get_case(escalation_id: UUID, *, actor: Actor, now: datetime) -> tuple[Escalation, dict[str, Any]]:
    """The row and the record with what the page shows beside it, in one statement, two of a merged one; one the caller
    may not see looks like none."""
    beside: list[ColumnElement[Any]] = [
        literal_column(f"({question})").label(name) for name, question in {**BESIDE, **BESIDE_PAGE}.items()
    ]
    owner = OWNER.bindparams(now=now).columns(column("of_owner", JSON)).scalar_subquery().label("of_owner")
    query = base().where(Escalation.id == escalation_id, visible_to(actor, now))
    row = db.session.execute(query.add_columns(*beside, owner, Escalation)).one_or_none()
    if row is None:
        raise NotFound
    found = row._mapping
    more = {
        "tasks": [read_moments(task, "due_at", "ready_at", "ended_at") for task in found["tasks"] or []],
        "files": [read_moments(file, "uploaded_at") for file in found["files"] or []],
        "drafts_sent": read_moments(found["drafts_sent"] or {}, *(found["drafts_sent"] or {})),
        "merged_here": found["merged_here"] or [],
        "survivor": _seen(found["survivor"], actor, now),
        "of_owner": read_moments(found["of_owner"], "away_until") if found["of_owner"] else None,
    }
    record: Escalation = found["Escalation"]
    return record, {**record_of(row, now), **more, "zone": record.zone, "acknowledged": record.acknowledged}


def _seen(survivor: dict[str, Any] | None, actor: Actor, now: datetime) -> dict[str, Any] | None:
    """What a case was merged into, for who may see that, too."""
    if survivor is None:
        return None
    asked = select(Escalation.id).where(Escalation.id == UUID(survivor["id"]), visible_to(actor, now))
    return survivor if db.session.scalar(asked) else None


def read_moments(found: dict[str, Any], *names: str) -> dict[str, Any]:
    """The same with these members as moments again."""
    read = {name: datetime.fromisoformat(found[name]) if found[name] else None for name in names}
    return {**found, **read}


def list_timeline(
    escalation_id: UUID, *, limit: int, kinds: Sequence[str] | None = None, before: int | None = None
) -> list[dict[str, Any]]:
    """The newest events, or the newest before one, of all kinds or some; newest first."""
    values = {"id": escalation_id, "limit": limit, "before": before, "kinds": list(kinds) if kinds else None}
    return [dict(row._mapping) for row in db.session.execute(TIMELINE, values)]


def get_version(escalation_id: UUID, *, actor: Actor, now: datetime) -> int:
    """The record's version alone; of a case the caller may not see, as if there were none."""
    asked = select(Escalation.version).where(Escalation.id == escalation_id, visible_to(actor, now))
    found: int | None = db.session.scalar(asked)
    if found is None:
        raise NotFound
    return found


def list_reminders(escalation_id: UUID, *, now: datetime, most: int = MOST_STEPS) -> list[dict[str, Any]]:
    """The last lines of the log of reminders and actions, with those that are held."""
    return sla.sent_steps(escalation_id, now, most=most)


def preview_update(
    record: Escalation, audience: str, draft: str | None, *, sender: Actor, now: datetime
) -> dict[str, Any]:
    """An update to one audience as a draft has it now, or empty, with the promises that sending it keeps and begins;
    one statement."""
    case = drafting.CaseOfDrafts(record, sender, now)
    if draft is not None:
        return drafting.preview(case, case.get_draft(draft), [audience])
    promised = {"meets": case.cadence.met_by([audience]), "begins": case.cadence.begun_by([audience])}
    return {"subject": "", "text": "", "texts": {}, "gaps": [], **promised}


def offer_of(record: Escalation, task_id: UUID, *, sender: Actor, now: datetime) -> dict[str, Any]:
    """What an outage offers on this case: its message as it would go out, and of an ended one the resolution."""
    task = playbooks.get_task(record.id, task_id)
    return offers.shown(drafting.CaseOfDrafts(record, sender, now, task.outage_event_id), task)


COLLEAGUES = text("select email, name from \"user\" where active and role <> 'integration' order by name, id limit 300")
TEAMS = text("select id, name from team order by name, id limit 100")


def list_colleagues() -> list[dict[str, Any]]:
    """Whom a form offers to name; with very many of them the first by name, others are typed in."""
    return [dict(row._mapping) for row in db.session.execute(COLLEAGUES)]


def list_teams() -> list[dict[str, Any]]:
    """The teams that may be given a case."""
    return [dict(row._mapping) for row in db.session.execute(TEAMS)]


PLAYBOOKS = text(
    """select id, name from playbook where current_version_id is not null and retired_at is null
    order by name, id limit 200"""
)


def list_playbooks() -> list[dict[str, Any]]:
    """What a case may go by: those that are published and in use."""
    return [dict(row._mapping) for row in db.session.execute(PLAYBOOKS)]


def find_by_number(said: str, *, actor: Actor, now: datetime) -> UUID | None:
    """The case of this number, `ESC-1042` or `1042`, if the caller may see it."""
    digits = said.strip().upper().removeprefix("ESC-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        return None
    asked = select(Escalation.id).where(Escalation.number == int(digits), visible_to(actor, now))
    found: UUID | None = db.session.scalar(asked)
    return found


NAMES_OF_VALUE = text(
    """
    select cast(id as text), external_id from contract where id = any(cast(:ids as uuid[]))
    union all select cast(id as text), external_id from opportunity where id = any(cast(:ids as uuid[]))
    """
)


def names_of_value(parts: Sequence[Part]) -> dict[str, str]:
    """What the CRM calls the contracts and opportunities of a value, by their ids."""
    rows = db.session.execute(NAMES_OF_VALUE, {"ids": array_of([UUID(part.id) for part in parts])})
    return {row.id: row.external_id for row in rows}
