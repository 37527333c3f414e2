"""The daily work on accounts; a job may run at any time and any number of times."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.accounts import book
from app.accounts.queries import tenant_today
from app.db import finding, transaction

TENANTS = text("select id from tenant")


def rebuild_books() -> int:
    """Make today's book of every tenant that has none yet, each in the tenant's own day; how many were made."""
    with finding() as session:
        tenants = list(session.scalars(TENANTS))
    return sum(rebuild_book(tenant) for tenant in tenants)


def rebuild_book(tenant: UUID) -> bool:
    """Make one tenant's book unless today's is there."""
    with transaction(tenant=tenant):
        return make_book(clock.now())


def make_book(now: datetime) -> bool:
    """In the tenant's open transaction: make the book of the day that `now` is in, unless it is there."""
    today = tenant_today(now)
    if book.has_book(today):
        return False
    book.rebuild_book(today)
    return True
