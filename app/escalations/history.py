"""Reading the way of a case up the tiers: where it was, what each tier answered and tried, its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.auth.actor import Actor
from app.db import db
from app.escalations import queries, tiers
from app.escalations.case import basis_of
from app.escalations.lifecycle import LIVE, REQUESTED
from app.escalations.models import Escalation
from app.escalations.path import Said, Stage, not_again, stages_of
from app.playbooks import service as playbooks
from app.sla import queries as sla
from app.sla.queries import ClockView

MOST_ATTEMPTS = 200

SAID = """
    e.seq, e.kind, e.at, e.acting_for_id, e.facts,
    case when u.id is null then null
         else json_build_object('id', u.id, 'email', u.email, 'name', u.name) end as by,
    coalesce((select json_object_agg(t.field, t.text) from event_text t
              where t.tenant_id = e.tenant_id and t.event_id = e.id), '{}') as texts
"""
# `bound` is the last attempt that is not shown; `earlier` how many those are.
ON_THE_WAY = text(
    f"""
    with bound as (
        select coalesce((select a.seq from event a where a.escalation_id = :id and a.kind = 'attempt'
                         order by a.seq desc offset :most limit 1), 0) as seq
    )
    select {SAID}, (select count(*) from event a where a.escalation_id = :id and a.kind = 'attempt'
                    and a.seq <= bound.seq) as earlier
    from bound, event e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    where e.escalation_id = :id and (
        e.kind in ('raise', 'approve', 'escalate', 'qualify', 'resolve')
        or e.kind = 'edit' and e.text_hashes ?| array['handover_brief', 'vendor_name']
        or e.kind = 'attempt' and e.seq > bound.seq)
    order by e.seq
    """  # noqa: S608 - the parts are ours
)
# Beside a case, in the order asked.
ASKED = """
    select json_agg(json_build_object('task_id', t.id, 'kind', t.kind, 'title', t.title, 'since', t.created_at,
                        'of', case when u.id is null then null
                                   else json_build_object('id', u.id, 'email', u.email, 'name', u.name) end)
                    order by t.created_at, t.id)
    from task t left join "user" u on u.tenant_id = t.tenant_id and u.id = t.assignee_id
    where t.escalation_id = escalation.id and t.state = 'open' and t.kind in ('qualification', 'handover', 'decision')
"""


@dataclass(frozen=True, slots=True)
class Way:
    """The stages of a case and how many attempts are older than those they show."""

    path: Sequence[str]
    stages: Sequence[Stage]
    earlier_attempts: int


def way_of(record: Escalation, *, attempts: int = MOST_ATTEMPTS) -> Way:
    """One statement; of very many attempts the newest stand in it."""
    playbook = playbooks.find_playbook(record.playbook_version_id)
    path = playbook.path if playbook else tiers.TIERS
    rows = db.session.execute(ON_THE_WAY, {"id": record.id, "most": attempts}).all()
    events = [Said(row.seq, row.kind, row.at, row.by, row.facts, row.texts, row.acting_for_id) for row in rows]
    live = record.status in LIVE or record.status == REQUESTED
    stages = stages_of(events, path, calendar=basis_of(record).calendar, live=live)
    return Way(path, stages, rows[0].earlier if rows else 0)


def get_path(escalation_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Where the work was, is and may still go; what each tier answered and tried, and its time against the target."""
    record, beside = queries.get_visible_with(escalation_id, {"asked": ASKED}, actor=actor, now=now)
    way = way_of(record)
    clocks = sla.list_clocks(record.id, now, kind="tier")
    return {
        "tier": record.tier,
        "path": list(way.path),
        "asked": asked_of(beside),
        "not_again": not_again(way.stages),
        "earlier_attempts": way.earlier_attempts,
        "items": [{"stage": stage, "clock": clock_of(stage, clocks)} for stage in way.stages],
    }


def asked_of(beside: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Who is asked what at present: the tier's question, the brief, the decision."""
    return [{**one, "since": datetime.fromisoformat(one["since"])} for one in beside["asked"] or ()]


def clock_of(stage: Stage, clocks: Sequence[ClockView]) -> ClockView | None:
    """The promise of a tier: the last that began while the work was there."""
    if stage.entered_at is None:
        return None
    began = [
        view
        for view in clocks
        if stage.entered_at <= view.row.started_at and (stage.left_at is None or view.row.started_at < stage.left_at)
    ]
    return began[-1] if began else None
