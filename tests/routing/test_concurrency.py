"""Two cases that arrive together can't both take the last free place."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select, text

from app.auth.models import User
from app.db import db, tenant_scope, transaction
from app.routing import service as routing
from app.routing.models import Decision
from tests import NOW
from tests.conftest import TestTenant
from tests.routing.conftest import case, settle

TOGETHER = 20


def route_together(app: Flask, tenant: TestTenant, cases: list[Any]) -> list[tuple[UUID, str | None]]:
    """Each case in a thread and connection of its own, all let go at the same moment."""
    barrier = Barrier(len(cases))

    def one(facts: Any) -> tuple[UUID, str | None]:
        with app.app_context(), tenant_scope(tenant.id), transaction():
            barrier.wait(timeout=30)
            result = settle(facts)
        return result.owner_id, result.failure

    with ThreadPoolExecutor(len(cases)) as pool:
        return list(pool.map(one, cases))


def test_twenty_cases_never_overfill_five_places(
    app: Flask, tenant: TestTenant, make_user: Callable[..., User], publish: Callable[..., int]
) -> None:
    people = [make_user() for _ in range(5)]
    with transaction():
        members = [{"email": user.email, "capacity": 3} for user in people]
        team, _ = routing.upsert_team("Five places", members=members, now=NOW)
    publish([{"name": "team", "when": {"all": []}, "target": {"kind": "team", "team_id": str(team.id)}}])
    owners = route_together(app, tenant, [case(severity=2) for _ in range(TOGETHER)])
    counted = Counter(owner for owner, failure in owners if failure is None)
    assert counted == {user.id: 1 for user in people}  # 3 units fit once into 3
    assert [failure for owner, failure in owners if owner == tenant.admin.id] == ["at_capacity"] * 15
    with transaction():
        loads = db.session.execute(
            text(
                "select sum(weight) from assignment where released_at is null and owner_id <> :admin group by owner_id"
            ),
            {"admin": tenant.admin.id},
        ).scalars()
        assert [int(load) for load in loads] == [3] * 5
        decisions = list(db.session.scalars(select(Decision)))
        assert [routing.rerun(d) for d in decisions] == [d.owner_id for d in decisions]
    assert any(d.excluded.get("place_taken") for d in decisions)


def test_one_person_asked_by_all_at_once_takes_only_what_fits(
    app: Flask, tenant: TestTenant, make_user: Callable[..., User]
) -> None:
    owner = make_user()
    owners = route_together(app, tenant, [case(severity=1, roles={"owner": owner.id}) for _ in range(TOGETHER)])
    assert Counter(o for o, _ in owners) == {owner.id: 6, tenant.admin.id: 14}  # 6 × 4 units fill 24
