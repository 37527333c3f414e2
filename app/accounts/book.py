"""The book: each account's value and its place among all, kept once a day."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app import clock
from app.accounts.book_sql import FORGET, RANK, REBUILD
from app.accounts.models import BookDay
from app.auth.settings import tenant_settings
from app.db import db

KEPT_DAYS = 7


def rebuild_book(today: date) -> int:
    """Value and rank every account by today's contracts, deals and rates; the number of accounts in the book.

    An account of which a line has no rate is left out, and so are merged ones and those that the CRM deleted.
    """
    rebuilt: Any = db.session.execute(REBUILD, {**_day(today), "made_at": clock.real_now().timestamp()})
    db.session.execute(FORGET, {"before": today - timedelta(days=KEPT_DAYS)})
    count: int = rebuilt.rowcount
    return count


def has_book(today: date) -> bool:
    """Whether the day's book is made."""
    return db.session.scalar(select(BookDay.id).where(BookDay.on_date == today).limit(1)) is not None


def rank(values: Sequence[Decimal], *, today: date) -> list[Decimal | None]:
    """The place (0–1) of each value in the newest book, the share of it worth no more; None in an empty one."""
    if not values:
        return []
    return [row.share for row in db.session.execute(RANK, {**_day(today), "values": list(values)})]


def _day(today: date) -> dict[str, Any]:
    settings = tenant_settings()
    oldest = today - timedelta(days=settings.rate_max_age_days)
    return {"today": today, "oldest": oldest, "reporting": settings.reporting_currency}
