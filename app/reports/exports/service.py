"""Files for later: asked for, followed, cancelled, fetched; always by their owner alone."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError
from sqlalchemy import ColumnElement, func, select

from app import clock
from app.auth import queries as users
from app.auth.actor import Actor
from app.auth.errors import LinkUnknown
from app.auth.links import LinkScope, make_link
from app.db import current_tenant, db, take_turn
from app.errors import Invalid, NotFound, invalid
from app.http.parser import flatten
from app.http.schemas import the_one
from app.reports.exports.asking import ask
from app.reports.exports.errors import FileGone, NotReady, NotYoursToSee, TooManyExports
from app.reports.exports.models import UNFINISHED, ReportExport
from app.reports.exports.schemas import kept_arguments_of
from app.reports.exports.sources import SOURCES
from app.reports.exports.tables_of import chosen
from app.reports.reading import reading
from app.reports.sharing.asked import reader_of

MOST_OF_ONE, MOST_UNFINISHED, MOST_KEPT = 3, 10, 100  # of one person, of a tenant
LINK = timedelta(minutes=10)
PATH, SUBJECT = "/report-files/", "report_export"


def start(report: str, form: str, arguments: Mapping[str, Any], *, actor: Actor, now: datetime) -> ReportExport:
    """Ask for a file; what is wrong with the question is said now, and the moment it answers for is fixed."""
    source = SOURCES.get(report)
    if source is None:
        raise invalid("report", f"expected one of {', '.join(SOURCES)}")
    schema = the_one(kept_arguments_of(source))
    query = loaded(schema, arguments)
    take_turn("report_export")
    _check_room(actor)
    answered = ask(source, query, actor=actor, now=now)
    chosen(answered.report.tables, query.get("table"))
    export = ReportExport(
        user_id=actor.person_id,
        report=report,
        format=form,
        arguments={**arguments, "as_of": answered.frame.as_of.isoformat()},
        as_of=answered.frame.as_of,
        asked_at=clock.real_now(),
    )
    db.session.add(export)
    db.session.flush()
    return export


def loaded(schema: Schema, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as the report reads them; faults are named by their place in the body."""
    try:
        found: dict[str, Any] = schema.load(arguments)
    except ValidationError as error:
        faults = [(f"/arguments{path}", detail) for path, detail in flatten(error.messages)]
        errors = [{"pointer": path, "detail": detail} for path, detail in faults]
        raise Invalid("; ".join(f"{path}: {detail}" for path, detail in faults[:3]), errors=errors) from None
    return found


def _check_room(actor: Actor) -> None:
    unfinished = ReportExport.state.in_(UNFINISHED)
    mine = unfinished & (ReportExport.user_id == actor.user_id)
    counts: list[ColumnElement[int]] = [
        func.count().filter(condition) for condition in (mine, unfinished, ReportExport.purged_at.is_(None))
    ]
    found = db.session.execute(select(*counts).where(ReportExport.purged_at.is_(None))).one()
    if found[0] >= MOST_OF_ONE:
        raise TooManyExports(f"{MOST_OF_ONE} files of yours are being made: wait for one, or cancel it")
    if found[1] >= MOST_UNFINISHED or found[2] >= MOST_KEPT:
        raise TooManyExports(f"{found[1]} files are being made and {found[2]} kept: wait until some have ended")


def get_own(export_id: UUID, *, actor: Actor, lock: bool = False) -> ReportExport:
    """A file that the caller asked for; anybody else's looks like none."""
    mine = select(ReportExport).where(ReportExport.id == export_id, ReportExport.user_id == actor.user_id)
    found = db.session.scalar(mine.with_for_update() if lock else mine)
    if found is None:
        raise NotFound
    return found


def list_own(*, actor: Actor, after: list[Any] | None, limit: int) -> list[ReportExport]:
    """The caller's files, the newest first."""
    mine = select(ReportExport).where(ReportExport.user_id == actor.user_id)
    if after is not None:
        mine = mine.where(ReportExport.id < UUID(after[0]))
    return list(db.session.scalars(mine.order_by(ReportExport.id.desc()).limit(limit)))


def cancel(export_id: UUID, *, actor: Actor) -> ReportExport:
    """Nothing more is made of it; one that has ended stays as it is."""
    export = get_own(export_id, actor=actor, lock=True)
    if export.state in UNFINISHED:
        export.state, export.ended_at = "cancelled", clock.real_now()
        export.expires_at = export.ended_at
    return export


def fetched(export_id: UUID, *, actor: Actor, now: datetime) -> ReportExport:
    """The file may be handed out: it is made, not too old, and has no case that its owner may not see by now."""
    export = get_own(export_id, actor=actor)
    if export.state in UNFINISHED:
        raise NotReady
    if export.state != "done" or export.expires_at is None or export.expires_at <= clock.real_now():
        raise FileGone(export.failure or f"It is {export.state if export.state != 'done' else 'expired'}")
    with reading(export.as_of, actor=actor, now=now) as asked:
        if set(asked.hidden) - set(export.hidden):
            raise NotYoursToSee
    return export


def link_to(export_id: UUID, *, actor: Actor, now: datetime) -> str:
    """An address at which its owner gets the file for ten minutes."""
    export = fetched(export_id, actor=actor, now=now)
    began = clock.real_now()
    return make_link(actor.person_id, SUBJECT, export.id, actions=("download",), lifetime=LINK, now=began, path=PATH)


def opened(scope: LinkScope, *, now: datetime) -> ReportExport:
    """The file behind a link, inside its tenant's transaction, if its owner may still read reports."""
    if scope.subject != SUBJECT or not scope.may("download"):
        raise LinkUnknown
    actor = reader_of(users.get_user(scope.user_id))
    if actor is None:
        raise LinkUnknown
    return fetched(scope.subject_id, actor=actor, now=now)


def key_of(export: ReportExport, number: int | None = None) -> str:
    """Where the file of one of its tries lies, the last unless said."""
    return f"{current_tenant()}/reports/{export.id}-{number or export.tries}.{export.format}"
