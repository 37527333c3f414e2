"""Doors of the API to webhooks and to what was told to each."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app import clock
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.integrations.webhooks import pages, schemas, subscriptions


def guard_subscription(webhook_subscription_id: UUID, **others: Any) -> None:
    with transaction():
        subscriptions.get_subscription(webhook_subscription_id)


bp = ApiBlueprint(
    "webhook_subscriptions", __name__, url_prefix="/api/v1/webhook-subscriptions", record_guard=guard_subscription
)
told = ApiBlueprint(
    "webhook_deliveries",
    __name__,
    url_prefix="/api/v1/webhook-subscriptions/<uuid:webhook_subscription_id>",
    record_guard=guard_subscription,
    versioned=False,
)
again = ApiBlueprint("webhook_redeliveries", __name__, url_prefix="/api/v1/webhook-deliveries")
blueprints: list[Blueprint] = [bp, told, again, pages.bp]

SHOWN = tuple(schemas.WebhookSchema().fields)


@bp.get("")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.WebhookPage)
@requires("webhooks:write")
def list_subscriptions(query: dict[str, Any]) -> Response:
    """Webhooks in the order in which they were set up; never their secrets."""
    with transaction():
        return page(
            schemas.WebhookPage,
            query,
            lambda after, limit: subscriptions.list_subscriptions(after=after, limit=limit),
            lambda one: [str(one.id)],
        )


@bp.post("")
@bp.arguments(schemas.WebhookBody)
@bp.response(201, schemas.WebhookMadeSchema)
@requires("webhooks:write")
def subscribe(body: dict[str, Any]) -> Response:
    """Be told of what is recorded from now on; the answer has the secret that signs, and nothing shows it again."""
    with transaction():
        made, secret = subscriptions.subscribe(**body, now=clock.real_now())
        location = {"Location": f"/api/v1/webhook-subscriptions/{made.id}"}
        shown = {**{name: getattr(made, name) for name in SHOWN}, "secret": secret}
        return answer(schemas.WebhookMadeSchema, shown, 201, location, once=("secret",))


@bp.get("/<uuid:webhook_subscription_id>")
@bp.response(200, schemas.WebhookSchema)
@requires("webhooks:write")
def get_subscription(webhook_subscription_id: UUID) -> Response:
    """One webhook."""
    with transaction():
        return answer(schemas.WebhookSchema, subscriptions.get_subscription(webhook_subscription_id))


@bp.patch("/<uuid:webhook_subscription_id>")
@bp.arguments(schemas.WebhookPatch)
@bp.response(200, schemas.WebhookSchema)
@requires("webhooks:write")
def change_subscription(body: dict[str, Any], webhook_subscription_id: UUID) -> Response:
    """Change address or events, or switch it off and on."""
    with transaction():
        found = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        require_if_match()
        check_if_match(found)
        return answer(schemas.WebhookSchema, subscriptions.change(found, body, now=clock.real_now()))


@bp.delete("/<uuid:webhook_subscription_id>")
@bp.response(204)
@requires("webhooks:write")
def remove_subscription(webhook_subscription_id: UUID) -> Response:
    """Remove a webhook with all that was told to it."""
    with transaction():
        found = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        check_if_match(found)
        subscriptions.remove(found)
        return Response(status=204)


@told.post("/rotate-secret")
@told.response(200, schemas.SecretSchema)
@requires("webhooks:write")
def rotate_secret(webhook_subscription_id: UUID) -> Response:
    """A new secret; for a day the former one signs as well."""
    with transaction():
        found = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        secret = subscriptions.rotate(found, now=clock.real_now())
        return answer(schemas.SecretSchema, {"secret": secret, "old_until": found.old_until}, once=("secret",))


@told.post("/test")
@told.response(202, schemas.WebhookDeliverySchema)
@requires("webhooks:write")
def try_out(webhook_subscription_id: UUID) -> Response:
    """Send a message of the type `firsthand.test`."""
    with transaction():
        found = subscriptions.get_subscription(webhook_subscription_id, lock=True)
        return answer(schemas.WebhookDeliverySchema, subscriptions.try_out(found, now=clock.real_now()), 202)


@told.get("/deliveries")
@told.arguments(schemas.DeliveryArguments, location="query")
@told.response(200, schemas.WebhookDeliveryPage)
@requires("webhooks:write")
def list_deliveries(query: dict[str, Any], webhook_subscription_id: UUID) -> Response:
    """What was or is to be told to one webhook, newest first."""
    with transaction():
        subscriptions.get_subscription(webhook_subscription_id)
        return page(
            schemas.WebhookDeliveryPage,
            query,
            lambda after, limit: subscriptions.list_deliveries(
                webhook_subscription_id, query.get("state"), after=after, limit=limit
            ),
            lambda one: [str(one.id)],
        )


@again.post("/<uuid:webhook_delivery_id>/redeliver")
@again.response(202, schemas.WebhookDeliverySchema)
@requires("webhooks:write")
def redeliver(webhook_delivery_id: UUID) -> Response:
    """Try a delivery that was given up again, under the same id; its webhook must be switched on."""
    with transaction():
        return answer(schemas.WebhookDeliverySchema, subscriptions.redeliver(webhook_delivery_id), 202)
