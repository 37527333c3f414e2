"""The clocks of one escalation as a use case changes them: loaded under a lock, changed by entries, saved in a set."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db import Model
from app.sla.basis import Basis, find_default_target
from app.sla.ledger import EntryType, Target, can, moments_of
from app.sla.loaded import LoadedClocks
from app.sla.models import KINDS, Clock
from app.sla.service import start_clock
from app.sla.stored import StoredClock
from app.sla.targets import pauses
from app.sla.unsaved import Unsaved, write

EVERY_KIND = KINDS
BY_RESOLVE_OR_CLOSE = ("resolve", "close")


class Clocks(LoadedClocks):
    """All clocks of an escalation. Each method appends to ledgers and derives rows; `save` writes them.

    `at` is when something happened, `now` when we know it, both tenant time. What does not apply (a clock that never
    was, or has ended) is left alone: methods answer the rows they changed. `because` is kept in the entry.
    """

    def __init__(self, escalation_id: UUID, stored: Iterable[StoredClock]) -> None:
        super().__init__(escalation_id, stored)
        self.unsaved = Unsaved(escalation_id)

    def start(
        self,
        kind: str,
        *,
        at: datetime,
        now: datetime,
        severity: int = 3,
        target: Target | None = None,
        subject: str = "-",
        basis: Basis | None = None,
        waiting_on: str | None = None,
        because: str = "next_cycle",
        asked_by: str = "",
    ) -> Clock:
        """Begin the next cycle; one still running is cancelled (missed, if breached). `asked_by` is kept where the
        promise was not part of the case so far."""
        last = self._find(kind, subject)
        if last is not None:
            self._append(last, "cancel", at, now, because=because)
        stored = start_clock(
            kind,
            escalation_id=self.escalation_id,
            basis=basis or self.basis(),
            at=at,
            now=now,
            target=target,
            severity=severity,
            cycle=last.row.cycle + 1 if last else 1,
            subject=subject,
            waiting_on=waiting_on,
            because=asked_by,
        )
        self.all.append(stored)
        self.unsaved.note(stored)
        return stored.row

    def fulfil(self, kind: str, at: datetime, now: datetime, *, subject: str = "-", because: str = "") -> Clock | None:
        """The promise is kept at `at`: met up to and including due, else missed; None if nothing was running.

        An act before the cycle began counts at its beginning.
        """
        stored = self._find(kind, subject)
        if stored is None:
            return None
        changed = self._append(stored, "fulfil", max(at, stored.row.started_at), now, because=because)
        return stored.row if changed else None

    def meet(self, kind: str, at: datetime, now: datetime) -> Clock | None:
        """As `fulfil`, of the cycle that ran at `at`: a fact learnt late meets the promise that stood then.

        A cycle that had ended later is met or missed anew by it; one that had ended before stays as it was.
        """
        stored = max(
            (one for one in self.all if one.row.kind == kind and one.row.started_at <= at),
            key=lambda one: one.row.cycle,
            default=None,
        )
        return stored.row if stored is not None and self._append(stored, "fulfil", at, now) else None

    def cancel(
        self, *kinds: str, at: datetime, now: datetime, subject: str | None = None, because: str = ""
    ) -> list[Clock]:
        """End unmet: running and paused become `cancelled`, breached `missed`."""
        return self._each("cancel", self._current(kinds, subject), at, now, because=because)

    def end_case(self, at: datetime, now: datetime, because: str = "close") -> list[Clock]:
        """What still runs or is paused is cancelled, what was breached is missed; fulfil `close` before."""
        return self.cancel(*EVERY_KIND, at=at, now=now, because=because)

    def pause(self, at: datetime, now: datetime, *, party: str) -> list[Clock]:
        """The case waits for `party`: what pauses for it stands still, what does not runs on or again."""
        current = list(self._current(EVERY_KIND))
        paused = [stored for stored in current if pauses(stored.row.kind, party=party)]
        others = [stored for stored in current if not pauses(stored.row.kind, party=party)]
        because = f"waiting on {party}"
        return self._each("resume", others, at, now, because=because) + self._each(
            "pause", paused, at, now, because=because
        )

    def resume(self, at: datetime, now: datetime, because: str = "resumed") -> list[Clock]:
        """Everything that stood still runs on with what was left; also when the wait budget is used up."""
        return self._each("resume", self._current(EVERY_KIND), at, now, because=because)

    def retarget(
        self,
        kind: str,
        target: Target | None = None,
        *,
        at: datetime,
        now: datetime,
        because: str,
        subject: str = "-",
        basis: Basis | None = None,
        keep_earlier: bool = False,
        was: datetime | None = None,
    ) -> Clock | None:
        """Change what was promised; elapsed and paused time survive, and nothing falls due before `at`.

        The same promise again changes nothing. `basis` names other versions of calendar and ladder, or another zone.
        `keep_earlier`: a softer target leaves the running cycle's due time. `was`: the due time that stood, where the
        ledger, read under today's zone rules, does not tell it any more.
        """
        stored = self._find(kind, subject)
        if stored is None or (basis is None and target == stored.state.target):
            return None
        if keep_earlier and target is not None and not _is_tighter(target, stored):
            return None
        facts: dict[str, Any] = {"because": because, **({"was": was.isoformat()} if was else {})}
        if target is not None:
            facts["target"] = target.to_json()
        if basis is not None:
            facts |= {"calendar": str(basis.calendar_version_id), "ladder": basis.number_of(kind)}
            stored.row.calendar_version_id, stored.row.zone = basis.calendar_version_id, basis.zone
            stored.climb(basis.number_of(kind))
        return stored.row if self._append(stored, "retarget", at, now, **facts) else None

    def retarget_severity(
        self,
        severity: int,
        *,
        at: datetime,
        now: datetime,
        lowered: bool,
        basis: Basis | None = None,
        because: str = "severity",
    ) -> Clock | None:
        """The target that goes by severity follows it; a lower severity keeps the earlier due of the running cycle."""
        if self.get("customer_update") is None:
            return None
        target = find_default_target("customer_update", basis or self.basis(), severity=severity)
        return self.retarget("customer_update", target, at=at, now=now, because=because, keep_earlier=lowered)

    def extend(
        self,
        kind: str,
        until: datetime,
        *,
        at: datetime,
        now: datetime,
        subject: str = "-",
        because: str = "extension",
    ) -> Clock | None:
        """The due time becomes `until`; the original one stays, and on-time is judged by it."""
        stored = self._find(kind, subject)
        if stored is None or not self._append(stored, "retarget", at, now, due_at=until.isoformat(), because=because):
            return None
        return stored.row

    def reopen(
        self,
        kinds: Iterable[str] = EVERY_KIND,
        *,
        at: datetime,
        now: datetime,
        ended_by: Iterable[str] = BY_RESOLVE_OR_CLOSE,
        subject: str | None = None,
    ) -> list[Clock]:
        """What resolve or close had met or ended runs on in the same cycle; what had been met before stays met."""
        causes = set(ended_by)
        chosen = [stored for stored in self._current(kinds, subject) if stored.ended_because in causes]
        return self._each("reopen", chosen, at, now)

    def owner_left(self) -> None:
        """Another owner has the case: what its owner was to be told is taken back on saving."""
        self.unsaved.owner_left = True

    def save(self, rows: Iterable[Model] = (), *, reason: str = "already_acted") -> None:
        """Write what changed, with `rows` of the caller's own, in at most three statements.

        Unsent reminders that no longer hold are suppressed with `reason`.
        """
        save_all([self], rows, reason=reason)

    def _each(
        self, type_: EntryType, chosen: Iterable[StoredClock], at: datetime, now: datetime, **facts: str
    ) -> list[Clock]:
        return [stored.row for stored in chosen if self._append(stored, type_, at, now, **facts)]

    def _append(self, stored: StoredClock, type_: EntryType, at: datetime, now: datetime, **facts: Any) -> bool:
        """Append what has an effect; nothing happens to a cycle before it began."""
        at, now = moments_of(stored.entries, type_, at=max(at, stored.row.started_at), now=now)
        if not can(stored.state, type_) and not _was_met_earlier(stored, type_, at):
            return False
        was = stored.row.due_at
        stored.append(type_, at, now, **{key: fact for key, fact in facts.items() if fact})
        self.unsaved.note(stored, moved=stored.row.due_at != was)
        return True


def _was_met_earlier(stored: StoredClock, type_: EntryType, at: datetime) -> bool:
    """Whether a fulfilment learnt late lies before the end that was known so far."""
    ended_at = stored.state.ended_at
    return type_ == "fulfil" and ended_at is not None and at < ended_at


def _is_tighter(target: Target, stored: StoredClock) -> bool:
    row = stored.row
    return target.kind == row.target_kind and target.value < row.target_value


def save_all(cases: Iterable[Clocks], rows: Iterable[Model] = (), *, reason: str = "already_acted") -> None:
    """As `Clocks.save`, for the clocks of any number of cases in the same few statements."""
    cases = list(cases)
    write([clocks.unsaved for clocks in cases], rows, reason=reason)
    for clocks in cases:
        clocks.unsaved = Unsaved(clocks.escalation_id)
