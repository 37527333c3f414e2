"""Doors to owners, teams and causes as JSON."""

from collections.abc import Callable
from typing import Any

from flask import Response

from app.auth.guards import requires
from app.http import ApiBlueprint, answer, decode_cursor, encode_cursor, transaction
from app.reports import causes, owners
from app.reports.asking import ask
from app.reports.owner_schemas import CausesSchema, OwnersArguments, OwnersSchema, TeamsSchema
from app.reports.reading import Reading, days_of

bp = ApiBlueprint("report_owners", __name__, url_prefix="/api/v1/reports")


@bp.get("/owners")
@bp.arguments(OwnersArguments, location="query")
@bp.response(200, OwnersSchema)
@requires("reports:read")
def list_owners(query: dict[str, Any]) -> Response:
    """What each owner carries and what became of their cases, by name: help, and no ranking."""
    with transaction(), ask(query) as asked:
        return answer(OwnersSchema, _page(owners.owners_of, asked, query))


@bp.get("/teams")
@bp.arguments(OwnersArguments, location="query")
@bp.response(200, TeamsSchema)
@requires("reports:read")
def list_teams(query: dict[str, Any]) -> Response:
    """The same by team: of its members of today together."""
    with transaction(), ask(query) as asked:
        return answer(TeamsSchema, _page(owners.teams_of, asked, query))


@bp.get("/causes")
@bp.arguments(OwnersArguments, location="query")
@bp.response(200, CausesSchema)
@requires("reports:read")
def list_causes(query: dict[str, Any]) -> Response:
    """Why cases were raised and what they cost, the costliest first, and whose prevention would save most."""
    with transaction(), ask(query) as asked:
        return answer(CausesSchema, _page(causes.causes_of, asked, query))


def _page(report_of: Callable[..., dict[str, Any]], asked: Reading, query: dict[str, Any]) -> dict[str, Any]:
    """One page of a report whose items are in order by their position."""
    first, last = days_of(query, asked)
    after, limit = decode_cursor(query.get("cursor")), query["limit"]
    report = report_of(asked, first=first, last=last, after=after, limit=limit)
    return {**report, "next_cursor": encode_cursor(report["next"]) if report["next"] else None}
