"""The first-owner-right rate of a small story, counted by hand."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth.models import User
from app.db import new_id, transaction
from app.routing import quality
from app.routing import service as routing
from app.routing.models import Decision, Misroute
from app.rows import fresh, insert_all
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.routing.conftest import case, hold

Make = Callable[..., User]
HOUR = timedelta(hours=1)


def decided(case_id: UUID, owner: User, at: datetime, **given: Any) -> Decision:
    """A decision as routing keeps it, by the rule "billing" unless said."""
    values = {"cause": "assign", "rule": None, "team_id": None, "failure": None, **given}
    return fresh(
        Decision,
        id=new_id(),
        escalation_id=case_id,
        at=at,
        recorded_at=at,
        policy_number=1,
        why="is named",
        owner_id=owner.id,
        rules=[],
        candidates=[],
        excluded={},
        inputs={},
        **values,
    )


def told(*steps: tuple[Any, ...], closed: datetime | None = NOW, reason: str = "billing", **first: Any) -> UUID:
    """A case with its owners, hour by hour up to `closed`: (owner, cause, misroute?) each, the first by raise."""
    facts = case(reason=reason)
    begin = (closed or NOW) - HOUR * len(steps)
    with transaction():
        for n, (owner, cause, *misroute) in enumerate(steps):
            at = begin + n * HOUR
            decision = decided(facts.escalation_id, owner, at, cause=cause, **(first if n == 0 else {}))
            if n:
                routing.release(facts.escalation_id, now=at, closed=False)
            beside = quality.misrouted(decision, misroute[0]) if misroute else []
            insert_all([decision, *beside, *hold(facts, owner.id, now=at)])
        if closed:
            routing.release(facts.escalation_id, now=closed)
    return facts.escalation_id


@pytest.fixture
def people(tenant: TestTenant, make_user: Make) -> list[User]:
    return [make_user() for _ in range(3)]


def measured(since: datetime = NOW - timedelta(days=1), until: datetime = NOW + timedelta(days=1)) -> quality.Quality:
    with transaction():
        return quality.measure(since=since, until=until)


def counts(group: quality.Group) -> tuple[Any, ...]:
    return (group.key, group.closed, group.by_first_owner, group.rate, group.reroutes)


def test_the_rate_of_a_small_story_is_what_counting_by_hand_gives(people: list[User]) -> None:
    a, b, c = people
    with transaction():
        team = routing.upsert_team("Billing", members=[{"email": a.email}], now=NOW)[0].id
    rule = {"rule": "billing team", "team_id": team}
    told((a, "raise"), **rule)  # right
    told((a, "raise"), (b, "absence"), (a, "hand_back"), **rule)  # right: nobody re-routed it
    told((a, "raise"), (b, "absence"), **rule)  # right: closed in the absent one's place
    told((a, "raise"), (b, "decline", "lacks_skill"), **rule)  # wrong, one re-route
    told((a, "raise"), (b, "absence"), (c, "assign", "wrong_team"), reason="security", rule="security")  # wrong, one
    told((b, "raise"), (c, "assign"), (a, "deactivation"), reason="security", rule="security")  # wrong, two
    told((b, "raise"), (c, "assign", "other"), (b, "assign"), reason="security")  # right after all, two re-routes
    told((c, "raise"), closed=None)  # still open: not counted
    found = measured()
    assert counts(found.all) == (None, 7, 4, 0.5714, 6)
    assert [counts(group) for group in found.by_rule] == [
        ("billing team", 4, 3, 0.75, 1),
        ("security", 2, 0, 0.0, 3),
        (None, 1, 1, 1.0, 2),
    ]
    assert [(group.name, *counts(group)) for group in found.by_team] == [
        ("Billing", str(team), 4, 3, 0.75, 1),
        (None, None, 3, 1, 0.3333, 5),
    ]
    assert [counts(group) for group in found.by_reason] == [("billing", 4, 3, 0.75, 1), ("security", 3, 1, 0.3333, 5)]
    assert found.by_cause == {"assign": 4, "decline": 1, "deactivation": 1}
    assert found.by_misroute == {"lacks_skill": 1, "wrong_team": 1, "other": 1, "not_said": 3}
    assert [(wrong.rule, wrong.misroute, wrong.reroutes) for wrong in found.wrong] == [
        (None, "not_said", 2),  # the second of each two: after a choice by hand
        ("billing team", "lacks_skill", 1),
        ("security", "wrong_team", 1),
        ("security", "not_said", 1),
        (None, "other", 1),
    ]


def test_who_really_closed_it_is_whom_the_stand_in_stood_in_for(people: list[User]) -> None:
    a, b, c = people
    ids = [
        told((a, "raise")),
        told((a, "raise"), (b, "absence")),
        told((a, "raise"), (b, "absence"), (c, "assign")),
        told((a, "raise"), closed=None),
    ]
    with transaction():
        found = quality.find_closers(ids)
    assert found == {ids[0]: a.id, ids[1]: a.id, ids[2]: c.id}


def test_the_absent_owners_case_given_back_to_them_by_hand_is_no_re_route(people: list[User]) -> None:
    a, b, _ = people
    told((a, "raise"), (b, "absence"), (a, "assign"))
    assert counts(measured().all) == (None, 1, 1, 1.0, 0)


def test_a_case_opened_again_is_not_closed_but_was_for_who_asks_about_the_time_before(people: list[User]) -> None:
    a, b, _ = people
    id_ = told((a, "raise"))
    with transaction():
        facts = case(escalation_id=id_)
        insert_all([decided(id_, b, NOW + 2 * HOUR, cause="reopen"), *hold(facts, b.id, now=NOW + 2 * HOUR)])
    assert measured().all.closed == 0
    before = measured(until=NOW + HOUR)
    assert counts(before.all) == (None, 1, 1, 1.0, 0)
    with transaction():
        routing.release(id_, now=NOW + 3 * HOUR)
    assert counts(measured().all) == (None, 1, 0, 0.0, 1)
    assert measured(until=NOW + HOUR) == before


def test_a_merged_case_is_not_closed(people: list[User]) -> None:
    id_ = told((people[0], "raise"), closed=None)
    with transaction():
        routing.release(id_, now=NOW, closed=False)
    assert measured().all.closed == 0
    with transaction():
        assert quality.find_closers([id_]) == {}


def test_a_reason_for_a_misroute_stands_beside_the_decision_that_was_wrong(people: list[User]) -> None:
    a, b, c = people
    id_ = told((a, "raise"), (b, "absence"), (c, "decline", "wrong_person"))
    with transaction() as session:
        wrong, _, reroute = session.scalars(select(Decision).where(Decision.escalation_id == id_)).all()
        kept = session.scalars(select(Misroute)).one()
        assert (kept.decision_id, kept.reroute_id, kept.reason) == (wrong.id, reroute.id, "wrong_person")


def test_days_are_the_tenants_own_and_both_are_included(tenant: TestTenant, client: ApiClient, make_user: Make) -> None:
    a = make_user()
    settings = client.get("/api/v1/settings")
    client.patch("/api/v1/settings", json={"timezone": "Asia/Tokyo"}, if_match=settings.headers["ETag"])
    told((a, "raise"), closed=datetime.fromisoformat("2026-03-01T23:59:59+09:00"))
    told((a, "raise"), closed=datetime.fromisoformat("2026-03-02T00:00:00+09:00"))
    told((a, "raise"), closed=datetime.fromisoformat("2026-03-04T00:00:00+09:00"))

    def closed(query: str) -> int:
        found: int = client.get(f"/api/v1/routing/quality?{query}").json["all"]["closed"]
        return found

    assert closed("from=2026-03-01&to=2026-03-01") == 1
    assert closed("from=2026-03-02&to=2026-03-03") == 1
    assert closed("from=2026-03-01&to=2026-03-04") == 3


def test_over_http_counts_stand_beside_every_rate(tenant: TestTenant, client: ApiClient, people: list[User]) -> None:
    a, b, _ = people
    told((a, "raise"), rule="everything")
    told((a, "raise"), (b, "decline", "no_capacity"), rule="everything")
    answer = client.get("/api/v1/routing/quality?from=2026-03-01&to=2026-03-31")
    counted = {"closed": 2, "by_first_owner": 1, "rate": 0.5, "reroutes": 1}
    assert answer.json == {
        "from": "2026-03-01",
        "to": "2026-03-31",
        "all": counted,
        "reroutes": {
            "by_cause": {"decline": 1},
            "by_misroute": {"no_capacity": 1},
            "by_rule": [{"rule": "everything", "misroute": "no_capacity", "reroutes": 1}],
        },
        "by_rule": {"items": [{"rule": "everything", **counted}], "others": None},
        "by_team": {"items": [{"team_id": None, "team": None, **counted}], "others": None},
        "by_reason": {"items": [{"reason": "billing", **counted}], "others": None},
    }


def test_a_period_without_a_closed_case_has_no_rate(client: ApiClient) -> None:
    found = client.get("/api/v1/routing/quality?from=2026-03-01&to=2026-03-01").json
    assert found["all"] == {"closed": 0, "by_first_owner": 0, "rate": None, "reroutes": 0}
    assert found["by_rule"]["items"] == []


@pytest.mark.parametrize("query", ["from=2026-03-02&to=2026-03-01", "from=soon", "from=0001-01-01"])
def test_a_period_that_is_none_names_the_parameter(client: ApiClient, query: str) -> None:
    answer = client.get(f"/api/v1/routing/quality?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["parameter"] == "from"


def test_the_last_ninety_days_unless_said(client: ApiClient) -> None:
    found = client.get("/api/v1/routing/quality?to=2026-03-31").json
    assert (found["from"], found["to"]) == ("2026-01-01", "2026-03-31")
    assert date.fromisoformat(found["to"]) - date.fromisoformat(found["from"]) == timedelta(days=89)


def test_who_may_not_read_routing_may_not_read_its_quality(as_user: Callable[..., ApiClient], make_user: Make) -> None:
    assert as_user(make_user("csm")).get("/api/v1/routing/quality").status_code == 403
    assert as_user(make_user("manager")).get("/api/v1/routing/quality").status_code == 200


def test_the_report_costs_one_statement(people: list[User], statements: Callable[..., Any]) -> None:
    told((people[0], "raise"))
    with transaction(), statements() as sent:
        quality.measure(since=NOW - HOUR, until=NOW + HOUR)
    assert len(sent) == 1


def test_beyond_two_hundred_groups_the_others_are_added_up() -> None:
    groups = [quality.Group(f"rule {n}", None, 3, 2, 1) for n in range(202)]
    found = quality.shortened(groups)
    assert (len(found["items"]), counts(found["others"])) == (200, (None, 6, 4, 0.6667, 2))
    assert quality.shortened(groups[:200])["others"] is None
