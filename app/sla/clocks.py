"""The clocks of one escalation as a use case changes them: loaded under a lock, changed by entries, saved in a set."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db import Model, current_tenant, db
from app.notifications import service as notifications
from app.rows import insert_all
from app.sla.ledger import EntryType, Target, can, moments_of
from app.sla.ledgers import load_stored
from app.sla.models import KINDS, Clock
from app.sla.saving import UPDATE_CLOCKS, changed_columns, dump
from app.sla.service import Basis, basis_of, find_default_target, start_clock
from app.sla.stored import StoredClock
from app.sla.targets import pauses

EVERY_KIND = KINDS
BY_RESOLVE_OR_CLOSE = ("resolve", "close")


class Clocks:
    """All clocks of an escalation. Each method appends to ledgers and derives rows; `save` writes them.

    `at` is when something happened, `now` when we know it, both tenant time. What does not apply (a clock that never
    was, or has ended) is left alone: methods answer the rows they changed. `because` is kept in the entry.
    """

    def __init__(self, escalation_id: UUID, stored: Iterable[StoredClock]) -> None:
        self.escalation_id = escalation_id
        self.all = list(stored)
        self._touched: dict[UUID, StoredClock] = {}
        self._ended: set[UUID] = set()

    @classmethod
    def load(cls, escalation_id: UUID, *, lock: bool = True) -> "Clocks":
        """Rows and ledgers in two statements; lock the escalation's own row first, so that all lock in one order."""
        return cls(escalation_id, load_stored(escalation_id, lock=lock))

    # -- reading ------------------------------------------------------------------------------------------------------

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

    # -- changes ------------------------------------------------------------------------------------------------------

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
    ) -> Clock:
        """Begin the next cycle; one still running is cancelled (missed, if breached)."""
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
        )
        self.all.append(stored)
        self._touched[stored.row.id] = stored
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
            facts |= {"calendar": str(basis.calendar_version_id), "ladder": basis.ladder_number}
            stored.row.calendar_version_id, stored.row.zone = basis.calendar_version_id, basis.zone
            stored.row.ladder_number = basis.ladder_number
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

    # -- writing ------------------------------------------------------------------------------------------------------

    def save(self, rows: Iterable[Model] = (), *, reason: str = "already_acted") -> None:
        """Write what changed, with `rows` of the caller's own, in at most three statements.

        Unsent reminders of clocks that have ended are suppressed with `reason`.
        """
        _write(self._touched.values(), rows)
        if self._ended:
            notifications.suppress(escalation_id=self.escalation_id, clock_ids=sorted(self._ended), reason=reason)
        self._touched, self._ended = {}, set()

    # -- inside -------------------------------------------------------------------------------------------------------

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

    def _each(
        self, type_: EntryType, chosen: Iterable[StoredClock], at: datetime, now: datetime, **facts: str
    ) -> list[Clock]:
        return [stored.row for stored in chosen if self._append(stored, type_, at, now, **facts)]

    def _append(self, stored: StoredClock, type_: EntryType, at: datetime, now: datetime, **facts: Any) -> bool:
        """Append what has an effect; nothing happens to a cycle before it began."""
        at, now = moments_of(stored.entries, type_, at=max(at, stored.row.started_at), now=now)
        if not can(stored.state, type_) and not _was_met_earlier(stored, type_, at):
            return False
        stored.append(type_, at, now, **{key: fact for key, fact in facts.items() if fact})
        self._touched[stored.row.id] = stored
        if stored.running:
            self._ended.discard(stored.row.id)
        else:
            self._ended.add(stored.row.id)
        return True


def _was_met_earlier(stored: StoredClock, type_: EntryType, at: datetime) -> bool:
    """Whether a fulfilment learnt late lies before the end that was known so far."""
    ended_at = stored.state.ended_at
    return type_ == "fulfil" and ended_at is not None and at < ended_at


def save_all(cases: Iterable[Clocks], rows: Iterable[Model] = (), *, reason: str = "already_acted") -> None:
    """As `Clocks.save`, for the clocks of any number of cases in the same few statements."""
    cases = list(cases)
    _write([stored for clocks in cases for stored in clocks._touched.values()], rows)
    ended = sorted(id_ for clocks in cases for id_ in clocks._ended)
    if ended:
        notifications.suppress(clock_ids=ended, reason=reason)
    for clocks in cases:
        clocks._touched, clocks._ended = {}, set()


def _write(touched: Iterable[StoredClock], rows: Iterable[Model]) -> None:
    touched = list(touched)
    changed = [changed_columns(stored.row) for stored in touched if not stored.new]
    if changed:
        db.session.execute(UPDATE_CLOCKS, {"tenant": current_tenant(), "rows": dump(changed)})
    insert_all([*rows, *_new_rows(touched)])
    for stored in touched:
        stored.new, stored.added, stored.passed = False, [], []


def _is_tighter(target: Target, stored: StoredClock) -> bool:
    row = stored.row
    return target.kind == row.target_kind and target.value < row.target_value


def _new_rows(touched: Iterable[StoredClock]) -> list[Model]:
    rows: list[Model] = []
    for stored in touched:
        rows += [*([stored.row] if stored.new else []), *stored.added, *stored.passed]
    return rows
