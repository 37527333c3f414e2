"""Doors to reports as JSON."""

from contextlib import AbstractContextManager
from typing import Any

from flask import Blueprint, Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.http import ApiBlueprint, answer, decode_cursor, encode_cursor, transaction
from app.reports import asking, rows, summary_pages
from app.reports.definitions import FIGURES, READER
from app.reports.exports.routes import files
from app.reports.money import money_of
from app.reports.reading import Reading, days_of, reading
from app.reports.schemas import DefinitionsSchema, RowsArguments, RowsSchema, SummaryArguments, SummarySchema
from app.reports.sharing import routes as sharing
from app.reports.summary import frame, summarise
from app.reports.whose import only_of

reports = ApiBlueprint("reports", __name__, url_prefix="/api/v1/reports")
blueprints: list[Blueprint] = [reports, files, *sharing.blueprints, asking.bp, summary_pages.bp]


@reports.get("/summary")
@reports.arguments(SummaryArguments, location="query")
@reports.response(200, SummarySchema)
@requires("reports:read")
def get_summary(query: dict[str, Any]) -> Response:
    """The executive summary as of any moment: the same question about the past gets the same answer for ever."""
    with transaction(), asking(query) as asked:
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
    with transaction(), asking(query) as asked:
        (first, last), money = days_of(query, asked), money_of(asked)
        found = rows.list_rows(figure, asked, money, first=first, last=last, after=after, limit=limit + 1)
        more = encode_cursor(rows.position(found[limit - 1])) if len(found) > limit else None
        items = {"figure": figure.key, "items": found[:limit], "next_cursor": more}
        return answer(RowsSchema, {**frame(asked, money), **items})


def asking(query: dict[str, Any]) -> AbstractContextManager[Reading]:
    """The caller's question: as of when, and about which accounts."""
    actor = current_actor()
    return reading(query.get("as_of"), actor=actor, now=clock.now(), only=only_of(query, actor))
