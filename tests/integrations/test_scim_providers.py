"""What two identity providers send from setting up to somebody's leaving, and what stays closed to them."""

import pytest
from sqlalchemy import select

from app import clock
from app.auth import service as auth
from app.db import transaction
from app.escalations import jobs
from app.integrations.models import DirectoryUser
from app.operations.persons.erase import erase
from app.operations.persons.tables import find_person
from tests.conftest import ApiClient
from tests.integrations.conftest import Directory
from tests.integrations.test_scim_users import ENTERPRISE, USER, refused

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ACCOUNT = {"account": {"source": "crm", "external_id": "A-1"}, "title": "Exports fail", "severity": 2}


def test_okta_makes_somebody_pushes_a_group_and_lets_them_go(directory, client):
    """It looks for the user, makes one with a password, replaces them whole, and switches off by PATCH."""
    probe = directory.get("/Users?startIndex=1&count=2").json
    assert (probe["totalResults"], probe["startIndex"], probe["itemsPerPage"]) == (1, 1, 1)
    assert directory.found("Users", 'userName eq "mia@example.com"', startIndex="1", count="100") == []
    body = {
        "schemas": [USER],
        "userName": "mia@example.com",
        "name": {"givenName": "Mia", "familyName": "Lund"},
        "emails": [{"primary": True, "value": "mia@example.com", "type": "work"}],
        "displayName": "Mia Lund",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    made = directory.post("/Users", body)
    assert made.status_code == 201
    assert "password" not in made.text
    assert "1mz050nq" not in made.text
    mia = made.json
    group = directory.post("/Groups", {"schemas": [GROUP], "displayName": "Day desk", "members": []}).json
    join = {"op": "replace", "value": {"id": group["id"], "displayName": "Day desk"}}
    assert directory.patch(f"/Groups/{group['id']}", join).status_code == 204
    member = [{"value": mia["id"], "display": "mia@example.com"}]
    assert (
        directory.patch(f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": member}).status_code == 204
    )
    renamed = {**body, "id": mia["id"], "name": {"givenName": "Mia", "familyName": "Berg"}, "displayName": "Mia Berg"}
    put = directory.put(f"/Users/{mia['id']}", {**renamed, "meta": {"resourceType": "User"}})
    assert (put.status_code, put.json["displayName"], put.json["roles"]) == (200, "Mia Berg", [{"value": "csm"}])
    assert [each["display"] for each in put.json["groups"]] == ["Day desk"]
    off = directory.patch(f"/Users/{mia['id']}", {"op": "replace", "value": {"active": False}})
    assert off.json["active"] is False
    assert client.get(f"/api/v1/users/{mia['id']}").json["active"] is False
    assert directory.found("Users", 'userName eq "mia@example.com"')[0]["active"] is False
    back = directory.patch(f"/Users/{mia['id']}", {"op": "replace", "value": {"active": True}})
    assert back.json["active"] is True


def test_entra_makes_somebody_changes_them_in_its_dialect_and_lets_them_go(directory, person):
    """Words with capitals, truths as text, values that a filter describes, references by id alone."""
    nobody = "/Users?filter=userName+eq+%22non-existent-user%22"
    assert directory.get(nobody).json["Resources"] == []
    boss = person("boss@example.com")
    made = directory.post(
        "/Users",
        {
            "schemas": [USER, ENTERPRISE],
            "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "Mia@Example.com",
            "active": True,
            "displayName": "lund, mia",
            "emails": [{"primary": True, "type": "work", "value": "mia@example.com"}],
            "meta": {"resourceType": "User"},
            "name": {"formatted": "Mia Lund", "familyName": "Lund", "givenName": "Mia"},
            "roles": [],
        },
    )
    assert made.status_code == 201
    path = f"/Users/{made.json['id']}"
    changed = directory.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "mia@example.com"},
        {"op": "Replace", "path": "name.familyName", "value": "Berg"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": boss["id"]},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Support"},
        {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "manager"},
        {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "+47 1"},
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json["name"]["familyName"], changed.json["displayName"]) == ("Berg", "lund, mia")
    assert changed.json["roles"] == [{"value": "manager"}]
    assert changed.json[ENTERPRISE]["manager"]["value"] == boss["id"]
    asked = f'id eq "{made.json["id"]}" and manager eq "{boss["id"]}"'
    assert len(directory.found("Users", asked, attributes="id")) == 1
    off = directory.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    assert off.json["active"] is False
    assert directory.delete(path).status_code == 204
    assert refused(directory.get(path)) == (404, None)


def test_entra_keeps_a_group_without_reading_its_members(directory, person, group):
    mia, cid = person("mia@example.com"), person("cid@example.com")
    made = group("Tour Guides", externalId="8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159")
    path = f"/Groups/{made['id']}"
    assert "members" not in directory.get(f"{path}?excludedAttributes=members").json
    found = directory.found("Groups", 'displayName eq "Tour Guides"', excludedAttributes="members")
    assert [each["externalId"] for each in found] == ["8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"]
    both = [{"$ref": None, "value": mia["id"]}, {"$ref": None, "value": cid["id"]}]
    rename = {"op": "Replace", "path": "displayName", "value": "Guides"}
    for operations, members in (
        ([{"op": "Add", "path": "members", "value": both}], {mia["id"], cid["id"]}),
        ([rename], {mia["id"], cid["id"]}),
        ([{"op": "Remove", "path": "members", "value": both[:1]}], {cid["id"]}),
    ):
        assert directory.patch(path, *operations).status_code == 204
        assert {each["value"] for each in directory.get(path).json["members"]} == members
    assert directory.delete(path).status_code == 204


def test_what_is_offered_is_told(directory):
    config = directory.get("/ServiceProviderConfig").json
    offered = {name for name, said in config.items() if isinstance(said, dict) and said.get("supported")}
    assert offered == {"patch", "filter", "sort", "etag"}
    assert [config[name]["supported"] for name in ("bulk", "changePassword")] == [False, False]
    types = directory.get("/ResourceTypes").json
    assert [(each["id"], each["endpoint"]) for each in types["Resources"]] == [("User", "/Users"), ("Group", "/Groups")]
    assert directory.get("/ResourceTypes/User").json == types["Resources"][0]
    told = directory.get("/Schemas").json
    assert (told["totalResults"], told["itemsPerPage"]) == (3, 3)
    for each in told["Resources"]:
        assert directory.get(f"/Schemas/{each['id']}").json == each
        assert each["meta"]["location"].endswith(f"/scim/v2/Schemas/{each['id']}")
    user = {each["name"]: each for each in told["Resources"][0]["attributes"]}
    assert (user["userName"]["required"], user["groups"]["mutability"]) == (True, "readOnly")
    assert [part["name"] for part in user["name"]["subAttributes"]] == ["formatted", "familyName", "givenName"]
    assert refused(directory.get("/Schemas?filter=id+pr")) == (403, None)
    assert refused(directory.get("/Schemas/urn:x")) == (404, None)


def test_what_is_shown_is_what_the_schemas_tell(directory, person, group):
    boss = person("boss@example.com")
    full = {
        "title": "Guide",
        "timezone": "Europe/Oslo",
        "externalId": "1",
        "name": {"givenName": "A", "familyName": "B"},
    }
    bea = person("bea@example.com", **full, **{ENTERPRISE: {"manager": {"value": boss["id"]}}})
    team = group("Support", [bea], externalId="g")
    shown = {USER: directory.get(f"/Users/{bea['id']}").json, GROUP: team}
    for told in directory.get("/Schemas").json["Resources"]:
        resource = shown[USER][ENTERPRISE] if told["id"] == ENTERPRISE else shown[told["id"]]
        common = {"schemas", "id", "externalId", "meta", ENTERPRISE}
        assert set(resource) - common == {each["name"] for each in told["attributes"]}
        for each in told["attributes"]:
            value = resource[each["name"]]
            parts = {part["name"] for part in each.get("subAttributes", ())}
            for one in value if each["multiValued"] else [value]:
                assert (each["name"], set(one) <= parts if parts else not isinstance(one, dict)) == (each["name"], True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/Bulk", 501),
        ("GET", "/Me", 501),
        ("GET", "/Users/not-an-id", 404),
        ("PATCH", "/Groups/not-an-id", 404),
        ("GET", "/Devices", 404),
        ("DELETE", "/Users", 404),
        ("GET", "/Users/01900000-0000-7000-8000-000000000000", 404),
    ],
)
def test_what_is_not_there_is_said_in_its_form(directory, method, path, status):
    assert refused(directory.call(method, path, {} if method in ("POST", "PATCH") else None)) == (status, None)


def test_another_tenants_people_and_teams_do_not_exist(app, directory, person, group, new_tenant):
    ours, team = person("bea@example.com", externalId="1"), group("Support")
    other = new_tenant("Others")
    with transaction(tenant=other.id):
        plain = auth.create_token(auth.get_user(other.admin.id), name="", scopes=["scim"], now=clock.real_now())[1]
    theirs = Directory(ApiClient(app, plain))
    stranger = theirs.post("/Users", {"userName": "bea@example.com", "externalId": "1"}).json
    assert stranger["id"] != ours["id"]
    away = {"op": "replace", "path": "active", "value": False}
    for path in (f"/Users/{ours['id']}", f"/Groups/{team['id']}"):
        for answer in (theirs.get(path), theirs.put(path, {}), theirs.patch(path, away), theirs.delete(path)):
            assert refused(answer) == (404, None)
    assert [user["id"] for user in theirs.found("Users", 'externalId eq "1"')] == [stranger["id"]]
    assert theirs.found("Users", f'id eq "{ours["id"]}"') == theirs.found("Groups", "displayName pr") == []
    member = {"displayName": "Spies", "members": [{"value": ours["id"]}]}
    assert refused(theirs.post("/Groups", member)) == (400, "invalidValue")
    line = {"op": "add", "path": f"{ENTERPRISE}:manager", "value": ours["id"]}
    assert refused(theirs.patch(f"/Users/{stranger['id']}", line)) == (400, "invalidValue")
    assert directory.get(f"/Users/{ours['id']}").json == ours


def test_only_a_token_that_names_the_scope_or_an_admins_opens_the_door(app, tenant, make_user, as_user):
    feed = make_user("integration", "feed@example.com")
    for caller in (as_user(feed), as_user(feed, scopes=["accounts:write"]), as_user(make_user("manager"))):
        assert refused(Directory(caller).get("/Users")) == (403, None)
    assert refused(Directory(ApiClient(app, None)).get("/Users")) == (401, None)
    for caller in (as_user(feed, scopes=["scim"]), as_user(tenant.admin)):
        assert Directory(caller).get("/Users").status_code == 200
    assert as_user(feed, scopes=["scim"]).get("/api/v1/users").status_code == 403


def test_an_admin_hands_the_scope_to_integrations_only_by_name(client, make_user):
    make_user("integration", "feed@example.com")
    manager = make_user("manager", "boss@example.com")
    body = {"user_email": "feed@example.com", "name": "provider", "scopes": ["scim"]}
    assert client.post("/api/v1/tokens", json=body).status_code == 201
    refusal = client.post("/api/v1/tokens", json={**body, "user_email": manager.email})
    assert (refusal.status_code, refusal.json["errors"][0]["pointer"]) == (422, "/scopes/0")


def test_whoever_was_erased_is_nobody_to_a_directory_and_stays_away(directory, person, group):
    mia = person("mia@example.com", displayName="Mia Lund", externalId="e-4711", title="Guide")
    team = group("Support", [mia])
    with transaction() as session:
        erase(find_person("mia@example.com"), clock.real_now())
        assert session.scalars(select(DirectoryUser.title).where(DirectoryUser.user_id == mia["id"])).all() == []
    assert refused(directory.get(f"/Users/{mia['id']}")) == (404, None)
    assert directory.get("/Users").json["totalResults"] == 1
    assert directory.get(f"/Groups/{team['id']}").json["members"] == []
    assert refused(directory.post("/Users", {"userName": "MIA@example.com"})) == (409, None)
    rename = {"op": "replace", "path": "userName", "value": "mia@example.com"}
    other = person("other@example.com")
    assert refused(directory.patch(f"/Users/{other['id']}", rename)) == (409, None)


def test_open_work_of_who_leaves_goes_on_in_other_hands(directory, person, client, tenant):
    mia = person("mia@example.com")
    client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex", "owner_email": "mia@example.com"})
    raised = client.post("/api/v1/escalations", json=ACCOUNT).json
    assert raised["owner"]["id"] == mia["id"]
    assert directory.delete(f"/Users/{mia['id']}").status_code == 204
    jobs.move_work_tenant(tenant.id)
    now = client.get(f"/api/v1/escalations/{raised['id']}").json
    assert (now["owner"]["email"], now["status"]) == ("admin@example.com", raised["status"])
    record = client.get(f"/api/v1/escalations/{raised['id']}/routing").json["items"]
    assert [each["cause"] for each in record][-1] == "deactivation"
