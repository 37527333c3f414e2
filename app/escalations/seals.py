"""A signed list of timelines' counts and hashes, once a day, so that a tail that was cut off shows."""

import hmac
import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import text

from app.auth.settings import tenant_settings
from app.db import current_tenant, db, new_id
from app.escalations import timeline
from app.escalations.models import Escalation, Outage
from app.escalations.timeline_models import TimelineSeal
from app.rows import insert_all

# Events are found by their ids, which rise with real time; those being written while a seal was made come again.
OVERLAP = timedelta(hours=1)
UUID7_TIME_BITS = 80

NEWEST = text("select id, sealed_on from timeline_seal order by sealed_on desc limit 1")
CHANGED = text(
    """
    select e.id, e.event_count, encode(e.event_hash, 'hex') as hash from escalation e
    where e.id in (select v.escalation_id from event v where v.tenant_id = :tenant and v.id > :since)
    union all
    select o.id, o.event_count, encode(o.event_hash, 'hex') from outage o
    where o.id in (select v.outage_id from outage_event v where v.tenant_id = :tenant and v.id > :since)
    order by id
    """
)
SEALED = text(
    """
    select s.sealed_on, s.sealed_at, s.entries, s.signature, line ->> 1 as sealed_count, line ->> 2 as sealed_hash
    from timeline_seal s cross join lateral jsonb_array_elements(s.entries) as line
    where line ->> 0 = :id order by s.sealed_on desc limit 1
    """
)
HASH_AT = text(
    """
    select encode(hash, 'hex') from event where escalation_id = :id and seq = :seq
    union all
    select encode(hash, 'hex') from outage_event where outage_id = :id and seq = :seq
    """
)


def seal(now: datetime) -> bool:
    """Keep the list of timelines that changed since the last one; False when the tenant's day has its list."""
    today = now.astimezone(ZoneInfo(tenant_settings().timezone)).date()
    newest = db.session.execute(NEWEST).one_or_none()
    if newest is not None and newest.sealed_on >= today:
        return False
    since = _shortly_before(newest.id) if newest is not None else UUID(int=0)
    rows = db.session.execute(CHANGED, {"tenant": current_tenant(), "since": since})
    entries = [[str(row.id), row.event_count, row.hash] for row in rows]
    signature = sign_list(today, entries)
    insert_all([TimelineSeal(id=new_id(), sealed_on=today, sealed_at=now, entries=entries, signature=signature)])
    return True


def _shortly_before(seal_id: UUID) -> UUID:
    made_at = seal_id.int >> UUID7_TIME_BITS
    return UUID(int=(made_at - int(OVERLAP.total_seconds() * 1000)) << UUID7_TIME_BITS)


def sign_list(sealed_on: date, entries: list[Any]) -> bytes:
    """The signature of a day's list, which only who knows the secret key can make."""
    content = json.dumps([str(current_tenant()), sealed_on.isoformat(), entries], separators=(",", ":"))
    return timeline.sign(current_app.config["SECRET_KEY"], content)


def find_fault(record: Escalation | Outage) -> dict[str, Any] | None:
    """What the newest seal that lists this timeline says against it; None when they agree or none lists it."""
    sealed = db.session.execute(SEALED, {"id": str(record.id)}).one_or_none()
    if sealed is None:
        return None
    if not hmac.compare_digest(bytes(sealed.signature), sign_list(sealed.sealed_on, sealed.entries)):
        return {"seq": None, "detail": f"the signed list of {sealed.sealed_on} was changed"}
    count = int(sealed.sealed_count)
    if count and db.session.scalar(HASH_AT, {"id": record.id, "seq": count}) != sealed.sealed_hash:
        return {"seq": count, "detail": f"the timeline is not the one signed on {sealed.sealed_on}"}
    return None


def verify(record: Escalation | Outage) -> dict[str, Any]:
    """The whole chain recomputed and compared with the newest seal: `{intact, events, erased_texts, first_fault}`."""
    found = timeline.verify(record)
    if found["intact"] and (fault := find_fault(record)):
        return {**found, "intact": False, "first_fault": fault}
    return found
