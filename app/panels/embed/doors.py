"""Where a CRM posts the browser of somebody who opens the panel: the panel itself is the answer, with no redirect.

The launch stands inside the page, so it is in no address, no history and no referrer.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from app import clock
from app.auth.guards import public
from app.db import transaction
from app.http.panels import choose_language
from app.panels.embed import identities, used
from app.panels.embed.errors import NotApproved, NotPosted
from app.panels.embed.installations import allowed_origins, get_installation, read_place, secret_of
from app.panels.embed.kinds import KINDS
from app.panels.embed.salesforce import read_signed_request
from app.panels.embed.signing import let_in, path_of
from app.panels.embed.zendesk import SKEW_SECONDS, host_of, read_token
from app.panels.shell import SELF, shell

# A page that says only why nothing opens may be read in any page of these CRMs: it names nobody and has no button.
READABLE_IN = " ".join([SELF, *(host for kind in KINDS.values() for host in kind.pages)])
REFUSAL_CSP = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors " + READABLE_IN
)


class DoorBlueprint(Blueprint):
    """Doors for a person's browser: what is refused is said as a page."""

    @staticmethod
    def refusal(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
        """Why the panel does not open, and what to ask whom."""
        choose_language()
        values = {"status": status, "code": code, "title": title, "detail": detail, **about(extra)}
        response = make_response(render_template("panels/embed/refused.html", **values), status)
        response.headers["Content-Security-Policy"] = REFUSAL_CSP
        return response


def about(extra: dict[str, Any]) -> dict[str, Any]:
    """What the CRM said of the person, for them to pass on to whoever can let them in."""
    return {name: extra.get(name) for name in ("crm_user", "crm_email", "crm_name")}


doors = DoorBlueprint("embed_doors", __name__, url_prefix="/panel/embed")


@doors.post("/salesforce/<place>")
@public
def salesforce(place: str) -> Response:
    """Canvas posts a signed request: the panel opens at its record."""
    tenant_id, installation_id = read_place(place)
    sent = request.form.get("signed_request", "")
    now = clock.real_now()
    with transaction(tenant=tenant_id):
        installation = get_installation(installation_id, kind="salesforce")
        visit = read_signed_request(sent, secret=secret_of(installation), organization_id=installation.external_key)
        used.use_once(installation, sent.partition(".")[2], kept_until=now + used.UNDATED)
        user = identities.find_user(installation, visit.user_id, visit.email, now=now)
        path = path_of(installation.account_source, visit.record_id)
        origin = next(iter(visit.origins), None)
        launch = let_in(user, path=path, via="salesforce", origin=origin, now=now)
        origins = (SELF, *visit.origins, *allowed_origins())
    return shell(tenant_id, origins, launch=launch)


@doors.post("/zendesk/<place>")
@public
def zendesk(place: str) -> Response:
    """Zendesk posts a token: the panel opens, and asks Zendesk's page which record it stands beside."""
    tenant_id, installation_id = read_place(place)
    token = request.form.get("token", "")
    now = clock.real_now()
    with transaction(tenant=tenant_id):
        installation = get_installation(installation_id, kind="zendesk")
        key, audience = installation.public_key or "", installation.external_key
        visit = read_token(token, public_key=key, audience=audience, now=int(now.timestamp()))
        until = datetime.fromtimestamp(visit.expires_at, UTC) + timedelta(seconds=SKEW_SECONDS)
        used.use_once(installation, token.rpartition(".")[0], kept_until=until)
        user = identities.find_user(installation, visit.user_id, None, now=now)
        origin = f"https://{host_of(audience)}"
        launch = let_in(user, via="zendesk", origin=origin, now=now)
        origins = (SELF, origin, *allowed_origins())
    return shell(tenant_id, origins, launch=launch, script="zendesk.js", records=installation.account_source)


@doors.get("/salesforce/<place>")
@doors.get("/zendesk/<place>")
@public
def unproven(place: str) -> Response:
    """Opened without a proof: Salesforce does so while nobody of its admins has let this person use the app."""
    raise NotApproved if "_sfdc_canvas_authvalue" in request.args else NotPosted
