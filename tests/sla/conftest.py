"""A case to hang clocks on, made without the services above this package."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from app.accounts.models import Account
from app.db import db, new_id, transaction
from app.escalations.models import Escalation
from app.rows import insert_all
from app.sla import calendars, service
from app.sla.due import timing_of_row
from app.sla.ledger import Entry
from app.sla.ledgers import load_stored
from app.sla.models import Clock
from app.sla.stored import apply_state, find_not_before, last_written, present_calendar, rebuild_ledger, timing_of
from tests import NOW
from tests.conftest import TestTenant

OFFICE = {"timezone": "UTC", "weekly": {day: [["09:00", "17:00"]] for day in calendars.WORKDAYS}}


@pytest.fixture
def case(tenant: TestTenant) -> UUID:
    """The id of an open escalation owned by the admin, raised at NOW, counting by the tenant's default calendar."""
    with transaction():
        return make_case(tenant)


def make_case(tenant: TestTenant, number: int = 1) -> UUID:
    basis = service.basis(now=NOW)
    account = Account(id=new_id(), source="csv", external_id=str(new_id()), name="Acme", changed_at=NOW)
    case = Escalation(
        id=new_id(),
        number=number,
        account_id=account.id,
        title="Nothing works",
        severity=3,
        reason="other",
        source="api",
        completeness=0,
        status="open",
        tier="tier_1",
        owner_id=tenant.admin.id,
        raised_by_kind="colleague",
        calendar_version_id=basis.calendar_version_id,
        zone=basis.zone,
        ladder_number=basis.ladder_number,
        raised_at=NOW,
        day_raised=NOW.date(),
        recorded_at=NOW,
        close_target_at=NOW,
        due_at=NOW,
        resolve_by_at=NOW,
        value_currency="USD",
        priority_score=0,
        priority_parts={},
        priority_on=NOW.date(),
        account_version=1,
        event_hash=b"",
    )
    insert_all([account, case])
    return case.id


@pytest.fixture
def equals_rebuilt(tenant: TestTenant) -> Callable[[UUID], int]:
    """Every stored clock of a case is what its ledger says; answers how many were compared."""

    def compare(escalation_id: UUID) -> int:
        with transaction():
            stored_rows = db.session.scalars(select(Clock).where(Clock.escalation_id == escalation_id)).all()
            ledgers = {stored.row.id: stored.entries for stored in load_stored(escalation_id)}
            for row in stored_rows:
                assert_rebuilt(row, ledgers)
            return len(stored_rows)

    return compare


COMPARED = (
    "state",
    "flags",
    "started_at",
    "due_at",
    "original_due_at",
    "breached_at",
    "ended_at",
    "target_kind",
    "target_value",
    "due_version",
    "not_before",
    "elapsed_seconds",
    "paused_seconds",
    "entries",
)


def assert_rebuilt(row: Clock, ledgers: dict[UUID, list[Entry]]) -> None:
    entries = ledgers[row.id]
    state = rebuild_ledger(entries, zone=row.zone, as_of=last_written(entries))
    fresh = Clock(entries=len(entries), not_before=find_not_before(entries, state))
    apply_state(fresh, state)
    assert {name: getattr(row, name) for name in COMPARED} == {name: getattr(fresh, name) for name in COMPARED}
    if row.ended_at is None and row.due_at is not None:
        assert timing_of_row(row, present_calendar(entries)) == timing_of(entries, state, zone=row.zone)
