"""How pages say things: plain words for states, times relative with the exact one beside."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta

from app import texts
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
TIERS = {
    "tier_1": noted("Tier 1"),
    "tier_2": noted("Tier 2"),
    "tier_3": noted("Tier 3"),
    "onsite": noted("On site"),
    "vendor": noted("Vendor"),
    "management": noted("Management"),
}
SEGMENTS = {
    "strategic": noted("strategic"),
    "enterprise": noted("enterprise"),
    "mid_market": noted("mid-market"),
    "small": noted("small"),
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
    counts = Counter(texts.gettext(STATES[clock["state"]]) for clock in clocks)
    return " · ".join(f"{count} {state}" for state, count in counts.most_common())


def relative(moment: datetime, now: datetime) -> str:
    """`in 3 days` or `2 hours ago`."""
    return format_timedelta(moment - now, add_direction=True, threshold=1.2, locale=texts.language())


def exact(moment: datetime, zone: str, *, brief: bool = False) -> str:
    """`Fri 27 Nov 2026 17:00`, in this zone; `brief` is the time of day alone."""
    local = moment.astimezone(ZoneInfo(zone))
    return format_datetime(local, "HH:mm" if brief else texts.gettext("EEE d MMM y HH:mm"), locale=texts.language())
