"""Three years of cases straight into the tables: copies of a few that were played through the services.

A copy lies at a moment of its own, is of another account and of other people, and is what the played one was so long
after its raise: what would lie in the future is left out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from app.db import Model

PEOPLE = 500
DAYS = 1095
MORE_PEOPLE = """
insert into "user" (tenant_id, id, email, name, role, active, leaving, created_at, changed_at, version)
select tenant_id, uuidv7(), 'csm' || n || '@example.com', 'CSM ' || n, 'csm', true, false, created_at, changed_at, 1
from "user" cross join generate_series(1, %(people)s) n where email = 'admin@example.com' and tenant_id = %(tenant)s
"""
# As many for every account; in order of time, as rows come to lie in a table that is written day by day.
SPREAD = """
create temp table spread as
select n, uuidv7() as id, sources.ids[1 + floor(random() * cardinality(sources.ids))::int] as source,
       accounts.ids[1 + (n * 7919::bigint) %% cardinality(accounts.ids)] as account_id,
       people.ids[1 + n %% cardinality(people.ids)] as owner_id,
       people.ids[1 + (n + 1) %% cardinality(people.ids)] as other_id,
       cast(%(now)s as timestamptz) - (1 - (n - random()) / %(count)s) * %(days)s * interval '1 day' as at
from generate_series(1, %(count)s) n
cross join (select cast(%(sources)s as uuid[]) as ids) sources
cross join (select array_agg(id order by external_id) as ids from account where tenant_id = %(tenant)s) accounts
cross join (select array_agg(id order by email) as ids from "user"
            where tenant_id = %(tenant)s and role = 'csm') people
"""


def spread(rows: psycopg.Connection, tenant_id: UUID, sources: Sequence[UUID], *, count: int, now: datetime) -> None:
    """The table `spread`: of each copy its number, id, source, account, two owners, and the moment of its raise; a
    source that is named twice is copied twice as often."""
    rows.execute("select setseed(0.5)")
    rows.execute(MORE_PEOPLE, {"people": PEOPLE, "tenant": tenant_id})
    values = {"tenant": tenant_id, "sources": list(sources), "count": count, "days": DAYS, "now": now}
    rows.execute(SPREAD.encode(), values)
    rows.execute("create index on spread (source)")
    rows.execute("analyze spread")


def copying(model: type[Model], differs: dict[str, str], source: str, *, alias: str) -> bytes:
    """The statement that copies the rows `source` names into a model's table, but for the columns that differ."""
    columns = [column.name for column in model.__table__.columns]
    taken = [f"{differs.get(name, f'{alias}.{name}')} as {name}" for name in columns]
    return f"insert into {model.__tablename__} ({', '.join(columns)}) select {', '.join(taken)} {source}".encode()


def maintain(rows: psycopg.Connection, *tables: str) -> None:
    """What autovacuum and the checkpointer do within minutes of a load."""
    rows.execute(f"vacuum analyze {', '.join(tables)}".encode())
    rows.execute("checkpoint")


def ask(rows: psycopg.Connection, question: str, **values: Any) -> Any:
    """The one value that a question answers with."""
    found = rows.execute(question.encode(), values).fetchone()
    return found[0] if found else None
