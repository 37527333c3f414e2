"""Pages for admins about API tokens: whose there are, a new one shown once, and its end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth import queries, service
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.roles import SCOPES_OF
from app.auth.schemas import TokenBody
from app.db import transaction as reading
from app.errors import invalid
from app.http import transaction
from app.http.forms import load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page

bp = PanelBlueprint("admin_tokens", __name__)

SHOWN = 50
USUAL = timedelta(days=365)


@bp.get("/admin/tokens")
@requires("tokens:write")
def list_tokens() -> Response:
    """Tokens, newest first, my own unless all are asked for; never their secrets, which are not kept."""
    everybodys = request.args.get("of") == "all"
    mine = current_actor().person_id
    with reading():
        found, cursor = part(
            lambda after, limit: queries.list_tokens(None if everybodys else mine, after=after, limit=limit),
            lambda token: [str(token["id"])],
            limit=SHOWN,
        )
        values: dict[str, Any] = {"tokens": found, "cursor": cursor, "all": everybodys, "now": clock.real_now()}
        return page("auth/tokens.html", **values)


@bp.get("/admin/tokens/new")
@requires("tokens:write")
def new_token() -> Response:
    """The form of a new token; what it may do at most is what I may do."""
    actor = current_actor()
    with reading():
        values: dict[str, Any] = {"scopes": sorted(actor.scopes | SCOPES_OF["integration"]), "email": actor.email}
        values["expires"] = clock.real_now() + USUAL
        return page("auth/token_new.html", **values, colleagues=queries.list_colleagues())


@bp.post("/admin/tokens")
@requires("tokens:write")
def create_token() -> Response:
    """A new token, shown in this answer and never again."""
    with transaction():
        body = load_form(TokenBody)
        email = body.pop("user_email", None) or current_actor().email
        user = queries.find_user_by_email(email)
        if user is None:
            raise invalid("user_email", "expected the address of a user of this tenant")
        token, plain = service.create_token(user, **body, now=clock.real_now(), actor=current_actor())
        return page("auth/token_made.html", token=token, plain=plain, user=user)


@bp.post("/admin/tokens/<uuid:token_id>/revoke")
@requires("tokens:write")
def revoke_token(token_id: UUID) -> Response:
    """Refused from the next request on."""
    with transaction():
        service.revoke_token(queries.get_token(token_id), now=clock.real_now())
        return go(None)
