"""Thousands of due steps, written as rows, for tests of many at once."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app.accounts.models import Account
from app.db import Model, db, new_id, transaction
from app.escalations import timeline
from app.escalations.models import Escalation
from app.rows import insert_all
from app.sla import service as sla
from app.sla.ledger import Target
from tests import NOW
from tests.conftest import TestTenant

DUE = NOW + timedelta(hours=3)  # Monday 13:00
FOUR_HOURS = Target("business_seconds", 4 * 3600)  # three quarters are used up at DUE: one step, to the owner
THREE_HOURS = Target("business_seconds", 3 * 3600)  # runs out at DUE: reminders at 50 % and 80 %, then the case closes
TASKS_EACH = 5


def make_due(tenant: TestTenant, cases: int, *, resolved: int = 0) -> None:
    """`cases` open ones with five task clocks each, `resolved` ones whose customer's word is due; the admin's."""
    account = Account(id=new_id(), source="csv", external_id="A-1", name="Globex", changed_at=NOW)
    with transaction(tenant=tenant.id):
        basis = sla.basis(now=NOW)
        rows: list[Model] = [account]
        for number in range(cases + resolved):
            record = _case(tenant, account.id, basis, number, status="open" if number < cases else "resolved")
            rows.append(record)
            shared = {"escalation_id": record.id, "basis": basis, "at": NOW, "now": NOW}
            if number < cases:
                for task in range(TASKS_EACH):
                    rows += sla.open_clock("task", target=FOUR_HOURS, subject=str(task), **shared)
            else:
                rows += sla.open_clock("verify", target=THREE_HOURS, **shared)
                rows += sla.open_clock("close", **shared)
        insert_all(rows)


def _case(tenant: TestTenant, account_id: UUID, basis: sla.Basis, number: int, *, status: str) -> Escalation:
    return Escalation(
        id=new_id(),
        number=number + 1,
        account_id=account_id,
        title="Nothing works",
        severity=3,
        reason="other",
        source="api",
        completeness=0,
        status=status,
        tier="tier_1",
        owner_id=tenant.admin.id,
        raised_by_kind="colleague",
        calendar_version_id=basis.calendar_version_id,
        zone=basis.zone,
        ladder_number=basis.ladder_number,
        raised_at=NOW,
        day_raised=NOW.date(),
        recorded_at=NOW,
        close_target_at=NOW + timedelta(days=30),
        due_at=NOW + timedelta(days=30),
        resolve_by_at=NOW + timedelta(days=23),
        value_currency="USD",
        priority_score=0,
        priority_parts={},
        priority_on=NOW.date(),
        account_version=1,
        event_hash=timeline.START,
    )


COUNTS = text(
    """
    select (select count(*) from step_log where kind = 'task' and outcome = 'sent') as told,
           (select count(distinct clock_id) from step_log where kind = 'task' and outcome = 'sent') as clocks_told,
           (select count(*) from step_log where kind = 'verify' and outcome = 'sent') as reminded,
           (select count(*) from step_log where kind = 'verify' and outcome = 'done') as done,
           (select count(*) from intent where dedupe_key like 'step:%') as messages,
           (select count(*) from intent i join step_log l on i.dedupe_key = 'step:' || l.id) as messages_with_line,
           (select count(*) from escalation where status = 'closed' and verification = 'unanswered') as closed,
           (select count(*) from event where kind = 'verify') as verify_events,
           (select count(*) from clock where next_step_at <= :due) as still_due,
           (select count(*) from clock where problem is not null) as set_aside
    """
)


def counts() -> dict[str, int]:
    """What stands in the tenant in scope."""
    with transaction():
        return dict(db.session.execute(COUNTS, {"due": DUE}).one()._mapping)


def expected(cases: int, resolved: int = 0) -> dict[str, int]:
    """Each step once: a line and a message for each task clock; for each resolved case one reminder and its closing."""
    tasks = cases * TASKS_EACH
    return {
        "told": tasks,
        "clocks_told": tasks,
        "reminded": resolved,
        "done": resolved,
        "messages": tasks + resolved,
        "messages_with_line": tasks + resolved,
        "closed": resolved,
        "verify_events": resolved,
        "still_due": 0,
        "set_aside": 0,
    }
