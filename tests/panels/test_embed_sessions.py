"""A tenant's own backend lets somebody into the panel: with a token that names it, for whom it names, for a minute."""

import pytest

from app import clock
from app.auth import service as auth
from app.db import transaction
from tests.conftest import ApiClient
from tests.panels.embedding import BASE, CRM_USER, RECORD, connect

PATH = "/api/v1/embed/sessions"
SOME_CASE = "01900000-0000-7000-8000-000000000000"
LIGHTNING = "https://acme.lightning.force.com"


@pytest.fixture
def cora(make_user):
    return make_user(email="cora@example.com", name="Cora Csm")


@pytest.fixture
def backend(as_user, make_user):
    """What a Lightning component's Apex or any server of the tenant calls with."""
    return as_user(make_user("integration", email="crm@example.com"), scopes=["panels:launch"])


def allow(client, *origins):
    etag = client.get("/api/v1/settings").headers["ETag"]
    assert client.patch("/api/v1/settings", json={"embed_origins": origins}, if_match=etag).status_code == 200


def begin(app, made):
    return ApiClient(app, None).post("/panel/session", data={"launch": made.json["token"]})


def test_a_backend_opens_the_panel_for_somebody_at_an_account(app, client, backend, cora):
    allow(client, LIGHTNING)
    account = client.put(f"/api/v1/accounts/salesforce/{RECORD}", json={"name": "Globex"}).json["id"]
    body = {"user": {"email": cora.email}, "account": {"source": "salesforce", "external_id": RECORD}}
    before = clock.real_now()
    made = backend.post(PATH, json={**body, "origin": LIGHTNING})
    assert made.status_code == 201, made.text
    assert made.json["launch_url"].startswith(f"{BASE}/panel/t/")
    assert made.json["launch_url"].endswith(f"#t={made.json['token']}")
    assert made.json["expires_at"] > before.isoformat()[:19]
    opened = begin(app, made).json
    assert (opened["path"], opened["origin"], opened["renewal"]) == (f"/accounts/{account}", LIGHTNING, "host")
    assert begin(app, made).status_code == 401


def test_a_record_named_by_15_characters_is_the_same(app, client, backend, cora):
    account = client.put(f"/api/v1/accounts/salesforce/{RECORD}", json={"name": "Globex"}).json["id"]
    body = {"user": {"email": cora.email}, "account": {"source": "salesforce", "external_id": RECORD[:15]}}
    assert begin(app, backend.post(PATH, json=body)).json["path"] == f"/accounts/{account}"


def test_accounts_that_are_kept_by_15_characters_are_found_so(app, client, backend, cora):
    account = client.put(f"/api/v1/accounts/salesforce/{RECORD[:15]}", json={"name": "Globex"}).json["id"]
    body = {"user": {"email": cora.email}, "account": {"source": "salesforce", "external_id": RECORD[:15]}}
    assert begin(app, backend.post(PATH, json=body)).json["path"] == f"/accounts/{account}"


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ({}, "/mine"),
        (
            {"escalation_id": SOME_CASE},
            f"/escalations/{SOME_CASE}",
        ),
        ({"account": {"source": "crm", "external_id": "A/1 ü?"}}, "/accounts/by/crm/A%2F1%20%C3%BC%3F"),
    ],
)
def test_the_panel_opens_where_it_is_told(app, backend, cora, place, path):
    assert begin(app, backend.post(PATH, json={"user": {"email": cora.email}, **place})).json["path"] == path


def test_a_page_around_the_panel_brings_the_next_session_itself(app, client, backend, cora):
    """The host asks for a new launch each time the panel wants one; what was begun stays the same session."""
    body = {"user": {"email": cora.email}}
    first = begin(app, backend.post(PATH, json=body)).json
    again = backend.post(PATH, json=body).json["token"]
    anybody = ApiClient(app, None)
    second = anybody.post("/panel/session", data={"launch": again, "former": first["token"]})
    assert second.status_code == 200
    for token, status in ((first["token"], 401), (second.json["token"], 200)):
        assert ApiClient(app, token).post("/panel/session/end").status_code == status


def test_a_frame_without_an_origin_of_its_own_may_exchange_its_launch(app, backend, cora):
    """Lightning's sandbox gives the frame an opaque origin, which calls itself null."""
    token = backend.post(PATH, json={"user": {"email": cora.email}}).json["token"]
    answer = ApiClient(app, None).post("/panel/session", data={"launch": token}, headers={"Origin": "null"})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "null")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_user_may_be_named_as_their_crm_does(app, client, backend, cora):
    made = connect(client, "salesforce")
    client.put(f"/api/v1/embed-installations/{made['id']}/identities/{CRM_USER}", json={"user_email": cora.email})
    who = {"installation_id": made["id"], "external_id": CRM_USER[:15]}
    assert begin(app, backend.post(PATH, json={"user": who})).status_code == 200


@pytest.mark.parametrize("email", ["nobody@example.com", "crm@example.com", "gone@example.com"])
def test_nobody_unknown_inactive_or_of_a_program_is_let_in(client, backend, make_user, email):
    gone = make_user(email="gone@example.com")
    path = f"/api/v1/users/{gone.id}"
    client.patch(path, json={"active": False}, if_match=client.get(path).headers["ETag"])
    answer = backend.post(PATH, json={"user": {"email": email}})
    assert (answer.status_code, answer.json["code"]) == (403, "user_unknown")


def test_an_identity_nobody_said_is_unknown_and_a_foreign_connection_missing(client, backend):
    made = connect(client, "salesforce")
    known = {"installation_id": made["id"], "external_id": CRM_USER}
    assert backend.post(PATH, json={"user": known}).json["code"] == "user_unknown"
    other = {**known, "installation_id": SOME_CASE}
    assert backend.post(PATH, json={"user": other}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/user"),
        ({"user": {}}, "/user"),
        ({"user": {"email": "cora@example.com", "external_id": "1"}}, "/user"),
        ({"user": {"external_id": "1"}}, "/user"),
        ({"user": {"email": "no address"}}, "/user/email"),
        ({"account": {"source": "crm"}}, "/account/external_id"),
        ({"origin": "https://evil.example"}, "/origin"),
        ({"origin": "https://acme.lightning.force.com/page"}, "/origin"),
        ({"origin": "null"}, "/origin"),
        ({"renewal": "never"}, "/renewal"),
        ({"escalation_id": "1"}, "/escalation_id"),
        (
            {
                "escalation_id": SOME_CASE,
                "account": {"source": "crm", "external_id": "1"},
            },
            "/escalation_id",
        ),
        ({"role": "admin"}, "/role"),
    ],
)
def test_a_wrong_field_is_named(client, backend, cora, body, field):
    allow(client, LIGHTNING)
    whole = {"user": {"email": cora.email}, **body} if "user" in body or body else body
    answer = backend.post(PATH, json=whole)
    assert (answer.status_code, [error["pointer"] for error in answer.json["errors"]]) == (422, [field])


@pytest.mark.parametrize(
    ("listed", "origin", "status"),
    [
        ("https://*.lightning.force.com", "https://acme.lightning.force.com", 201),
        ("https://*.lightning.force.com", "https://lightning.force.com", 422),
        ("https://*.lightning.force.com", "https://acme.lightning.force.com.evil.example", 422),
        ("https://*.lightning.force.com", "https://evillightning.force.com", 422),
        ("https://crm.example:8443", "https://crm.example:8443", 201),
        ("https://crm.example:8443", "https://crm.example", 422),
    ],
)
def test_an_origin_is_one_of_the_tenants(client, backend, cora, listed, origin, status):
    allow(client, listed)
    assert backend.post(PATH, json={"user": {"email": cora.email}, "origin": origin}).status_code == status


def test_a_connections_own_origins_count_as_well(client, backend, cora):
    connect(client, "generic", origins=["https://org.crm.dynamics.com"])
    body = {"user": {"email": cora.email}, "origin": "https://org.crm.dynamics.com"}
    assert backend.post(PATH, json=body).status_code == 201


def test_a_token_that_does_not_name_it_lets_nobody_in(as_user, make_user, cora):
    body = {"user": {"email": cora.email}}
    feed = make_user("integration", email="feed@example.com")
    assert as_user(feed).post(PATH, json=body).status_code == 403
    assert as_user(cora).post(PATH, json=body).status_code == 403
    assert as_user(make_user("executive")).post(PATH, json=body).status_code == 403


def test_an_admin_lets_others_in(client, cora):
    assert client.post(PATH, json={"user": {"email": cora.email}}).status_code == 201


def test_a_replayed_answer_has_no_token(backend, cora):
    body = {"user": {"email": cora.email}}
    first, second = (backend.post(PATH, json=body, key="once").json for _ in range(2))
    assert first["token"].startswith("fl_")
    assert (second["token"], second["launch_url"], second["expires_at"]) == (None, None, first["expires_at"])


def test_another_tenants_backend_knows_nobody_here(new_tenant, cora, app):
    other = new_tenant("Other")
    with transaction(tenant=other.id):
        plain = auth.create_token(auth.get_user(other.admin.id), name="", now=clock.real_now())[1]
    answer = ApiClient(app, plain).post(PATH, json={"user": {"email": cora.email}})
    assert (answer.status_code, answer.json["code"]) == (403, "user_unknown")


def test_a_launch_takes_few_statements(backend, cora, statements):
    body = {"user": {"email": cora.email}, "account": {"source": "crm", "external_id": "1"}}
    backend.post(PATH, json=body)
    with statements() as sent:
        backend.post(PATH, json=body)
    assert len(sent) <= 6, sent
