"""Where a person may stand: every table of tenants' rows by its columns, so that a new one is never forgotten."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB

from app.accounts.models import Contact
from app.auth.models import User
from app.auth.queries import find_user_by_email
from app.db import db
from app.errors import NotFound


@dataclass(frozen=True)
class Person:
    """A user, the contacts with the same address, or both, and the full names they had when they were looked up.

    A name of one word alone is too common to look for.
    """

    email: str
    user: User | None
    contacts: tuple[Contact, ...]
    names: frozenset[str]

    @property
    def pattern(self) -> str:
        """A regular expression of PostgreSQL that finds the address and the full names as words, case aside."""
        words = sorted((self.email, *self.names), key=len, reverse=True)
        return "(?<![[:alnum:]])(" + "|".join(_escaped(word) for word in words) + ")(?![[:alnum:]])"


def _escaped(word: str) -> str:
    return re.sub(r"([^\w\s@])", r"\\\1", word)


def find_person(email: str) -> Person:
    """Who has this address among users and contacts; NotFound says that nobody does."""
    address = email.strip().lower()
    user = find_user_by_email(address)
    contacts = tuple(db.session.scalars(select(Contact).where(Contact.email.ilike(_literal(address)))))
    if user is None and not contacts:
        raise NotFound(f"nobody has the address {email}")
    named = {user.name if user else "", *(contact.name or "" for contact in contacts)}
    return Person(address, user, contacts, frozenset(name.strip() for name in named if len(name.split()) > 1))


def _literal(value: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", value)


def tenant_tables() -> Iterator[Table]:
    """Every table whose rows belong to tenants, in a stable order."""
    yield from (table for table in db.metadata.sorted_tables if "tenant_id" in table.columns)


def written_columns(table: Table) -> list[str]:
    """Columns in which somebody may be named: texts, lists of texts, JSON."""
    return [column.name for column in table.columns if isinstance(column.type, Text | JSONB | ARRAY)]


def user_columns(table: Table) -> list[str]:
    """Columns that point at a user."""
    found = {key.parent.name for key in table.foreign_keys if key.column.table.name == "user"} - {"tenant_id"}
    return sorted(found | ({"actor_id", "acting_for_id"} & set(table.columns.keys())))


def secret_columns(table: Table) -> list[str]:
    """Hashes and salts: nobody's data, and nothing to hand out."""
    return [column.name for column in table.columns if isinstance(column.type, LargeBinary)]


def is_append_only(table: Table) -> bool:
    return bool(table.info.get("append_only"))


def contact_ids(person: Person) -> list[UUID]:
    return [contact.id for contact in person.contacts]
