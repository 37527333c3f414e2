"""Limits that stop us when they are reached, and how much of each is used: the doctor warns from 80 % on."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app
from sqlalchemy import text

from app.auth import limits
from app.db import db
from app.operations.findings import Finding, share

LAST_TRANSACTION = 2**31
UNLIMITED = -1

SERVER = text(
    """
    select count(*) filter (where backend_type = 'client backend') as connections,
           count(*) filter (where usename = session_user) as ours,
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
               - current_setting('reserved_connections')::int as most_connections,
           (select rolconnlimit from pg_roles where rolname = session_user) as most_of_ours,
           (select age(datfrozenxid) from pg_database where datname = current_database()) as transactions,
           (select mxid_age(datminmxid) from pg_database where datname = current_database()) as row_locks
    from pg_stat_activity
    """
)


def check_server() -> Iterator[Finding]:
    """Connections, of the server and of our user, and the ages at which PostgreSQL refuses to write."""
    with db.engine.connect() as connection:
        row = connection.execute(SERVER).one()
    yield share("connections", row.connections, row.most_connections, "raise max_connections, or put PgBouncer between")
    if row.most_of_ours != UNLIMITED:
        yield share("connections of our user", row.ours, row.most_of_ours, "raise its CONNECTION LIMIT")
    for what, age in (("transactions", row.transactions), ("shared row locks", row.row_locks)):
        yield share(f"age of {what}", age, LAST_TRANSACTION, "see why autovacuum does not keep up")


def check_redis_room(told: Mapping[str, Any]) -> Iterator[Finding]:
    """What Redis says of itself in INFO: its memory, where it has a limit, and its connections."""
    if most := told.get("maxmemory"):
        yield share("memory of Redis, in bytes", told["used_memory"], most, "raise maxmemory")
    if most := told.get("maxclients"):
        yield share("connections of Redis", told["connected_clients"], most, "raise maxclients")


def check_rates() -> Iterator[Finding]:
    """The busiest token and tenant of this minute and the last; nothing while Redis is away and nothing is counted."""
    busiest = limits.find_busiest()
    if busiest is None:
        return
    for kind, used in busiest.items():
        setting = f"{kind.upper()}_RATE"
        text = f"requests a minute of the busiest {kind}"
        yield share(text, used, current_app.config[setting], f"let it ask less often, or raise FIRSTHAND_{setting}")
