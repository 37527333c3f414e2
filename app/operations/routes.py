"""Doors to the sandbox clock, and those that machines knock at: alive, ready, metrics."""

from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST

from app import clock
from app.auth.guards import public, requires
from app.http import ApiBlueprint, answer, transaction
from app.operations import health, metrics, pages, sandbox
from app.operations.imports.routes import imports
from app.operations.schemas import AdvanceBody, AdvancedSchema

sandbox_clock = ApiBlueprint("sandbox", __name__, url_prefix="/api/v1/sandbox")
machines = Blueprint("machines", __name__)
blueprints = [sandbox_clock, imports, machines, pages.bp]

machines.after_app_request(metrics.observe)


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


@machines.get("/healthz")
@public
def healthz() -> Response:
    """This process is alive; nothing else is asked."""
    return jsonify(status="alive")


@machines.get("/readyz")
@public
def readyz() -> Response:
    """503 only without a database at our migration; what else is away is named, and we go on."""
    checks = health.check_all()
    status = health.overall(checks)
    response = jsonify(status=status, checks={check.name: check.shown() for check in checks})
    response.status_code = 503 if status == "unavailable" else 200
    return response


@machines.get("/metrics")
@public
def show_metrics() -> Response:
    """Numbers over all tenants, none of which names one."""
    return Response(metrics.expose(), content_type=CONTENT_TYPE_LATEST)
