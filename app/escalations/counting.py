"""What applying a newer version would do: shown at once for few cases, else counted by the job a batch at a time."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from app.accounts.models import Account
from app.db import db
from app.escalations import shifting
from app.escalations.models import Escalation
from app.rows import insert_all
from app.sla.models import Application, ApplicationCase

MOST_AT_ONCE = 500


def count_behind(wanted: Application) -> int:
    """How many cases are to be looked at."""
    found = select(func.count()).select_from(Escalation).join(Account, Account.id == Escalation.account_id)
    return db.session.scalar(found.where(*shifting.behind(wanted))) or 0


def preview(wanted: Application, now: datetime) -> shifting.Counted:
    """What applying it now would do; nothing is written."""
    counted, after = shifting.Counted(), None
    while True:
        cases = _look(wanted, counted, now, after=after)
        if len(cases) < shifting.BATCH:
            return counted
        after = cases[-1][0].id


def count_batch(found: Application, now: datetime) -> bool:
    """The next cases in their order; whether there are more. What was found so far stands on the application's row."""
    counted = shifting.Counted()
    cases = _look(found, counted, now, after=found.after_id)
    found.counted += len(cases)
    found.firing += counted.firing
    if found.preview:
        _show(found, counted)
    elif found.kind == "zone":
        insert_all(ApplicationCase(application_id=found.id, escalation_id=id_) for id_ in counted.case_ids)
    more = len(cases) == shifting.BATCH
    found.after_id = cases[-1][0].id if more else None
    return more


def count_reached(found: Application) -> int:
    """How many cases other zone rules are to reach."""
    query = select(func.count()).select_from(ApplicationCase)
    return db.session.scalar(query.where(ApplicationCase.application_id == found.id)) or 0


def forget_cases(found: Application) -> None:
    """It has ended: which cases its zone rules were to reach is of no use any more."""
    db.session.execute(delete(ApplicationCase).where(ApplicationCase.application_id == found.id))


def _look(wanted: Application, counted: shifting.Counted, now: datetime, *, after: UUID | None) -> list[shifting.Case]:
    """One batch, added to what is counted."""
    cases = shifting.pending(wanted, now, after=after)
    for moved in shifting.move(wanted, cases, now, lock=False):
        if moved.changes:
            counted.add(moved)
    return cases


def _show(found: Application, counted: shifting.Counted) -> None:
    found.escalations += counted.escalations
    found.clocks += counted.clocks
    found.breached += counted.breached
    found.steps += counted.steps
    room = shifting.MOST_EXAMPLES - len(found.examples)
    found.examples = [*found.examples, *(_kept(example) for example in counted.examples[:room])]


def _kept(example: dict[str, Any]) -> dict[str, Any]:
    """As it will be answered."""
    return {name: _plain(value) for name, value in example.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value
