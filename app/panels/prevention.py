"""A prevention action as a page: done, dropped with the reason, another day or owner, or open again."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth import queries as users
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading
from app.escalations import overview
from app.escalations import service as escalations
from app.escalations.closure_schemas import PreventionChangeBody
from app.escalations.models import PreventionAction
from app.http import transaction
from app.http.forms import check_version, load_form
from app.http.panels import PanelBlueprint, go, page
from app.panels.case_forms import doing
from app.texts import noted

bp = PanelBlueprint("panel_prevention", __name__)

LABELS = {"state": noted("State"), "due_on": noted("By which day?"), "owner_email": noted("By whom?")}


class PreventionForm(PreventionChangeBody):
    version = fields.Integer(required=True)


@bp.get("/prevention/<uuid:prevention_action_id>")
@requires("escalations:read")
def show_prevention(prevention_action_id: UUID) -> Response:
    """What somebody promised to do so that it does not happen again."""
    with reading():
        actor, now = current_actor(), clock.now()
        found = overview.get_action(prevention_action_id, actor=actor, now=now)
        may = actor.may("escalations:work") and escalations.may_change_prevention(
            prevention_action_id, escalations.Act(actor, now)
        )
        values: dict[str, Any] = {"action": found, "may": may, "colleagues": overview.list_colleagues() if may else ()}
        return page("panels/prevention.html", **values)


@bp.post("/prevention/<uuid:prevention_action_id>")
@requires("escalations:work")
def change_prevention(prevention_action_id: UUID) -> Response:
    """Kept in the case's timeline, also when the case is closed."""
    with transaction():
        overview.get_action(prevention_action_id, actor=current_actor(), now=clock.now())
        changes = load_form(PreventionForm)

        def check(row: PreventionAction) -> None:
            owner = users.get_user(row.owner_id).email
            check_version(
                row.version, changes, {"state": row.state, "due_on": row.due_on, "owner_email": owner}, LABELS
            )

        escalations.change_prevention(prevention_action_id, act=doing(changes), changes=changes, check=check)
        return go(f"/prevention/{prevention_action_id}")
