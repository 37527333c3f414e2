"""What was not delivered, for admins: dead letters, messages that wait and why, clocks that stand aside."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth import queries as users
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.escalations import set_aside
from app.http import decode_cursor, encode_cursor
from app.http import transaction as answering
from app.http.panels import PanelBlueprint, go, page
from app.notifications import queries as messages
from app.notifications import service as notifications
from app.notifications.models import STATES

bp = PanelBlueprint("admin_outbox", __name__)

SHOWN = 30


@bp.get("/admin/outbox")
@requires("outbox:read")
def show() -> Response:
    """Messages in one state, the dead ones unless another is asked for, and above them clocks that stand aside."""
    asked = request.args.get("state")
    state = asked if asked in STATES else "dead"
    after = decode_cursor(request.args.get("cursor"))
    with transaction():
        found = messages.list_outbox(state=state, after=after, limit=SHOWN + 1)
        shown = found[:SHOWN]
        people = users.list_active(ids={one.user_id for one in shown if one.user_id}) if shown else []
        values: dict[str, Any] = {"messages": shown, "state": state, "now": clock.now(), "real_now": clock.real_now()}
        values["names"] = {person.id: person.name for person in people}
        values["path"] = f"/admin/outbox?state={asked}" if asked else "/admin/outbox"
        values["cursor"] = encode_cursor([str(shown[-1].id)]) if len(found) > SHOWN else None
        if after is not None:
            return page("escalations/outbox_lines.html", **values)
        values["aside"] = set_aside.list_set_aside(actor=current_actor(), now=clock.now(), limit=SHOWN)
        return page("escalations/outbox.html", states=STATES, **values)


@bp.post("/admin/outbox/<uuid:intent_id>/redeliver")
@requires("outbox:write")
def redeliver(intent_id: UUID) -> Response:
    """Try a dead letter again from the beginning."""
    with answering():
        notifications.redeliver(intent_id)
        return go(None)


@bp.post("/admin/outbox/clocks/retry")
@requires("outbox:write")
def retry() -> Response:
    """Take up again every clock that stands aside."""
    with answering():
        set_aside.take_up_again()
        return go(None)
