"""Working days of the sample: every moment of the story is counted from the last one that is over everywhere."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LAST_CLOSING = (time(18), ZoneInfo("America/Los_Angeles"))
FRIDAY = 4


def last_working_day(now: datetime) -> date:
    """The last weekday whose working hours have ended in the westernmost zone of the sample."""
    closing, zone = LAST_CLOSING
    day = now.astimezone(zone).date()
    while day.weekday() > FRIDAY or datetime.combine(day, closing, zone) > now:
        day -= timedelta(days=1)
    return day


def working_day(origin: date, days: int) -> date:
    """The weekday this many working days after (or, negative, before) a weekday."""
    weeks, rest = divmod(origin.weekday() + days, 5)
    return origin + timedelta(days=7 * weeks + rest - origin.weekday())


def moment(day: date, local: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(local), zone).astimezone(UTC)
