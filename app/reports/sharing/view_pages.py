"""Pages of saved views: what I keep and what is shared, a new one of the report one comes from, and its changes."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.accounts.queries import tenant_today
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading
from app.http import transaction
from app.http.forms import check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.reports.sharing import page_parts, views
from app.reports.sharing.schemas import ViewBody, ViewPatch
from app.texts import noted

bp = PanelBlueprint("report_view_pages", __name__)

SHOWN = 50
HOME = "/reports/views"
LABELS = {"name": noted("Name"), "shared": noted("Shared"), "arguments": noted("What it asks")}


class ViewForm(ViewPatch):
    version = fields.Integer(required=True)


@bp.get(HOME)
@requires("reports:read")
def list_views() -> Response:
    """Saved views, mine and shared ones, by name; each opens its report."""
    with reading():
        actor, today = current_actor(), tenant_today(clock.now())
        found, cursor = part(
            lambda after, limit: views.list_views(actor=actor, today=today, after=after, limit=limit),
            lambda view: [view["name"], str(view["id"])],
            limit=SHOWN,
        )
        return page("sharing/views.html", views=found, cursor=cursor, may=actor.may("reports:write"))


@bp.get(f"{HOME}/new")
@requires("reports:write")
def new_view() -> Response:
    """The report of the page one comes from, under a name."""
    with reading():
        asked = page_parts.proposed()
        return page("sharing/view_new.html", asked=asked, spans=page_parts.spans(), kinds=page_parts.kinds())


@bp.post(HOME)
@requires("reports:write")
def save_view() -> Response:
    """Keep it."""
    with transaction():
        views.save_view(load_form(ViewBody), actor=current_actor(), now=clock.real_now())
        return go(HOME)


@bp.get(f"{HOME}/<uuid:report_view_id>")
@requires("reports:read")
def show_view(report_view_id: UUID) -> Response:
    """What a view asks, and its form for who may change it."""
    with reading():
        actor = current_actor()
        view, owner = views.get_view(report_view_id, actor=actor)
        shown: dict[str, Any] = views.shown(view, owner, actor=actor, today=tenant_today(clock.now()))
        return page("sharing/view.html", view=shown, spans=page_parts.spans(), may=actor.may("reports:write"))


@bp.post(f"{HOME}/<uuid:report_view_id>")
@requires("reports:write")
def change_view(report_view_id: UUID) -> Response:
    """Rename it, ask it something else, share it or take it back."""
    with transaction():
        changes = load_form(ViewForm)
        view, _ = views.get_own(report_view_id, actor=current_actor(), lock=True)
        present = {"name": view.name, "shared": view.shared}
        changes = check_version(view.version, {"shared": False, "arguments": {}, **changes}, present, LABELS)
        views.change_view(view, changes, now=clock.real_now())
        return go(HOME)


@bp.post(f"{HOME}/<uuid:report_view_id>/delete")
@requires("reports:write")
def delete_view(report_view_id: UUID) -> Response:
    """It is gone; the report is not."""
    with transaction():
        view, _ = views.get_own(report_view_id, actor=current_actor(), lock=True)
        views.delete_view(view)
        return go(HOME)
