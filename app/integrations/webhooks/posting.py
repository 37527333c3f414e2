"""One message to one address, once: what came of it, in the words of `notifications.retries`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import requests

from app.notifications.retries import SENT, Outcome
from app.outside import OutsideFailed

GONE = 410
OVERLOADED = (429, 502, 503, 504)
LONGEST_REST = timedelta(hours=1)


@dataclass(frozen=True)
class Answer:
    """What the receiver said: its status, what follows for the message, how long it wants to be left alone, and
    whether it never wants to hear from us again."""

    outcome: Outcome
    status: int | None = None
    rest: timedelta | None = None
    gone: bool = False


def post(session: requests.Session, url: str, body: str, headers: dict[str, str]) -> Answer:
    """Only 2xx is success. A receiver that is away or overloaded is no message's fault."""
    try:
        response = session.post(url, data=body.encode(), headers={**headers, "Content-Type": "application/json"})
    except OutsideFailed as failed:
        return Answer(Outcome("outage", str(failed)))
    status = response.status_code
    if 200 <= status < 300:
        return Answer(SENT, status)
    if status == GONE:
        return Answer(Outcome("refused", "The receiver said 410: it is gone"), status, gone=True)
    said = f"The receiver answered {status}"
    if status in OVERLOADED:
        return Answer(Outcome("outage", said), status, rest_of(response.headers.get("Retry-After")))
    return Answer(Outcome("failed", said), status)


def rest_of(retry_after: str | None) -> timedelta | None:
    """The seconds of a Retry-After header, an hour at most; a date in it is not read."""
    if retry_after is None or not retry_after.strip().isdecimal():
        return None
    return min(timedelta(seconds=int(retry_after.strip()[:9])), LONGEST_REST)


def next_rest(now: datetime, retry_at: datetime | None, rest: timedelta | None) -> datetime | None:
    """Until when an address is left alone that is away: as long as the message waits, or as long as it asked for."""
    asked = now + rest if rest else None
    return max((one for one in (retry_at, asked) if one is not None), default=None)
