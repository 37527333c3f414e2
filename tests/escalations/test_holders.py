"""Tasks of a role follow whoever holds it; one that nobody holds falls to the owner until somebody does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app import clock
from app.accounts import service as accounts
from app.auth.models import User
from app.db import db, transaction
from app.escalations import jobs, priorities
from app.escalations.timeline_models import Event
from app.notifications.models import Intent
from app.routing.models import Absence
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
ROLES = ("owner", "csm", "account_owner", "sponsor", "owner_manager", "team_lead")


@pytest.fixture(autouse=True)
def book(client: ApiClient) -> None:
    """A playbook with one task for every role."""
    tasks = [{"key": role, "title": f"Of the {role}", "role": role} for role in ROLES]
    made = client.post("/api/v1/playbooks", json={"definition": {"name": "Book", "about": "A book.", "tasks": tasks}})
    client.post(f"/api/v1/playbooks/{made.json['id']}/publish", json={})


def holders(client: ApiClient, case: dict[str, Any]) -> dict[str, str]:
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return {item["key"]: item["assignee_id"] for item in items if item["key"]}


def set_account(**fields: Any) -> None:
    with transaction():
        accounts.upsert_account("crm", "A-1", {"name": "Globex", **fields}, now=clock.now())


def people(company: Company, **others: Any) -> dict[str, Any]:
    """The company's people as the CRM sends them."""
    named = {"owner": company.owner, "csm": company.csm, "sponsor": company.boss, **others}
    return {f"{role}_email": user.email if user else None for role, user in named.items()}


def told(user: User, case: dict[str, Any]) -> list[str]:
    """What somebody was told of tasks that came to them."""
    with transaction():
        asked = db.session.query(Intent).filter_by(user_id=user.id, kind="task", escalation_id=case["id"])
        return [intent.body for intent in asked]


def change_user(client: ApiClient, user: User, **changes: Any) -> None:
    path = f"/api/v1/users/{user.id}"
    assert client.patch(path, json=changes, if_match=client.get(path).headers["ETag"]).status_code == 200


def passed_on(case: dict[str, Any]) -> list[dict[str, Any]]:
    with transaction():
        found = db.session.query(Event).filter_by(escalation_id=case["id"], kind="tasks_passed_on").order_by(Event.seq)
        return [event.facts for event in found]


def test_a_new_csm_has_the_csms_tasks_and_hears_of_them_once(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant, make_user: Callable[..., User]
) -> None:
    case, new = raise_case(), make_user("csm", "new@example.com")
    set_account(**people(company, csm=new))
    jobs.reprioritise_tenant(tenant.id)
    jobs.reprioritise_tenant(tenant.id)

    assert holders(client, case)["csm"] == str(new.id)
    assert holders(client, case)["sponsor"] == str(company.boss.id)
    assert told(new, case) == ["Of the csm"]
    [fact] = passed_on(case)
    assert [(one["was"], one["assignee"]) for one in fact["tasks"]] == [(str(company.csm.id), str(new.id))]
    assert client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json["intact"]


def test_a_role_that_nobody_holds_falls_to_the_owner_and_comes_back(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant
) -> None:
    set_account(**people(company, sponsor=None))
    case = raise_case()
    assert holders(client, case)["sponsor"] == str(company.owner.id)

    set_account(**people(company))
    jobs.reprioritise_tenant(tenant.id)
    assert holders(client, case)["sponsor"] == str(company.boss.id)

    set_account(**people(company, sponsor=None))
    jobs.reprioritise_tenant(tenant.id)
    assert holders(client, case)["sponsor"] == str(company.owner.id)


def test_what_is_done_stays_with_who_did_it(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant, make_user: Callable[..., User]
) -> None:
    case, new = raise_case(), make_user("csm", "new@example.com")
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    done = next(item for item in items if item["key"] == "csm")
    path = f"/api/v1/escalations/{case['id']}/tasks/{done['id']}"
    assert client.patch(path, json={"state": "done"}, if_match=done["version"]).status_code == 200
    set_account(**people(company, csm=new))
    jobs.reprioritise_tenant(tenant.id)

    assert holders(client, case)["csm"] == str(company.csm.id)


def test_a_new_owner_brings_their_manager_and_the_owners_tasks(
    client: ApiClient, raise_case: Raise, company: Company, make_user: Callable[..., User]
) -> None:
    case = raise_case()
    other_manager = make_user("manager", "other-manager@example.com")
    other = make_user("csm", "other@example.com", manager=other_manager)
    body = {"owner_email": other.email, "reason": "Knows the product"}
    assert client.post(f"/api/v1/escalations/{case['id']}/assign", json=body).status_code == 200

    found = holders(client, case)
    assert (found["owner"], found["owner_manager"]) == (str(other.id), str(other_manager.id))
    assert found["team_lead"] == str(other.id)  # no team has it: with the owner
    assert found["account_owner"] == str(company.owner.id)
    assert told(other_manager, case) == ["Of the owner_manager"]
    assert told(other, case) == []  # who hears that the case is theirs needs no second message


def test_a_team_brings_its_lead(
    client: ApiClient, raise_case: Raise, company: Company, make_user: Callable[..., User]
) -> None:
    case, lead = raise_case(), make_user("manager", "lead@example.com")
    made = client.post("/api/v1/teams", json={"name": "Desk", "lead_email": lead.email})
    assert made.status_code == 201, made.text
    member = f"/api/v1/teams/{made.json['id']}/members/{company.csm.id}"
    assert client.put(member, json={}).status_code < 300
    body = {"team_id": made.json["id"], "reason": "Their field"}
    given = client.post(f"/api/v1/escalations/{case['id']}/assign", json=body)
    assert given.json["owner"]["id"] == str(company.csm.id)
    assert holders(client, case)["team_lead"] == str(lead.id)


def test_a_new_lead_of_the_team_has_the_leads_tasks_at_the_next_tick(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant, make_user: Callable[..., User]
) -> None:
    case, lead, new = raise_case(), make_user("manager", "lead@example.com"), make_user("manager", "new@example.com")
    made = client.post("/api/v1/teams", json={"name": "Desk", "lead_email": lead.email})
    path = f"/api/v1/teams/{made.json['id']}"
    client.put(f"{path}/members/{company.csm.id}", json={})
    client.post(f"/api/v1/escalations/{case['id']}/assign", json={"team_id": made.json["id"], "reason": "Their field"})
    jobs.reprioritise_tenant(tenant.id)
    assert holders(client, case)["team_lead"] == str(lead.id)
    with transaction():  # nobody of them changed of late
        db.session.execute(update(User).values(changed_at=clock.real_now() - timedelta(days=1)))

    version = client.get(path).headers["ETag"]
    assert client.patch(path, json={"lead_email": new.email}, if_match=version).status_code == 200
    jobs.reprioritise_tenant(tenant.id)
    assert holders(client, case)["team_lead"] == str(new.id)
    assert told(new, case) == ["Of the team_lead"]


def test_a_new_manager_of_the_owner_has_the_managers_tasks(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant, make_user: Callable[..., User]
) -> None:
    case, new = raise_case(), make_user("manager", "new@example.com")
    change_user(client, company.owner, manager_email=new.email)
    jobs.reprioritise_tenant(tenant.id)

    assert holders(client, case)["owner_manager"] == str(new.id)
    assert told(new, case) == ["Of the owner_manager"]


def test_a_csm_who_is_only_now_known_to_us_gets_their_tasks(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant, make_user: Callable[..., User]
) -> None:
    set_account(**{**people(company), "csm_email": "Late@example.com"})
    case = raise_case()
    assert holders(client, case)["csm"] == str(company.owner.id)
    late = make_user("csm", "late@example.com")
    jobs.reprioritise_tenant(tenant.id)

    assert holders(client, case)["csm"] == str(late.id)


def test_whom_the_case_is_about_never_gets_its_tasks(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant
) -> None:
    case = raise_case(about_user=company.boss.email)
    set_account(**people(company, csm=company.boss))
    jobs.reprioritise_tenant(tenant.id)

    found = holders(client, case)
    assert (found["csm"], found["sponsor"]) == (str(company.owner.id), str(company.owner.id))


def test_of_a_case_that_becomes_restricted_tasks_come_back_to_the_owners_line(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant
) -> None:
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}"
    version = client.get(path).json["version"]
    restricted = client.patch(path, json={"restricted": True}, if_match=version)
    assert restricted.status_code == 200
    owner, manager = str(company.owner.id), str(company.manager.id)
    expected = dict.fromkeys(ROLES, owner) | {"owner_manager": manager}
    assert holders(client, case) == expected

    set_account(**people(company), health=50)
    jobs.reprioritise_tenant(tenant.id)
    assert holders(client, case) == expected
    opened = client.patch(path, json={"restricted": False}, if_match=restricted.json["version"])
    assert opened.status_code == 200
    assert holders(client, case)["csm"] == str(company.csm.id)


@pytest.mark.parametrize("chain", [1, 2])
def test_a_named_task_of_a_restricted_case_is_the_owners_again_once_their_absence_ended(
    client: ApiClient,
    raise_case: Raise,
    company: Company,
    tenant: TestTenant,
    make_user: Callable[..., User],
    chain: int,
) -> None:
    """Who stood in for the owner, directly or as the delegate of their delegate, sees the case no more."""
    case = raise_case(restricted=True)
    helpers = [make_user("csm", f"helper{n}@example.com") for n in range(chain)]
    begin, end = clock.now() - timedelta(hours=1), clock.now() + timedelta(days=1)
    for absent, helper in zip([company.owner, *helpers], helpers, strict=False):
        away = {"starts_at": begin.isoformat(), "ends_at": end.isoformat(), "delegate_email": helper.email}
        assert client.post(f"/api/v1/users/{absent.id}/absences", json={**away, "mode": "cover"}).status_code == 201
    asked = {"title": "Call them", "assignee_email": helpers[-1].email}
    made = client.post(f"/api/v1/escalations/{case['id']}/tasks", json=asked)
    assert made.status_code == 201, made.text
    with transaction():  # nobody of them changed of late
        db.session.execute(update(User).values(changed_at=clock.real_now() - timedelta(days=1)))
    jobs.reprioritise_tenant(tenant.id)
    assert holder_of("Call them", client, case) == str(helpers[-1].id)

    with transaction():
        ended = update(Absence).where(Absence.user_id == company.owner.id)
        db.session.execute(ended.values(ends_at=clock.now() - timedelta(minutes=1)))
    jobs.reprioritise_tenant(tenant.id)
    assert holder_of("Call them", client, case) == str(company.owner.id)
    assert told(company.owner, case)[-1:] == ["Call them"]


def holder_of(title: str, client: ApiClient, case: dict[str, Any]) -> str:
    items = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    return next(str(item["assignee_id"]) for item in items if item["title"] == title)


def test_who_left_has_none_of_the_roles_tasks(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant
) -> None:
    case = raise_case()
    change_user(client, company.csm, active=False)
    jobs.reprioritise_tenant(tenant.id)

    assert holders(client, case)["csm"] == str(company.owner.id)


def test_any_number_of_cases_and_tasks_takes_the_same_statements(
    client: ApiClient, raise_case: Raise, company: Company, statements: Any, make_user: Callable[..., User]
) -> None:
    def moved(cases: int) -> int:
        for n in range(cases):
            raise_case(title=f"Exports fail {cases} {n}")
        set_account(**people(company, csm=make_user("csm", f"new{cases}@example.com")))
        with transaction(), statements() as seen:
            assert priorities.reprioritise_batch(clock.now()) >= cases
        return len(seen)

    first, second = moved(1), moved(4)
    assert first == second <= 13
