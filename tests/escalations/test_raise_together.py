"""Fifty cases that are raised at the same moment and a team that has room for ten."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import select, text

from app.auth.models import User
from app.db import db, transaction
from app.routing import service as routing
from app.routing.models import Decision
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

TOGETHER = 50


def test_fifty_raises_at_once_fill_exactly_the_ten_places_of_a_team(
    client: ApiClient, tenant: TestTenant, company: Company, make_user: Callable[..., User]
) -> None:
    people = [make_user() for _ in range(5)]
    with transaction():
        members = [{"email": user.email, "capacity": 7} for user in people]  # severity 2 weighs 3: two fit, 1 is left
        team, _ = routing.upsert_team("Ten places", members=members, now=NOW)
        rule = {"name": "team", "when": {"all": []}, "target": {"kind": "team", "team_id": str(team.id)}}
        number = routing.save_policy([rule], {}, actor=tenant.actor, now=NOW).number
        routing.publish_policy(number, actor=tenant.actor, now=NOW)
    barrier = Barrier(TOGETHER)

    def raise_one(n: int) -> Any:
        barrier.wait(timeout=60)
        return client.post(
            "/api/v1/escalations", json={"account_id": company.account_id, "title": f"Case {n}", "severity": 2}
        )

    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(raise_one, range(TOGETHER)))
    assert Counter(answer.status_code for answer in answers) == {201: TOGETHER}
    owners = Counter(answer.json["owner"]["email"] for answer in answers)
    assert owners == {**{user.email: 2 for user in people}, tenant.admin.email: 40}
    with transaction():
        held = text("select owner_id, sum(weight) from assignment where released_at is null group by owner_id")
        loads = {owner_id: int(load) for owner_id, load in db.session.execute(held)}
        assert loads == {**{user.id: 6 for user in people}, tenant.admin.id: 120}
        decisions = list(db.session.scalars(select(Decision)))
        assert Counter(decision.failure for decision in decisions) == {None: 10, "at_capacity": 40}
        assert [routing.rerun(decision) for decision in decisions] == [decision.owner_id for decision in decisions]
