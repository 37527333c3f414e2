"""The scanner, if one is set: a command that reads the file from its standard input and answers by its exit status."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import or_, select, update

from app import clock
from app.auth import queries as users
from app.db import current_tenant, db, transaction
from app.escalations.attachments import infected
from app.escalations.attachments.filing import LIVE, facts_of, turn_of
from app.escalations.attachments.models import Attachment
from app.escalations.attachments.uploaders import WHY, seen_by_uploader
from app.escalations.case import Change, begin, by_engine
from app.escalations.owning import named
from app.escalations.words import numbered
from app.notifications.service import intent
from app.store import STORE_ERRORS, get_store, key_of

log = structlog.get_logger()

SECONDS = 60.0
LEASE = timedelta(minutes=5)
MAX_TRIES = 3
SAID_CHARACTERS = 300
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")  # a scanner is not told our secrets


@dataclass(frozen=True)
class Verdict:
    """`said` is what the scanner wrote, in short."""

    state: Literal["clean", "infected", "failed"]
    said: str = ""


@dataclass(frozen=True)
class Claim:
    id: UUID
    sha256: bytes
    tries: int


def scan_next() -> bool:
    """Scan the tenant's next file, outside any transaction; False when none waits."""
    with transaction():
        claim = _claim(clock.real_now())
    if claim is None:
        return False
    verdict = scan(claim.sha256)
    if verdict.state == "failed":
        log.warning("scan_failed", attachment_id=str(claim.id), tries=claim.tries, said=verdict.said)
        if claim.tries < MAX_TRIES:
            return True  # it is tried again when its lease has ended
    record(claim, verdict)
    return True


def _claim(now: datetime) -> Claim | None:
    free = or_(Attachment.leased_until.is_(None), Attachment.leased_until <= now)
    asked = select(Attachment).where(Attachment.state == "unscanned", free).order_by(Attachment.id).limit(1)
    found = db.session.scalar(asked.with_for_update(skip_locked=True))
    if found is None:
        return None
    found.tries, found.leased_until = found.tries + 1, now + LEASE
    return Claim(found.id, found.sha256, found.tries)


def scan(sha256: bytes) -> Verdict:
    """What the scanner says of these bytes: exit status 0 clean, 1 infected, anything else no answer."""
    with tempfile.TemporaryFile() as copy:
        try:
            with get_store().reading(key_of(sha256)) as file:
                shutil.copyfileobj(file, copy)
        except FileNotFoundError:
            return Verdict("failed", "the file is not in this store: web and worker must share one")
        except STORE_ERRORS:
            log.warning("store_unreadable", sha256=sha256.hex(), exc_info=True)
            return Verdict("failed", "the store did not let the file be read")
        copy.seek(0)
        return ask(current_app.config["SCAN_COMMAND"], copy.fileno())


def ask(command: Sequence[str], file: int, *, seconds: float = SECONDS) -> Verdict:
    """Run the command on an open file."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    try:
        done = subprocess.run(
            command,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict("failed", f"the scanner did not answer within {seconds:g} seconds")
    except OSError as fault:
        return Verdict("failed", f"the scanner does not start: {fault.strerror}")
    said = " ".join(done.stdout.decode(errors="replace").replace("\0", " ").split())[:SAID_CHARACTERS]
    if done.returncode == 0:
        return Verdict("clean", said)
    if done.returncode == 1:
        return Verdict("infected", said)
    ended = f"the scanner ended with status {done.returncode}"
    return Verdict("failed", f"{ended}: {said}" if said else ended)


def record(claim: Claim, verdict: Verdict) -> None:
    """Keep the verdict: a clean or failed one for this file, an infection for every file of these bytes at once."""
    if verdict.state == "infected":
        with transaction():
            turn_of(claim.sha256)
            _mark_infected(claim.sha256, verdict)
        infected.note(claim.sha256)
        return
    with transaction():
        turn_of(claim.sha256)
        if verdict.state == "clean":
            _mark_clean(claim)
            return
        case_id = db.session.scalar(select(Attachment.escalation_id).where(Attachment.id == claim.id))
    if case_id is not None:
        with transaction():
            _mark_failed(claim, case_id, verdict)


def _mark_infected(sha256: bytes, verdict: Verdict) -> None:
    """Every file of these bytes, in one statement: whatever happens after it, none of them is served, and who uploaded
    them is told."""
    values = {"state": "infected", "reason": verdict.said or "infected", "scanned_at": clock.real_now()}
    marked = update(Attachment).where(Attachment.sha256 == sha256, LIVE).values(values)
    infected.tell(list(db.session.scalars(marked.returning(Attachment.id))), clock.now())


def _mark_clean(claim: Claim) -> None:
    """There is nobody to tell of a clean file."""
    found = db.session.scalar(select(Attachment).where(Attachment.id == claim.id).with_for_update())
    if found is not None and found.state == "unscanned":
        found.state, found.reason, found.scanned_at = "clean", None, clock.real_now()


def _mark_failed(claim: Claim, escalation_id: UUID, verdict: Verdict) -> None:
    """A file that could not be scanned: in its row, in the timeline, and to who uploaded it."""
    change = begin(escalation_id, "attachment", by_engine(clock.now()))
    found = db.session.scalar(select(Attachment).where(Attachment.id == claim.id, LIVE).with_for_update())
    if found is None:
        return
    found.state, found.reason, found.scanned_at = "failed", verdict.said or "failed", clock.real_now()
    texts = {"name": found.name, "reason": found.reason}
    change.note("attachment_scanned", {**facts_of(found), "state": verdict.state}, texts)
    _tell_failed(change, found)
    change.save()
    log.warning("attachment_refused", tenant_id=str(current_tenant()), attachment_id=str(found.id), state=found.state)


def _tell_failed(change: Change, file: Attachment) -> None:
    """In full who sees the case; who does not (any more) only what became of their file."""
    people = users.list_active(ids=[file.uploaded_by_id] if file.uploaded_by_id else [])
    if seen_by_uploader([file.id], now=change.now):
        subject = f"{named(change.record, change.account)}: {FAILED}"
        change.tell(people, "attachment", subject, f"{file.name}\n{NOT_SCANNED}\nThe scanner says: {file.reason}")
        return
    for user in people:
        if user.id != change.record.about_user_id:
            subject, body = f"{numbered(change.record.number)}: {FAILED}", f"{file.name}\n{NOT_SCANNED}"
            key = f"attachment:{change.record.id}:{change.record.event_count}:{user.id}"
            change.rows.append(
                intent(
                    user=user,
                    kind="attachment",
                    subject=subject,
                    body=body,
                    dedupe_key=key,
                    at=change.now,
                    now=change.now,
                    why=WHY,
                )
            )
            change.told = True


FAILED = "a file you attached could not be scanned"
NOT_SCANNED = "Nobody can open it until a scan has found it clean; attach it again to have it scanned again."
