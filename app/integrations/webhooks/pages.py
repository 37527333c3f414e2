"""Pages for admins about webhooks: where they go, of what they tell, and what became of each message."""

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import fields

from app import clock
from app.auth.guards import requires
from app.db import transaction as reading
from app.http import Body, transaction
from app.http.forms import check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.integrations.webhooks import subscriptions
from app.integrations.webhooks.kinds import EVENTS
from app.integrations.webhooks.models import STATES
from app.integrations.webhooks.schemas import WebhookBody, WebhookPatch
from app.texts import noted

bp = PanelBlueprint("admin_webhooks", __name__)

SHOWN = 30
LABELS = {"url": noted("Address"), "events": noted("Of what it is told"), "active": noted("In use")}


class ChangeForm(WebhookPatch):
    version = fields.Integer(required=True)


class VersionForm(Body):
    version = fields.Integer(required=True)


@bp.get("/admin/webhooks")
@requires("webhooks:write")
def list_webhooks() -> Response:
    """Webhooks in the order in which they were set up, and the form of a new one."""
    with reading():
        found, cursor = part(
            lambda after, limit: subscriptions.list_subscriptions(after=after, limit=limit),
            lambda one: [str(one.id)],
            limit=SHOWN,
        )
        return page("webhooks/list.html", found=found, cursor=cursor, events=EVENTS)


@bp.post("/admin/webhooks")
@requires("webhooks:write")
def subscribe() -> Response:
    """Set one up; its secret stands in this answer alone."""
    with transaction():
        made, secret = subscriptions.subscribe(**load_form(WebhookBody), now=clock.real_now())
        return page("webhooks/secret.html", one=made, secret=secret)


@bp.get("/admin/webhooks/<uuid:webhook_subscription_id>")
@requires("webhooks:write")
def show_webhook(webhook_subscription_id: UUID) -> Response:
    """One webhook and its messages, newest first."""
    asked = request.args.get("state")
    state = asked if asked in STATES else None
    with reading():
        one = subscriptions.get_subscription(webhook_subscription_id)
        told, cursor = part(
            lambda after, limit: subscriptions.list_deliveries(one.id, state, after=after, limit=limit),
            lambda delivery: [str(delivery.id)],
            limit=SHOWN,
        )
        values: dict[str, Any] = {"one": one, "told": told, "cursor": cursor, "state": state, "states": STATES}
        return page("webhooks/one.html", **values, events=EVENTS)


@bp.post("/admin/webhooks/<uuid:webhook_subscription_id>")
@requires("webhooks:write")
def change_webhook(webhook_subscription_id: UUID) -> Response:
    """Change address or events, or switch it off and on."""
    with transaction():
        one = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        present = {name: getattr(one, name) for name in LABELS}
        changes = check_version(one.version, load_form(ChangeForm), present, LABELS)
        subscriptions.change(one, changes, now=clock.real_now())
        return go(f"/admin/webhooks/{webhook_subscription_id}")


@bp.post("/admin/webhooks/<uuid:webhook_subscription_id>/remove")
@requires("webhooks:write")
def remove_webhook(webhook_subscription_id: UUID) -> Response:
    """Gone with all that was told to it."""
    with transaction():
        one = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        check_version(one.version, load_form(VersionForm), {}, LABELS)
        subscriptions.remove(one)
        return go("/admin/webhooks")


@bp.post("/admin/webhooks/<uuid:webhook_subscription_id>/rotate-secret")
@requires("webhooks:write")
def rotate_secret(webhook_subscription_id: UUID) -> Response:
    """A new secret, shown in this answer alone; for a day the former one signs as well."""
    with transaction():
        one = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        return page("webhooks/secret.html", one=one, secret=subscriptions.rotate(one, now=clock.real_now()))


@bp.post("/admin/webhooks/<uuid:webhook_subscription_id>/test")
@requires("webhooks:write")
def try_out(webhook_subscription_id: UUID) -> Response:
    """Send a message that tells of nothing."""
    with transaction():
        one = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        subscriptions.try_out(one, now=clock.real_now())
        return go(f"/admin/webhooks/{webhook_subscription_id}")


@bp.post("/admin/webhooks/deliveries/<uuid:webhook_delivery_id>/redeliver")
@requires("webhooks:write")
def redeliver(webhook_delivery_id: UUID) -> Response:
    """Try one that was given up again."""
    with transaction():
        subscriptions.redeliver(webhook_delivery_id)
        return go(None)
