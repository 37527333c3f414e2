"""HubSpot's card: signed by HubSpot, for its portal, as its person may see the company; a launch for each signature."""

import json

import pytest
from sqlalchemy import text

from app import clock
from app.db import db, transaction
from tests.conftest import ApiClient
from tests.panels.embedding import BASE, HubSpot, connect

COMPANY = {"objectId": "501", "objectTypeId": "0-2"}


@pytest.fixture
def cora(make_user):
    return make_user(email="cora@example.com", name="Cora Csm")


@pytest.fixture
def hubspot(app, client, cora):
    return HubSpot(app, connect(client, "hubspot"))


@pytest.fixture
def globex(client):
    """A company with a contract of 120,000 a year that ends in a year."""
    account = client.put("/api/v1/accounts/hubspot/501", json={"name": "Globex"}).json["id"]
    contract = {"arr": "120000", "currency": "USD", "starts_on": "2020-01-01", "ends_on": "2100-01-01"}
    assert client.put("/api/v1/accounts/hubspot/501/contracts/C-1", json=contract).status_code == 201
    return account


def raise_case(client, title="Exports fail", **more):
    body = {"account": {"source": "hubspot", "external_id": "501"}, "title": title, "severity": 2, **more}
    made = client.post("/api/v1/escalations", json=body)
    assert made.status_code == 201, made.text
    return made.json


def test_the_card_shows_what_is_at_stake_and_open(client, hubspot, globex):
    case = raise_case(client)
    answer = hubspot.ask()
    assert answer.status_code == 200, answer.text
    shown = answer.json
    assert shown["account"] == {"id": globex, "name": "Globex"}
    assert (shown["value_at_stake"]["amount"], shown["value_at_stake"]["currency"]) == ("120000.00", "USD")
    assert (shown["open_count"], shown["overdue_count"], shown["message"]) == (1, 0, None)
    assert shown["open"] == [
        {
            "id": case["id"],
            "number": case["number"],
            "title": "Exports fail",
            "status": "open",
            "status_text": "Waits to be acknowledged",
            "owner": "Ada Admin",
            "due_at": case["close_target_at"],
            "overdue": False,
        }
    ]


def test_the_card_shows_ten_and_counts_all(client, hubspot, globex):
    for number in range(12):
        raise_case(client, f"Fault {number}")
    shown = hubspot.ask().json
    assert (len(shown["open"]), shown["open_count"]) == (10, 12)


def test_the_card_leaves_out_what_its_person_may_not_see(client, hubspot, globex):
    raise_case(client, restricted=True)
    shown = hubspot.ask().json
    assert (shown["open"], shown["open_count"]) == ([], 0)


def test_the_card_can_be_read_again_and_again_as_it_was_signed(hubspot, globex):
    address, body = hubspot.address(), json.dumps(COMPANY).encode()
    headers = hubspot.headers("POST", address, body)
    first, second = (hubspot.anybody.post(address, data=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)


def test_the_card_can_ask_by_get_as_well(hubspot, globex):
    address = hubspot.address(**COMPANY)
    answer = hubspot.anybody.get(address, headers=hubspot.headers("GET", address, b""))
    assert (answer.status_code, answer.json["account"]["name"]) == (200, "Globex")


def test_a_company_that_is_not_here_says_how_it_gets_here(hubspot):
    shown = hubspot.ask().json
    assert (shown["account"], shown["value_at_stake"], shown["open"]) == (None, None, [])
    assert shown["message"]["title"] == "This company is not in Firsthand yet"
    assert "501" in shown["message"]["text"]


def test_a_card_on_anything_but_a_company_says_where_to_look(hubspot, globex):
    shown = hubspot.ask(question={"objectId": "501", "objectTypeId": "0-1"}).json
    assert (shown["account"], shown["message"]["title"]) == (None, "The card shows escalations on companies")


def test_the_button_opens_the_panel_at_the_company(app, hubspot, globex):
    made = hubspot.ask("/launch")
    assert made.status_code == 201, made.text
    address, _, token = made.json["panel_url"].partition("#t=")
    assert address.startswith(f"{BASE}/panel/t/")
    opened = ApiClient(app, None).post("/panel/session", data={"launch": token}).json
    assert (opened["path"], opened["renewal"]) == (f"/accounts/{globex}", "self")


def test_the_button_opens_the_panel_at_one_of_its_escalations(app, client, hubspot, globex):
    case = raise_case(client)["id"]
    token = hubspot.ask("/launch", {**COMPANY, "escalation_id": case}).json["panel_url"].partition("#t=")[2]
    assert ApiClient(app, None).post("/panel/session", data={"launch": token}).json["path"] == f"/escalations/{case}"


def test_the_button_opens_the_panel_where_one_is_raised(app, hubspot, globex):
    token = hubspot.ask("/launch", {**COMPANY, "page": "raise"}).json["panel_url"].partition("#t=")[2]
    path = ApiClient(app, None).post("/panel/session", data={"launch": token}).json["path"]
    assert path == f"/accounts/{globex}/raise"


def test_a_signature_is_good_for_one_launch(hubspot, globex):
    address, body = hubspot.address("/launch"), json.dumps(COMPANY).encode()
    headers = hubspot.headers("POST", address, body)
    first, second = (hubspot.anybody.post(address, data=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code, second.json["code"]) == (201, 409, "replayed")
    with transaction():
        assert db.session.scalar(text("select count(*) from panel_launch")) == 1


@pytest.mark.parametrize("path", ["", "/launch"])
def test_what_hubspot_did_not_sign_now_for_this_portal_is_refused(hubspot, globex, path):
    now = int(clock.real_now().timestamp() * 1000)
    refusals = [
        hubspot.ask(path, secret="guessed secret"),
        hubspot.ask(path, at=now - 310_000),
        hubspot.ask(path, at=now + 310_000),
        hubspot.ask(path, portal="62516"),
        hubspot.anybody.post(hubspot.address(path), json=COMPANY),
    ]
    told = [(refusal.status_code, refusal.json["code"]) for refusal in refusals]
    assert told == [
        (401, "signature_wrong"),
        (401, "signature_stale"),
        (401, "signature_stale"),
        (403, "wrong_tenant"),
        (400, "malformed"),
    ]
    with transaction():
        assert db.session.scalar(text("select count(*) from panel_launch")) == 0


def test_a_body_changed_under_the_signature_is_refused(hubspot, globex):
    address = hubspot.address()
    headers = hubspot.headers("POST", address, json.dumps(COMPANY).encode())
    answer = hubspot.anybody.post(address, data=json.dumps({**COMPANY, "objectId": "502"}).encode(), headers=headers)
    assert answer.status_code == 401


def test_the_signed_address_is_the_one_we_are_known_by_whatever_the_host_header_says(hubspot, globex):
    address, body = hubspot.address(), json.dumps(COMPANY).encode()
    headers = {**hubspot.headers("POST", address, body), "Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    assert hubspot.anybody.post(address, data=body, headers=headers).status_code == 200


def test_a_user_that_a_card_names_beside_hubspots_own_is_refused(hubspot, globex):
    address, body = f"{hubspot.address()}&userId=1", json.dumps({**COMPANY, "userId": "1"}).encode()
    answer = hubspot.anybody.post(address, data=body, headers=hubspot.headers("POST", address, body))
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_a_user_named_in_the_body_counts_for_nothing(client, hubspot, globex, make_user):
    make_user("manager", email="boss@example.com")
    body = {**COMPANY, "userId": "1", "userEmail": "boss@example.com"}
    assert hubspot.ask(question=body, user="8", email="nobody@example.com").json["code"] == "user_unknown"


def test_an_unknown_user_is_told_what_to_ask_whom(hubspot):
    answer = hubspot.ask(user="8", email="nobody@example.com")
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert (answer.json["code"], answer.json["crm_user"]) == ("user_unknown", "8")


@pytest.mark.parametrize("question", [{"objectId": "x"}, {"objectTypeId": "0-2"}, {"objectId": None}, [], "text"])
def test_a_question_with_a_fault_is_told_so(hubspot, question):
    assert hubspot.ask(question=question or [1]).status_code == 422


def test_a_body_that_is_no_json_is_told_so(hubspot):
    address = hubspot.address()
    answer = hubspot.anybody.post(address, data=b"{", headers=hubspot.headers("POST", address, b"{"))
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_a_card_costs_few_statements(client, hubspot, globex, statements):
    raise_case(client)
    hubspot.ask()
    with statements() as sent:
        assert hubspot.ask().status_code == 200
    assert len(sent) <= 8, sent


def test_no_browser_is_invited_to_read_the_card(hubspot, globex):
    answer = hubspot.ask()
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
