"""How pages say things: plain words for states, times relative with the exact one beside."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

CLOCKS = {
    "decide": "Decide on the request",
    "acknowledge": "Acknowledge",
    "respond": "First answer to the customer",
    "reply": "Answer the customer",
    "customer_update": "Tell the customer",
    "account_team_update": "Tell the account team",
    "executive_update": "Tell the executives",
    "tier": "Resolve in this tier",
    "plan": "Agree a plan",
    "still_on_it": "Sign of work",
    "close": "Close",
    "verify": "Get the customer's word",
    "task": "Task",
}
STATES = {
    "running": "running",
    "paused": "paused",
    "breached": "missed, still open",
    "met": "kept",
    "missed": "missed",
    "cancelled": "ended",
}
STANDING = ("running", "paused", "breached")
STATUSES = {
    "requested": "Waits for approval",
    "declined": "Declined",
    "open": "Waits to be acknowledged",
    "in_progress": "In progress",
    "waiting": "Waiting",
    "resolved": "Waits for the customer's word",
    "closed": "Closed",
    "merged": "Merged",
}


def ended(clocks: Sequence[Mapping[str, Any]]) -> str:
    """What became of the promises that no longer stand: `12 kept · 1 missed`."""
    counts = Counter(str(STATES[clock["state"]]) for clock in clocks)
    return " · ".join(f"{count} {state}" for state, count in counts.most_common())


def span(seconds: float) -> str:
    """A length of time in its largest whole unit."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "less than a minute"


def relative(moment: datetime, now: datetime) -> str:
    """`in 3 days` or `2 hours ago`."""
    distance: timedelta = moment - now
    seconds = distance.total_seconds()
    return f"in {span(seconds)}" if seconds >= 0 else f"{span(-seconds)} ago"


def exact(moment: datetime, zone: str) -> str:
    """`Fri 27 Nov 2026 17:00`, in this zone."""
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"
