"""The daily work on accounts; a job may run at any time and any number of times."""

from datetime import datetime

from app.accounts import book
from app.accounts.queries import tenant_today


def make_book(now: datetime) -> bool:
    """In the tenant's open transaction: make the book of the day that `now` is in, unless it is there."""
    today = tenant_today(now)
    if book.has_book(today):
        return False
    book.rebuild_book(today)
    return True
