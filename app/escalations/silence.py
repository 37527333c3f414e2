"""How long each audience has heard nothing, and by when they must hear."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.escalations import lifecycle

# The promises that an update to each audience keeps; the last is the one that it begins anew.
CLOCKS_OF: Mapping[str, tuple[str, ...]] = {
    "customer": ("respond", "reply", "customer_update"),
    "account_team": ("account_team_update",),
    "executive": ("executive_update",),
}
DAY = timedelta(days=1)


def silence_of(
    status: str,
    raised_at: datetime,
    told: Mapping[str, datetime | None],
    clocks: Iterable[tuple[str, str, datetime | None]],
    *,
    now: datetime,
) -> dict[str, Any] | None:
    """For each audience of an open case when it was last told something, how many whole days ago (since the raise if
    never), and by when the earliest promise to tell it is due; None when nobody waits for news any more.

    `clocks` are kind, state and due time.
    """
    if status not in lifecycle.LIVE:
        return None
    due = [(kind, at) for kind, state, at in clocks if state in ("running", "breached") and at is not None]
    return {
        audience: {
            "last_told_at": told.get(audience),
            "days": max(0, (now - (told.get(audience) or raised_at)) // DAY),
            "next_due_at": min((at for kind, at in due if kind in kinds), default=None),
        }
        for audience, kinds in CLOCKS_OF.items()
    }
