"""The door for a tenant's own backend: whoever it vouches for is let in, by a token of the API that says it may."""

from typing import Any

from flask import Response

from app import clock
from app.auth.guards import requires
from app.http import ApiBlueprint, answer, transaction
from app.panels.embed.schemas import LaunchBody, LaunchSchema
from app.panels.embed.signing import launch_for_backend

bp = ApiBlueprint("embed_sessions", __name__, url_prefix="/api/v1/embed")


@bp.post("/sessions")
@bp.arguments(LaunchBody)
@bp.response(201, LaunchSchema)
@requires("panels:launch")
def launch(body: dict[str, Any]) -> Response:
    """A way into the panel for somebody, good once within a minute; nothing of it is kept but a hash."""
    with transaction():
        made = launch_for_backend(body, now=clock.real_now())
        return answer(LaunchSchema, made, 201, once=("launch_url", "token"))
