"""What shows that a task was done: texts and files of the case, kept with the event that said so, shown with it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from app.db import db
from app.escalations.attachments.states import shown_state
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
            and x.field = 'evidence_links') as links,
           (select json_agg(json_build_object('id', f.id, 'name', f.name, 'state', f.state) order by f.id)
            from jsonb_array_elements_text(e.facts -> 'attachments') named(id)
            join attachment f on f.tenant_id = e.tenant_id and f.id = cast(named.id as uuid)) as attachments
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
    found = {row["task_id"]: _evidence_of(row) for row in rows}
    columns = [column.name for column in Task.__table__.columns]
    return [{**{name: getattr(task, name) for name in columns}, "evidence": found.get(task.id)} for task in tasks]


def _evidence_of(row: RowMapping) -> dict[str, Any]:
    files = [{**file, "state": shown_state(file["state"])} for file in row["attachments"] or ()]
    return {**row, "links": (row["links"] or "").split(), "attachments": files}
