"""Writing messages into the outbox and taking them back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.auth.models import User
from app.db import db, new_id, transaction
from app.notifications import service
from app.notifications.models import Intent
from app.rows import insert_all
from tests import NOW
from tests.conftest import TestTenant


def message(user: User, key: str, **values: Any) -> service.Message:
    fields: dict[str, Any] = {
        "user_id": user.id,
        "address": user.email,
        "kind": "reminder",
        "subject": "Globex: due on Friday",
        "body": "It is due.",
        "why": None,
        "escalation_id": None,
        "clock_id": None,
        "dedupe_key": key,
        "at": NOW,
        "hold_until": NOW,
        "channel": "email",
        **values,
    }
    return tuple(fields[name] for name in service.MESSAGE)  # type: ignore[return-value]


def states() -> dict[str, tuple[str, str | None]]:
    with transaction():
        return {row.dedupe_key: (row.state, row.reason) for row in db.session.scalars(select(Intent))}


def test_a_message_without_a_hold_is_due_at_once_and_keeps_the_address_it_was_written_for(tenant: TestTenant) -> None:
    row = service.intent(
        user=tenant.admin, kind="raised", subject="s", body="b", dedupe_key="1", at=NOW, now=NOW, why="w"
    )
    with transaction():
        insert_all([row])
    with transaction():
        kept = db.session.scalars(select(Intent)).one()
    assert (kept.state, kept.hold_until, kept.address, kept.why) == ("pending", NOW, "admin@example.com", "w")


def test_the_same_dedupe_key_twice_is_refused_by_the_database(tenant: TestTenant) -> None:
    values: dict[str, Any] = {"kind": "k", "subject": "s", "body": "b", "dedupe_key": "same", "at": NOW, "now": NOW}
    with pytest.raises(IntegrityError), transaction():
        insert_all([service.intent(user=tenant.admin, **values), service.intent(user=tenant.admin, **values)])


def test_posting_a_set_again_adds_only_what_is_new(tenant: TestTenant) -> None:
    with transaction():
        assert service.post_all([message(tenant.admin, "a"), message(tenant.admin, "b")]) == 2
    with transaction():
        assert service.post_all([message(tenant.admin, "b"), message(tenant.admin, "c")]) == 1
    assert set(states()) == {"a", "b", "c"}


def test_posting_a_thousand_messages_is_one_statement(
    tenant: TestTenant, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with transaction(), statements() as sent:
        assert service.post_all([message(tenant.admin, str(number)) for number in range(1000)]) == 1000
        assert service.post_all([]) == 0
    assert len(sent) == 1


def test_taking_back_names_its_reason_and_leaves_what_was_sent(tenant: TestTenant) -> None:
    case, clock_id = new_id(), new_id()
    with transaction():
        service.post_all(
            [
                message(tenant.admin, "of the clock", escalation_id=case, clock_id=clock_id),
                message(tenant.admin, "held", escalation_id=case, clock_id=clock_id, hold_until=NOW + timedelta(9)),
                message(tenant.admin, "of another clock", escalation_id=case, clock_id=new_id()),
                message(tenant.admin, "sent", escalation_id=case, clock_id=clock_id),
                message(tenant.admin, "elsewhere"),
            ]
        )
        db.session.scalars(select(Intent).where(Intent.dedupe_key == "sent")).one().state = "sent"
    with transaction():
        assert service.suppress(escalation_ids=[case], clock_ids=[clock_id], reason="already_acted") == 2
    assert states() == {
        "of the clock": ("suppressed", "already_acted"),
        "held": ("suppressed", "already_acted"),
        "of another clock": ("pending", None),
        "sent": ("sent", None),
        "elsewhere": ("pending", None),
    }


def test_taking_back_can_be_limited_to_kinds(tenant: TestTenant) -> None:
    case = new_id()
    with transaction():
        service.post_all(
            [
                message(tenant.admin, "reminder", escalation_id=case),
                message(tenant.admin, "word", escalation_id=case, kind="assigned"),
            ]
        )
    with transaction():
        assert service.suppress(escalation_ids=[case], reason="merged", kinds={"reminder"}) == 1
    assert states() == {"reminder": ("suppressed", "merged"), "word": ("pending", None)}
