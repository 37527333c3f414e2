"""Pages of files: asked for beside a report, followed by a bar, saved through a link of ten minutes."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock, texts
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as plain_transaction
from app.http import transaction
from app.http.forms import load_body
from app.http.panels import PanelBlueprint, go, page
from app.reports.exports import service
from app.reports.exports.models import ReportExport
from app.reports.exports.schemas import ExportBody
from app.reports.exports.sources import SOURCES
from app.texts import gettext as _
from app.texts import noted

bp = PanelBlueprint("report_exports_pages", __name__)

HERE = "/reports/exports"
ONE = f"{HERE}/<uuid:export_id>"
SHOWN = 50
# Where a sheet of paper is a letter's; everywhere else it is A4.
LETTER = ("en-us", "en-ca", "es-us", "es-mx", "fr-ca")
FORMS = {"pdf": noted("PDF"), "xlsx": noted("Excel workbook"), "csv": noted("CSV")}
SAID = {
    "waiting": noted("waits for its turn"), "running": noted("is being made"), "done": noted("ready"),
    "failed": noted("could not be made"), "cancelled": noted("cancelled"), "expired": noted("gone"),
}  # fmt: skip


@bp.post(HERE)
@requires("reports:read")
def ask_for_file() -> Response:
    """The report of the page as a file, in the reader's language and on paper of their country."""
    said = {name: value for name, value in request.form.items() if value}
    head: dict[str, Any] = {name: said.pop(name) for name in ("report", "format") if name in said}
    body = load_body(ExportBody, {**head, "arguments": {**said, "language": texts.language(), "paper": paper()}})
    with transaction():
        asked = (body["report"], body["format"], body["arguments"])
        made = service.start(*asked, actor=current_actor(), now=clock.now())
        return go(f"{HERE}/{made.id}")


def paper() -> str:
    wanted = (request.accept_languages.best or "").lower()
    return "letter" if wanted in LETTER else "a4"


@bp.get(HERE)
@requires("reports:read")
def show_files() -> Response:
    """What this reader asked for lately."""
    with plain_transaction():
        found = service.list_own(actor=current_actor(), after=None, limit=SHOWN)
        return page("reports/exports.html", files=[_listed(one) for one in found])


def _listed(export: ReportExport) -> dict[str, Any]:
    kept = {"id": export.id, "asked_at": export.asked_at, "as_of": export.as_of}
    return {**kept, **_named(export), "said": _(SAID[export.state])}


def _named(export: ReportExport) -> dict[str, str]:
    source = SOURCES.get(export.report)
    return {"title": _(source.title) if source else export.report, "form": _(FORMS[export.format])}


@bp.get(ONE)
@requires("reports:read")
def show_file(export_id: UUID) -> Response:
    """How far a file is, and the way to it."""
    with plain_transaction():
        found = service.get_own(export_id, actor=current_actor())
        return page("reports/export.html", found=found, named=_named(found))


@bp.get(f"{ONE}/progress")
@requires("reports:read")
def show_progress(export_id: UUID) -> Response:
    """The part of the page that is asked for while the file is made."""
    with plain_transaction():
        return page("reports/export_progress.html", found=service.get_own(export_id, actor=current_actor()))


@bp.get(f"{ONE}/link")
@requires("reports:read")
def link_file(export_id: UUID) -> Response:
    """An address of ten minutes, in place of the button that asked for it."""
    with plain_transaction():
        url = service.link_to(export_id, actor=current_actor(), now=clock.now())
        return page("reports/export_link.html", url=url)


@bp.post(f"{ONE}/cancel")
@requires("reports:read")
def cancel_file(export_id: UUID) -> Response:
    """Nothing more is made of it."""
    with transaction():
        service.cancel(export_id, actor=current_actor())
        return go(f"{HERE}/{export_id}")
