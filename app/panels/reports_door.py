"""Reports by an address of their own: whoever opens it outside a CRM signs in and stands before them in the panel."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from sqlalchemy import text

from app.auth.errors import NoProvider
from app.auth.guards import public
from app.db import finding
from app.panels.sign_in import answered

bp = Blueprint("reports_door", __name__, url_prefix="/reports")

TENANTS = text("select id from tenant limit 2")


@bp.get("")
@bp.get("/<path:rest>")
@public
@answered
def lead(rest: str = "") -> Response:
    """To the sign-in of the one tenant there is; where there are several, the address has to say which."""
    with finding() as session:
        tenants = list(session.scalars(TENANTS))
    if len(tenants) != 1:
        raise NoProvider
    return _sign_in(tenants[0], rest)


@bp.get("/of/<uuid:tenant_id>")
@bp.get("/of/<uuid:tenant_id>/<path:rest>")
@public
@answered
def lead_of(tenant_id: UUID, rest: str = "") -> Response:
    """To the sign-in of this tenant."""
    return _sign_in(tenant_id, rest)


def _sign_in(tenant_id: UUID, rest: str) -> Response:
    asked = request.query_string.decode("ascii", "replace")
    path = f"/reports/{rest}".rstrip("/") + (f"?{asked}" if asked else "")
    made: Any = redirect(url_for("sign_in.begin", tenant=tenant_id.hex, next=path))
    answer: Response = made
    return answer
