"""Skills, who masters them, weights and calendars through their doors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.auth.models import User
from app.db import transaction
from app.routing import service as routing
from app.routing.models import UserSkill
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.routing.test_concurrency import wait_for_a_lock

Make = Callable[..., User]
WEEK = {"weekly": {"mon": [["08:00", "16:00"]]}}
CATCH_ALL: dict[str, Any] = {"name": "rest", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}}


def made(client: ApiClient, *names: str) -> list[str]:
    """The paths of new skills."""
    return [client.post("/api/v1/skills", json={"name": name}).headers["Location"] for name in names]


def together(*calls: Callable[[], int]) -> list[int]:
    """What the calls answer when all begin at one moment."""
    start = Barrier(len(calls))

    def call(one: Callable[[], int]) -> int:
        start.wait()
        return one()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


@pytest.fixture
def in_force(publish: Callable[..., int]) -> Callable[..., int]:
    """`in_force({"required_skills": …}, {})` publishes rules 1, 2 … with these members, above the catch-all."""

    def publish_rules(*asked: dict[str, Any]) -> int:
        when = {"field": "escalation.severity", "op": "=", "value": 1}
        rules = [{**CATCH_ALL, "when": when, "name": f"rule {n}", **members} for n, members in enumerate(asked, 1)]
        return publish([*rules, CATCH_ALL])

    return publish_rules


def test_a_skill_is_made_renamed_listed_and_deleted(client: ApiClient) -> None:
    billing = made(client, " Billing ")[0]
    assert client.get(billing).json["name"] == "Billing"
    assert client.patch(billing, json={"name": "Invoices"}).status_code == 428
    assert client.patch(billing, json={"name": "Invoices"}, if_match=7).status_code == 412
    renamed = client.patch(billing, json={"name": "Invoices"}, if_match=1)
    assert (renamed.json["name"], renamed.json["people"], renamed.headers["ETag"]) == ("Invoices", 0, '"2"')
    made(client, "API", "sso")
    first = client.get("/api/v1/skills?limit=2").json
    second = client.get(f"/api/v1/skills?limit=2&cursor={first['next_cursor']}").json
    assert [skill["name"] for skill in first["items"] + second["items"]] == ["API", "Invoices", "sso"]
    assert second["next_cursor"] is None
    assert client.delete(billing).status_code == 204
    assert client.get(billing).status_code == 404


def test_a_skills_name_is_its_own_whatever_its_case(client: ApiClient) -> None:
    billing, _ = made(client, "Billing", "SSO")
    again = client.post("/api/v1/skills", json={"name": "bILLING"})
    assert (again.status_code, again.json["code"]) == (409, "skill_name_taken")
    assert client.patch(billing, json={"name": "sso"}, if_match=1).json["code"] == "skill_name_taken"
    assert client.patch(billing, json={"name": "billing"}, if_match=1).json["name"] == "billing"


@pytest.mark.parametrize("name", ["", "  ", "billing:3", "a;b", "x" * 101, 7, None])
def test_a_name_no_skill_can_have_is_refused(client: ApiClient, name: Any) -> None:
    answer = client.post("/api/v1/skills", json={"name": name})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/name")


@pytest.mark.parametrize("part", ["required_skills", "preferred_skills"])
def test_a_skill_that_rules_in_force_name_stays_and_they_are_said(
    client: ApiClient, in_force: Callable[..., int], part: str
) -> None:
    billing, sso = made(client, "Billing", "SSO")
    in_force({part: [{"skill": "billing", "level": 2}]}, {}, {part: [{"skill": "sso"}, {"skill": "BILLING"}]})
    refused = client.delete(billing)
    assert (refused.status_code, refused.json["code"]) == (409, "skill_in_use")
    assert refused.json["rules"] == ["rule 1", "rule 3"]
    assert "'rule 1', 'rule 3'" in refused.json["detail"]
    assert client.patch(billing, json={"name": "Invoices"}, if_match=1).json["rules"] == ["rule 1", "rule 3"]
    assert client.patch(billing, json={"name": "BILLING"}, if_match=1).status_code == 200
    assert client.delete(sso).json["rules"] == ["rule 3"]
    in_force()
    assert client.delete(sso).status_code == 204


@pytest.mark.parametrize("change", ["delete", "rename"])
def test_a_skill_that_is_published_at_the_same_moment_stays(
    app: Flask, client: ApiClient, tenant: TestTenant, in_force: Callable[..., int], change: str
) -> None:
    """The change waits for the publication that began before it, and then sees the rules which that put in force."""
    billing = made(client, "Billing")[0]
    number = in_force({"required_skills": [{"skill": "billing"}]})
    in_force()

    def alter() -> int:
        if change == "delete":
            return client.delete(billing).status_code
        return client.patch(billing, json={"name": "Invoices"}, if_match=1).status_code

    with ThreadPoolExecutor(1) as thread:
        with transaction():
            routing.publish_policy(number, actor=tenant.actor, now=NOW)
            altering = thread.submit(alter)
            wait_for_a_lock(app)
        assert altering.result(timeout=30) == 409
    assert client.get(billing).json["name"] == "Billing"


def test_all_skills_of_a_colleague_are_said_at_once(client: ApiClient, make_user: Make) -> None:
    user = make_user()
    billing, _ = made(client, "Billing", "SSO")
    path = f"/api/v1/users/{user.id}/skills"
    assert client.get(path).json == {"user_id": str(user.id), "skills": []}
    body = {"skills": [{"skill": "sso"}, {"skill": "BILLING", "level": 4}]}
    assert client.put(path, json=body).status_code == 428
    said = client.put(path, json=body, if_match=client.get(path).headers["ETag"])
    assert [(s["skill"], s["level"]) for s in said.json["skills"]] == [("Billing", 4), ("SSO", 1)]
    assert said.headers["ETag"] == client.get(path).headers["ETag"] == '"2"'
    assert client.put(path, json=body, if_match=1).status_code == 412
    assert client.put(path, json=body, if_match=2).headers["ETag"] == '"2"'  # nothing changed
    assert client.get(billing).json["people"] == 1
    fewer = client.put(path, json={"skills": [{"skill": "SSO", "level": 5}]}, if_match=2)
    assert [(s["skill"], s["level"]) for s in fewer.json["skills"]] == [("SSO", 5)]
    assert client.get(billing).json["people"] == 0


def test_who_masters_a_skill_is_listed(client: ApiClient, make_user: Make) -> None:
    made(client, "Billing", "SSO")
    users = [make_user() for _ in range(3)]
    for user, skill in zip(users, ("Billing", "SSO", "billing"), strict=True):
        client.put(f"/api/v1/users/{user.id}/skills", json={"skills": [{"skill": skill}]}, if_match=1)
    items = client.get("/api/v1/users?skill=BILLING").json["items"]
    assert [item["email"] for item in items] == [users[0].email, users[2].email]
    assert client.get("/api/v1/users?skill=cobol").json["items"] == []


@pytest.mark.parametrize(
    ("skills", "pointer"),
    [
        ([{"skill": "billing", "level": 0}], "/skills/0/level"),
        ([{"skill": "billing", "level": 6}], "/skills/0/level"),
        ([{"skill": "billing", "level": "3"}], "/skills/0/level"),
        ([{"skill": "billing"}, {"skill": "cobol"}], "/skills/1/skill"),
        ([{"skill": "billing"}, {"skill": "Billing", "level": 2}], "/skills/1/skill"),
        ([{"level": 2}], "/skills/0/skill"),
        (["billing"], "/skills/0"),
        (None, "/skills"),
    ],
)
def test_skills_that_nobody_can_master_are_refused(
    client: ApiClient, make_user: Make, skills: Any, pointer: str
) -> None:
    made(client, "Billing")
    path = f"/api/v1/users/{make_user().id}/skills"
    refused = client.put(path, json={"skills": skills}, if_match=1)
    assert (refused.status_code, [e["pointer"] for e in refused.json["errors"]]) == (422, [pointer])
    assert client.get(path).json["skills"] == []


def test_an_integration_masters_nothing(client: ApiClient, make_user: Make) -> None:
    made(client, "Billing")
    path = f"/api/v1/users/{make_user('integration').id}/skills"
    refused = client.put(path, json={"skills": [{"skill": "billing"}]}, if_match=1)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/skills")


def test_a_deleted_skill_leaves_those_who_mastered_it(client: ApiClient, make_user: Make) -> None:
    user, billing = make_user(), made(client, "Billing")[0]
    path = f"/api/v1/users/{user.id}"
    client.put(f"{path}/skills", json={"skills": [{"skill": "billing"}]}, if_match=1)
    assert client.get(path).json["skills"] == [{"skill": "Billing", "level": 1}]
    assert client.delete(billing).status_code == 204
    assert client.get(path).json["skills"] == []
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(UserSkill)) == 0


def test_of_two_who_take_a_name_at_the_same_moment_one_is_told(client: ApiClient) -> None:
    def take(path: str) -> int:
        return client.post(path, json={"name": "Billing"}).status_code

    for path in ("/api/v1/skills", "/api/v1/teams"):
        assert sorted(together(partial(take, path), partial(take, path))) == [201, 409]


def test_nobody_masters_a_skill_that_goes_at_the_same_moment(client: ApiClient, make_user: Make) -> None:
    path = f"/api/v1/users/{make_user().id}/skills"

    def master(name: str) -> int:
        return client.put(path, json={"skills": [{"skill": name}]}, if_match="*").status_code

    def drop(skill: str) -> int:
        return client.delete(skill).status_code

    for n in range(8):
        skill = made(client, f"skill {n}")[0]
        put, gone = together(partial(master, f"skill {n}"), partial(drop, skill))
        assert (put in (200, 422), gone) == (True, 204)
        assert client.get(path).json["skills"] == []


def test_only_admins_say_who_masters_what(
    client: ApiClient, make_user: Make, as_user: Callable[..., ApiClient]
) -> None:
    user, billing = make_user(), made(client, "Billing")[0]
    theirs = as_user(user)
    assert theirs.get("/api/v1/skills").json["items"][0]["name"] == "Billing"
    assert theirs.put(f"/api/v1/users/{user.id}/skills", json={"skills": []}, if_match=1).status_code == 403
    assert theirs.post("/api/v1/skills", json={"name": "x"}).status_code == 403
    assert theirs.delete(billing).status_code == 403


def test_one_call_shows_what_a_colleague_takes_on_and_can_do(
    client: ApiClient, make_user: Make, statements: Any
) -> None:
    user = make_user()
    path = f"/api/v1/users/{user.id}"
    assert (client.get(path).json["capacity"], client.get(path).json["skills"]) == (24, [])
    for name, capacity in (("One", 6), ("Two", 9)):
        team = client.post("/api/v1/teams", json={"name": name}).headers["Location"]
        client.put(f"{team}/members/{user.id}", json={"capacity": capacity})
    made(client, "SSO", "billing")
    skills = [{"skill": "SSO", "level": 2}, {"skill": "billing", "level": 3}]
    client.put(f"{path}/skills", json={"skills": skills}, if_match=1)
    with statements() as sent:
        answer = client.get(path).json
    assert (answer["capacity"], answer["skills"]) == (9, [skills[1], skills[0]])
    with statements() as listed:
        items = client.get("/api/v1/users").json["items"]
    assert [item["capacity"] for item in items] == [24, 9]
    reads = [s for s in sent if s.startswith("SELECT") and '"user"' in s and "membership" in s]
    assert (len(reads), len(listed) <= len(sent)) == (1, True)


def test_a_calendar_of_a_colleague_or_team_is_one_that_exists(client: ApiClient, make_user: Make) -> None:
    user = make_user()
    team = client.post("/api/v1/teams", json={"name": "Nights"}).headers["Location"]
    for path in (f"/api/v1/users/{user.id}", team):
        refused = client.patch(path, json={"calendar": "Mars"}, if_match=1)
        assert (refused.status_code, refused.json["errors"]) == (
            422,
            [{"pointer": "/calendar", "detail": "expected the name of a published calendar"}],
        )
    assert client.post("/api/v1/calendars", json={"name": "Oslo", **WEEK}).status_code == 201
    for path in (f"/api/v1/users/{user.id}", team):
        assert client.patch(path, json={"calendar": "Oslo"}, if_match=1).json["calendar"] == "Oslo"
        assert client.get(path).json["calendar"] == "Oslo"
        assert client.patch(path, json={"calendar": None}, if_match=2).json["calendar"] is None
    for kind, body in (("users", {"email": "new@example.com", "name": "New"}), ("teams", {"name": "New"})):
        path = f"/api/v1/{kind}"
        assert client.post(path, json={**body, "calendar": "Mars"}).json["errors"][0]["pointer"] == "/calendar"
        assert client.post(path, json={**body, "calendar": "Oslo"}).json["calendar"] == "Oslo"


def test_a_member_weighs_fully_unless_said_otherwise(client: ApiClient, make_user: Make) -> None:
    team = client.post("/api/v1/teams", json={"name": "Billing"}).headers["Location"]
    path = f"{team}/members/{make_user().id}"
    assert client.put(path, json={"capacity": 8}).json["members"][0]["weight"] == 1
    changed = client.put(path, json={"capacity": 8, "weight": 0.25}, if_match=2)
    assert (changed.json["members"][0]["weight"], changed.headers["ETag"]) == (0.25, '"3"')
    assert client.get(team).json["members"] == changed.json["members"]


@pytest.mark.parametrize("weight", [0, -1, 2, 1.01, 0.005, "0.5", True, None, [], 1e400])
def test_a_weight_lies_above_0_and_at_most_at_1(client: ApiClient, make_user: Make, weight: Any) -> None:
    team = client.post("/api/v1/teams", json={"name": "Billing"}).headers["Location"]
    refused = client.put(f"{team}/members/{make_user().id}", json={"weight": weight})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/weight")
    assert client.get(team).json["members"] == []


def test_a_lead_is_a_person(client: ApiClient, make_user: Make) -> None:
    machine = make_user("integration")
    refused = client.post("/api/v1/teams", json={"name": "Billing", "lead_email": machine.email})
    detail = f"expected a person: {machine.email} is an integration"
    assert refused.json["errors"] == [{"pointer": "/lead_email", "detail": detail}]
    unknown = client.post("/api/v1/teams", json={"name": "Billing", "lead_email": "no@example.com"})
    detail = "there is no colleague with the address no@example.com"
    assert unknown.json["errors"] == [{"pointer": "/lead_email", "detail": detail}]


def test_another_tenants_skill_is_unknown(
    client: ApiClient, new_tenant: Callable[..., TestTenant], make_user: Make
) -> None:
    with transaction(tenant=new_tenant().id):
        routing.create_skill("theirs", now=NOW)
    assert client.get("/api/v1/skills").json["items"] == []
    body = {"skills": [{"skill": "theirs"}]}
    refused = client.put(f"/api/v1/users/{make_user().id}/skills", json=body, if_match=1)
    assert refused.json["errors"][0]["pointer"] == "/skills/0/skill"
    assert made(client, "theirs")


@pytest.fixture
def explain(client: ApiClient) -> Callable[[], dict[str, Any]]:
    """Who would get a case of severity 1 now, and why."""
    client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"})
    body = {"account": {"source": "crm", "external_id": "A-1"}, "severity": 1}

    def ask() -> dict[str, Any]:
        answer = client.post("/api/v1/routing/explain", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json
        return found

    return ask


def team_of(client: ApiClient, *members: tuple[User, dict[str, Any]]) -> str:
    team = client.post("/api/v1/teams", json={"name": "Billing", "calendar": "Always"})
    for user, body in members:
        assert client.put(f"{team.headers['Location']}/members/{user.id}", json=body).status_code == 201
    return str(team.json["id"])


@pytest.fixture
def always(client: ApiClient) -> None:
    body = {"name": "Always", "timezone": "UTC", "always_open": True}
    assert client.post("/api/v1/calendars", json=body).status_code == 201


@pytest.mark.usefixtures("always")
def test_a_team_that_cannot_take_a_case_is_passed_with_its_reason_and_somebody_owns_it(
    client: ApiClient, tenant: TestTenant, make_user: Make, in_force: Callable[..., int], explain: Any
) -> None:
    team = team_of(client)
    in_force({"target": {"kind": "team", "team_id": team}})
    assert (explain()["failure"], explain()["owner"]["email"]) == ("team_empty", tenant.admin.email)
    user = make_user()
    path = f"/api/v1/teams/{team}/members/{user.id}"
    assert client.put(path, json={"capacity": 0}).status_code == 201
    full = explain()
    assert (full["failure"], full["excluded"]["at_capacity"]) == ("at_capacity", [str(user.id)])
    assert full["owner"]["email"] == tenant.admin.email
    assert client.put(path, json={"capacity": 8}, if_match="*").status_code == 200
    assert explain()["owner"]["email"] == user.email


@pytest.mark.usefixtures("always")
def test_a_required_skill_that_nobody_has_left_is_said_and_somebody_owns_the_case(
    client: ApiClient, tenant: TestTenant, make_user: Make, in_force: Callable[..., int], explain: Any
) -> None:
    user = make_user()
    team = team_of(client, (user, {}))
    made(client, "Refunds")
    in_force({"target": {"kind": "team", "team_id": team}, "required_skills": [{"skill": "refunds", "level": 3}]})
    path = f"/api/v1/users/{user.id}/skills"
    for level, failure, owner in ((2, "lacks_skill", tenant.admin), (3, None, user)):
        body = {"skills": [{"skill": "Refunds", "level": level}]}
        assert client.put(path, json=body, if_match="*").status_code == 200
        answer = explain()
        assert (answer["failure"], answer["owner"]["email"]) == (failure, owner.email)


@pytest.mark.usefixtures("always")
def test_a_newcomer_at_a_quarter_stands_behind_an_equal_colleague(
    client: ApiClient, make_user: Make, in_force: Callable[..., int], explain: Any
) -> None:
    veteran, newcomer = make_user(), make_user()
    team = team_of(client, (newcomer, {"weight": 0.25}), (veteran, {}))
    in_force({"target": {"kind": "team", "team_id": team}})
    answer = explain()
    assert answer["owner"]["email"] == veteran.email
    scores = {one["id"]: one["score"] for one in answer["candidates"]}
    assert scores[str(newcomer.id)] == pytest.approx(scores[str(veteran.id)] / 4, abs=0.01)
