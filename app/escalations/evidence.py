"""What shows that a task was done: kept as texts of the event that said so, shown with the task."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.playbooks.models import Task
from app.rows import array_of

LAST = text(
    """
    select distinct on (e.facts ->> 'task') cast(e.facts ->> 'task' as uuid) as task_id, e.at,
           case when u.id is null then null
                else json_build_object('id', u.id, 'email', u.email, 'name', u.name) end as by,
           (select x.text from event_text x where x.tenant_id = e.tenant_id and x.event_id = e.id
            and x.field = 'evidence') as text,
           (select x.text from event_text x where x.tenant_id = e.tenant_id and x.event_id = e.id
            and x.field = 'evidence_links') as links
    from event e left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    where e.escalation_id = :case and e.kind = 'task' and e.facts ? 'evidence'
      and e.facts ->> 'task' = any(cast(:ids as text[]))
    order by e.facts ->> 'task', e.seq desc
    """
)


def shown(escalation_id: UUID, tasks: Collection[Task]) -> list[dict[str, Any]]:
    """Tasks of one case as they are shown, each done one with the evidence last given; one statement."""
    done = [str(task.id) for task in tasks if task.state == "done"]
    rows = db.session.execute(LAST, {"case": escalation_id, "ids": array_of(done)}).mappings() if done else ()
    found = {row["task_id"]: {**row, "links": (row["links"] or "").split()} for row in rows}
    columns = [column.name for column in Task.__table__.columns]
    return [{**{name: getattr(task, name) for name in columns}, "evidence": found.get(task.id)} for task in tasks]
