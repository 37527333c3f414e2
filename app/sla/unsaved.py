"""What was changed of clocks and is not written yet, and the messages that the change makes stale."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import Select, Text, cast, literal, select

from app.db import Model, current_tenant, db
from app.notifications import service as notifications
from app.rows import insert_all
from app.sla.models import StepLog
from app.sla.saving import UPDATE_CLOCKS, changed_columns, dump
from app.sla.stored import StoredClock

OWNER = ["owner"]


class Unsaved:
    """Of one escalation: the clocks to write, those whose reminders are stale, and whether its owner has left it."""

    def __init__(self, escalation_id: UUID) -> None:
        self.escalation_id = escalation_id
        self.owner_left = False
        self.touched: dict[UUID, StoredClock] = {}
        self._ended: set[UUID] = set()
        self._moved: set[UUID] = set()

    def note(self, stored: StoredClock, *, moved: bool = False) -> None:
        """This clock is to be written; `moved`: it is due at another moment than it was, or at none."""
        self.touched[stored.row.id] = stored
        (self._ended.discard if stored.running else self._ended.add)(stored.row.id)
        if moved:
            self._moved.add(stored.row.id)

    @property
    def stale(self) -> set[UUID]:
        """The clocks that have ended or are due at another moment: what was to be told of them no longer holds."""
        return self._ended | self._moved


def write(cases: Iterable[Unsaved], rows: Iterable[Model], *, reason: str) -> None:
    """All of it, with `rows` of the caller's own, in at most three statements.

    Messages not told yet are suppressed with `reason`: those of stale clocks, and reminders to an owner who has left;
    what they were told in another role as well still holds.
    """
    cases = list(cases)
    _write_clocks([stored for case in cases for stored in case.touched.values()], rows)
    stale = sorted(id_ for case in cases for id_ in case.stale)
    left = [case.escalation_id for case in cases if case.owner_left]
    if stale or left:
        of = [case.escalation_id for case in cases if case.stale or case.owner_left]
        keys = _told_owners(left) if left else None
        notifications.suppress(escalation_ids=of, clock_ids=stale, keys=keys, reason=reason)


def _told_owners(escalation_ids: Collection[UUID]) -> Select[str]:
    """The keys of reminders that went out to somebody as owner, or in the owner's place, and as nothing else."""
    key = literal("step:") + cast(StepLog.id, Text)
    sent = (StepLog.escalation_id.in_(escalation_ids), StepLog.outcome == "sent", StepLog.roles == OWNER)
    return select(key).where(*sent)


def _write_clocks(touched: Collection[StoredClock], rows: Iterable[Model]) -> None:
    changed = [changed_columns(stored.row) for stored in touched if not stored.new]
    if changed:
        db.session.execute(UPDATE_CLOCKS, {"tenant": current_tenant(), "rows": dump(changed)})
    insert_all([*rows, *_new_rows(touched)])
    for stored in touched:
        stored.new, stored.added, stored.passed = False, [], []


def _new_rows(touched: Iterable[StoredClock]) -> list[Model]:
    rows: list[Model] = []
    for stored in touched:
        rows += [*([stored.row] if stored.new else []), *stored.added, *stored.passed]
    return rows
