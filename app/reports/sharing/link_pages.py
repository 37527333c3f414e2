"""Pages of links to reports: mine, a new one shown once, who opened it when, and its end."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading
from app.errors import Forbidden
from app.http import transaction
from app.http.forms import load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.reports.sharing import links, page_parts, views
from app.reports.sharing.link_routes import link_of
from app.reports.sharing.schemas import ReportLinkBody

bp = PanelBlueprint("report_link_pages", __name__)

SHOWN = 50
HOME = "/reports/links"


@bp.get(HOME)
@requires("reports:write")
def list_links() -> Response:
    """Links to reports, newest first, mine unless an admin asks for all."""
    actor, everybodys = current_actor(), request.args.get("of") == "all"
    if everybodys and actor.role != "admin":
        raise Forbidden("Everybody's links are for admins")
    with reading():
        found, cursor = part(
            lambda after, limit: links.list_links(actor=actor, everybodys=everybodys, after=after, limit=limit),
            lambda link: [str(link["id"])],
            limit=SHOWN,
        )
        values: dict[str, Any] = {"links": found, "cursor": cursor, "all": everybodys, "admin": actor.role == "admin"}
        return page("sharing/links.html", **values, now=clock.real_now())


@bp.get(f"{HOME}/new")
@requires("reports:write")
def new_link() -> Response:
    """A link to the report of the page one comes from, or to a view."""
    with reading():
        asked, actor = page_parts.proposed(), current_actor()
        view = views.get_view(UUID(asked["view_id"]), actor=actor)[0] if asked["view_id"] else None
        return page("sharing/link_new.html", asked=asked, view=view, spans=page_parts.spans(), kinds=page_parts.kinds())


@bp.post(HOME)
@requires("reports:write")
def make_link() -> Response:
    """The link, shown in this answer and never again."""
    with transaction():
        return page("sharing/link_made.html", link=link_of(load_form(ReportLinkBody)))


@bp.get(f"{HOME}/<uuid:report_link_id>")
@requires("reports:write")
def show_link(report_link_id: UUID) -> Response:
    """What a link shows and when it was opened."""
    with reading():
        found = links.get_link(report_link_id, actor=current_actor())
        openings, cursor = part(
            lambda after, limit: links.list_openings(report_link_id, after=after, limit=limit),
            lambda opening: [str(opening.id)],
            limit=SHOWN,
        )
        return page("sharing/link.html", link=found, openings=openings, cursor=cursor, now=clock.real_now())


@bp.post(f"{HOME}/<uuid:report_link_id>/revoke")
@requires("reports:write")
def revoke_link(report_link_id: UUID) -> Response:
    """It leads nowhere from now on."""
    with transaction():
        links.revoke(report_link_id, actor=current_actor(), real_now=clock.real_now())
        return go(None)
