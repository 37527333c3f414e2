"""Imports from the panel: a file sent, tried or done, how far each is, and the rows that were refused."""

import csv
import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from werkzeug.datastructures import FileStorage

from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.errors import invalid
from app.http import decode_cursor, encode_cursor
from app.http.panels import PanelBlueprint, go, page
from app.operations.imports import kinds, queries
from app.operations.imports.runner import Fault, Report, run_import
from app.texts import gettext as _

bp = PanelBlueprint("admin_imports", __name__)

SHOWN = 20
ROWS_SHOWN = 50
ROWS_TO_COPY = 1_000
FAULTS_OF_A_TRY = 200
SPARE_BYTES = 1 << 20  # what a form adds around the file
LINES = (".ndjson", ".jsonl")


@bp.get("/admin/imports")
@requires("imports:write")
def show() -> Response:
    """A form for a file, and what was imported before."""
    with transaction():
        found = [kind for name in kinds.NAMES if (kind := kinds.kind_of(name))]
        limit: int = current_app.config["MAX_IMPORT_BYTES"]
        return page("operations/imports.html", kinds=found, limit=limit, **_listed())


@bp.get("/admin/imports/list")
@requires("imports:write")
def show_list() -> Response:
    """What was imported before, read again while one runs; or its next page."""
    with transaction():
        part = "imports_rows" if "cursor" in request.args else "imports_list"
        return page(f"operations/{part}.html", **_listed())


@bp.post("/admin/imports")
@requires("imports:write")
def start() -> Response:
    """Import a file as it was sent; good rows land, bad ones are listed. A try counts everything and writes nothing.

    No Idempotency-Key is read: the same file again changes nothing anyway.
    """
    limit: int = current_app.config["MAX_IMPORT_BYTES"]
    request.max_content_length = limit + SPARE_BYTES
    file, kind = _sent()
    faults: list[Fault] = []

    def tell(report: Report, told: Sequence[Fault]) -> None:
        faults.extend(told[: FAULTS_OF_A_TRY - len(faults)])

    dry_run = request.form.get("dry_run") == "true"
    name = (file.filename or "").lower().removesuffix(".gz")
    report = run_import(
        kind, file.stream, ndjson=name.endswith(LINES), actor=current_actor(), limit=limit, dry_run=dry_run, tell=tell
    )
    if not dry_run:
        return go(f"/admin/imports/{report.id}")
    with transaction():
        return page("operations/import_tried.html", report=report, faults=faults, kind=kind)


@bp.get("/admin/imports/<uuid:import_id>")
@requires("imports:write")
def show_import(import_id: UUID) -> Response:
    """How far it is, and the rows it refused, by line."""
    after = decode_cursor(request.args.get("cursor"))
    with transaction():
        found = queries.get_import(import_id)
        faults = queries.list_faults(import_id, after=after, limit=ROWS_SHOWN + 1)
        shown = faults[:ROWS_SHOWN]
        cursor = encode_cursor([shown[-1].line, str(shown[-1].id)]) if len(faults) > ROWS_SHOWN else None
        part = "operations/import_rows.html" if after else "operations/import.html"
        return page(part, found=found, faults=shown, cursor=cursor)


@bp.get("/admin/imports/<uuid:import_id>/progress")
@requires("imports:write")
def progress(import_id: UUID) -> Response:
    """How far it is; once it has ended the page is read again."""
    with transaction():
        found = queries.get_import(import_id)
        if found.ended_at is not None:
            return go(None)
        return page("operations/import_progress.html", found=found)


@bp.get("/admin/imports/<uuid:import_id>/rows")
@requires("imports:write")
def copy_rows(import_id: UUID) -> Response:
    """The first thousand refused rows as CSV, to be taken to whoever made the file."""
    with transaction():
        found = queries.get_import(import_id)
        faults = queries.list_faults(import_id, after=None, limit=ROWS_TO_COPY)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [("line", "field", "reason"), *((one.line, one.field or "", one.detail) for one in faults)]
        )
        return page("operations/import_copy.html", found=found, text=text.getvalue(), count=len(faults))


def _sent() -> tuple[FileStorage, kinds.Kind]:
    """The file and what its rows are."""
    file, kind = request.files.get("file"), kinds.kind_of(request.form.get("kind", ""))
    if kind is None:
        raise invalid("kind", _("expected one of %(names)s") % {"names": ", ".join(kinds.NAMES)})
    if file is None or not file.filename:
        raise invalid("file", _("expected a file"))
    return file, kind


def _listed() -> dict[str, Any]:
    after = decode_cursor(request.args.get("cursor"))
    found = queries.list_imports(before=UUID(after[0]) if after else None, limit=SHOWN + 1)
    shown = found[:SHOWN]
    path = "/panel/admin/imports/list"
    cursor = encode_cursor([str(shown[-1].id)], path=path) if len(found) > SHOWN else None
    return {"imports": shown, "cursor": cursor, "running": any(one.state == "running" for one in shown)}
