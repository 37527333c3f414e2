"""The timeline: one event for each action, hash-chained; what people wrote lies beside it and can be erased.

An event's hash covers its ids, codes, moments, the salted hashes of its texts and the hash before it. Erasing a text
removes text and salt; the chain still verifies, since the event keeps `sha256(salt ‖ text)`. Outages have a timeline
of the same making in tables of their own.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import Model, db, new_id
from app.escalations.models import Escalation, Outage, OutageEvent, OutageText
from app.escalations.timeline_models import Event, EventText
from app.rows import fresh

START = b"\x00" * 32
SALT_BYTES = 16


@dataclass(frozen=True)
class Kept:
    """Where the timeline of a kind of record lies; `subject` is what its events and texts belong to."""

    event: type[Event | OutageEvent]
    text: type[EventText | OutageText]
    subject: str

    def of(self, record: Escalation | Outage) -> dict[str, UUID]:
        return {f"{self.subject}_id": record.id}


OF_CASES = Kept(Event, EventText, "escalation")
OF_OUTAGES = Kept(OutageEvent, OutageText, "outage")


def kept_of(record: Escalation | Outage) -> Kept:
    return OF_OUTAGES if isinstance(record, Outage) else OF_CASES


def append(
    record: Escalation | Outage,
    kind: str,
    *,
    actor_id: UUID | None,
    at: datetime,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
    texts: Mapping[str, str | None] | None = None,
    acting_for_id: UUID | None = None,
    external_key: str | None = None,
) -> list[Model]:
    """The next event of this case or outage and its texts, as rows to insert; the record's count and hash move on.

    `at` is when it happened, `now` when we knew, both tenant time. `actor_id` None is the engine.
    """
    written = {field: content for field, content in (texts or {}).items() if content}
    salts = {field: secrets.token_bytes(SALT_BYTES) for field in written}
    kept = kept_of(record)
    unsigned = fresh(
        kept.event,
        **kept.of(record),
        id=new_id(),
        seq=record.event_count + 1,
        kind=kind,
        actor_id=actor_id,
        acting_for_id=acting_for_id,
        at=at,
        recorded_at=now,
        facts=plain(facts or {}),
        text_hashes={field: text_hash(salts[field], content) for field, content in written.items()},
        prev_hash=record.event_hash,
        **({"external_key": external_key} if kept is OF_CASES else {}),
    )
    event = fresh(kept.event, **vars(unsigned), hash=event_hash(unsigned))
    record.event_count = event.seq
    record.event_hash = event.hash
    rows: list[Model] = [event]
    for field, content in written.items():
        of_event = {"event_id": event.id, "field": field, "text": content, "salt": salts[field]}
        rows.append(fresh(kept.text, **kept.of(record), **of_event))
    return rows


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them, so that a hash taken before storing equals one taken after reading."""
    return dict(json.loads(json.dumps(dict(facts), default=str)))


def text_hash(salt: bytes, content: str) -> str:
    return hashlib.sha256(salt + content.encode()).hexdigest()


def event_hash(event: Event | OutageEvent) -> bytes:
    """SHA-256 over the event's canonical JSON, which holds the hash before it."""
    if isinstance(event, OutageEvent):
        whose: dict[str, str | None] = {"outage": str(event.outage_id)}
    else:
        whose = {"escalation": str(event.escalation_id), "key": event.external_key}
    content = {
        **whose,
        "id": str(event.id),
        "seq": event.seq,
        "kind": event.kind,
        "actor": str(event.actor_id) if event.actor_id else None,
        "for": str(event.acting_for_id) if event.acting_for_id else None,
        "at": event.at.timestamp(),
        "recorded_at": event.recorded_at.timestamp(),
        "facts": event.facts,
        "texts": event.text_hashes,
        "prev": event.prev_hash.hex(),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()


_CHAIN = """
    select e.id, e.{subject}_id, e.seq, e.kind, e.actor_id, e.acting_for_id, e.at, e.recorded_at, e.facts,
           e.text_hashes, {key} e.prev_hash, e.hash,
           (select json_object_agg(t.field, json_build_array(encode(t.salt, 'hex'), t.text))
            from {texts} t where t.tenant_id = e.tenant_id and t.event_id = e.id) as texts
    from {events} e where e.{subject}_id = :id order by e.seq
    """
READ_CHAIN = {
    OF_CASES: text(_CHAIN.format(subject="escalation", events="event", texts="event_text", key="e.external_key,")),
    OF_OUTAGES: text(_CHAIN.format(subject="outage", events="outage_event", texts="outage_text", key="")),
}


def verify(record: Escalation | Outage) -> dict[str, Any]:
    """Recompute the whole chain: `{intact, events, first_fault}`; an erased text is counted, not a fault."""
    previous, count, erased = START, 0, 0
    kept = kept_of(record)
    for row in db.session.execute(READ_CHAIN[kept], {"id": record.id}):
        count += 1
        event = kept.event(**{key: value for key, value in row._mapping.items() if key != "texts"})
        texts = row.texts or {}
        erased += sum(1 for salt, _ in texts.values() if salt is None)
        if fault := _fault(event, texts, previous, count):
            return {"intact": False, "events": count, "erased_texts": erased, "first_fault": fault}
        previous = event.hash
    if count != record.event_count or previous != record.event_hash:
        fault = {"seq": count + 1, "detail": "the timeline's tail is missing"}
        return {"intact": False, "events": count, "erased_texts": erased, "first_fault": fault}
    return {"intact": True, "events": count, "erased_texts": erased, "first_fault": None}


def _fault(event: Event | OutageEvent, texts: dict[str, Any], previous: bytes, seq: int) -> dict[str, Any] | None:
    if event.seq != seq or event.prev_hash != previous:
        return {"seq": seq, "detail": "an event is missing or out of order"}
    if event_hash(event) != event.hash:
        return {"seq": seq, "detail": "an event was changed"}
    for field, expected in event.text_hashes.items():
        salt, content = texts.get(field, (None, None))
        if salt is not None and text_hash(bytes.fromhex(salt), content) != expected:
            return {"seq": seq, "detail": f"the text {field} was changed"}
    return None


def erase_texts(event_text_ids: list[UUID]) -> int:
    """Erasure by law: remove these texts with their salts, through the role that may do nothing else."""
    return int(db.session.scalar(text("select erase_event_text(:ids)"), {"ids": event_text_ids}) or 0)


def sign(secret_key: str, content: str) -> bytes:
    return hmac.new(secret_key.encode(), content.encode(), hashlib.sha256).digest()
