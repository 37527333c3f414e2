"""Connecting CRMs: what an admin enters, the address they get, and a secret that never comes back."""

import pytest
from sqlalchemy import text

from app import clock
from app.db import db, transaction
from app.operations.persons.erase import erase
from app.operations.persons.export import export
from app.operations.persons.tables import find_person
from tests.panels.embedding import AUDIENCE, BASE, CONNECTIONS, CRM_USER, KEY, ORGANIZATION, SECRET, connect

PATH = "/api/v1/embed-installations"


def fault_of(answer):
    return answer.status_code, [error["pointer"] for error in answer.json["errors"]]


@pytest.mark.parametrize("kind", ["salesforce", "hubspot", "zendesk"])
def test_a_connection_answers_with_the_address_to_enter_in_the_crm(client, tenant, kind):
    made = connect(client, kind)
    assert made["address"] == f"{BASE}/panel/embed/{kind}/{tenant.id.hex}.{made['id'].replace('-', '')}"
    assert (made["kind"], made["account_source"]) == (kind, kind)
    answer = client.get(f"{PATH}/{made['id']}")
    assert (answer.json, answer.headers["ETag"]) == (made, '"1"')


def test_a_generic_connection_has_a_name_and_no_address(client):
    made = connect(client, "generic")
    assert (made["address"], made["external_key"], made["account_source"]) == (None, "dynamics", "dynamics")


def test_an_organisation_written_with_15_characters_is_kept_with_18(client):
    assert connect(client, "salesforce", external_key=ORGANIZATION[:15])["external_key"] == ORGANIZATION


def test_pages_of_the_crm_may_show_the_panel_unless_an_admin_says_otherwise(client):
    assert connect(client, "zendesk")["origins"] == ["https://acme.zendesk.com"]
    assert "https://app-eu1.hubspot.com" in connect(client, "hubspot")["origins"]
    assert connect(client, "salesforce")["origins"] == []
    assert connect(client, "generic", origins=["https://crm.example", "https://crm.example"])["origins"] == [
        "https://crm.example"
    ]


def test_a_secret_is_sealed_and_never_answered(client):
    made = connect(client, "salesforce")
    assert made["has_secret"] is True
    answers = [client.get(PATH).text, client.get(f"{PATH}/{made['id']}").text, str(made)]
    assert not [answer for answer in answers if SECRET in answer]
    with transaction():
        stored = db.session.execute(text("select to_jsonb(i)::text from embed_installation i")).scalar()
    assert SECRET.encode().hex() not in stored


def test_a_replayed_answer_has_no_secret_either(client):
    body = {"kind": "salesforce", "name": "Acme", **CONNECTIONS["salesforce"]}
    first, second = (client.post(PATH, json=body, key="once") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    with transaction():
        assert SECRET not in db.session.scalar(text("select body from idempotency_key"))


def test_a_public_key_is_shown_as_it_was_given(client):
    assert connect(client, "zendesk")["public_key"].strip() == KEY.as_pem(private=False).decode().strip()


def test_the_same_organisation_is_connected_once(client):
    connect(client, "salesforce")
    body = {"kind": "salesforce", "name": "Again", **CONNECTIONS["salesforce"], "external_key": ORGANIZATION[:15]}
    answer = client.post(PATH, json=body)
    assert (answer.status_code, answer.json["code"]) == (409, "installation_taken")


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("salesforce", {"external_key": "00D"}, "/external_key"),
        ("salesforce", {"external_key": "00D30000000001bAAA"}, "/external_key"),
        ("hubspot", {"external_key": "portal"}, "/external_key"),
        ("zendesk", {"external_key": "https://acme.zendesk.com"}, "/external_key"),
        ("zendesk", {"external_key": AUDIENCE.replace("zendesk.com", "zendesk.com.evil.example")}, "/external_key"),
        ("generic", {"external_key": "Dynamics 365"}, "/external_key"),
        ("salesforce", {"secret": None}, "/secret"),
        ("salesforce", {"secret": "short"}, "/secret"),
        ("zendesk", {"public_key": "nonsense"}, "/public_key"),
        ("zendesk", {"public_key": KEY.as_pem(private=True).decode()}, "/public_key"),
        ("zendesk", {"secret": "a secret of eight"}, "/secret"),
        ("generic", {"secret": "a secret of eight"}, "/secret"),
        ("salesforce", {"public_key": KEY.as_pem(private=False).decode()}, "/public_key"),
        ("salesforce", {"origins": ["https://crm.example/path"]}, "/origins/0"),
        ("salesforce", {"origins": ["http://crm.example"]}, "/origins/0"),
        ("salesforce", {"origins": ["https://crm.example; script-src *"]}, "/origins/0"),
        ("salesforce", {"kind": "fax"}, "/kind"),
        ("salesforce", {"shoe_size": 40}, "/shoe_size"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_connected(client, kind, change, field):
    body = {"kind": kind, "name": "Acme", **CONNECTIONS[kind], **change}
    assert fault_of(client.post(PATH, json=body)) == (422, [field])
    assert client.get(PATH).json["items"] == []


@pytest.mark.parametrize(
    ("kind", "field"), [("salesforce", "secret"), ("hubspot", "secret"), ("zendesk", "public_key")]
)
def test_what_proves_the_sender_is_required(client, kind, field):
    body = {"kind": kind, "name": "Acme", "external_key": CONNECTIONS[kind]["external_key"]}
    assert fault_of(client.post(PATH, json=body)) == (422, [f"/{field}"])


def test_a_connection_is_changed_by_who_has_read_it(client):
    made = connect(client, "salesforce")
    path = f"{PATH}/{made['id']}"
    assert client.patch(path, json={"name": "Other"}).status_code == 428
    assert client.patch(path, json={"name": "Other"}, if_match=99).status_code == 412
    etag = client.get(path).headers["ETag"]
    changed = client.patch(path, json={"name": "Other", "origins": ["https://*.acme.example"]}, if_match=etag)
    assert (changed.json["name"], changed.json["origins"]) == ("Other", ["https://*.acme.example"])
    assert changed.headers["ETag"] != etag
    assert client.patch(path, json={"secret": "another secret"}, if_match=etag).status_code == 412


def test_a_new_secret_changes_the_etag(client):
    path = f"{PATH}/{connect(client, 'salesforce')['id']}"
    before = client.get(path).headers["ETag"]
    after = client.patch(path, json={"secret": "another secret"}, if_match=before)
    assert (after.status_code, after.headers["ETag"] != before) == (200, True)


def test_connections_are_listed_by_kind_and_page(client):
    for kind in CONNECTIONS:
        connect(client, kind)
    assert [one["kind"] for one in client.get(f"{PATH}?kind=zendesk").json["items"]] == ["zendesk"]
    first = client.get(f"{PATH}?limit=3").json
    rest = client.get(f"{PATH}?limit=3&cursor={first['next_cursor']}").json
    assert [one["kind"] for one in first["items"] + rest["items"]] == list(CONNECTIONS)


def test_a_disconnected_organisation_takes_its_identities_along(client, tenant):
    path = f"{PATH}/{connect(client, 'salesforce')['id']}"
    assert client.put(f"{path}/identities/{CRM_USER}", json={"user_email": tenant.admin.email}).status_code == 200
    assert client.delete(path, if_match=99).status_code == 412
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    with transaction():
        assert db.session.scalar(text("select count(*) from crm_identity")) == 0


@pytest.mark.parametrize("role", ["csm", "manager", "executive"])
def test_only_who_may_write_settings_connects_anything(as_user, make_user, role):
    assert as_user(make_user(role)).get(PATH).status_code == 403


def test_who_a_crms_user_is_can_be_said_changed_listed_and_forgotten(client, make_user):
    path = f"{PATH}/{connect(client, 'salesforce')['id']}/identities"
    one, other = make_user(email="one@example.com"), make_user(email="other@example.com")
    said = client.put(f"{path}/{CRM_USER}", json={"user_email": one.email}).json
    assert (said["external_id"], said["user_id"], said["learnt"]) == (CRM_USER, str(one.id), False)
    assert client.put(f"{path}/{CRM_USER[:15]}", json={"user_email": other.email}).status_code == 200
    listed = client.get(path).json["items"]
    assert [(line["external_id"], line["user_email"]) for line in listed] == [(CRM_USER, other.email)]
    assert client.delete(f"{path}/{CRM_USER}").status_code == 204
    assert client.delete(f"{path}/{CRM_USER}").status_code == 404
    assert client.get(path).json["items"] == []


def test_identities_are_listed_by_page(client, tenant):
    path = f"{PATH}/{connect(client, 'hubspot')['id']}/identities"
    for number in ("1", "2", "3"):
        client.put(f"{path}/{number}", json={"user_email": tenant.admin.email})
    first = client.get(f"{path}?limit=2").json
    rest = client.get(f"{path}?limit=2&cursor={first['next_cursor']}").json
    assert [one["external_id"] for one in first["items"] + rest["items"]] == ["1", "2", "3"]


def test_an_identity_needs_an_id_of_its_crm_and_an_active_user(client, make_user):
    path = f"{PATH}/{connect(client, 'salesforce')['id']}/identities"
    gone = make_user("integration", email="feed@example.com")
    assert fault_of(client.put(f"{path}/1234", json={"user_email": gone.email})) == (422, ["/external_id"])
    for email in (gone.email, "nobody@example.com"):
        assert fault_of(client.put(f"{path}/{CRM_USER}", json={"user_email": email})) == (422, ["/user_email"])


def test_a_crms_users_are_in_a_persons_export_and_go_with_them(client, make_user):
    user = make_user(email="gone@example.com", name="Greta Gone")
    path = f"{PATH}/{connect(client, 'salesforce')['id']}/identities/{CRM_USER}"
    client.put(path, json={"user_email": user.email})
    with transaction():
        kept = export(find_person(user.email))["tables"]
        assert [row["external_id"] for row in kept["crm_identity"]] == [CRM_USER]
        assert "embed_installation" not in kept
        erase(find_person(user.email), clock.real_now())
    with transaction():
        assert db.session.scalar(text("select count(*) from crm_identity")) == 0
