"""How pages say things: plain words for states, times relative with the exact one beside."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.texts import noted

CLOCKS = {
    "decide": noted("Decide on the request"),
    "acknowledge": noted("Acknowledge"),
    "respond": noted("First answer to the customer"),
    "reply": noted("Answer the customer"),
    "customer_update": noted("Tell the customer"),
    "account_team_update": noted("Tell the account team"),
    "executive_update": noted("Tell the executives"),
    "tier": noted("Resolve in this tier"),
    "plan": noted("Agree a plan"),
    "still_on_it": noted("Sign of work"),
    "close": noted("Close"),
    "verify": noted("Get the customer's word"),
    "task": noted("Task"),
}
STATES = {
    "running": noted("running"),
    "paused": noted("paused"),
    "breached": noted("missed, still open"),
    "met": noted("kept"),
    "missed": noted("missed"),
    "cancelled": noted("ended"),
}
STANDING = ("running", "paused", "breached")
STATUSES = {
    "requested": noted("Waits for approval"),
    "declined": noted("Declined"),
    "open": noted("Waits to be acknowledged"),
    "in_progress": noted("In progress"),
    "waiting": noted("Waiting"),
    "resolved": noted("Waits for the customer's word"),
    "closed": noted("Closed"),
    "merged": noted("Merged"),
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
