"""Rate limits per token and per tenant, counted in Redis by the minute; they fail open, with a metric, without it."""

from itertools import islice
from uuid import UUID

import redis
from flask import Response, current_app, g
from prometheus_client import Counter

from app import clock
from app.auth.actor import Actor
from app.db import current_tenant
from app.errors import TooManyRequests
from app.queue import get_redis

WINDOW_SECONDS = 60
PREFIX = "firsthand:rate:"
KINDS = ("token", "tenant")
MOST_LOOKED_AT = 20_000
UNCOUNTED = Counter("firsthand_uncounted_requests_total", "Requests let through uncounted because Redis was away")


def count(actor: Actor) -> None:
    """Count this request; 429 with Retry-After when the token or its tenant has used up the minute."""
    minute, passed = divmod(int(clock.real_now().timestamp()), WINDOW_SECONDS)
    limits = {
        f"{PREFIX}token:{actor.principal_id}:{minute}": current_app.config["TOKEN_RATE"],
        f"{PREFIX}tenant:{current_tenant()}:{minute}": current_app.config["TENANT_RATE"],
    }
    counts = get_redis().ask(lambda client: _increment(client, list(limits)))
    if counts is None:
        UNCOUNTED.inc()
        return
    reset = WINDOW_SECONDS - passed
    g.rate = (current_app.config["TOKEN_RATE"], max(0, current_app.config["TOKEN_RATE"] - counts[0]), reset)
    for used, limit in zip(counts, limits.values(), strict=True):
        if used > limit:
            raise TooManyRequests(f"At most {limit} requests a minute", retry_after=reset)


def count_opening(link_id: UUID, *, most: int) -> None:
    """Count an opening of a link that is its own key; 429 when it was opened so often within this minute."""
    minute, passed = divmod(int(clock.real_now().timestamp()), WINDOW_SECONDS)
    counts = get_redis().ask(lambda client: _increment(client, [f"{PREFIX}link:{link_id}:{minute}"]))
    if counts is None:
        UNCOUNTED.inc()
    elif counts[0] > most:
        raise TooManyRequests(f"At most {most} openings a minute", retry_after=WINDOW_SECONDS - passed)


def _increment(client: redis.Redis, keys: list[str]) -> list[int]:
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.incr(key)
        pipeline.expire(key, 2 * WINDOW_SECONDS)
    return [int(value) for value in pipeline.execute()[::2]]


def find_busiest() -> dict[str, int] | None:
    """The most requests that one token and one tenant made in this minute or the last; None while Redis is away."""
    return get_redis().ask(lambda client: {kind: _most(client, kind) for kind in KINDS})


def _most(client: redis.Redis, kind: str) -> int:
    keys = list(islice(client.scan_iter(f"{PREFIX}{kind}:*", count=1_000), MOST_LOOKED_AT))
    return max((int(value) for value in client.mget(keys) if value), default=0) if keys else 0


def add_headers(response: Response) -> Response:
    """`RateLimit` and `RateLimit-Policy` as draft-ietf-httpapi-ratelimit-headers writes them."""
    if rate := g.get("rate"):
        limit, rest, reset = rate
        response.headers["RateLimit-Policy"] = f'"token";q={limit};w={WINDOW_SECONDS}'
        response.headers["RateLimit"] = f'"token";r={rest};t={reset}'
    return response
