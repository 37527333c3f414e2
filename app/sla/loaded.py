"""The clocks of one escalation as they stand: every cycle of each, of which the latest is what counts."""

from collections.abc import Iterable, Iterator
from typing import Self
from uuid import UUID

from app.sla.basis import Basis, basis_of
from app.sla.ledgers import load_stored
from app.sla.models import Clock
from app.sla.stored import StoredClock


class LoadedClocks:
    """All clocks of an escalation, to be read; rows show what was changed so far."""

    def __init__(self, escalation_id: UUID, stored: Iterable[StoredClock]) -> None:
        self.escalation_id = escalation_id
        self.all = list(stored)

    @classmethod
    def load(cls, escalation_id: UUID, *, lock: bool = True) -> Self:
        """Rows and ledgers in two statements; lock the escalation's own row first, so that all lock in one order."""
        return cls(escalation_id, load_stored(escalation_id, lock=lock))

    def get(self, kind: str, subject: str = "-") -> Clock | None:
        """The row of the latest cycle, as changed so far."""
        stored = self._find(kind, subject)
        return stored.row if stored else None

    def rows(self) -> list[Clock]:
        """The latest cycle of every clock."""
        return [stored.row for stored in self._latest()]

    def is_adrift(self, row: Clock) -> bool:
        """Whether the ledger under today's zone rules gives another due time than the one stored."""
        stored = self._find(row.kind, row.subject)
        return stored is not None and stored.row.due_at != stored.state.due_at

    def basis(self) -> Basis:
        """What the case's clocks count by; of the newest business clock, since `close` keeps what it began with."""
        newest = max(self.all, key=lambda stored: (stored.row.kind != "close", stored.row.started_at))
        row = newest.row
        return basis_of(row.calendar_version_id, row.zone, row.ladder_number)

    def _find(self, kind: str, subject: str) -> StoredClock | None:
        cycles = (stored for stored in self.all if stored.row.kind == kind and stored.row.subject == subject)
        return max(cycles, key=lambda stored: stored.row.cycle, default=None)

    def _latest(self) -> Iterator[StoredClock]:
        seen = dict.fromkeys((stored.row.kind, stored.row.subject) for stored in self.all)
        return (stored for kind, subject in seen if (stored := self._find(kind, subject)))

    def _current(self, kinds: Iterable[str], subject: str | None = None) -> list[StoredClock]:
        wanted = set(kinds)
        return [
            stored
            for stored in self._latest()
            if stored.row.kind in wanted and (subject is None or stored.row.subject == subject)
        ]
