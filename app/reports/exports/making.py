"""Making the files that were asked for: claimed under a lease, row by row, each try into a file of its own.

A worker that is killed leaves the lease to run out; the next try begins anew, and nothing half made is ever given.
"""

import gc
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import SEEK_END
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

import structlog
from sqlalchemy import text, update

from app import clock, queue
from app.auth.actor import Actor
from app.auth.models import User
from app.db import current_tenant, db, finding, tenant_scope, transaction
from app.errors import AppError
from app.http.schemas import the_one
from app.reports.exports import csv_files, pdf_files, service, xlsx_files
from app.reports.exports.asking import AT_ONCE, Answered, Seen, ask, count_all
from app.reports.exports.models import ReportExport
from app.reports.exports.schemas import kept_arguments_of
from app.reports.exports.sources import SOURCES
from app.reports.exports.tables_of import chosen
from app.reports.sharing.asked import reader_of
from app.reports.tables import Table
from app.store import get_store
from app.texts import set_language

log = structlog.get_logger()

LEASE = timedelta(minutes=3)  # longer than pages are set, and than a page of rows takes
LIFETIME = timedelta(hours=24)
MOST_TRIES = 3
STOPPED = f"it was stopped {MOST_TRIES} times while it was made; ask for fewer rows"
NOT_ALLOWED = "whoever asked for it may no longer read reports"
FAULT = "something went wrong on our side; what it was is in the log"
WITH_WORK = text(
    """
    select tenant_id from report_export
    where purged_at is null and state in ('waiting', 'running') and (leased_until is null or leased_until <= :now)
    group by tenant_id order by random()
    """
)
CLAIM = text(
    """
    update report_export set state = 'running', leased_until = :until, tries = tries + 1, rows_done = 0
    where id = (
        select id from report_export
        where purged_at is null and state in ('waiting', 'running') and (leased_until is null or leased_until <= :now)
        order by id limit 1 for update skip locked
    )
    returning id
    """
)


class GivenUp(Exception):
    """It is not ours to make any more: cancelled, taken by another, or we are asked to stop."""


@dataclass(frozen=True)
class Try:
    """One attempt to make one file."""

    id: UUID
    number: int
    report: str
    format: str
    query: dict[str, Any]
    actor: Actor | None
    key: str


def make_exports() -> int:
    """Make what waits, one file of each tenant after the other; answers how many were begun."""
    with finding() as session:
        tenants = list(session.scalars(WITH_WORK, {"now": clock.real_now()}))
    begun = 0
    for tenant_id in tenants:
        if queue.is_stopping():
            break
        with tenant_scope(tenant_id):
            begun += make_next()
    return begun


def make_next() -> bool:
    """The tenant's next file; False when none waits."""
    with transaction():
        attempt = _claim(clock.real_now())
    if attempt is None:
        return False
    try:
        _make(attempt)
    except GivenUp:
        log.info("export_given_up", export_id=str(attempt.id))
    except AppError as refused:
        _end(attempt, failure=refused.detail)
    except Exception:
        log.exception("export_failed", export_id=str(attempt.id), report=attempt.report)
        _end(attempt, failure=FAULT)
    finally:
        set_language("en")
    return True


def _claim(now: datetime) -> Try | None:
    export_id = db.session.scalar(CLAIM, {"now": now, "until": now + LEASE})
    if export_id is None:
        return None
    export = db.session.get_one(ReportExport, export_id)
    user = db.session.get_one(User, export.user_id)
    query = the_one(kept_arguments_of(SOURCES[export.report])).load(export.arguments)
    key = service.key_of(export)
    return Try(export.id, export.tries, export.report, export.format, query, reader_of(user), key)


def _make(attempt: Try) -> None:
    if attempt.number > MOST_TRIES or attempt.actor is None:
        _end(attempt, failure=NOT_ALLOWED if attempt.actor is None else STOPPED)
        return
    set_language(attempt.query["language"])
    with transaction():
        answered = ask(SOURCES[attempt.report], attempt.query, actor=attempt.actor, now=clock.now())
        total = count_all(SOURCES[attempt.report], attempt.query, actor=attempt.actor, now=clock.now())
        _note(attempt, rows_total=total, hidden=list(answered.hidden))
    with TemporaryFile() as file:
        with _settled():
            _write(file, attempt, answered)
        size = file.seek(0, SEEK_END)
        file.seek(0)
        _store(file, attempt.key)
    _end(attempt, size=size)


@contextmanager
def _settled() -> Iterator[None]:
    """What the process holds already is no garbage: looking through it again after every few pages of rows would cost
    a third of the time that reading them takes."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _write(file: IO[bytes], attempt: Try, answered: Answered) -> None:
    seen = _teller(attempt)
    if attempt.format == "xlsx":
        xlsx_files.write_workbook(file, answered, seen=seen)
    elif attempt.format == "pdf":
        pdf_files.write_pdf(file, answered, paper=attempt.query["paper"], seen=seen)
    else:
        _write_csv(file, chosen(answered.report.tables, attempt.query.get("table")), seen)


def _write_csv(file: IO[bytes], table: Table, seen: Seen) -> None:
    """The header is line 0, so a line's number is how many rows there are."""
    number = 0
    for number, piece in enumerate(csv_files.csv_pieces(table.columns, table.cells())):
        file.write(piece)
        if number and number % AT_ONCE == 0:
            seen(number)
    seen(number)


def _teller(attempt: Try) -> Seen:
    """Tells how far it is and holds the lease; GivenUp when it is no longer ours."""

    def seen(rows: int) -> None:
        if queue.is_stopping():
            with transaction():
                _note(attempt, leased_until=None, tries=attempt.number - 1)
            raise GivenUp
        with transaction():
            _note(attempt, rows_done=rows, leased_until=clock.real_now() + LEASE)

    return seen


def _store(file: IO[bytes], key: str) -> None:
    """Nobody is given it before its row says that it is made."""
    with get_store().writing(key) as kept:
        shutil.copyfileobj(file, kept)


def _note(attempt: Try, **values: Any) -> None:
    ours = (ReportExport.id == attempt.id, ReportExport.state == "running", ReportExport.tries == attempt.number)
    noted = update(ReportExport).where(*ours).values(values).returning(ReportExport.id)
    if db.session.scalar(noted) is None:
        raise GivenUp


def _end(attempt: Try, *, size: int | None = None, failure: str | None = None) -> None:
    """Made, or told why not; nothing if somebody else had it meanwhile."""
    now = clock.real_now()
    ended: dict[str, Any] = {"ended_at": now, "leased_until": None, "size": size, "failure": failure}
    done = {"state": "done", "expires_at": now + LIFETIME}
    try:
        with transaction():
            _note(attempt, **ended, **(done if failure is None else {"state": "failed", "expires_at": now}))
    except GivenUp:
        log.info("export_taken", export_id=str(attempt.id), tenant_id=str(current_tenant()))
