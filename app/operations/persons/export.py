"""Everything kept of a person as JSON: the rows about them, and those that name them."""

from typing import Any

from sqlalchemy import Table, text

from app.db import db
from app.operations.persons.tables import (
    PEOPLE,
    Person,
    contact_ids,
    identity_columns,
    person_columns,
    secret_columns,
    tenant_tables,
)


def export(person: Person) -> dict[str, Any]:
    """By table the rows that point at the user or contact, or name the person, without hashes and salts.

    In the caller's transaction.
    """
    kept = {table.name: _rows(table, person) for table in tenant_tables()}
    return {"email": person.email, "tables": {name: rows for name, rows in kept.items() if rows}}


def _rows(table: Table, person: Person) -> list[dict[str, Any]]:
    identity = identity_columns(table)
    asked = ["(to_jsonb(t) - cast(:identity as text[]))::text ~* :pattern"]
    asked += [f't."{column}" = any(cast(:theirs as uuid[]))' for column in _pointers(table)]
    asked += [f'lower(t."{column}") = :email' for column in identity]
    statement = text(
        f'select to_jsonb(t) - cast(:hidden as text[]) from "{table.name}" t '  # noqa: S608
        f"where {' or '.join(asked)} order by t.id"
    )
    values = {
        "pattern": person.pattern,
        "identity": identity,
        "theirs": [*contact_ids(person), *([person.user.id] if person.user else [])],
        "email": person.email,
        "hidden": [*secret_columns(table), "tenant_id"],
    }
    return list(db.session.scalars(statement, values))


def _pointers(table: Table) -> list[str]:
    """A colleague's or contact's own row is theirs by its id, another by its column that points at them."""
    return ["id"] if table.name in PEOPLE else person_columns(table)
