"""Doors of the API to links that end."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.errors import Forbidden
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.reports.sharing import links, views
from app.reports.sharing.schemas import (
    LinkList,
    NewReportLinkSchema,
    OpeningPage,
    ReportLinkBody,
    ReportLinkPage,
    ReportLinkSchema,
)


def guard_link(report_link_id: UUID) -> None:
    with transaction():
        links.get_link(report_link_id, actor=current_actor())


bp = ApiBlueprint(
    "report_links", __name__, url_prefix="/api/v1/reports/links", record_guard=guard_link, versioned=False
)


@bp.get("")
@bp.arguments(LinkList, location="query")
@bp.response(200, ReportLinkPage)
@requires("reports:write")
def list_links(query: dict[str, Any]) -> Response:
    """My links to reports, newest first: until when, how often opened; never their addresses."""
    actor, everybodys = current_actor(), query["of"] == "all"
    if everybodys and actor.role != "admin":
        raise Forbidden("Everybody's links are for admins")
    with transaction():
        return page(
            ReportLinkPage,
            query,
            lambda after, limit: links.list_links(actor=actor, everybodys=everybodys, after=after, limit=limit),
            lambda link: [str(link["id"])],
        )


@bp.post("")
@bp.arguments(ReportLinkBody)
@bp.response(201, NewReportLinkSchema)
@requires("reports:write")
def make_link(body: dict[str, Any]) -> Response:
    """A link to one report as of now, or of its fixed moment; its address is in this answer only."""
    with transaction():
        made = link_of(body)
        location = {"Location": f"/api/v1/reports/links/{made['id']}"}
        return answer(NewReportLinkSchema, made, 201, location, once=("url",))


def link_of(body: dict[str, Any]) -> dict[str, Any]:
    """The link that a body asks for, with its address."""
    actor = current_actor()
    view = views.get_named(body["view_id"], actor=actor) if "view_id" in body else None
    body.setdefault("arguments", {})
    link, url = links.make_link(body, view, actor=actor, now=clock.now(), real_now=clock.real_now())
    return {**links.get_link(link.id, actor=actor), "url": url}


@bp.get("/<uuid:report_link_id>")
@bp.response(200, ReportLinkSchema)
@requires("reports:write")
def get_link(report_link_id: UUID) -> Response:
    """One link, never its address."""
    with transaction():
        return answer(ReportLinkSchema, links.get_link(report_link_id, actor=current_actor()))


@bp.get("/<uuid:report_link_id>/openings")
@bp.arguments(PageArguments, location="query")
@bp.response(200, OpeningPage)
@requires("reports:write")
def list_openings(query: dict[str, Any], report_link_id: UUID) -> Response:
    """When it was opened, newest first."""
    with transaction():
        links.get_link(report_link_id, actor=current_actor())
        return page(
            OpeningPage,
            query,
            lambda after, limit: links.list_openings(report_link_id, after=after, limit=limit),
            lambda opening: [str(opening.id)],
        )


@bp.delete("/<uuid:report_link_id>")
@bp.response(204)
@requires("reports:write")
def revoke_link(report_link_id: UUID) -> Response:
    """It leads nowhere from now on; that there was one stays in the list."""
    with transaction():
        links.revoke(report_link_id, actor=current_actor(), real_now=clock.real_now())
        return Response(status=204)
