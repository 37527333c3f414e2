"""What was tried on a case so far, for whoever takes it next."""

from uuid import UUID

from sqlalchemy import text

from app.db import db

TOLD = 10
NEWEST = text(
    """
    select t.text as what, count(*) over () as total
    from event e left join event_text t on t.tenant_id = e.tenant_id and t.event_id = e.id and t.field = 'what'
    where e.escalation_id = :id and e.kind = 'attempt' order by e.seq desc limit :limit
    """
)


def told(escalation_id: UUID) -> str:
    """The newest attempts in a few lines of a message, empty when nothing was tried."""
    rows = db.session.execute(NEWEST, {"id": escalation_id, "limit": TOLD}).all()
    if not rows:
        return ""
    more = [f"and {rows[0].total - TOLD} earlier ones"] if rows[0].total > TOLD else []
    lines = [f"- {row.what}" for row in rows if row.what]
    return "\n".join(["Tried already, not to be tried again:", *lines, *more])
