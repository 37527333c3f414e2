"""Entries of promises that nobody gave a time, in the form and order of the ledger's: read, filtered and shown.

Each kind has a source in SQL that derives its entries from the timeline. An entry's place in the stream is its
transaction, an id that stands for the missing clock, and a number that rises with the case's events.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    DateTime,
    Integer,
    RowMapping,
    Select,
    Subquery,
    Text,
    TextClause,
    Uuid,
    literal,
    select,
    text,
    tuple_,
    union_all,
)

from app.escalations.models import Escalation
from app.escalations.words import numbered

Asked = Mapping[str, Any]
FIRST_SINCE = text("(select min(transaction_id) from event where recorded_at >= :since)")
SHOWN = ("escalation_id", "kind", "subject", "cycle", "type", "seq", "at", "recorded_at")


@dataclass(frozen=True)
class Untimed:
    """The kinds that a source tells of and the types of entry it has; `at_event`: its places are ids of events."""

    kinds: tuple[str, ...]
    types: tuple[str, ...]
    source: TextClause
    at_event: bool = False

    @property
    def entries(self) -> Subquery:
        return self.source.columns(
            transaction_id=BigInteger,
            place_id=Uuid,
            escalation_id=Uuid,
            seq=Integer,
            kind=Text,
            subject=Text,
            cycle=Integer,
            type=Text,
            because=Text,
            at=DateTime(timezone=True),
            recorded_at=DateTime(timezone=True),
        ).subquery(f"of_{self.kinds[0]}")

    def is_asked(self, asked: Asked) -> bool:
        return asked.get("kind", self.kinds[0]) in self.kinds and asked.get("type", self.types[0]) in self.types

    def query(
        self, horizon: int, visible: ColumnElement[bool], asked: Asked, position: list[Any] | None
    ) -> Select[Any]:
        """What follows a cursor, or from the first entry recorded since then, in the order of the ledger's."""
        entries = self.entries
        query = (
            select(entries, Escalation.number)
            .join(Escalation, Escalation.id == entries.c.escalation_id)
            .where(entries.c.transaction_id < horizon, visible)
            .order_by(entries.c.transaction_id, entries.c.place_id, entries.c.seq)
        )
        for name, column in {"kind": "kind", "type": "type", "escalation": "escalation_id"}.items():
            if name in asked:
                query = query.where(entries.c[column] == asked[name])
        if "since" in asked:
            query = query.where(entries.c.recorded_at >= asked["since"])
        if position is not None:
            return query.where(*self._after(entries, position))
        if "since" in asked:
            return query.where(entries.c.transaction_id >= FIRST_SINCE.bindparams(since=asked["since"]))
        return query

    def _after(self, entries: Subquery, position: list[Any]) -> Iterable[ColumnElement[bool]]:
        """The first condition is found by the index, the second says exactly where to begin."""
        key = (entries.c.transaction_id, entries.c.place_id, entries.c.seq)
        place = (literal(position[0]), literal(UUID(position[1])), literal(position[2]))
        by_index = 2 if self.at_event else 1
        return tuple_(*place[:by_index]) <= tuple_(*key[:by_index]), tuple_(*place) < tuple_(*key)


def first_of(
    sources: Iterable[Untimed],
    horizon: int,
    visible: ColumnElement[bool],
    asked: Asked,
    position: list[Any] | None,
    limit: int,
) -> CompoundSelect[Any] | None:
    """The first entries of each source, in one statement; None where none can be asked for."""
    queries = [one.query(horizon, visible, asked, position).limit(limit) for one in sources if one.is_asked(asked)]
    return union_all(*queries) if queries else None


def place_of(row: RowMapping) -> tuple[int, UUID, int]:
    return row["transaction_id"], row["place_id"], row["seq"]


def shown(row: RowMapping) -> dict[str, Any]:
    """An entry as the ledger's are shown: of no clock and with no target, the same at every poll."""
    because = {"because": row["because"]} if row["because"] else {}
    return {
        "id": uuid5(row["place_id"], str(row["seq"])),
        "clock_id": None,
        "target": None,
        "number": numbered(row["number"]),
        **{name: row[name] for name in SHOWN},
        **because,
    }
