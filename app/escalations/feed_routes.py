"""Doors to a person's own calendar of deadlines: its secret address and the feed behind it."""

import hashlib
from uuid import UUID

from flask import Blueprint, Response, request

from app import clock
from app.auth import feeds
from app.auth.actor import Actor, current_actor
from app.auth.guards import public, requires
from app.db import transaction as plain_transaction
from app.errors import NotFound
from app.escalations.deadlines import calendar_of, list_deadlines
from app.escalations.feed_schemas import CalendarFeedSchema, NewCalendarFeedSchema
from app.http import ApiBlueprint, answer, transaction

me = ApiBlueprint("me", __name__, url_prefix="/api/v1/me")
feed = Blueprint("feeds", __name__)
blueprints = [me, feed]


@me.get("/calendar-feed")
@me.response(200, CalendarFeedSchema)
@requires("escalations:read")
def get_calendar_feed() -> Response:
    """Whether I have a calendar feed: when its address was made and last asked, never the address."""
    with transaction():
        found = feeds.find_feed(_id(current_actor()))
        if found is None:
            raise NotFound
        return answer(CalendarFeedSchema, found)


@me.post("/calendar-feed")
@me.response(201, NewCalendarFeedSchema)
@requires("escalations:read")
def make_calendar_feed() -> Response:
    """A new address of my calendar feed, shown in this answer only; a former one leads nowhere from now on."""
    with transaction():
        now = clock.real_now()
        made = {"url": feeds.make_feed(_id(current_actor()), now=now), "created_at": now, "last_used_at": None}
        return answer(NewCalendarFeedSchema, made, 201, once=("url",))


@me.delete("/calendar-feed")
@me.response(204)
@requires("escalations:read")
def revoke_calendar_feed() -> Response:
    """The address of my calendar feed leads nowhere from now on."""
    with transaction():
        feeds.revoke_feed(_id(current_actor()))
        return Response(status=204)


def _id(actor: Actor) -> UUID:
    if actor.user_id is None:  # the engine owns nothing
        raise NotFound
    return actor.user_id


@feed.get(f"{feeds.PATH}<token>.ics")
@public
def show_feed(token: str) -> Response:
    """Deadlines of what the address's person owns or does, as a calendar; 304 to a client that has it already."""
    key = feeds.read_key(token)
    with plain_transaction(tenant=key.tenant_id):
        actor = feeds.open_feed(key, now=clock.real_now())
        deadlines = list_deadlines(_id(actor), clock.now())
    content = calendar_of(deadlines, name="Firsthand: my deadlines")
    response = Response(content, mimetype="text/calendar", headers={"Cache-Control": "private, no-cache"})
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    response.make_conditional(request)  # in place
    return response
