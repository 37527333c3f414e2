"""Cases that arrive together can't both take the last free place, and nobody who is leaving gets one."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Barrier, Thread
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from app.auth.changes import update_settings
from app.auth.models import User
from app.auth.queries import get_tenant
from app.db import db, tenant_scope, transaction
from app.routing import service as routing
from app.routing.models import Assignment, Decision
from tests import NOW
from tests.conftest import TestTenant
from tests.routing.conftest import case, settle

TOGETHER = 20
WAITING = text("select count(*) from pg_locks where not granted")


def wait_for_a_lock(app: Flask) -> None:
    """Until another connection waits for what this test's transaction holds."""
    until = monotonic() + 30
    with app.app_context(), db.engine.connect() as connection:
        while not connection.scalar(WAITING):
            connection.rollback()
            assert monotonic() < until, "nobody waits"
            sleep(0.01)


@pytest.fixture
def in_background(app: Flask, tenant: TestTenant) -> Callable[..., AbstractContextManager[list[Any]]]:
    """`with in_background(work) as results:` lets `work` run in a transaction and connection of its own and waits, at
    the start, until a lock holds it up; at the end, until it is done."""

    @contextmanager
    def starting(work: Callable[[], Any]) -> Iterator[list[Any]]:
        results: list[Any] = []

        def run() -> None:
            with app.app_context(), tenant_scope(tenant.id), transaction():
                results.append(work())

        thread = Thread(target=run)
        thread.start()
        wait_for_a_lock(app)
        yield results
        thread.join(timeout=30)
        assert not thread.is_alive()

    return starting


def deactivate(user: User) -> None:
    db.session.execute(update(User).where(User.id == user.id).values(active=False))


def deactivate_and_count(user: User) -> Any:
    """How many cases they hold, as seen once they are deactivated."""
    deactivate(user)
    held = select(func.count()).where(Assignment.owner_id == user.id, Assignment.released_at.is_(None))
    return db.session.scalar(held)


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


def test_whoever_is_deactivated_between_decision_and_commit_does_not_get_the_case(
    app: Flask, tenant: TestTenant, make_user: Callable[..., User], publish: Callable[..., int], in_background: Any
) -> None:
    leaving, staying = make_user(), make_user()
    rules = [
        {
            "name": "named",
            "when": {"all": []},
            "target": {"kind": "user", "user_id": str(leaving.id)},
            "fallback": {"kind": "user", "user_id": str(staying.id)},
        }
    ]
    publish(rules)
    with ExitStack() as after, transaction():
        deactivate(leaving)  # not committed yet: the decision reads somebody active and then waits for their row
        results = after.enter_context(in_background(lambda: settle(case())))
    [result] = results
    assert (result.owner_id, result.failure) == (staying.id, None)
    assert result.decision.excluded == {"inactive": [str(leaving.id)]}
    with transaction():
        assert routing.rerun(result.decision) == staying.id


def test_a_stand_in_deactivated_between_decision_and_commit_does_not_get_the_case(
    app: Flask, tenant: TestTenant, make_user: Callable[..., User], publish: Callable[..., int], in_background: Any
) -> None:
    lead = make_user("manager")
    with transaction():
        team, _ = routing.upsert_team("Nobody", lead_email=lead.email, members=[], now=NOW)
    publish([{"name": "team", "when": {"all": []}, "target": {"kind": "team", "team_id": str(team.id)}}])
    with ExitStack() as after, transaction():
        deactivate(lead)
        results = after.enter_context(in_background(lambda: settle(case())))
    [result] = results
    assert (result.owner_id, result.failure) == (tenant.admin.id, "team_empty")
    assert result.decision.inputs["gone"] == [str(lead.id)]
    with transaction():
        assert routing.rerun(result.decision) == tenant.admin.id


@pytest.mark.parametrize("stands_in", [False, True])
def test_who_has_just_been_given_a_case_is_deactivated_only_after_its_commit(
    app: Flask, tenant: TestTenant, make_user: Callable[..., User], in_background: Any, stands_in: bool
) -> None:
    user = make_user()
    roles = {} if stands_in else {"owner": user.id}
    if stands_in:
        with transaction():
            update_settings(get_tenant(), {"duty_owner_email": user.email})
    with ExitStack() as after, transaction():
        assert settle(case(roles=roles)).owner_id == user.id
        results = after.enter_context(in_background(lambda: deactivate_and_count(user)))
    assert results == [1]  # so whoever moves the work of the deactivated finds this case, too


def test_many_cases_may_fall_to_one_stand_in_at_the_same_time(
    app: Flask, tenant: TestTenant, in_background: Any
) -> None:
    with transaction():
        assert settle(case()).owner_id == tenant.admin.id
        with ThreadPoolExecutor(1) as pool:  # would wait for ever if the first held the stand-in for itself alone

            def other() -> UUID:
                with app.app_context(), tenant_scope(tenant.id), transaction():
                    return settle(case()).owner_id

            assert pool.submit(other).result(timeout=10) == tenant.admin.id
