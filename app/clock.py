"""The two times of the product: the tenant's, which rules promises, and the machine's, which rules machinery.

They differ only in a sandbox tenant, whose stored offset `db.transaction` sets here. Nothing else asks the time.
"""

import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_offset: ContextVar[timedelta] = ContextVar("clock_offset", default=timedelta(0))


def real_now() -> datetime:
    """The machine's time, UTC: tokens, leases, back-off, logs."""
    return datetime.now(UTC)


def now() -> datetime:
    """The tenant's time, UTC: clocks, waits, event times, snapshots."""
    return real_now() + _offset.get()


def set_offset(offset: timedelta) -> None:
    """Called by `db.transaction` with what the tenant's row says; a plain tenant's offset is zero."""
    _offset.set(offset)


def monotonic() -> float:
    """Seconds for measuring durations and short machine-side waits."""
    return time.monotonic()
