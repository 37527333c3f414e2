"""Doors to reports as JSON."""

from typing import Any

from flask import Blueprint, Response

from app.auth.guards import requires
from app.http import ApiBlueprint, answer, decode_cursor, encode_cursor, transaction
from app.reports import (
    account_pages,
    account_routes,
    foresight_pages,
    owner_pages,
    owner_routes,
    rows,
    summary_pages,
)
from app.reports.asking import ask
from app.reports.asking import bp as parts
from app.reports.definitions import READER
from app.reports.exports import export_routes
from app.reports.exports.routes import files
from app.reports.figures import FIGURES
from app.reports.foresight_routes import foresight
from app.reports.money import money_of
from app.reports.parts import part_of
from app.reports.reading import days_of
from app.reports.schemas import DefinitionsSchema, RowsArguments, RowsSchema, SummaryArguments, SummarySchema
from app.reports.sharing import routes as sharing
from app.reports.summary import frame, summarise

reports = ApiBlueprint("reports", __name__, url_prefix="/api/v1/reports")
blueprints: list[Blueprint] = [
    reports,
    owner_routes.bp,
    owner_pages.bp,
    foresight,
    account_routes.bp,
    files,
    *export_routes.blueprints,
    *sharing.blueprints,
    parts,
    summary_pages.bp,
    foresight_pages.bp,
    account_pages.bp,
]


@reports.get("/summary")
@reports.arguments(SummaryArguments, location="query")
@reports.response(200, SummarySchema)
@requires("reports:read")
def get_summary(query: dict[str, Any]) -> Response:
    """The executive summary as of any moment: the same question about the past gets the same answer for ever."""
    with transaction(), ask(query) as asked:
        first, last = days_of(query, asked)
        return answer(SummarySchema, summarise(asked, first=first, last=last, since=query.get("since")))


@reports.get("/definitions")
@reports.response(200, DefinitionsSchema)
@requires("reports:read")
def list_definitions() -> Response:
    """What each figure means, how it is made, and what its rows are."""
    with transaction():
        return answer(DefinitionsSchema, {"reader": READER, "items": list(FIGURES.values())})


@reports.get("/rows")
@reports.arguments(RowsArguments, location="query")
@reports.response(200, RowsSchema)
@requires("reports:read")
def list_rows(query: dict[str, Any]) -> Response:
    """The rows behind a figure, as of the same moment: what it counts or adds, by keyset."""
    figure, limit, after = FIGURES[query["figure"]], query["limit"], decode_cursor(query.get("cursor"))
    with transaction(), ask(query) as whole:
        asked = part_of(whole, query)
        (first, last), money = days_of(query, asked), money_of(asked)
        found = rows.list_rows(figure, asked, money, first=first, last=last, after=after, limit=limit + 1)
        more = encode_cursor(rows.position(found[limit - 1])) if len(found) > limit else None
        items = {"figure": figure.key, "items": found[:limit], "next_cursor": more}
        return answer(RowsSchema, {**frame(asked, money), **items})
