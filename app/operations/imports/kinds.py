"""What can be imported: the columns of each kind, how a row is checked and how checked rows are written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.accounts import service as accounts
from app.accounts.errors import RowRefused
from app.accounts.service import Outcome
from app.auth.actor import Actor
from app.operations.imports.errors import WrongHeader

Row = Any
DEFAULT_SOURCE = "csv"
WORTH = ("contracts", "opportunities", "rates")


@dataclass(frozen=True)
class Kind:
    """`columns` are the known ones, `members` those whose parts may stand in columns `name.part` of their own.

    `check` turns a row's values into what `write` takes and raises RowRefused. A kind written `one_by_one` has each
    row in a transaction of its own; a fault of a field in `waits_for` may heal with a row further down.
    """

    name: str
    columns: frozenset[str]
    required: frozenset[str]
    check: Callable[[Mapping[str, Any]], Row]
    write: Callable[[Sequence[Row], Actor, datetime], list[Outcome]]
    members: frozenset[str] = frozenset()
    has_source: bool = True
    one_by_one: bool = False
    waits_for: frozenset[str] = frozenset()

    def check_columns(self, columns: Sequence[str]) -> None:
        """WrongHeader names the first unknown or missing column."""
        for name in columns:
            if name not in self.columns and name.partition(".")[0] not in self.members:
                expected = ", ".join(sorted(self.columns))
                raise _wrong(name, f"unknown column {name!r} for {self.name}; expected of {expected}")
        for name in sorted(self.required):
            if name not in columns:
                raise _wrong(name, f"column {name!r} is missing")


def _wrong(column: str, detail: str) -> WrongHeader:
    return WrongHeader(detail, errors=[{"pointer": f"/{column}", "detail": detail}])


def kind_of(name: str) -> Kind | None:
    return _KINDS[name]() if name in _KINDS else None


def _accounts(name: str) -> Kind:
    kind = accounts.KINDS[name]
    keys = {"external_id", *(("account_external_id",) if kind.below_account else ())}
    return Kind(
        name=name,
        columns=frozenset({*kind.fields, *keys, "source", "source_updated_at"}),
        required=frozenset(keys),
        check=lambda values: accounts.read_row(name, values),
        write=lambda rows, actor, now: accounts.upsert_many(name, rows, now=now),
        members=frozenset({"attributes", "escalator"} & set(kind.fields)),
    )


def _rates() -> Kind:
    columns = frozenset({"currency", "date", "rate"})
    return Kind(
        name="rates",
        columns=columns,
        required=columns,
        check=lambda values: accounts.read_row("rates", values),
        write=lambda rows, actor, now: accounts.upsert_many("rates", rows, now=now),
        has_source=False,
    )


def _users() -> Kind:
    from app.operations.imports import people

    return people.USERS


def _teams() -> Kind:
    from app.operations.imports import people

    return people.TEAMS


def _escalations() -> Kind:
    from app.operations.imports import cases

    return cases.ESCALATIONS


_KINDS: dict[str, Callable[[], Kind]] = {
    "users": _users,
    "teams": _teams,
    "accounts": lambda: _accounts("accounts"),
    "contacts": lambda: _accounts("contacts"),
    "contracts": lambda: _accounts("contracts"),
    "opportunities": lambda: _accounts("opportunities"),
    "rates": _rates,
    "escalations": _escalations,
}
NAMES = tuple(_KINDS)


def _whole(value: str) -> int:
    if not value.strip().lstrip("-").isdecimal() or len(value) > 9:
        raise ValueError("expected a whole number")
    return int(value)


def _truth(value: str) -> bool:
    word = value.strip().lower()
    if word not in ("true", "false", "yes", "no", "1", "0"):
        raise ValueError("expected true or false")
    return word in ("true", "yes", "1")


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("expected JSON") from None


# What a text cell of CSV means where the API takes something else than a text.
FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "health": _whole,
    "severity": _whole,
    "restricted": _truth,
    "active": _truth,
    "attributes": _json,
    "escalator": _json,
    "answers": _json,
}


def typed(values: Mapping[str, Any], members: frozenset[str], *, texts: bool) -> dict[str, Any]:
    """Values as the API takes them: `attributes.plan` is a member of `attributes`; `texts` are cells of CSV."""
    made: dict[str, Any] = {}
    faults: list[tuple[str, str]] = []
    for name, value in values.items():
        whole, dot, part = name.partition(".")
        if dot and whole in members:
            nest = made.setdefault(whole, {})
            if isinstance(nest, dict) and value is not None:
                nest[part] = value
        elif texts and isinstance(value, str) and name in FROM_TEXT:
            try:
                made[name] = FROM_TEXT[name](value)
            except ValueError as error:
                faults.append((name, str(error)))
        else:
            made[name] = value
    if faults:
        raise RowRefused(faults)
    return made
