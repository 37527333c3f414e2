"""A case joins an outage or leaves it, from the case's own page."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields, validates_schema

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading_only
from app.escalations import service as escalations
from app.escalations.outages import service as outages
from app.http import Body, transaction
from app.http.panels import go, page
from app.panels.case_forms import NotNow, load
from app.panels.cases import read
from app.panels.outages import bp

MOST_OFFERED = 100


class JoinForm(Body):
    """Another outage, or with `leave` none."""

    outage_id = fields.UUID()
    leave = fields.Boolean(load_default=False)

    @validates_schema
    def one_of_them(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data.get("leave") and "outage_id" not in data:
            raise ValidationError("expected one of the open outages", "outage_id")


@bp.get("/escalations/<uuid:escalation_id>/outage")
@requires("escalations:read")
def show_join(escalation_id: UUID) -> Response:
    """The open outages, to join one or leave."""
    with reading_only():
        values = read(escalation_id)
        if "edit" not in values["allowed"]:
            raise NotNow
        here = values["case"]["outage"]
        found = [one for one in outages.list_open(limit=MOST_OFFERED) if here is None or str(one["id"]) != here["id"]]
        return page("panels/case/forms/outage.html", **values, outages=found)


@bp.post("/escalations/<uuid:escalation_id>/outage")
@requires("escalations:work")
def join(escalation_id: UUID) -> Response:
    """The case is of this outage from now on, or of none; what the former offered falls away."""
    with transaction():
        body = load(JoinForm, escalation_id)
        act = escalations.Act(current_actor(), clock.now())
        done = escalations.edit(
            escalation_id, act=act, changes={"outage_id": None if body["leave"] else body["outage_id"]}
        )
        return go(f"/escalations/{done.id}")
