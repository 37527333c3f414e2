"""Everything kept of a person as JSON: the rows about them, and those that name them."""

from typing import Any

from sqlalchemy import Table, text

from app.db import db
from app.operations.persons.tables import Person, secret_columns, tenant_tables, user_columns


def export(person: Person) -> dict[str, Any]:
    """By table: rows that point at the user or name the person, without hashes and salts. The caller's transaction."""
    kept = {table.name: _rows(table, person) for table in tenant_tables()}
    return {"email": person.email, "tables": {name: rows for name, rows in kept.items() if rows}}


def _rows(table: Table, person: Person) -> list[dict[str, Any]]:
    about = [f't."{column}" = :user_id' for column in user_columns(table)]
    if table.name == "user":
        about = ["t.id = :user_id"]
    asked = " or ".join(["to_jsonb(t)::text ~* :pattern", *(about if person.user else [])])
    hidden = [*secret_columns(table), "tenant_id"]
    statement = text(
        f'select to_jsonb(t) - cast(:hidden as text[]) from "{table.name}" t where {asked} order by t.id'  # noqa: S608
    )
    values: dict[str, Any] = {"pattern": person.pattern, "hidden": hidden}
    if person.user:
        values["user_id"] = person.user.id
    return list(db.session.scalars(statement, values))
