"""Users of SCIM: made, read, replaced, changed and taken away, in step with our own doors."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from app.auth import queries
from app.db import transaction

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
BARBARA: dict[str, Any] = {
    "schemas": [USER],
    "externalId": "bjensen",
    "userName": "BJensen@Example.com",
    "name": {"formatted": "Ms. Barbara J Jensen III", "familyName": "Jensen", "givenName": "Barbara"},
}


def refused(answer: Any) -> tuple[int, str | None]:
    """A refusal in SCIM's form, as its status and kind."""
    assert answer.mimetype == "application/scim+json"
    assert answer.json["schemas"] == [ERROR]
    assert answer.json["status"] == str(answer.status_code)
    assert answer.json["detail"]
    return answer.status_code, answer.json.get("scimType")


def test_a_user_is_made_with_our_defaults_and_read_back(directory, client):
    made = directory.post("/Users", BARBARA)
    assert made.status_code == 201
    assert made.mimetype == "application/scim+json"
    user = made.json
    assert (user["userName"], user["externalId"], user["active"]) == ("bjensen@example.com", "bjensen", True)
    assert user["displayName"] == "Ms. Barbara J Jensen III"
    assert user["name"] == {"formatted": "Barbara Jensen", "givenName": "Barbara", "familyName": "Jensen"}
    assert user["emails"] == [{"value": "bjensen@example.com", "type": "work", "primary": True}]
    assert user["roles"] == [{"value": "csm"}]
    assert user["meta"]["resourceType"] == "User"
    assert made.headers["Location"] == user["meta"]["location"]
    assert user["meta"]["location"].endswith(f"/scim/v2/Users/{user['id']}")
    assert made.headers["ETag"] == user["meta"]["version"]
    assert directory.get(f"/Users/{user['id']}").json == user
    ours = client.get(f"/api/v1/users/{user['id']}").json
    assert (ours["email"], ours["name"], ours["role"]) == ("bjensen@example.com", "Ms. Barbara J Jensen III", "csm")


def test_an_address_that_somebody_has_is_refused_also_when_they_are_inactive(directory, person):
    made = person("bea@example.com", active=False)
    assert made["active"] is False
    assert refused(directory.post("/Users", {**BARBARA, "userName": "BEA@example.com"})) == (409, "uniqueness")
    assert refused(directory.post("/Users", {**BARBARA, "userName": "admin@example.com"})) == (409, "uniqueness")


def test_users_made_by_our_own_door_are_users_of_the_directory_and_integrations_are_not(directory, client):
    made = client.post("/api/v1/users", json={"email": "cid@example.com", "name": "Cid", "role": "manager"}).json
    assert directory.get(f"/Users/{made['id']}").json["roles"] == [{"value": "manager"}]
    assert [user["userName"] for user in directory.get("/Users").json["Resources"]] == [
        "admin@example.com",
        "cid@example.com",
    ]
    with transaction():
        feed = queries.find_user_by_email("directory@example.com")
    assert refused(directory.get(f"/Users/{feed.id}")) == (404, None)
    assert refused(directory.delete(f"/Users/{feed.id}")) == (404, None)


def test_role_zone_manager_and_title_are_ours_in_its_words(directory, person, client):
    boss = person("boss@example.com", roles=[{"value": "Manager", "primary": True}])
    bea = person(
        "bea@example.com",
        title="Tour Guide",
        timezone="Europe/Oslo",
        roles=["specialist"],
        **{ENTERPRISE: {"employeeNumber": "7", "manager": {"value": boss["id"]}}},
    )
    assert bea["title"] == "Tour Guide"
    assert bea[ENTERPRISE]["manager"]["value"] == boss["id"]
    assert bea[ENTERPRISE]["manager"]["displayName"] == "boss@example.com"
    assert bea["schemas"] == [USER, ENTERPRISE]
    ours = client.get(f"/api/v1/users/{bea['id']}").json
    assert (ours["role"], ours["timezone"], ours["manager_email"]) == ("specialist", "Europe/Oslo", "boss@example.com")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"userName": "bjensen"}, "userName"),
        ({"userName": None}, "userName"),
        ({"userName": 7}, "userName"),
        ({"displayName": "x" * 201}, "displayName"),
        ({"displayName": {"a": 1}}, "displayName"),
        ({"name": "Barbara"}, "name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"roles": [{"value": "king"}]}, "roles"),
        ({"roles": [{"value": "integration"}]}, "roles"),
        ({"active": "perhaps"}, "active"),
        ({"active": 1}, "active"),
        ({ENTERPRISE: {"manager": {"value": "nobody"}}}, "manager"),
        ({ENTERPRISE: {"manager": {"value": "01900000-0000-7000-8000-000000000000"}}}, "manager"),
        ({"title": "a\x00b"}, "title"),
    ],
)
def test_a_value_that_cannot_be_kept_is_refused_by_name_and_nobody_is_made(directory, change, word):
    answer = directory.post("/Users", {**BARBARA, **change})
    assert refused(answer) == (400, "invalidValue")
    assert word in answer.json["detail"]
    assert directory.get("/Users").json["totalResults"] == 1


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'"x"', b'{"schemas": ["urn:x"], "userName": "a@b.example"}'])
def test_a_body_of_another_form_is_refused(directory, body):
    answer = directory.api.post("/scim/v2/Users", data=body, content_type="application/json")
    assert refused(answer) == (400, "invalidSyntax")


def test_a_replacement_keeps_what_it_leaves_out_and_clears_what_is_null(directory, person):
    bea = person(
        "bea@example.com", displayName="Bea Berg", title="Guide", timezone="Europe/Oslo", roles=[{"value": "manager"}]
    )
    path = f"/Users/{bea['id']}"
    put = directory.put(path, {"schemas": [USER], "userName": "bea@example.com", "displayName": "Bea Bo"})
    assert put.status_code == 200
    assert (put.json["displayName"], put.json["title"], put.json["timezone"]) == ("Bea Bo", "Guide", "Europe/Oslo")
    assert put.json["roles"] == [{"value": "manager"}]
    cleared = directory.put(
        path, {"schemas": [USER], "userName": "bea.bo@example.com", "title": None, "timezone": None, "roles": []}
    )
    assert (cleared.json["userName"], cleared.json["displayName"]) == ("bea.bo@example.com", "Bea Bo")
    assert not {"title", "timezone"} & set(cleared.json)
    assert cleared.json["roles"] == [{"value": "csm"}]
    assert refused(directory.put(path, {"schemas": [USER], "displayName": "Bea"})) == (400, "invalidValue")


def test_nothing_changed_is_no_new_version(directory, person):
    bea = person("bea@example.com", displayName="Bea")
    path = f"/Users/{bea['id']}"
    again = directory.put(path, {"userName": "bea@example.com", "displayName": "Bea", "active": True})
    assert again.json == bea
    assert directory.patch(path, {"op": "replace", "path": "active", "value": True}).json == bea


def test_a_name_made_of_its_parts_follows_them_and_one_of_its_own_stays(directory, person):
    ada = person("ada@example.com", name={"givenName": "Ada", "familyName": "Byron"})
    assert ada["displayName"] == "Ada Byron"
    married = directory.patch(
        f"/Users/{ada['id']}", {"op": "replace", "path": "name.familyName", "value": "Lovelace"}
    ).json
    assert (married["displayName"], married["name"]["formatted"]) == ("Ada Lovelace", "Ada Lovelace")
    cid = person("cid@example.com", displayName="El Cid", name={"givenName": "Rodrigo", "familyName": "Diaz"})
    changed = directory.patch(f"/Users/{cid['id']}", {"op": "add", "value": {"name": {"familyName": "Vivar"}}}).json
    assert (changed["displayName"], changed["name"]["formatted"]) == ("El Cid", "Rodrigo Vivar")


def test_a_deactivated_user_stays_in_sight_and_their_tokens_end_at_once(directory, make_user, as_user):
    bea = make_user(email="bea@example.com")
    hers = as_user(bea)
    assert hers.get("/api/v1/users").status_code == 200
    off = directory.patch(f"/Users/{bea.id}", {"op": "replace", "value": {"active": False}})
    assert (off.status_code, off.json["active"]) == (200, False)
    assert hers.get("/api/v1/users").status_code == 401
    assert directory.get(f"/Users/{bea.id}").json["active"] is False
    assert directory.patch(f"/Users/{bea.id}", {"op": "replace", "value": {"active": True}}).json["active"] is True


def test_a_removed_user_is_gone_for_the_directory_and_kept_by_us(directory, person, group, client):
    bea = person("bea@example.com", displayName="Bea", roles=["manager"])
    team = group("Support", [bea])
    assert directory.delete(f"/Users/{bea['id']}").status_code == 204
    for answer in (directory.get(f"/Users/{bea['id']}"), directory.delete(f"/Users/{bea['id']}")):
        assert refused(answer) == (404, None)
    assert directory.found("Users", 'userName eq "bea@example.com"') == []
    assert directory.get(f"/Groups/{team['id']}").json["members"] == []
    ours = client.get(f"/api/v1/users/{bea['id']}").json
    assert (ours["active"], ours["name"]) == (False, "Bea")


def test_a_removed_user_made_again_comes_back_under_the_same_id_as_somebody_new(directory, person):
    bea = person("bea@example.com", displayName="Bea", roles=["manager"], title="Boss", externalId="1")
    directory.delete(f"/Users/{bea['id']}")
    again = person("Bea@example.com", displayName="Bea Again", externalId="2")
    assert again["id"] == bea["id"]
    assert (again["displayName"], again["roles"], again["externalId"]) == ("Bea Again", [{"value": "csm"}], "2")
    assert again["active"] is True
    assert "title" not in again
    assert directory.get(f"/Users/{bea['id']}").json == again


def test_a_removed_user_whom_an_admin_takes_back_is_in_sight_again(directory, person, client):
    bea = person("bea@example.com")
    directory.delete(f"/Users/{bea['id']}")
    version = client.get(f"/api/v1/users/{bea['id']}").headers["ETag"]
    assert client.patch(f"/api/v1/users/{bea['id']}", json={"active": True}, if_match=version).status_code == 200
    assert directory.get(f"/Users/{bea['id']}").json["active"] is True
    off = directory.patch(f"/Users/{bea['id']}", {"op": "replace", "path": "active", "value": False})
    assert off.json["active"] is False
    assert directory.get(f"/Users/{bea['id']}").status_code == 200


def test_whoever_is_on_duty_is_neither_deactivated_nor_removed(directory, tenant):
    path = f"/Users/{tenant.admin.id}"
    off = {"op": "replace", "path": "active", "value": False}
    for answer in (directory.patch(path, off), directory.delete(path)):
        assert refused(answer) == (409, None)
        assert "duty" in answer.json["detail"]
    assert directory.get(path).json["active"] is True


def test_a_circle_in_the_line_is_refused(directory, person):
    top = person("top@example.com")
    low = person("low@example.com", **{ENTERPRISE: {"manager": {"value": top["id"]}}})
    answer = directory.patch(
        f"/Users/{top['id']}", {"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": low["id"]}}
    )
    assert refused(answer) == (409, None)


def test_a_version_read_before_guards_a_change_and_a_reader_who_has_it_is_told_so(directory, person):
    bea = person("bea@example.com")
    path, tag = f"/Users/{bea['id']}", bea["meta"]["version"]
    seen = directory.get(path, headers={"If-None-Match": tag})
    assert (seen.status_code, seen.data, seen.headers["ETag"]) == (304, b"", tag)
    rename = {"op": "replace", "path": "displayName", "value": "Bea"}
    changed = directory.patch(path, rename, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] == changed.json["meta"]["version"] != tag
    assert changed.json["meta"]["lastModified"] > bea["meta"]["lastModified"]
    stale = {"headers": {"If-Match": tag}}
    for answer in (
        directory.patch(path, rename, **stale),
        directory.put(path, BARBARA, **stale),
        directory.delete(path, **stale),
    ):
        assert refused(answer) == (412, None)
    assert directory.get(path, headers={"If-None-Match": tag}).json == changed.json
    assert directory.delete(path, headers={"If-Match": "*"}).status_code == 204


def test_what_only_the_directory_says_counts_as_a_change_too(directory, person):
    bea = person("bea@example.com")
    titled = directory.patch(f"/Users/{bea['id']}", {"op": "add", "path": "title", "value": "Guide"}).json
    assert titled["title"] == "Guide"
    assert titled["meta"]["version"] != bea["meta"]["version"]


def at_once(calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def test_of_many_who_make_one_user_at_once_one_does_also_when_they_bring_them_back(directory, person):
    make = partial(directory.post, "/Users", {"userName": "bea@example.com", "externalId": "1"})
    made = at_once([make] * 6)
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 5
    assert {refused(answer) for answer in made if answer.status_code == 409} == {(409, "uniqueness")}
    bea = next(answer.json for answer in made if answer.status_code == 201)
    directory.delete(f"/Users/{bea['id']}")
    back = at_once([make] * 6)
    assert sorted(answer.status_code for answer in back) == [201] + [409] * 5
    assert next(answer.json["id"] for answer in back if answer.status_code == 201) == bea["id"]


def test_changes_at_the_same_moment_are_each_made(directory, make_user):
    """Nothing stands beside the user yet: the first change makes it, the others find it."""
    path = f"/Users/{make_user().id}"
    keys = ("title", "externalId", "name.givenName", "name.familyName")
    changes = [partial(directory.patch, path, {"op": "add", "path": key, "value": key}) for key in keys]
    assert {answer.status_code for answer in at_once(changes)} == {200}
    seen = directory.get(path).json
    assert (seen["title"], seen["externalId"]) == ("title", "externalId")
    assert seen["name"]["formatted"] == "name.givenName name.familyName"


def test_an_answer_shows_what_is_asked_for(directory, person):
    bea = person("bea@example.com", title="Guide", name={"givenName": "Bea", "familyName": "Berg"})
    path = f"/Users/{bea['id']}"
    few = directory.get(f"{path}?attributes=userName,name.familyName,emails.value,shoeSize").json
    assert few == {
        "schemas": [USER],
        "id": bea["id"],
        "userName": "bea@example.com",
        "name": {"familyName": "Berg"},
        "emails": [{"value": "bea@example.com"}],
    }
    rest = directory.get(f"{path}?excludedAttributes=id,emails,name.formatted,meta").json
    assert set(bea) - set(rest) == {"emails", "meta"}
    assert rest["name"] == {"givenName": "Bea", "familyName": "Berg"}


def test_an_answer_is_plain_json_for_who_asks_for_it(directory):
    assert directory.get("/Users", headers={"Accept": "application/json"}).mimetype == "application/json"
    assert directory.get("/Users", headers={"Accept": "*/*"}).mimetype == "application/scim+json"
