"""Doors of the API to saved views, schedules and links of reports."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app import clock
from app.accounts.queries import tenant_today
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.reports.sharing import (
    link_pages,
    link_routes,
    page_parts,
    public_pages,
    schedule_pages,
    schedule_routes,
    view_pages,
    views,
)
from app.reports.sharing.schemas import ReportViewPage, ReportViewSchema, ViewBody, ViewPatch


def guard_view(report_view_id: UUID) -> None:
    with transaction():
        read = views.get_view if request.method == "GET" else views.get_own
        read(report_view_id, actor=current_actor())


kept = ApiBlueprint("report_views", __name__, url_prefix="/api/v1/reports/views", record_guard=guard_view)
pages = (page_parts.bp, view_pages.bp, schedule_pages.bp, link_pages.bp)
blueprints: list[Blueprint] = [kept, link_routes.bp, schedule_routes.bp, public_pages.bp, *pages]


@kept.get("")
@kept.arguments(PageArguments, location="query")
@kept.response(200, ReportViewPage)
@requires("reports:read")
def list_views(query: dict[str, Any]) -> Response:
    """My saved views and those that are shared, by name."""
    with transaction():
        actor, today = current_actor(), tenant_today(clock.now())
        return page(
            ReportViewPage,
            query,
            lambda after, limit: views.list_views(actor=actor, today=today, after=after, limit=limit),
            lambda view: [view["name"], str(view["id"])],
        )


@kept.post("")
@kept.arguments(ViewBody)
@kept.response(201, ReportViewSchema)
@requires("reports:write")
def save_view(body: dict[str, Any]) -> Response:
    """Keep a report with its arguments under a name."""
    with transaction():
        made = views.save_view(body, actor=current_actor(), now=clock.real_now())
        return answer(ReportViewSchema, shown(made.id), 201, {"Location": f"/api/v1/reports/views/{made.id}"})


@kept.get("/<uuid:report_view_id>")
@kept.response(200, ReportViewSchema)
@requires("reports:read")
def get_view(report_view_id: UUID) -> Response:
    """One view; a span in words is told in days as of today."""
    with transaction():
        return answer(ReportViewSchema, shown(report_view_id))


@kept.patch("/<uuid:report_view_id>")
@kept.arguments(ViewPatch)
@kept.response(200, ReportViewSchema)
@requires("reports:write")
def change_view(body: dict[str, Any], report_view_id: UUID) -> Response:
    """Rename it, ask it something else, share it or take it back."""
    with transaction():
        require_if_match()
        view, _ = views.get_own(report_view_id, actor=current_actor(), lock=True)
        check_if_match(view)
        views.change_view(view, body, now=clock.real_now())
        return answer(ReportViewSchema, shown(report_view_id))


@kept.delete("/<uuid:report_view_id>")
@kept.response(204)
@requires("reports:write")
def delete_view(report_view_id: UUID) -> Response:
    """It is gone; the report is not."""
    with transaction():
        view, _ = views.get_own(report_view_id, actor=current_actor(), lock=True)
        check_if_match(view)
        views.delete_view(view)
        return Response(status=204)


def shown(report_view_id: UUID) -> dict[str, Any]:
    actor = current_actor()
    view, owner = views.get_view(report_view_id, actor=actor)
    return views.shown(view, owner, actor=actor, today=tenant_today(clock.now()))
