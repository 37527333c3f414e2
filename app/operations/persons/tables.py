"""Where a person may stand: every table of tenants' rows by its columns, so that a new one is never forgotten."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Table, Text, func, select
from sqlalchemy.dialects.postgresql import JSONB

from app.accounts.models import Contact
from app.auth.models import User
from app.auth.queries import find_user_by_email
from app.db import db
from app.errors import NotFound

# In JSON a line break is a backslash and a letter: no part of the word after it.
_AFTER_BREAK = r"(?<=\\[bfnrt])"
_NOT_IN_WORD = rf"(?:(?<![[:alnum:]])|{_AFTER_BREAK})"
_NOT_IN_ADDRESS = rf"(?:(?<![[:alnum:]][._%+'&-]*)|{_AFTER_BREAK})"

PEOPLE = ("user", "contact")
# Columns that say who somebody is: another person's are never changed by a pattern, whatever they have in common.
IDENTITY = {
    "user": {"email", "name"},
    "contact": {"email", "name"},
    "account": {"owner_email", "csm_email", "sponsor_email"},
    "escalation": {"raised_by_email"},
    "intent": {"address"},
}


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
    def address_pattern(self) -> str:
        """A regular expression of PostgreSQL that finds the address, case aside, and none that contains it."""
        return f"{_NOT_IN_ADDRESS}{_escaped(self.email)}(?![-.]?[[:alnum:]])"

    @property
    def pattern(self) -> str:
        """One that finds the address and the full names as words, case aside."""
        names = "|".join(_escaped(name) for name in sorted(self.names, key=len, reverse=True))
        return f"{self.address_pattern}|{_NOT_IN_WORD}({names})(?![[:alnum:]])" if names else self.address_pattern


def _escaped(word: str) -> str:
    return re.sub(r"([^\w\s@])", r"\\\1", word)


def find_person(email: str) -> Person:
    """Who has this address among users and contacts; NotFound says that nobody does."""
    address = email.strip().lower()
    user = find_user_by_email(address)
    no_address = Contact.email.is_(None) & (func.lower(Contact.name) == address)
    contacts = tuple(db.session.scalars(select(Contact).where((func.lower(Contact.email) == address) | no_address)))
    if user is None and not contacts:
        raise NotFound(f"nobody has the address {email}")
    named = {user.name if user else "", *(contact.name or "" for contact in contacts)}
    return Person(address, user, contacts, frozenset(name.strip() for name in named if len(name.split()) > 1))


def tenant_tables() -> Iterator[Table]:
    """Every table whose rows belong to tenants, in a stable order."""
    yield from (table for table in db.metadata.sorted_tables if "tenant_id" in table.columns)


def written_columns(table: Table) -> list[str]:
    """Columns in which somebody may be named: texts, lists of texts, JSON; not those that say who somebody is."""
    written = [column.name for column in table.columns if isinstance(column.type, Text | JSONB | ARRAY)]
    return [name for name in written if name not in IDENTITY.get(table.name, ())]


def person_columns(table: Table) -> list[str]:
    """Columns that point at a user or a contact."""
    found = {key.parent.name for key in table.foreign_keys if key.column.table.name in PEOPLE} - {"tenant_id"}
    return sorted(found | ({"actor_id", "acting_for_id"} & set(table.columns.keys())))


def identity_columns(table: Table) -> list[str]:
    """Columns that say who somebody is: compared as a whole, with the address."""
    return sorted(IDENTITY.get(table.name, ()))


def secret_columns(table: Table) -> list[str]:
    """Hashes and salts: nobody's data, and nothing to hand out."""
    return [column.name for column in table.columns if isinstance(column.type, LargeBinary)]


def is_append_only(table: Table) -> bool:
    return bool(table.info.get("append_only"))


def contact_ids(person: Person) -> list[UUID]:
    return [contact.id for contact in person.contacts]
