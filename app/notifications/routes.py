"""Doors to one's own inbox and preferences, and for administrators to the outbox and other people's preferences."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.queries import get_user
from app.errors import NotFound
from app.http import ApiBlueprint, answer, check_if_match, page, require_if_match, transaction
from app.notifications import preferences, queries, service
from app.notifications.models import Intent
from app.notifications.schemas import (
    MessageList,
    MessagePage,
    MessageSchema,
    NotificationList,
    NotificationPage,
    NotificationSchema,
    PreferencesBody,
    PreferencesSchema,
)


def guard_user(user_id: UUID | None = None) -> None:
    """Preferences belong to a person of this tenant: the caller, or the one the path names."""
    with transaction():
        get_user(user_id or _me())


notifications = ApiBlueprint("notifications", __name__, url_prefix="/api/v1/notifications")
outbox = ApiBlueprint("outbox", __name__, url_prefix="/api/v1/outbox")
wishes = ApiBlueprint("preferences", __name__, url_prefix="/api/v1", record_guard=guard_user)
blueprints: list[ApiBlueprint] = [notifications, outbox, wishes]


def _me() -> UUID:
    user_id = current_actor().user_id
    if user_id is None:
        raise NotFound
    return user_id


@notifications.get("")
@notifications.arguments(NotificationList, location="query")
@notifications.response(200, NotificationPage)
@requires("notifications:read")
def list_notifications(query: dict[str, Any]) -> Response:
    """What I am told and why, newest first; what is held back comes when its time comes."""
    with transaction():
        return page(
            NotificationPage,
            query,
            lambda after, limit: queries.list_notifications(
                _me(), now=clock.now(), unread=query.get("unread"), after=after, limit=limit
            ),
            lambda shown: [shown.at.isoformat(), str(shown.id)],
        )


@notifications.post("/<uuid:notification_id>/read")
@notifications.response(200, NotificationSchema)
@requires("notifications:read")
def mark_read(notification_id: UUID) -> Response:
    """I have seen it; the first time counts."""
    with transaction():
        seen = service.mark_read(notification_id, user_id=_me(), now=clock.now(), recorded_at=clock.real_now())
        return answer(NotificationSchema, seen)


@outbox.get("")
@outbox.arguments(MessageList, location="query")
@outbox.response(200, MessagePage)
@requires("outbox:read")
def list_outbox(query: dict[str, Any]) -> Response:
    """Messages in one state, newest first: the dead letters unless another state is asked for."""
    with transaction():
        return page(
            MessagePage,
            query,
            lambda after, limit: queries.list_outbox(state=query["state"], after=after, limit=limit),
            lambda message: [str(message.id)],
        )


@outbox.post("/<uuid:intent_id>/redeliver")
@outbox.response(200, MessageSchema)
@requires("outbox:write")
def redeliver(intent_id: UUID) -> Response:
    """Try a dead letter again from the beginning; 409 `not_dead` for any other."""
    with transaction():
        message: Intent = service.redeliver(intent_id)
        return answer(MessageSchema, message)


@wishes.get("/me/preferences")
@wishes.response(200, PreferencesSchema)
@requires("notifications:read")
def get_my_preferences() -> Response:
    """When and by what I want to be told."""
    with transaction():
        return answer(PreferencesSchema, queries.preferences_of(_me()))


@wishes.patch("/me/preferences")
@wishes.arguments(PreferencesBody)
@wishes.response(200, PreferencesSchema)
@requires("notifications:write")
def change_my_preferences(body: dict[str, Any]) -> Response:
    """Set quiet hours, digest, channels or zone; what is held already keeps its time."""
    with transaction():
        return _change(_me(), body)


@wishes.get("/users/<uuid:user_id>/preferences")
@wishes.response(200, PreferencesSchema)
@requires("users:write")
def get_preferences(user_id: UUID) -> Response:
    """When and by what a colleague wants to be told."""
    with transaction():
        get_user(user_id)
        return answer(PreferencesSchema, queries.preferences_of(user_id))


@wishes.patch("/users/<uuid:user_id>/preferences")
@wishes.arguments(PreferencesBody)
@wishes.response(200, PreferencesSchema)
@requires("users:write")
def change_preferences(body: dict[str, Any], user_id: UUID) -> Response:
    """Set a colleague's preferences in their place."""
    with transaction():
        get_user(user_id)
        return _change(user_id, body)


def _change(user_id: UUID, body: dict[str, Any]) -> Response:
    require_if_match()
    row = preferences.lock_preferences(user_id)
    check_if_match(row)
    preferences.change_preferences(row, body)
    return answer(PreferencesSchema, queries.preferences_of(user_id))
