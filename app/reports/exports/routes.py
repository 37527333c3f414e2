"""Doors to reports as files that are given at once."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from io import SEEK_END
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

from flask import Response, stream_with_context
from werkzeug.http import dump_options_header
from werkzeug.wsgi import FileWrapper

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.http import ApiBlueprint
from app.reports.errors import TooManyRows
from app.reports.exports import csv_files, pdf_files, xlsx_files
from app.reports.exports.asking import Answered, ask
from app.reports.exports.models import FORMATS
from app.reports.exports.schemas import arguments_of
from app.reports.exports.sources import SOURCES, Source
from app.reports.exports.tables_of import chosen
from app.texts import set_language

files = ApiBlueprint("report_files", __name__, url_prefix="/api/v1/reports")

MOST_AT_ONCE, MOST_ON_PAPER = 5000, 500  # rows
PIECE_BYTES = 64 << 10
GIVERS: dict[str, Callable[[Answered, Source, dict[str, Any]], Response]] = {}


def _open(source: Source) -> None:
    """The door of one report's files."""

    @requires("reports:read")
    def give(query: dict[str, Any], form: str, **found: UUID) -> Response:
        set_language(query["language"])
        with transaction():
            answered = ask(source, {**query, **found}, actor=current_actor(), now=clock.now())
        return GIVERS[form](answered, source, query)

    give.__name__ = f"give_{source.key}"
    give.__doc__ = f"{source.title} as a file."
    view = files.response(200)(files.arguments(arguments_of(source), location="query")(give))
    files.get(f"/{source.path or source.key}.<any({', '.join(FORMATS)}):form>")(view)


def give_csv(answered: Answered, source: Source, query: dict[str, Any]) -> Response:
    """One table of the report, streamed."""
    table = chosen(answered.report.tables, query.get("table"))
    pieces = csv_files.csv_pieces(table.columns, table.cells())
    headers = file_headers(file_name(answered, source, "csv"), csv_files.MEDIA_TYPE)
    return Response(stream_with_context(pieces), headers=headers)


def give_xlsx(answered: Answered, source: Source, query: dict[str, Any]) -> Response:
    """A workbook."""
    read = at_most(answered, MOST_AT_ONCE)
    name = file_name(answered, source, "xlsx")
    return made(lambda file: xlsx_files.write_workbook(file, read), name, xlsx_files.MEDIA_TYPE)


def made(make: Callable[[IO[bytes]], object], name: str, media_type: str) -> Response:
    """A file that is made on disk, sent, and gone."""
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        make(file)
        response = Response(
            FileWrapper(file, PIECE_BYTES), headers=file_headers(name, media_type), direct_passthrough=True
        )
        response.content_length = file.seek(0, SEEK_END)
        file.seek(0)
        response.call_on_close(stack.pop_all().close)
        return response


def give_pdf(answered: Answered, source: Source, query: dict[str, Any]) -> Response:
    """The report on paper."""
    read = at_most(answered, MOST_ON_PAPER)
    name = file_name(answered, source, "pdf")
    return made(lambda file: pdf_files.write_pdf(file, read, paper=query["paper"]), name, pdf_files.MEDIA_TYPE)


GIVERS.update(csv=give_csv, xlsx=give_xlsx, pdf=give_pdf)


def at_most(answered: Answered, most: int) -> Answered:
    """The same with its long table read; more rows than that take the worker."""
    first, *rest = answered.report.tables
    rows = list(islice(first.rows, most + 1))
    if len(rows) > most:
        raise TooManyRows(f"Up to {most:,} rows are given at once; ask for more by POST /reports/exports")
    return replace(answered, report=replace(answered.report, tables=[replace(first, rows=rows), *rest]))


def file_name(answered: Answered, source: Source, form: str) -> str:
    return name_of(source.key, answered.frame.as_of.astimezone(answered.frame.zone).date(), form)


def name_of(report: str, day: date, form: str) -> str:
    return f"firsthand-{report.replace('_', '-')}-{day.isoformat()}.{form}"


def file_headers(name: str, media_type: str) -> dict[str, str]:
    """Saved, never shown as a page, and kept by nobody on the way."""
    return {
        "Content-Type": media_type,
        "Content-Disposition": dump_options_header("attachment", {"filename": name}),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


for one in SOURCES.values():
    _open(one)
