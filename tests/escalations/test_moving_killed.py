"""Workers killed while they move an absent colleague's work, and several at once: each case moves once."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.auth.models import User
from app.db import db, transaction
from app.escalations import jobs, seals
from app.escalations.models import AbsenceMove, Escalation
from app.escalations.timeline_models import Event
from app.notifications.models import Intent
from app.routing import service as routing
from app.routing.models import Absence, Assignment, Decision
from app.rows import insert_all
from tests import NOW
from tests.conftest import TestTenant
from tests.escalations.due_rows import make_due
from tests.escalations.test_sweep_killed import Sweepers, sweepers

__all__ = ["sweepers"]
CASES = 60
AT = NOW + timedelta(hours=1)


@pytest.fixture
def delegate(tenant: TestTenant, make_user: Callable[..., User]) -> User:
    """Stands in for the admin, who holds sixty cases and is away from NOW on."""
    made = make_user("manager")
    make_due(tenant, CASES)
    with transaction():
        for record in db.session.scalars(select(Escalation)).all():
            insert_all(
                routing.assign(
                    escalation_id=record.id,
                    account_id=record.account_id,
                    reason=record.reason,
                    owner_id=tenant.admin.id,
                    team_id=None,
                    weight=routing.work_weight(3, "open"),
                    value=None,
                    now=NOW,
                )
            )
        span = {"starts_at": NOW, "ends_at": NOW + timedelta(days=30)}
        routing.add_absence(
            tenant.admin.id, **span, delegate_email=made.email, mode="move", actor=tenant.actor, now=NOW
        )
    return made


def check_each_moved_once(delegate_id: UUID) -> None:
    with transaction():
        records = db.session.scalars(select(Escalation)).all()
        assert {record.owner_id for record in records} == {delegate_id}
        assert all(seals.verify(record)["intact"] for record in records)
        for model, where in (
            (Event, Event.kind == "assign"),
            (Decision, Decision.cause == "absence"),
            (AbsenceMove, AbsenceMove.to_id == delegate_id),
            (Assignment, Assignment.released_at.is_(None)),
            (Intent, Intent.kind == "assigned"),
        ):
            each = select(func.count()).where(where).group_by(model.escalation_id)
            assert db.session.scalars(each).all() == [1] * CASES, model.__tablename__
        assert db.session.scalars(select(Absence.next_at)).all() == [NOW + timedelta(days=30)]


def test_killed_ten_times_each_case_is_moved_once(
    tenant: TestTenant, delegate: User, sweepers: Callable[..., object]
) -> None:
    chance, kills = random.Random(11), 0
    with sweepers(tenant, limit=1, program="mover", at=AT) as started:  # type: ignore[attr-defined]
        for _ in range(10):
            pid = started.start()
            time.sleep(chance.uniform(0.05, 0.25))
            kills += Sweepers.kill(pid)
            Sweepers.wait(pid)
    assert kills >= 5
    jobs.move_work_tenant(tenant.id, AT)
    check_each_moved_once(delegate.id)


def test_three_at_once_move_each_case_once(tenant: TestTenant, delegate: User, sweepers: Callable[..., object]) -> None:
    with sweepers(tenant, limit=1, program="mover", at=AT) as started:  # type: ignore[attr-defined]
        for pid in [started.start() for _ in range(3)]:
            Sweepers.wait(pid)
    check_each_moved_once(delegate.id)
