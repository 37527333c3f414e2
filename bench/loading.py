"""Millions of rows straight into the tables, as the embedded cluster's own user: nothing is checked row by row."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.engine import make_url

# Fewer checkpoints while the rows go in; the server's own settings are back before anything is measured.
LOADING = {"max_wal_size": "16GB", "checkpoint_timeout": "1h", "full_page_writes": "off"}
# Keys that others refer to stay; every other index is taken off a table while it is filled and built once over all.
INDEXES = """
select c.relname as of, i.relname as name, pg_get_indexdef(i.oid) as index, pg_get_constraintdef(k.oid) as constraint
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
left join pg_constraint k on k.conindid = i.oid and k.contype = 'u'
where c.relname = any(%(tables)s) and c.relnamespace = 'public'::regnamespace and not x.indisprimary
"""


@contextmanager
def superuser(url: str) -> Iterator[psycopg.Connection]:
    """The embedded cluster's own user, who can put a million rows in without checking each."""
    given = make_url(url)
    connection = psycopg.connect(host=str(given.query["host"]), user="cluster", dbname=given.database, autocommit=True)
    with connection:
        yield connection


@contextmanager
def loading(rows: psycopg.Connection) -> Iterator[None]:
    """The server set for a load: nothing waits for the disk, and no trigger or foreign key looks at a row."""
    for name, value in LOADING.items():
        rows.execute(f"alter system set {name} = '{value}'".encode())
    rows.execute("select pg_reload_conf()")
    rows.execute("set session_replication_role = replica")
    rows.execute("set synchronous_commit = off")
    yield
    rows.execute("reset session_replication_role")
    for name in LOADING:
        rows.execute(f"alter system reset {name}".encode())
    rows.execute("select pg_reload_conf()")


@contextmanager
def without_indexes(rows: psycopg.Connection, tables: Collection[str]) -> Iterator[None]:
    """These tables bear no index but their keys meanwhile."""
    found = rows.execute(INDEXES, {"tables": list(tables)}).fetchall()
    for table, name, _, constraint in found:
        drop = f'alter table "{table}" drop constraint "{name}"' if constraint else f'drop index "{name}"'
        rows.execute(drop.encode())
    yield
    rows.execute("set maintenance_work_mem = '512MB'")
    for table, name, index, constraint in found:
        add = f'alter table "{table}" add constraint "{name}" {constraint}' if constraint else index
        rows.execute(add.encode())
