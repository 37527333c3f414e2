"""Doors to files that the worker makes: asked for, followed, cancelled, fetched."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response
from werkzeug.wsgi import FileWrapper

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import public, requires
from app.auth.links import open_link
from app.db import transaction as plain_transaction
from app.errors import NotFound
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.reports.exports import csv_files, pages, pdf_files, service, xlsx_files
from app.reports.exports.models import ReportExport
from app.reports.exports.routes import PIECE_BYTES, file_headers, name_of
from app.reports.exports.schemas import ExportBody, ExportPage, ExportSchema
from app.store import get_store

exports = ApiBlueprint("report_exports", __name__, url_prefix="/api/v1/reports/exports")
content = Blueprint("report_file", __name__)
blueprints: list[Blueprint] = [exports, content, pages.bp]

ONE = "/<uuid:export_id>"
MEDIA_TYPES = {"csv": csv_files.MEDIA_TYPE, "xlsx": xlsx_files.MEDIA_TYPE, "pdf": pdf_files.MEDIA_TYPE}


@exports.post("")
@exports.arguments(ExportBody)
@exports.response(202, ExportSchema)
@requires("reports:read")
def start_export(body: dict[str, Any]) -> Response:
    """Ask for a report as a file of any size; the worker makes it, as of the moment it was asked for."""
    with transaction():
        made = service.start(body["report"], body["format"], body["arguments"], actor=current_actor(), now=clock.now())
        return answer(ExportSchema, made, 202, {"Location": f"/api/v1/reports/exports/{made.id}"})


@exports.get("")
@exports.arguments(PageArguments, location="query")
@exports.response(200, ExportPage)
@requires("reports:read")
def list_exports(query: dict[str, Any]) -> Response:
    """The caller's files of the last 30 days, the newest first."""
    with transaction():
        actor = current_actor()
        return page(
            ExportPage,
            query,
            lambda after, limit: service.list_own(actor=actor, after=after, limit=limit),
            lambda export: [str(export.id)],
        )


@exports.get(ONE)
@exports.response(200, ExportSchema)
@requires("reports:read")
def get_export(export_id: UUID) -> Response:
    """How far it is: of `rows_total` rows `rows_done` are in the file."""
    with transaction():
        return answer(ExportSchema, service.get_own(export_id, actor=current_actor()))


@exports.post(f"{ONE}/cancel")
@exports.response(200, ExportSchema)
@requires("reports:read")
def cancel_export(export_id: UUID) -> Response:
    """Make nothing more of it; one that has ended stays as it is."""
    with transaction():
        return answer(ExportSchema, service.cancel(export_id, actor=current_actor()))


@exports.get(f"{ONE}/file")
@exports.response(200)
@requires("reports:read")
def get_file(export_id: UUID) -> Response:
    """The file, until it expires."""
    with plain_transaction():
        found = service.fetched(export_id, actor=current_actor(), now=clock.now())
        key = service.key_of(found)
    return sent(found, key)


@content.get(f"{service.PATH}<token>")
@public
def open_file(token: str) -> Response:
    """The file behind a link, for its owner."""
    scope = open_link(token)
    with plain_transaction(tenant=scope.tenant_id):
        found = service.opened(scope, now=clock.now())
        key = service.key_of(found)
    return sent(found, key)


def sent(export: ReportExport, key: str) -> Response:
    """From the store to the caller, piece by piece."""
    try:
        file = get_store().reading(key)
    except FileNotFoundError:
        raise NotFound("The file is not in this store") from None
    as_of: datetime = export.as_of
    headers = file_headers(name_of(export.report, as_of.date(), export.format), MEDIA_TYPES[export.format])
    response = Response(FileWrapper(file, PIECE_BYTES), headers=headers, direct_passthrough=True)
    response.content_length = export.size or 0
    response.call_on_close(file.close)
    return response
