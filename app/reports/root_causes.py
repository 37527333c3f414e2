"""Root causes in people's words: facts know them by a name made from the words, the same for words alike up to case and
spaces, so that they are counted without reading the texts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from app.db import db

# Of a resolution `e`; of one whose text was erased there is none.
NAME_OF_RESOLUTION = """
    (select md5(lower(regexp_replace(btrim(t.text), '\\s+', ' ', 'g')))::uuid from event_text t
     where t.tenant_id = e.tenant_id and t.event_id = e.id and t.field = 'root_cause' and t.text is not null)
"""
FORGET = text(
    """
    update case_fact f set root_cause = null from event_text t
    where t.id = any(cast(:ids as uuid[])) and t.field = 'root_cause'
    and f.tenant_id = t.tenant_id and f.escalation_id = t.escalation_id and f.resolution_id = t.event_id
    """
)


def forget(event_text_ids: Sequence[UUID]) -> None:
    """Texts that were erased are told of no more, not about the past either. The cursor is held: facts are made either
    before, and lose them, or after, when there are none."""
    db.session.execute(text("select id from report_cursor for update"))
    db.session.execute(FORGET, {"ids": list(event_text_ids)})
