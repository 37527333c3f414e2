"""HubSpot's card asks through HubSpot's own servers, which sign each request: no browser, so no page and no CORS.

Reading changes nothing but who is learnt, and is answered as often as it is asked: HubSpot asks again when an answer
does not arrive. A launch is made once for each signature.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, json, request
from marshmallow import EXCLUDE, ValidationError, fields, validate
from marshmallow import Schema as Loaded

from app import clock
from app.auth.guards import public
from app.auth.models import User
from app.db import transaction
from app.errors import Invalid
from app.http import AwareDateTime, Schema
from app.http.panels import choose_language
from app.http.parser import flatten
from app.panels.embed import identities, used
from app.panels.embed.card import COMPANY, CardSchema, card_of
from app.panels.embed.errors import Malformed
from app.panels.embed.hubspot import WINDOW_MS, check_request, read_caller
from app.panels.embed.installations import get_installation, read_place, secret_of
from app.panels.embed.models import EmbedInstallation
from app.panels.embed.signing import let_in, path_of, told

SIGNATURE, TIMESTAMP = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"

card = Blueprint("embed_card", __name__, url_prefix="/panel/embed/hubspot")


class CardQuestion(Loaded):
    """Which record the card stands beside; what else a card sends is its own affair."""

    class Meta:
        unknown = EXCLUDE

    objectId = fields.String(required=True, validate=validate.Regexp(r"^[0-9]{1,20}\Z"))  # noqa: N815
    objectTypeId = fields.String(load_default=COMPANY, validate=validate.Length(1, 50))  # noqa: N815
    escalation_id = fields.UUID()
    page = fields.String(validate=validate.OneOf(("raise",)))


class WaySchema(Schema):
    """A way into the panel, good once within a minute."""

    panel_url = fields.String()
    expires_at = AwareDateTime()


@dataclass(frozen=True)
class Caller:
    """Who asks beside which record, checked; the transaction of their tenant is open."""

    installation: EmbedInstallation
    user: User
    question: Mapping[str, Any]
    now: datetime


@card.route("/<place>", methods=["GET", "POST"])
@public
def show(place: str) -> Response:
    """What the company has at stake and open."""
    with checked(place) as caller:
        asked = caller.question
        source = caller.installation.account_source
        found = card_of(source, asked["objectTypeId"], asked["objectId"], user=caller.user, now=clock.now())
        return answered(CardSchema(), found, 200)


@card.post("/<place>/launch")
@public
def launch(place: str) -> Response:
    """A way into the panel for the frame that HubSpot opens, at the company or at one of its escalations."""
    with checked(place) as caller:
        kept_until = caller.now + timedelta(milliseconds=2 * WINDOW_MS)
        used.use_once(caller.installation, request.headers[SIGNATURE], kept_until=kept_until)
        token = let_in(caller.user, path=_path(caller), via="hubspot", now=caller.now)
        way = told(token, now=caller.now)
        return answered(WaySchema(), {**way, "panel_url": way["launch_url"]}, 201)


def _path(caller: Caller) -> str:
    asked = caller.question
    if "escalation_id" in asked:
        return f"/escalations/{asked['escalation_id']}"
    company = asked["objectId"] if asked["objectTypeId"] == COMPANY else None
    return path_of(caller.installation.account_source, company, raising="page" in asked)


@contextmanager
def checked(place: str) -> Iterator[Caller]:
    """The caller of a request that HubSpot signed for this connection's portal, in its tenant's transaction."""
    tenant_id, installation_id = read_place(place)
    body = request.get_data(cache=True)
    choose_language()
    with transaction(tenant=tenant_id):
        installation = get_installation(installation_id, kind="hubspot")
        now = clock.real_now()
        check_request(
            method=request.method,
            uri=uri_of(),
            body=body,
            signature=request.headers.get(SIGNATURE),
            timestamp=request.headers.get(TIMESTAMP),
            secret=secret_of(installation),
            now_ms=int(now.timestamp() * 1000),
        )
        theirs = read_caller(request.query_string.decode("latin-1"), portal_id=installation.external_key)
        user = identities.find_user(installation, theirs.user_id, theirs.email, now=now)
        yield Caller(installation, user, read_question(body), now)


def uri_of() -> str:
    """The address that was signed: the one we are known by, whatever the request's Host says."""
    query = request.query_string.decode("latin-1")
    address = f"{current_app.config['BASE_URL']}{request.path}"
    return f"{address}?{query}" if query else address


def read_question(body: bytes) -> dict[str, Any]:
    """What the card asks, of the body or, without one, of the query."""
    try:
        asked = json.loads(body) if body else request.args.to_dict()
        loaded: dict[str, Any] = CardQuestion().load(asked)
    except ValidationError as error:
        errors = [{"pointer": path or "/", "detail": detail} for path, detail in flatten(error.messages)]
        raise Invalid("; ".join(f"{one['pointer']}: {one['detail']}" for one in errors), errors=errors) from None
    except (ValueError, RecursionError):
        raise Malformed("The body is not valid JSON") from None
    return loaded


def answered(schema: Schema, value: Any, status: int) -> Response:
    content = json.dumps(schema.dump(value))
    response: Response = current_app.response_class(content, status=status, mimetype="application/json")
    return response
