"""How pages say things: plain words for states, times relative with the exact one beside."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta

from app import texts
from app.escalations import code_words
from app.sla import ledger

CLOCKS = code_words.CLOCKS
STATES = code_words.CLOCK_STATES
STATUSES = code_words.STATUSES
TIERS = code_words.TIERS
SEGMENTS = code_words.SEGMENTS
STANDING = ledger.STANDING


def ended(states: Iterable[str]) -> str:
    """What became of the promises that no longer stand: `12 kept · 1 missed`."""
    return " · ".join(f"{count} {texts.gettext(STATES[state])}" for state, count in Counter(states).most_common())


def relative(moment: datetime, now: datetime) -> str:
    """`in 3 days` or `2 hours ago`."""
    return format_timedelta(moment - now, add_direction=True, threshold=1.2, locale=texts.language())


def exact(moment: datetime, zone: str, *, brief: bool = False) -> str:
    """`Fri 27 Nov 2026 17:00`, in this zone; `brief` is the time of day alone."""
    local = moment.astimezone(ZoneInfo(zone))
    return format_datetime(local, "HH:mm" if brief else texts.gettext("EEE d MMM y HH:mm"), locale=texts.language())
