"""What time brings about of attachments: scans, the end of bytes that no row wants, what aborted uploads left."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from random import shuffle
from uuid import UUID

import structlog
from sqlalchemy import exists, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app import clock, queue
from app.db import current_tenant, db, finding, new_id, tenant_scope, transaction
from app.escalations.attachments import infected
from app.escalations.attachments.filing import LIVE, SCAN, turn_of
from app.escalations.attachments.models import ENDED, Attachment, AttachmentTidy
from app.escalations.attachments.scanning import scan_next
from app.escalations.attachments.states import is_scanned
from app.store import INCOMING, PARTS, STORE_ERRORS, get_store, key_of

log = structlog.get_logger()

RUN_SECONDS = 60.0
BATCH = 100
HASH = re.compile("[0-9a-f]{64}")
ABANDONED_AFTER = timedelta(days=1)  # no upload takes as long
WITH_WORK = text(
    """
    select tenant_id from attachment
    where (state in ('infected', 'removed') and purged_at is null)
    or (:scanned and state = 'unscanned' and (leased_until is null or leased_until <= :now))
    group by tenant_id order by random()
    """
)
TIDY = "tidy_attachments"
TIDY_SECONDS = 20.0
TIDY_AGAIN, TIDY_RETRY = timedelta(days=1), timedelta(hours=1)
WITH_TIDYING = text(
    """
    select t.id from tenant t left join attachment_tidy d on d.tenant_id = t.id
    where d.due_at is null or d.due_at <= :now order by random()
    """
)


def scan_attachments() -> int:
    """Scan what waits, if a scanner is set, and delete bytes that no row wants any more; answers how many files.

    After `RUN_SECONDS` the rest is left to the next run, so that other jobs have their turn.
    """
    with finding() as session:
        tenants = list(session.scalars(WITH_WORK, {"scanned": is_scanned(), "now": clock.real_now()}))
    count, ends_at = 0, clock.monotonic() + RUN_SECONDS
    for tenant_id in tenants:
        with tenant_scope(tenant_id):
            while is_scanned() and _goes_on(ends_at) and scan_next():
                count += 1
            count += purge() if _goes_on(ends_at) else 0
    if not _goes_on(ends_at):
        queue.enqueue(SCAN)
    return count


def _goes_on(ends_at: float) -> bool:
    return clock.monotonic() < ends_at and not queue.is_stopping()


def purge() -> int:
    """Delete the bytes of the tenant's infected and removed files, but not those that another file still wants.

    A store that does not let us is asked again at the next run, in another order; other tenants have their turn.
    """
    with transaction():
        gone = (Attachment.state.in_(ENDED), Attachment.purged_at.is_(None))
        hashes = list(db.session.scalars(select(Attachment.sha256).where(*gone).distinct().limit(BATCH)))
    shuffle(hashes)
    for count, sha256 in enumerate(hashes):
        infected.note(sha256)
        try:
            with transaction():
                _delete_unwanted(sha256, clock.real_now())
        except STORE_ERRORS:
            log.warning("store_not_purged", tenant_id=str(current_tenant()), sha256=sha256.hex(), exc_info=True)
            return count
    return len(hashes)


def _delete_unwanted(sha256: bytes, now: datetime) -> None:
    turn_of(sha256)
    if not db.session.scalar(select(exists().where(Attachment.sha256 == sha256, LIVE))):
        get_store().delete(key_of(sha256))
    gone = (Attachment.sha256 == sha256, Attachment.state.in_(ENDED), Attachment.purged_at.is_(None))
    db.session.execute(update(Attachment).where(*gone).values(purged_at=now))


def tidy_attachments(seconds: float = TIDY_SECONDS) -> int:
    """Delete what aborted uploads left behind, a day later; answers how many files.

    It compares the store with the rows; only what lies in the store that this process reaches can be deleted. After
    `seconds` the rest is left to the next run, which goes on where this one ended.
    """
    with finding() as session:
        tenants = list(session.scalars(WITH_TIDYING, {"now": clock.real_now()}))
    count, ends_at = 0, clock.monotonic() + seconds
    while tenants and _goes_on(ends_at):
        tenant_id = tenants.pop()
        with tenant_scope(tenant_id):
            count += tidy_tenant(tenant_id, clock.real_now(), ends_at=ends_at)
    if not _goes_on(ends_at):
        queue.enqueue(TIDY)
    return count


def tidy_tenant(tenant_id: UUID, now: datetime, *, ends_at: float | None = None) -> int:
    """The same for the tenant in scope, part by part of its store, until the time is up; a store that does not let us
    is left alone for an hour."""
    with transaction():
        part = db.session.scalar(select(AttachmentTidy.part)) or 0
    count, due_at = 0, now
    try:
        while part < len(PARTS) and (ends_at is None or _goes_on(ends_at)):
            count += _tidy_part(tenant_id, PARTS[part], now)
            part += 1
        if part == len(PARTS):
            part, due_at = 0, now + TIDY_AGAIN
    except STORE_ERRORS:
        log.warning("store_not_tidied", tenant_id=str(tenant_id), part=PARTS[part], exc_info=True)
        due_at = now + TIDY_RETRY
    with transaction():
        row = {"tenant_id": tenant_id, "id": new_id(), "part": part, "due_at": due_at}
        kept = insert(AttachmentTidy).values(row)
        changed = {name: row[name] for name in ("part", "due_at")}
        db.session.execute(kept.on_conflict_do_update(index_elements=["tenant_id"], set_=changed))
    if count:
        log.info("attachments_tidied", tenant_id=str(tenant_id), files=count)
    return count


def _tidy_part(tenant_id: UUID, part: str, now: datetime) -> int:
    """One part, read as it comes: what is held in memory is a batch."""
    listed = get_store().listing(tenant_id, part)
    old = (key for key, written_at in listed if written_at <= now - ABANDONED_AFTER)
    count = 0
    while keys := list(islice(old, BATCH)):
        count += _delete_incoming(keys) if part == INCOMING else _tidy(keys, now)
    return count


def _delete_incoming(keys: Sequence[str]) -> int:
    for key in keys:
        get_store().delete(key)
    return len(keys)


def _tidy(keys: Sequence[str], now: datetime) -> int:
    kept = [sha256 for key in keys if (sha256 := _hash_of(key)) is not None]
    with transaction():
        wanted = set(db.session.scalars(select(Attachment.sha256).where(Attachment.sha256.in_(kept), LIVE)))
    unwanted = [sha256 for sha256 in kept if sha256 not in wanted]
    for sha256 in unwanted:
        with transaction():
            _delete_unwanted(sha256, now)
    return len(unwanted)


def _hash_of(key: str) -> bytes | None:
    """The hash a key names; a file that we did not write stays where it is, and is logged."""
    name = key.rpartition("/")[2]
    if HASH.fullmatch(name) is None:
        log.warning("attachment_stray", key=key)
        return None
    return bytes.fromhex(name)
