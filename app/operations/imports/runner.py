"""One import from its first byte to its last: a thousand rows at a time, each thousand in a transaction of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import exc, text

from app import clock
from app.accounts import service as accounts
from app.accounts.errors import RowRefused
from app.accounts.queries import tenant_today
from app.accounts.service import Outcome
from app.auth.actor import Actor
from app.db import db, new_id, transaction
from app.errors import AppError
from app.operations.imports.errors import ImportEnded
from app.operations.imports.kinds import DEFAULT_SOURCE, WORTH, Kind, typed
from app.operations.imports.lines import Readable, open_lines
from app.operations.imports.mapping import Mapping
from app.operations.imports.rows import RawRow, csv_rows, ndjson_rows, read_header
from app.operations.models import Import, RejectedRow
from app.rows import insert_all

log = structlog.get_logger()

CHUNK = 1000
MAX_KEPT_FAULTS = 10_000
MAX_LATER = 50_000
TRIES = 5
# A plan kept from when a table was small reads all of it once it has grown.
PLAN_AFRESH = text("set local plan_cache_mode = force_custom_plan")
DEADLOCK, SERIALIZATION = "40P01", "40001"


@dataclass(frozen=True)
class Fault:
    """Why a row was refused."""

    line: int
    field: str | None
    detail: str


@dataclass
class Report:
    """How far an import is; `total` counts rows, and the outcomes add up to it."""

    id: UUID
    total: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("created", "updated", "unchanged", "stale", "rejected"), 0)
    )
    kept_faults: int = 0

    def count(self, outcome: str) -> None:
        self.total += 1
        self.counts[outcome] += 1

    @property
    def changed(self) -> int:
        return self.counts["created"] + self.counts["updated"]


class _DryRun(Exception):
    """Takes back what a dry run wrote."""


@dataclass
class Job:
    """One import under way; `texts`: the values are cells of CSV; `tell` hears of each chunk's report and faults."""

    kind: Kind
    actor: Actor
    texts: bool
    dry_run: bool
    tell: Callable[[Report, Sequence[Fault]], None]
    report: Report
    later: list[RawRow] = field(default_factory=list)
    is_last_try: bool = False


def run_import(
    kind: Kind,
    stream: Readable,
    *,
    ndjson: bool,
    actor: Actor,
    limit: int,
    mapping: Mapping | None = None,
    dry_run: bool = False,
    tell: Callable[[Report, Sequence[Fault]], None] = lambda report, faults: None,
) -> Report:
    """Read, map, check and write every row; good rows land, bad ones are told with line and reason.

    A wrong header is refused before anything is written. When the stream ends early or is too large, the import
    fails where it stands: what landed stays landed and its record says so. The tenant must be in scope.
    """
    rows = read_rows(kind, stream, ndjson=ndjson, limit=limit, mapping=mapping)
    job = Job(kind, actor, not ndjson, dry_run, tell, Report(new_id()))
    _begin(job)
    try:
        while chunk := list(islice(rows, CHUNK)):
            _write(job, chunk)
        _write_later(job)
        _finish(job)
    except BaseException as error:
        _note_failure(job, error)
        raise
    return job.report


def read_rows(kind: Kind, stream: Readable, *, ndjson: bool, limit: int, mapping: Mapping | None) -> Iterator[RawRow]:
    """The rows of a stream under our column names; a wrong header is refused now, not at the first row."""
    lines = open_lines(stream, limit=limit)
    if ndjson:
        rows = ndjson_rows(lines)
    else:
        header, reader, feed = read_header(lines)
        kind.check_columns(mapping.columns_from(header) if mapping else header)
        rows = csv_rows(header, reader, feed)
    first = list(islice(rows, 1))
    rows = chain(first, rows)
    return mapping.rows(rows) if mapping else rows


def _begin(job: Job) -> None:
    if job.dry_run:
        return
    now = clock.real_now()
    with transaction():
        db.session.add(
            Import(id=job.report.id, kind=job.kind.name, actor_id=job.actor.user_id, started_at=now, beat_at=now)
        )


def _write(job: Job, chunk: list[RawRow]) -> None:
    """A chunk in one transaction; when the database refuses it as a whole, its rows go one by one."""
    if job.kind.one_by_one:
        for row in chunk:
            _write_one(job, row)
        return
    try:
        _attempt(job, chunk)
    except (exc.DataError, exc.IntegrityError) as error:
        log.warning("import_chunk_split", kind=job.kind.name, first_line=chunk[0].line, error=str(error.orig))
        for row in chunk:
            _write_one(job, row)


def _write_one(job: Job, row: RawRow) -> None:
    try:
        _attempt(job, [row])
    except (exc.DataError, exc.IntegrityError) as error:
        log.warning("import_row_refused", kind=job.kind.name, line=row.line, error=str(error.orig))
        row.faults = [(None, "a value is outside what can be stored")]
        _attempt(job, [row])
    except AppError as error:
        faults = [(_field(e), e["detail"]) for e in error.errors] or [(None, error.detail)]
        if not job.is_last_try and len(job.later) < MAX_LATER and any(f in job.kind.waits_for for f, _ in faults):
            job.later.append(row)
            return
        row.faults = faults
        _attempt(job, [row])


def _attempt(job: Job, chunk: list[RawRow]) -> None:
    """Try again when another transaction was in the way."""
    for left in reversed(range(TRIES)):
        try:
            faults = _write_chunk(job, chunk)
        except exc.OperationalError as error:
            if not left or getattr(error.orig, "sqlstate", None) not in (DEADLOCK, SERIALIZATION):
                raise
        else:
            job.tell(job.report, faults)
            return


def _write_chunk(job: Job, chunk: list[RawRow]) -> list[Fault]:
    report = Report(job.report.id, job.report.total, dict(job.report.counts), job.report.kept_faults)
    faults: list[Fault] = []
    with suppress(_DryRun), transaction():
        db.session.execute(PLAN_AFRESH)
        for row, outcome in zip(chunk, _outcomes(job, chunk, clock.now()), strict=True):
            report.count(outcome.outcome)
            faults += [Fault(row.line, name or None, detail) for name, detail in outcome.faults]
        _keep(job, report, faults)
        if job.dry_run:
            raise _DryRun
    job.report = report
    return faults


def _outcomes(job: Job, chunk: list[RawRow], now: datetime) -> list[Outcome]:
    """Check each row, write those that passed, and put the answers in the order of the rows."""
    outcomes: list[Outcome | None] = [None] * len(chunk)
    passed: list[int] = []
    checked: list[Any] = []
    for n, row in enumerate(chunk):
        try:
            if not row.faults:
                checked.append(job.kind.check(_values(job, row)))
                passed.append(n)
        except RowRefused as refused:
            row.faults = list(refused.faults)
        if row.faults:
            outcomes[n] = Outcome("rejected", faults=[(name or "", detail) for name, detail in row.faults])
    for n, outcome in zip(passed, job.kind.write(checked, job.actor, now), strict=True):
        outcomes[n] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _values(job: Job, row: RawRow) -> dict[str, Any]:
    values = typed(row.values, job.kind.members, texts=job.texts)
    if job.kind.has_source:
        values["source"] = values.get("source") or DEFAULT_SOURCE
    return values


def _keep(job: Job, report: Report, faults: Sequence[Fault]) -> None:
    """Progress and refused rows in the transaction of the rows themselves; only so many faults are kept."""
    if job.dry_run:
        return
    kept = faults[: MAX_KEPT_FAULTS - report.kept_faults]
    report.kept_faults += len(kept)
    insert_all(RejectedRow(import_id=report.id, line=f.line, field=f.field, detail=f.detail[:1000]) for f in kept)
    record = _running(job)
    record.total, record.beat_at = report.total, clock.real_now()
    for name, number in report.counts.items():
        setattr(record, name, number)


def _write_later(job: Job) -> None:
    """What waited for a row further down is tried again while that helps, then refused."""
    while job.later:
        waiting, job.later, before = job.later, [], job.report.total
        for row in waiting:
            _write_one(job, row)
        job.is_last_try = job.report.total == before


def _running(job: Job) -> Import:
    """The record, locked; ImportEnded when it was closed because nothing was heard of us."""
    record = db.session.get_one(Import, job.report.id, with_for_update=True)
    if record.state != "running":
        raise ImportEnded(record.failure)
    return record


def _finish(job: Job) -> None:
    if job.dry_run:
        return
    with transaction():
        _rank(job)
        record = _running(job)
        record.state, record.ended_at = "done", clock.real_now()


def _note_failure(job: Job, error: BaseException) -> None:
    """Close the record as failed; where that fails too both errors are told, and `end_abandoned` closes it later."""
    about = {"import_id": str(job.report.id), "kind": job.kind.name, "rows": job.report.total}
    log.warning("import_failed", **about, error=_reason(error), exc_info=None if _is_expected(error) else error)
    if job.dry_run or isinstance(error, ImportEnded):
        return
    try:
        with transaction():
            record = _running(job)
            record.state, record.failure, record.ended_at = "failed", _reason(error), clock.real_now()
        with transaction():
            _rank(job)
    except (exc.SQLAlchemyError, AppError) as second:
        log.exception("import_failure_not_noted", **about)
        error.add_note(f"and the record of import {job.report.id} could not be closed: {second}")


def _rank(job: Job) -> None:
    """Values that changed are ranked in the book at once."""
    if job.kind.name in WORTH and job.report.changed:
        accounts.rebuild_book(tenant_today(clock.now()))


def _is_expected(error: BaseException) -> bool:
    return isinstance(error, AppError) or not isinstance(error, Exception)


def _reason(error: BaseException) -> str:
    return error.detail if isinstance(error, AppError) else f"ended by {type(error).__name__}"


def _field(error: dict[str, str]) -> str | None:
    return error.get("pointer", "").strip("/").replace("/", ".") or None
