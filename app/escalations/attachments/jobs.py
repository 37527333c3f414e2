"""What time brings about of attachments: scans, the end of bytes that no row wants, what aborted uploads left."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import exists, select, text, update

from app import clock, queue
from app.db import db, finding, tenant_scope, transaction
from app.escalations.attachments import infected
from app.escalations.attachments.filing import LIVE, SCAN, turn_of
from app.escalations.attachments.models import ENDED, Attachment
from app.escalations.attachments.reading import is_scanned
from app.escalations.attachments.scanning import scan_next
from app.escalations.attachments.store import get_store, key_of

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
ALL = text("select id from tenant order by random()")


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
            count += purge()
    if not _goes_on(ends_at):
        queue.enqueue(SCAN)
    return count


def _goes_on(ends_at: float) -> bool:
    return clock.monotonic() < ends_at and not queue.is_stopping()


def purge() -> int:
    """Delete the bytes of the tenant's infected and removed files, but not those that another file still wants."""
    with transaction():
        gone = (Attachment.state.in_(ENDED), Attachment.purged_at.is_(None))
        hashes = list(db.session.scalars(select(Attachment.sha256).where(*gone).distinct().limit(BATCH)))
    for sha256 in hashes:
        infected.note(sha256)
        with transaction():
            _delete_unwanted(sha256, clock.real_now())
    return len(hashes)


def _delete_unwanted(sha256: bytes, now: datetime) -> None:
    turn_of(sha256)
    if not db.session.scalar(select(exists().where(Attachment.sha256 == sha256, LIVE))):
        get_store().delete(key_of(sha256))
    gone = (Attachment.sha256 == sha256, Attachment.state.in_(ENDED), Attachment.purged_at.is_(None))
    db.session.execute(update(Attachment).where(*gone).values(purged_at=now))


def tidy_attachments() -> int:
    """Delete what aborted uploads left behind, a day later; answers how many files.

    It compares the store with the rows; only what lies in the store that this process reaches can be deleted.
    """
    with finding() as session:
        tenants = list(session.scalars(ALL))
    count, ends_at = 0, clock.monotonic() + RUN_SECONDS
    while tenants and _goes_on(ends_at):
        tenant_id = tenants.pop()
        with tenant_scope(tenant_id):
            count += tidy_tenant(tenant_id, clock.real_now())
    return count


def tidy_tenant(tenant_id: UUID, now: datetime) -> int:
    """The same for the tenant in scope."""
    old = [key for key, written_at in get_store().listing(tenant_id) if written_at <= now - ABANDONED_AFTER]
    count = 0
    for start in range(0, len(old), BATCH):
        count += _tidy(old[start : start + BATCH], now)
    if count:
        log.info("attachments_tidied", tenant_id=str(tenant_id), files=count)
    return count


def _tidy(keys: Sequence[str], now: datetime) -> int:
    abandoned = [key for key in keys if key.count("/") > 1]
    for key in abandoned:
        get_store().delete(key)
    kept = [sha256 for key in keys if key.count("/") == 1 and (sha256 := _hash_of(key)) is not None]
    with transaction():
        wanted = set(db.session.scalars(select(Attachment.sha256).where(Attachment.sha256.in_(kept), LIVE)))
    unwanted = [sha256 for sha256 in kept if sha256 not in wanted]
    for sha256 in unwanted:
        with transaction():
            _delete_unwanted(sha256, now)
    return len(abandoned) + len(unwanted)


def _hash_of(key: str) -> bytes | None:
    """The hash a key names; a file that we did not write stays where it is, and is logged."""
    name = key.rpartition("/")[2]
    if HASH.fullmatch(name) is None:
        log.warning("attachment_stray", key=key)
        return None
    return bytes.fromhex(name)
