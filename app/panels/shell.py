"""The page that a CRM's frame opens: no content of its own, only what fetches it with a bearer kept in memory.

It holds nothing of a tenant but the origins that may embed it. Its scripts and styles are ours, under names that
change with their content, so that a browser keeps them for good.
"""

import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request

from app import clock, texts
from app.auth import panel_sessions
from app.auth.actor import current_actor
from app.auth.errors import LaunchRefused
from app.auth.guards import public, requires
from app.db import NoTenantScope, transaction
from app.errors import NotFound
from app.http.panels import CORS, PanelBlueprint, choose_language, pressed
from app.http.parser import UNSTORABLE
from app.panels.embed.installations import allowed_origins

STATIC = Path(__file__).parent / "static"
SELF = "'self'"
FOREVER = "public, max-age=31536000, immutable"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)

bp = Blueprint("shell", __name__, url_prefix="/panel", template_folder="templates")
session = PanelBlueprint("panel_session", __name__)


@bp.get("/t/<uuid:tenant_id>")
@public
def open_shell(tenant_id: UUID) -> Response:
    """The page for a frame; the launch comes in the address's fragment, which no server and no log sees."""
    with transaction(tenant=tenant_id):
        origins = embedding_origins()
    return shell(tenant_id, origins)


def shell(tenant_id: UUID, origins: tuple[str, ...] = (), *, launch: str | None = None, **host: str) -> Response:
    """The page as it may stand inside `origins`, and by itself; `launch` is given when a CRM has posted its proof.

    Of a `host` that says itself which record it shows, `script` is ours that asks it and `records` our name for them.
    """
    choose_language()
    values = {
        "tenant_id": tenant_id,
        "origins": [one for one in origins if one != SELF],
        "launch": launch,
        "language": texts.language(),
        "host": host,
    }
    response = make_response(render_template("panels/shell.html", **values))
    response.headers["Content-Security-Policy"] = CSP.format(ancestors=" ".join(origins) or "'none'")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def embedding_origins() -> tuple[str, ...]:
    """Whose pages may embed the panel of the tenant in scope: ours and theirs; none of a tenant that there isn't."""
    try:
        return (SELF, *allowed_origins())
    except NoTenantScope:
        return ()


@bp.post("/session")
@public
def begin() -> Response:
    """Exchange a launch, sent as `launch`, for the panel's session; `former` is the one it goes on from."""
    token = UNSTORABLE.sub("", request.form.get("launch", ""))
    try:
        with transaction(tenant=panel_sessions.tenant_of(token)):
            opened = panel_sessions.redeem(token, former=request.form.get("former"), now=clock.real_now())
    except LaunchRefused as refused:
        return told({"detail": texts.gettext(refused.detail)}, 401)
    return told({"token": opened.token, "seconds": opened.seconds, "renewal": opened.renewal, "path": opened.path,
                 "origin": opened.origin, "user": opened.user_id})  # fmt: skip


@session.post("/session/renew")
@requires("notifications:read")
def renew() -> Response:
    """A new secret for the same session."""
    with transaction():
        opened = panel_sessions.renew(current_actor().principal_id, now=clock.real_now())
    return told({"token": opened.token, "seconds": opened.seconds})


@session.post("/session/end")
@requires("notifications:read")
def end() -> Response:
    """Sign out: the session opens nothing from now on."""
    with transaction():
        panel_sessions.end(current_actor().principal_id)
    return told({})


@session.get("/<path:rest>")
@requires("notifications:read")
def missing(rest: str) -> Response:
    """A page that there isn't, said in the panel."""
    raise NotFound


def told(content: dict[str, object], status: int = 200) -> Response:
    response: Response = current_app.response_class(
        current_app.json.dumps(content), status=status, mimetype="application/json"
    )
    if request.headers.get("Origin") == "null":
        response.headers.update(CORS)
    return response


@bp.get("/static/<name>")
@public
def static_file(name: str) -> Response:
    """A script, style or icon by the name that its content gave it."""
    path = hashed_files().get(name)
    if path is None:
        abort(404)
    response = make_response(path.read_bytes())
    response.mimetype = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    response.headers["Cache-Control"] = FOREVER
    response.headers["Vary"] = "Accept-Encoding"
    return pressed(response)


@cache
def hashed_files() -> dict[str, Path]:
    """Each file of the panel under `name.<hash>.ext`."""
    return {_hashed(path): path for path in sorted(STATIC.iterdir())}


@cache
def _hashed(path: Path) -> str:
    return f"{path.stem}.{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}{path.suffix}"


@bp.app_template_global("asset")
def asset(name: str) -> str:
    """The address of a file of the panel."""
    return f"/panel/static/{_hashed(STATIC / name)}"
