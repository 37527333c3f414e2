"""Doors to ladders."""

from typing import Any

from flask import Response

from app import clock
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.sla import ladders, schemas
from app.sla.history import list_history
from app.sla.models import LadderVersion

bp = ApiBlueprint("ladders", __name__, url_prefix="/api/v1/ladders")


@bp.get("")
@bp.response(200, schemas.LadderPage)
@requires("settings:read")
def list_ladders() -> Response:
    """The ladder of every kind of clock, thirteen in all, each with its latest versions."""
    with transaction():
        return answer(
            schemas.LadderPage, {"items": [ladders.view(one) for one in ladders.list_ladders()], "next_cursor": None}
        )


@bp.post("")
@bp.arguments(schemas.LadderBody)
@bp.response(201, schemas.LadderSchema)
@requires("promises:write")
def publish_ladder(body: dict[str, Any]) -> Response:
    """Publish the steps of one kind of clock; open cases keep the ladders they started with."""
    with transaction():
        ladders.publish_ladder(body["kind"], body["steps"], now=clock.now())
        found = ladders.view(ladders.get_ladder(body["kind"]))
        return answer(schemas.LadderSchema, found, 201, {"Location": f"/api/v1/ladders/{body['kind']}"})


@bp.get("/<kind>")
@bp.response(200, schemas.LadderSchema)
@requires("settings:read")
def get_ladder(kind: str) -> Response:
    """The ladder of one kind of clock with its latest versions."""
    with transaction():
        return answer(schemas.LadderSchema, ladders.view(ladders.get_ladder(kind)))


@bp.get("/<kind>/versions")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.LadderVersionPage)
@requires("settings:read")
def list_ladder_versions(query: dict[str, Any], kind: str) -> Response:
    """All versions of one kind's ladder, newest first."""
    with transaction():
        return page(
            schemas.LadderVersionPage,
            query,
            lambda after, limit: list_history(LadderVersion, ladders.published(kind), after=after, limit=limit),
            lambda version: [version.number],
        )
