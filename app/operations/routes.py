"""Doors to the sandbox clock."""

from typing import Any

from flask import Response

from app import clock
from app.auth.guards import requires
from app.http import ApiBlueprint, answer, transaction
from app.operations import sandbox
from app.operations.schemas import AdvanceBody, AdvancedSchema

sandbox_clock = ApiBlueprint("sandbox", __name__, url_prefix="/api/v1/sandbox")
blueprints: list[ApiBlueprint] = [sandbox_clock]


@sandbox_clock.post("/clock")
@sandbox_clock.arguments(AdvanceBody)
@sandbox_clock.response(200, AdvancedSchema)
@requires("sandbox:write")
def advance_clock(body: dict[str, Any]) -> Response:
    """Move a sandbox tenant's time forward; what falls due on the way happens at its moment."""
    with transaction(answered_later=True):
        lease = sandbox.take(real_now=clock.real_now())
    sandbox.advance(lease, body["advance"])
    with transaction():
        fired = sandbox.count_fired(lease.began_at)
        return answer(AdvancedSchema, {"now": clock.now(), "fired": fired})
