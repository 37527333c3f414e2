"""Relief for a team through the API: the proposal with its numbers, carried out as confirmed or not at all."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app import clock
from app.auth.models import User
from app.db import db, new_id, transaction
from app.escalations import rebalancing
from app.escalations.case import Act
from app.escalations.models import Escalation
from app.routing.models import Assignment, Decision, PolicyVersion, Team
from app.routing.teams import get_team
from app.rows import fresh, insert_all
from app.sla import service as sla
from tests import NOW
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.test_moving import Raise, act, messages, moves, owner_of

Make = Callable[..., User]
AsUser = Callable[..., ApiClient]


@dataclass(frozen=True)
class Crew:
    """`lead` leads `busy`, who has room for 4, and `free`, who has room for 8."""

    id: str
    lead: User
    busy: User
    free: User

    @property
    def path(self) -> str:
        return f"/api/v1/teams/{self.id}/rebalancing"


@pytest.fixture
def crew(client: ApiClient, make_user: Make, company: Company) -> Crew:
    lead = make_user("manager", "lead@example.com", manager=company.boss)
    busy, free = make_user("specialist", "busy@example.com"), make_user("specialist", "free@example.com")
    team = client.post("/api/v1/teams", json={"name": "Support", "lead_email": lead.email}).json
    made = Crew(team["id"], lead, busy, free)
    put(client, made, busy, 24)
    rule = {"name": "team", "when": {"all": []}, "target": {"kind": "team", "team": "Support"}}
    publish(client, rule)
    return made


def publish(client: ApiClient, rule: dict[str, Any]) -> None:
    policy = client.get("/api/v1/routing/policy")
    saved = client.put("/api/v1/routing/policy", json={"rules": [rule]}, if_match=policy.headers["ETag"])
    assert saved.status_code == 200, saved.text
    answer = client.post("/api/v1/routing/policy/publish", json={"number": saved.json["draft"]["number"]})
    assert answer.status_code == 200, answer.text


def put(client: ApiClient, crew: Crew, user: User, capacity: int) -> None:
    path = f"/api/v1/teams/{crew.id}/members/{user.id}"
    answer = client.put(path, json={"capacity": capacity}, if_match="*")
    assert answer.status_code in (200, 201), answer.text


@pytest.fixture
def overloaded(client: ApiClient, crew: Crew, raise_case: Raise) -> list[dict[str, Any]]:
    """Three cases of severity 3, 2 units each, with `busy`, for whom 4 fit; the first is acknowledged. `free` joins."""
    cases = [raise_case(title=title, severity=3) for title in ("First", "Second", "Third")]
    assert {owner_of(case) for case in cases} == {crew.busy.id}
    act(client, cases[0], "acknowledge")
    put(client, crew, crew.busy, 4)
    put(client, crew, crew.free, 8)
    return cases


def confirm(client: ApiClient, crew: Crew, digest: str, **fields: Any) -> Any:
    return client.post(crew.path, json={"digest": digest, "reason": "Busy has too much", **fields})


def test_the_youngest_case_not_acknowledged_is_proposed_with_everybodys_numbers(
    crew: Crew, overloaded: list[dict[str, Any]], as_user: AsUser
) -> None:
    found = as_user(crew.lead).get(crew.path).json
    assert [
        (move["escalation_id"], move["from_user"]["email"], move["to_user"]["email"]) for move in found["moves"]
    ] == [(overloaded[2]["id"], "busy@example.com", "free@example.com")]
    assert (found["complete"], found["fewest"], found["impossible"]) == (True, True, False)
    numbers = {
        one["user"]["email"]: (one["capacity"], one["before"], one["after"], one["over_by"]) for one in found["people"]
    }
    assert numbers == {"busy@example.com": (4, 6, 4, 0), "free@example.com": (8, 0, 2, 0)}
    assert {owner_of(case) for case in overloaded} == {crew.busy.id}


def test_confirmed_it_is_done_with_cause_and_reason_and_both_hear_of_it(
    client: ApiClient, crew: Crew, overloaded: list[dict[str, Any]], as_user: AsUser
) -> None:
    lead = as_user(crew.lead)
    done = confirm(lead, crew, lead.get(crew.path).json["digest"])
    assert done.status_code == 200, done.text
    moved = overloaded[2]
    assert [owner_of(case) for case in overloaded] == [crew.busy.id, crew.busy.id, crew.free.id]
    assert moves(moved)[-1] == ("rebalance", "Busy has too much")
    assert "Why now: Busy has too much" in messages(crew.free, "assigned")[-1].body
    assert messages(crew.busy, "reassigned")[-1].body == "Busy has too much"
    with transaction():
        record = db.session.scalars(select(Escalation).where(Escalation.id == UUID(moved["id"]))).one()
        decision = db.session.scalars(select(Decision).order_by(Decision.id.desc()).limit(1)).one()
    assert (str(record.team_id), record.acknowledged) == (crew.id, False)
    assert (decision.cause, decision.why) == (
        "rebalance",
        "has room where a colleague of the team held more than fits",
    )
    after = lead.get(crew.path).json
    assert (after["moves"], after["complete"]) == ([], True)


def test_once_the_ground_has_changed_nothing_is_done(
    client: ApiClient, crew: Crew, overloaded: list[dict[str, Any]], as_user: AsUser
) -> None:
    lead = as_user(crew.lead)
    digest = lead.get(crew.path).json["digest"]
    act(client, overloaded[2], "assign", owner_id=str(crew.free.id), reason="By hand")
    refused = confirm(lead, crew, digest)
    assert (refused.status_code, refused.json["code"]) == (409, "ground_changed")
    assert confirm(lead, crew, digest).status_code == 409
    assert confirm(lead, crew, "").json["errors"][0]["pointer"] == "/digest"
    assert confirm(lead, crew, digest, reason=" ").json["errors"][0]["pointer"] == "/reason"


def test_what_changes_between_looking_and_locking_is_noticed(
    tenant: TestTenant, crew: Crew, overloaded: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver takes another case while the locks are waited for: it is looked at again behind them."""
    lock = rebalancing.lock_record

    def lock_while_the_receiver_fills(escalation_id: UUID) -> Escalation:
        full = update(Assignment).where(Assignment.escalation_id == UUID(overloaded[0]["id"]))
        db.session.execute(full.values(owner_id=crew.free.id))
        return lock(escalation_id)

    with transaction():
        team, actor, now = get_team(UUID(crew.id)), actor_of(crew.lead), clock.now()
        digest = rebalancing.plan(team, actor=actor, now=now).digest
        monkeypatch.setattr(rebalancing, "lock_record", lock_while_the_receiver_fills)
        with pytest.raises(rebalancing.GroundChanged):
            rebalancing.apply(team, digest=digest, reason="x", act=Act(actor, now))


def test_the_absent_those_about_whom_it_is_and_those_without_the_rules_skills_get_nothing(
    client: ApiClient, crew: Crew, raise_case: Raise, make_user: Make
) -> None:
    """Each of three colleagues lacks one thing, and the fourth has all."""
    skill = client.post("/api/v1/skills", json={"name": "Billing"})
    assert skill.status_code == 201, skill.text
    away, about, novice, able_one = (make_user("specialist", f"{name}@example.com") for name in ("a", "b", "c", "d"))
    cases = [raise_case(severity=3, about_user=about.email) for _ in range(2)]
    for case in cases:
        choose_by_skill(case, crew.busy)
    put(client, crew, crew.busy, 2)
    for user, level in ((away, 5), (about, 5), (novice, 1)):
        put(client, crew, user, 8)
        able(client, user, level)
    with transaction():
        now = clock.now()
    span = {"starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(days=1)).isoformat()}
    assert client.post(f"/api/v1/users/{away.id}/absences", json=span).status_code == 201
    found = client.get(crew.path).json
    assert (found["moves"], found["impossible"], found["complete"]) == ([], True, False)
    assert {one["user"]["email"]: one["over_by"] for one in found["people"]}["busy@example.com"] == 2
    put(client, crew, able_one, 8)
    able(client, able_one, 2)
    assert [move["to_user"]["email"] for move in client.get(crew.path).json["moves"]] == ["d@example.com"]


def choose_by_skill(case: dict[str, Any], owner: User) -> None:
    """As if a rule that requires a skill had chosen the owner."""
    required = [{"skill": "billing", "level": 2}]
    with transaction():
        now = clock.now()
        rules = [{"name": "skilled", "required_skills": required}]
        known = db.session.scalar(select(PolicyVersion.id).where(PolicyVersion.number == 99))
        version = PolicyVersion(number=99, rules=rules, weights={}, created_by=None, created_at=now)
        last = db.session.scalars(select(Decision).where(Decision.escalation_id == UUID(case["id"]))).one()
        kept = {column.name: getattr(last, column.name) for column in Decision.__table__.columns}
        moment = {"at": now, "recorded_at": now, "policy_number": 99, "rule": "skilled", "owner_id": owner.id}
        again = fresh(Decision, **{**kept, "id": new_id(), **moment})
        insert_all([again] if known else [version, again])


def able(client: ApiClient, user: User, level: int) -> None:
    path = f"/api/v1/users/{user.id}/skills"
    answer = client.put(path, json={"skills": [{"skill": "Billing", "level": level}]}, if_match="*")
    assert answer.status_code == 200, answer.text


def test_restricted_cases_and_those_of_other_teams_stay_but_not_those_of_an_accounts_owner(
    client: ApiClient, crew: Crew, overloaded: list[dict[str, Any]]
) -> None:
    other = client.post("/api/v1/teams", json={"name": "Other"}).json["id"]
    with transaction():
        db.session.execute(update(Escalation).where(Escalation.id == UUID(overloaded[2]["id"])).values(restricted=True))
        db.session.execute(
            update(Escalation).where(Escalation.id == UUID(overloaded[1]["id"])).values(team_id=UUID(other))
        )
        db.session.execute(update(Escalation).where(Escalation.id == UUID(overloaded[0]["id"])).values(team_id=None))
    assert [move["escalation_id"] for move in client.get(crew.path).json["moves"]] == [overloaded[0]["id"]]


def test_the_lead_who_stands_in_for_them_the_line_above_and_admins_may(
    client: ApiClient, crew: Crew, company: Company, as_user: AsUser, make_user: Make
) -> None:
    helper = make_user("specialist")
    for user, status in ((crew.lead, 200), (company.boss, 200), (crew.busy, 403), (helper, 403)):
        assert as_user(user).get(crew.path).status_code == status
        assert confirm(as_user(user), crew, "x").status_code == (409 if status == 200 else 403)
    with transaction():
        now = clock.now()
    span = {"starts_at": (now - timedelta(hours=1)).isoformat(), "ends_at": (now + timedelta(days=1)).isoformat()}
    client.post(f"/api/v1/users/{crew.lead.id}/absences", json={**span, "delegate_email": helper.email})
    assert as_user(helper).get(crew.path).status_code == 200


def test_the_line_above_the_lead_may_confirm(
    crew: Crew, overloaded: list[dict[str, Any]], company: Company, as_user: AsUser
) -> None:
    boss = as_user(company.boss)
    assert confirm(boss, crew, boss.get(crew.path).json["digest"]).status_code == 200
    assert owner_of(overloaded[2]) == crew.free.id


def test_a_team_without_members_has_nothing_to_give(client: ApiClient) -> None:
    team = client.post("/api/v1/teams", json={"name": "Nobody"}).json
    found = client.get(f"/api/v1/teams/{team['id']}/rebalancing").json
    assert (found["moves"], found["people"], found["complete"]) == ([], [], True)


def test_a_proposal_costs_two_statements(
    crew: Crew,
    overloaded: list[dict[str, Any]],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    with transaction():
        team, now = get_team(UUID(crew.id)), clock.now()
        with statements() as sent:
            rebalancing.plan(team, actor=actor_of(crew.lead), now=now)
    assert len(sent) == 2, sent


@pytest.mark.parametrize(
    ("opens", "zone", "moved"),
    [
        ("09:00", None, True),
        ("13:59", None, True),
        ("14:00", None, False),  # the acknowledgement, 4 business hours from 10:00, is due at 14:00
        ("18:00", None, False),
        ("09:00", "America/New_York", False),  # 14:00 in UTC
        ("09:00", "America/Halifax", True),  # 13:00 in UTC
    ],
)
@pytest.mark.parametrize("whose", ["own", "team"])
def test_who_is_not_at_work_before_the_acknowledgement_is_due_gets_nothing(
    crew: Crew, overloaded: list[dict[str, Any]], opens: str, zone: str | None, moved: bool, whose: str
) -> None:
    """Monday 2 March 2026, 10:00 in UTC; the customers' calendar is Monday to Friday, 9 to 17."""
    weekly = {day: [[opens, "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    with transaction():
        sla.publish_calendar("theirs", {"timezone": "UTC", "weekly": weekly}, now=NOW)
        of_free = {"calendar": "theirs" if whose == "own" else None, "timezone": zone}
        db.session.execute(update(User).where(User.id == crew.free.id).values(**of_free))
        if whose == "team":
            db.session.execute(update(Team).where(Team.id == UUID(crew.id)).values(calendar="theirs"))
    with transaction():
        found = rebalancing.plan(get_team(UUID(crew.id)), actor=actor_of(crew.lead), now=NOW).proposal
    assert [move.to_id for move in found.moves] == ([str(crew.free.id)] if moved else [])
    assert found.impossible is not moved


def test_of_a_case_whose_calendar_cannot_be_read_nothing_is_due_and_the_others_are_proposed(tenant: TestTenant) -> None:
    with transaction():
        assert rebalancing._acknowledge_due(sla.Basis(new_id(), "UTC", 1), 3, NOW) is None
