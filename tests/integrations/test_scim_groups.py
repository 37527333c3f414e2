"""Groups of SCIM: our teams, whose members the directory keeps and whose places are ours."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.integrations.models import DirectoryTeam
from app.routing.models import Membership
from app.rows import insert_all
from tests.integrations.test_scim_users import refused

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


@pytest.fixture
def crew(person):
    return [person(f"{name}@example.com", displayName=name.title()) for name in ("bea", "cid", "dan")]


def ids(group):
    return [member["value"] for member in group["members"]]


def test_a_group_is_a_team_with_its_members(directory, group, crew, client):
    made = group("Tour Guides", crew[:2], externalId="g-1")
    assert (made["displayName"], made["externalId"], made["schemas"]) == ("Tour Guides", "g-1", [GROUP])
    assert [(m["value"], m["display"], m["type"]) for m in made["members"]] == [
        (crew[0]["id"], "Bea", "User"),
        (crew[1]["id"], "Cid", "User"),
    ]
    assert made["members"][0]["$ref"] == crew[0]["meta"]["location"]
    assert directory.get(f"/Groups/{made['id']}").json == made
    ours = client.get(f"/api/v1/teams/{made['id']}").json
    assert (ours["name"], [m["email"] for m in ours["members"]]) == (
        "Tour Guides",
        ["bea@example.com", "cid@example.com"],
    )
    of_bea = directory.get(f"/Users/{crew[0]['id']}").json["groups"]
    assert of_bea == [{"value": made["id"], "$ref": made["meta"]["location"], "display": "Tour Guides"}]


def test_a_name_is_taken_once(directory, group, crew):
    group("Support")
    other = group("Night desk")
    assert refused(directory.post("/Groups", {"displayName": "Support"})) == (409, "uniqueness")
    rename = {"op": "replace", "path": "displayName", "value": "Support"}
    assert refused(directory.patch(f"/Groups/{other['id']}", rename)) == (409, "uniqueness")


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": ""},
        {"displayName": "  "},
        {"displayName": None},
        {"displayName": "x" * 201},
        {"displayName": ["Support"]},
        {"members": ["nobody"]},
        {"members": [{"value": "01900000-0000-7000-8000-000000000000"}]},
        {"members": [{"display": "Bea"}]},
        {"members": [{"value": 7}]},
        {"members": [7]},
    ],
)
def test_a_group_that_cannot_be_kept_is_refused_and_not_made(directory, change):
    assert refused(directory.post("/Groups", {"displayName": "Support", **change})) == (400, "invalidValue")
    assert directory.get("/Groups").json["totalResults"] == 0


def test_groups_do_not_stand_in_groups(directory, group):
    inner = group("Inner")
    body = {"displayName": "Outer", "members": [{"value": inner["id"], "type": "Group"}]}
    assert refused(directory.post("/Groups", body)) == (400, "invalidValue")
    assert refused(directory.post("/Groups", {**body, "members": [inner["id"]]})) == (400, "invalidValue")


def test_the_places_of_members_and_the_team_outlast_every_change_of_the_directory(directory, group, crew, client):
    team = group("Support", crew[:2])
    path = f"/api/v1/teams/{team['id']}"
    version = client.get(path).headers["ETag"]
    place = {"capacity": 10, "weight": 0.5}
    put = client.put(f"{path}/members/{crew[0]['id']}", json=place, if_match=version)
    assert put.status_code == 200, put.text
    lead = {"tier": "tier_2", "lead_email": "cid@example.com"}
    assert client.patch(path, json=lead, if_match=put.headers["ETag"]).status_code == 200
    everybody = [{"value": user["id"]} for user in crew]
    for operation in (
        {"op": "add", "path": "members", "value": everybody},
        {"op": "replace", "path": "members", "value": everybody[:2]},
        {"op": "replace", "value": {"displayName": "Help", "members": everybody}},
        {"op": "remove", "path": f'members[value eq "{crew[1]["id"]}"]'},
    ):
        assert directory.patch(f"/Groups/{team['id']}", operation).status_code == 204
    assert directory.put(f"/Groups/{team['id']}", {"displayName": "Help", "members": everybody}).status_code == 200
    ours = client.get(path).json
    assert (ours["name"], ours["tier"], ours["lead_email"]) == ("Help", "tier_2", "cid@example.com")
    assert [(m["email"], m["capacity"], float(m["weight"])) for m in ours["members"]] == [
        ("bea@example.com", 10, 0.5),
        ("cid@example.com", None, 1.0),
        ("dan@example.com", None, 1.0),
    ]


def test_a_replacement_without_members_leaves_them_and_an_empty_list_empties(directory, group, crew):
    team = group("Support", crew)
    path = f"/Groups/{team['id']}"
    assert len(directory.put(path, {"displayName": "Help"}).json["members"]) == 3
    assert directory.patch(path, {"op": "replace", "value": {"displayName": "Desk"}}).status_code == 204
    assert len(directory.get(path).json["members"]) == 3
    assert directory.put(path, {"displayName": "Desk", "members": []}).json["members"] == []
    assert refused(directory.put(path, {"members": []})) == (400, "invalidValue")


def test_a_removed_group_is_gone_for_the_directory_and_an_empty_team_for_us(directory, group, crew, client):
    team = group("Support", crew, externalId="g-1")
    assert directory.delete(f"/Groups/{team['id']}").status_code == 204
    for answer in (directory.get(f"/Groups/{team['id']}"), directory.delete(f"/Groups/{team['id']}")):
        assert refused(answer) == (404, None)
    assert directory.get("/Groups").json["totalResults"] == 0
    ours = client.get(f"/api/v1/teams/{team['id']}").json
    assert (ours["name"], ours["members"]) == ("Support", [])
    again = group("Support", externalId="g-2")
    assert (again["id"], again["externalId"], again["members"]) == (team["id"], "g-2", [])
    assert directory.get("/Groups").json["totalResults"] == 1


def test_a_removed_group_that_an_admin_fills_again_is_in_sight_again(directory, group, crew, client):
    team = group("Support")
    directory.delete(f"/Groups/{team['id']}")
    assert client.put(f"/api/v1/teams/{team['id']}/members/{crew[0]['id']}", json={}).status_code == 201
    assert ids(directory.get(f"/Groups/{team['id']}").json) == [crew[0]["id"]]
    assert refused(directory.post("/Groups", {"displayName": "Support"})) == (409, "uniqueness")


def test_an_inactive_colleague_stays_a_member(directory, group, crew):
    team = group("Support", crew)
    directory.patch(f"/Users/{crew[0]['id']}", {"op": "replace", "path": "active", "value": False})
    assert len(directory.get(f"/Groups/{team['id']}").json["members"]) == 3


def test_a_version_read_before_guards_a_group(directory, group, crew):
    team = group("Support", crew[:1])
    path, tag = f"/Groups/{team['id']}", team["meta"]["version"]
    join = {"op": "add", "path": "members", "value": [{"value": crew[1]["id"]}]}
    changed = directory.patch(path, join, headers={"If-Match": tag})
    assert changed.status_code == 204
    assert changed.headers["ETag"] == directory.get(path).headers["ETag"] != tag
    assert refused(directory.patch(path, join, headers={"If-Match": tag})) == (412, None)
    assert refused(directory.delete(path, headers={"If-Match": tag})) == (412, None)
    assert directory.patch(path, join, headers={"If-Match": changed.headers["ETag"]}).status_code == 204
    assert directory.get(path).headers["ETag"] == changed.headers["ETag"]


def test_a_change_answers_with_the_group_where_attributes_are_asked_for(directory, group, crew):
    team = group("Support", crew[:1])
    join = {"op": "add", "path": "members", "value": [{"value": crew[1]["id"]}]}
    answer = directory.patch(f"/Groups/{team['id']}?attributes=members.value", join)
    assert answer.json["members"] == [{"value": crew[0]["id"]}, {"value": crew[1]["id"]}]
    assert set(answer.json) == {"schemas", "id", "members"}


def test_changes_at_the_same_moment_lose_nobody(directory, group, person):
    people = [person(f"p{n}@example.com") for n in range(8)]
    team = group("Support")

    def join(user):
        operation = {"op": "add", "path": "members", "value": [{"value": user["id"]}]}
        return directory.patch(f"/Groups/{team['id']}", operation).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(join, people)) == {204}
    assert set(ids(directory.get(f"/Groups/{team['id']}").json)) == {user["id"] for user in people}


def test_of_many_who_bring_a_group_back_at_once_one_does(directory, group):
    team = group("Support")
    directory.delete(f"/Groups/{team['id']}")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: directory.post("/Groups", {"displayName": "Support"}), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert directory.get("/Groups").json["totalResults"] == 1


@pytest.fixture
def thousand(tenant):
    """A thousand colleagues whom another door made."""
    now = clock.real_now()
    with transaction():
        rows = [
            User(email=f"n{n:04}@example.com", name=f"N {n:04}", role="csm", active=True, created_at=now, version=1)
            for n in range(1_000)
        ]
        insert_all(rows)
        return [str(row.id) for row in rows]


def test_a_thousand_members_come_and_go_in_few_statements(directory, group, thousand, statements):
    team = group("Everybody")
    path = f"/Groups/{team['id']}"
    everybody = [{"value": id_} for id_ in thousand]
    with statements() as sent:
        assert directory.patch(path, {"op": "Add", "path": "members", "value": everybody}).status_code == 204
    assert len(sent) <= 10, sent
    assert len(directory.get(path).json["members"]) == 1_000
    leaving = [{"op": "remove", "path": f'members[value eq "{id_}"]'} for id_ in thousand[:500]]
    with statements() as sent:
        assert directory.patch(path, *leaving).status_code == 204
    assert len(sent) <= 10, sent
    assert set(ids(directory.get(path).json)) == set(thousand[500:])


def test_a_list_is_read_in_as_many_statements_whether_it_is_long_or_short(directory, group, thousand, statements):
    for name in ("One", "Two"):
        group(name, [{"id": id_} for id_ in thousand])
    counted = []
    for path in ("/Users?count=1", "/Users?count=1000", "/Groups?count=1", "/Groups"):
        with statements() as sent:
            answer = directory.get(path)
        counted.append((len(sent), answer.json["itemsPerPage"]))
    assert [items for _, items in counted] == [1, 1000, 1, 2]
    assert counted[0][0] == counted[1][0] == counted[2][0] == counted[3][0] <= 6, counted


def test_whom_the_directory_does_not_see_keeps_no_group_in_sight(directory, group, crew, tenant):
    """A removed group whose only row left is of somebody taken away."""
    team = group("Support", crew[:1])
    directory.delete(f"/Groups/{team['id']}")
    directory.delete(f"/Users/{crew[0]['id']}")
    with transaction():
        db.session.add(Membership(team_id=team["id"], user_id=crew[0]["id"], capacity=None))
        assert db.session.scalar(select(DirectoryTeam.removed_at)) is not None
        db.session.execute(update(DirectoryTeam).values(external_id="x"))
    assert directory.get(f"/Groups/{team['id']}").status_code == 404
