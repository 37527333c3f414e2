"""Who uploaded a file hears what became of it, and of a case that they may not see (any more) no more than they know:
its number and the file's name."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.escalations.standing import sees_restricted
from app.rows import array_of

WHY = "You get this because you attached the file."
SEEN = text(
    f"""
    select f.id from attachment f join escalation e on e.tenant_id = f.tenant_id and e.id = f.escalation_id
    where f.id = any(cast(:ids as uuid[])) and f.uploaded_by_id is distinct from e.about_user_id
    and (not e.restricted or {sees_restricted("e", me="f.uploaded_by_id")})
    """  # noqa: S608 - the parts are ours
)


def seen_by_uploader(attachment_ids: Collection[UUID], *, now: datetime) -> set[UUID]:
    """Those of these files whose case their uploader may see; one statement."""
    return set(db.session.scalars(SEEN, {"ids": array_of(list(attachment_ids)), "now": now}))
