"""What was said and tried on a merged case, carried into the timeline of its survivor with its origin."""

from typing import Any

from sqlalchemy import text

from app.db import db
from app.escalations import timeline
from app.escalations.case import Change
from app.escalations.models import Escalation

KINDS = ["attempt", "update", "message", "attachment", "attachment_removed", "attachment_scanned"]
CARRIED = text(
    """
    select e.kind, e.actor_id, e.acting_for_id, e.at, e.facts, e.external_key,
           e.external_key is not null and exists (
               select 1 from event kept where kept.escalation_id = :survivor
               and kept.external_key = e.external_key) as known,
           coalesce((select json_object_agg(t.field, t.text) from event_text t
                     where t.event_id = e.id and t.text is not null), '{}') as texts
    from event e where e.escalation_id = :loser and e.kind = any(:kinds) order by e.seq
    """
)


def carry_over(survivor: Change, loser: Escalation) -> None:
    """Attempts, updates, messages and attachments join the survivor's timeline as they happened; a message known there
    stands once.

    The merged case keeps its own; `origin` names where each was first logged, through chains of merges.
    """
    found = db.session.execute(CARRIED, {"loser": loser.id, "survivor": survivor.record.id, "kinds": KINDS})
    for row in found.all():
        if not row.known:
            survivor.rows += timeline.append(
                survivor.record,
                row.kind,
                actor_id=row.actor_id,
                acting_for_id=row.acting_for_id,
                at=row.at,
                now=survivor.now,
                facts=_with_origin(row.facts, loser),
                texts=row.texts,
                external_key=row.external_key,
            )


def _with_origin(facts: dict[str, Any], loser: Escalation) -> dict[str, Any]:
    return {"origin": str(loser.id), **facts}
