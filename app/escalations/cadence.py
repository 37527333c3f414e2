"""What telling somebody does to the promises of a case: which it keeps, and which it begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.escalations import promises
from app.escalations.case import basis_of
from app.escalations.models import Escalation
from app.escalations.silence import CLOCKS_OF
from app.playbooks.definition import Playbook
from app.sla import service as sla
from app.sla.ledger import Target
from app.sla.targets import pauses

WORKED_ON = ("open", "in_progress", "waiting")


@dataclass(frozen=True)
class Cadence:
    """The promises to tell somebody as they stand now; `clocks` is the newest cycle of each kind."""

    record: Escalation
    playbook: Playbook | None
    clocks: Mapping[str, Mapping[str, Any]]
    now: datetime

    def met_by(self, audience: Sequence[str]) -> list[dict[str, Any]]:
        """The promises that an update to these keeps if it is sent now."""
        kinds = [kind for one in audience for kind in CLOCKS_OF[one]]
        open_ = [self.clocks[kind] for kind in kinds if kind in self.clocks and self.clocks[kind]["open"]]
        return [
            {"clock": one["kind"], "cycle": one["cycle"], "due_at": one["due_at"], "late": self._is_late(one)}
            for one in open_
        ]

    def _is_late(self, clock: Mapping[str, Any]) -> bool:
        return clock["due_at"] is not None and clock["due_at"] < self.now

    def begun_by(self, audience: Sequence[str]) -> list[dict[str, Any]]:
        """The next promises that it makes; without a due time while the case waits for the customer."""
        kinds = [CLOCKS_OF[one][-1] for one in audience]
        begun = [kind for kind in kinds if self._begins(kind)]
        return [{"clock": kind, "due_at": self.next_due(kind)} for kind in begun]

    def _begins(self, kind: str) -> bool:
        """Updates to the customer are promised from the first one on, to colleagues where that was asked for."""
        asked = kind == "customer_update" or kind in self.clocks
        return asked and self.record.status in WORKED_ON and self._target(kind) is not None

    def _target(self, kind: str) -> Target | None:
        return promises.promised(self.record, basis_of(self.record), self.playbook, kind)

    def next_due(self, kind: str) -> datetime | None:
        """By when the next update of this kind is due if one is sent now."""
        target = self._target(kind) if self._begins(kind) else None
        waits = self.record.waiting_party if not self.record.wait_exhausted else None
        if target is None or (waits and pauses(kind, party=waits)):
            return None
        return sla.due_if_begun(target, basis_of(self.record), self.now)
