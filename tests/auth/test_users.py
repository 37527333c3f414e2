"""Users: addresses, the line above, and duty."""

from concurrent.futures import ThreadPoolExecutor

from app import clock
from app.auth import queries, service
from app.auth.actor import SYSTEM
from app.db import transaction
from app.operations import tenants
from tests.conftest import ApiClient


def test_a_user_is_made_with_a_lower_case_address_and_found_in_the_list(client):
    made = client.post("/api/v1/users", json={"email": "Bea@Example.com", "name": "Bea", "role": "manager"})
    assert made.status_code == 201
    assert made.json["email"] == "bea@example.com"
    assert made.headers["ETag"] == '"1"'
    assert made.headers["Location"] == f"/api/v1/users/{made.json['id']}"
    listed = client.get("/api/v1/users?role=manager").json
    assert [user["email"] for user in listed["items"]] == ["bea@example.com"]
    assert listed["next_cursor"] is None


def test_a_second_user_with_the_same_address_is_refused(client):
    answer = client.post("/api/v1/users", json={"email": "ADMIN@example.com", "name": "Another"})
    assert (answer.status_code, answer.json["code"]) == (409, "email_taken")


def test_of_many_who_take_one_address_at_once_one_gets_it(client):
    body = {"email": "bea@example.com", "name": "Bea"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/api/v1/users", json=body), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"email_taken"}


def test_an_unknown_manager_is_named_as_the_fault(client):
    body = {"email": "bea@example.com", "name": "Bea", "manager_email": "nobody@example.com"}
    answer = client.post("/api/v1/users", json=body)
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"pointer": "/manager_email", "detail": "expected the address of a user of this tenant"}
    ]


def test_nobody_can_be_put_above_themselves(client, make_user):
    top = make_user(email="top@example.com")
    middle = make_user(email="middle@example.com", manager=top)
    below = make_user(email="below@example.com", manager=middle)
    for manager in (top, middle, below):
        answer = client.patch(f"/api/v1/users/{top.id}", json={"manager_email": manager.email}, if_match=1)
        assert (answer.status_code, answer.json["code"]) == (409, "manager_cycle")
    answer = client.patch(f"/api/v1/users/{below.id}", json={"manager_email": top.email}, if_match=1)
    assert answer.json["manager_email"] == "top@example.com"
    assert answer.headers["ETag"] == '"2"'


def test_the_first_user_is_duty_owner_and_stays_active_until_another_is_named(client, tenant, make_user):
    assert client.get("/api/v1/settings").json["duty_owner_email"] == "admin@example.com"
    path = f"/api/v1/users/{tenant.admin.id}"
    refused = client.patch(path, json={"active": False}, if_match=1)
    assert (refused.status_code, refused.json["code"]) == (409, "on_duty")
    make_user(email="bea@example.com")
    etag = client.get("/api/v1/settings").headers["ETag"]
    client.patch("/api/v1/settings", json={"duty_owner_email": "Bea@example.com"}, if_match=etag)
    assert client.patch(path, json={"active": False}, if_match=1).status_code == 200


def test_an_integration_does_not_become_duty_owner(app, new_tenant):
    with app.app_context(), transaction(tenant=tenants.set_up("Feeds first")):
        service.create_user("feed@example.com", name="Feed", role="integration", actor=SYSTEM, now=clock.real_now())
        assert "duty_owner_email" not in queries.get_tenant().settings


def test_a_deactivated_user_is_refused_at_once(client, make_user, as_user):
    bea = make_user()
    hers = as_user(bea)
    assert hers.get("/api/v1/users").status_code == 200
    client.patch(f"/api/v1/users/{bea.id}", json={"active": False}, if_match=1)
    assert hers.get("/api/v1/users").status_code == 401
    client.patch(f"/api/v1/users/{bea.id}", json={"active": True}, if_match=2)
    assert hers.get("/api/v1/users").status_code == 401


def test_a_new_address_of_the_duty_owner_moves_into_the_settings(client, tenant):
    answer = client.patch(f"/api/v1/users/{tenant.admin.id}", json={"email": "ada@example.com"}, if_match=1)
    assert answer.status_code == 200
    assert client.get("/api/v1/settings").json["duty_owner_email"] == "ada@example.com"


def test_a_change_needs_the_etag_that_was_read(client, make_user):
    path = f"/api/v1/users/{make_user().id}"
    assert client.patch(path, json={"name": "New"}).status_code == 428
    assert client.patch(path, json={"name": "New"}, if_match=7).status_code == 412
    assert client.patch(path, json={"name": "New"}, if_match='W/"1"').status_code == 412
    assert client.patch(path, json={"name": "New"}, if_match=1).json["name"] == "New"


def test_users_come_in_pages_without_gap_or_repeat(client, make_user):
    for _ in range(4):
        make_user()
    seen, path = [], "/api/v1/users?limit=2"
    while path:
        answer = client.get(path).json
        seen += [user["email"] for user in answer["items"]]
        path = answer["next_cursor"] and f"/api/v1/users?limit=2&cursor={answer['next_cursor']}"
    assert seen == ["admin@example.com", *(f"csm{n}@example.com" for n in (1, 2, 3, 4))]


def test_a_cursor_of_another_list_is_refused(client, make_user):
    make_user()
    cursor = client.get("/api/v1/users?limit=1").json["next_cursor"]
    answer = client.get(f"/api/v1/users?limit=1&role=csm&cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["parameter"] == "cursor"


def test_only_an_admin_changes_users(as_user, make_user):
    theirs: ApiClient = as_user(make_user("manager"))
    answer = theirs.post("/api/v1/users", json={"email": "x@example.com", "name": "X"})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
