"""A CRM opens the panel for somebody: who is let in at which record, who is not, and where the panel may be shown."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from app import clock, logs
from app.auth import service as auth
from app.db import db, transaction
from app.operations.daily import DAILY
from tests.conftest import ApiClient
from tests.panels.embedding import (
    AGENT,
    CONNECTIONS,
    CRM_USER,
    KEY,
    RECORD,
    SECRET,
    HubSpot,
    Salesforce,
    Zendesk,
    connect,
    place_of,
)

MATCHING = "/api/v1/settings"


@pytest.fixture
def cora(make_user):
    return make_user(email="cora@example.com", name="Cora Csm")


@pytest.fixture
def salesforce(app, client, cora):
    return Salesforce(app, connect(client, "salesforce"))


@pytest.fixture
def zendesk(app, client, cora):
    made = connect(client, "zendesk")
    said = client.put(f"/api/v1/embed-installations/{made['id']}/identities/{AGENT}", json={"user_email": cora.email})
    assert said.status_code == 200
    return Zendesk(app, made)


@pytest.fixture
def globex(client):
    return client.put(f"/api/v1/accounts/salesforce/{RECORD}", json={"name": "Globex"}).json["id"]


def launch_in(answer):
    found = re.search(r'data-launch="(fl_[^"]+)"', answer.text)
    return found[1] if found else None


def begin(app, answer):
    """What the panel's script gets for the launch inside the page."""
    return ApiClient(app, None).post("/panel/session", data={"launch": launch_in(answer)})


def ancestors(answer):
    return answer.headers["Content-Security-Policy"].rpartition("frame-ancestors ")[2].split()


def switch_matching(client, on):
    etag = client.get(MATCHING).headers["ETag"]
    assert client.patch(MATCHING, json={"embed_match_email": on}, if_match=etag).status_code == 200


def test_salesforce_opens_the_panel_for_its_user_at_the_account_of_the_record(app, salesforce, globex, cora):
    answer = salesforce.open()
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    opened = begin(app, answer).json
    assert (opened["path"], opened["renewal"]) == (f"/accounts/{globex}", "self")
    assert opened["origin"] == "https://acme.lightning.force.com"
    with transaction():
        row = db.session.execute(text("select user_id from panel_session")).one()
    assert row.user_id == cora.id


def test_the_launch_stands_in_the_page_and_in_no_address_cookie_or_cache(salesforce, globex):
    answer = salesforce.open()
    assert launch_in(answer)
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_panel_may_be_shown_by_the_pages_salesforce_vouched_for_and_the_tenants_own(app, client, cora):
    made = connect(client, "salesforce", origins=["https://acme--c.vf.force.com"])
    etag = client.get(MATCHING).headers["ETag"]
    client.patch(MATCHING, json={"embed_origins": ["https://portal.acme.example"]}, if_match=etag)
    assert set(ancestors(Salesforce(app, made).open())) == {
        "'self'",
        "https://acme.lightning.force.com",
        "https://acme.my.salesforce.com",
        "https://acme--c.vf.force.com",
        "https://portal.acme.example",
    }


def test_without_a_record_the_panel_opens_at_my_work(app, salesforce):
    assert begin(app, salesforce.open(record=None)).json["path"] == "/mine"


def test_a_record_that_is_no_account_here_opens_a_page_that_says_how_it_gets_here(app, salesforce, panel, cora):
    path = begin(app, salesforce.open()).json["path"]
    assert path == f"/accounts/by/salesforce/{RECORD}"
    shown = panel(cora).get(path)
    assert shown.status_code == 404
    assert "This record is not here yet" in shown.text
    assert RECORD in shown.text


def test_accounts_that_are_kept_with_15_characters_are_found_as_well(app, client, salesforce):
    account = client.put(f"/api/v1/accounts/salesforce/{RECORD[:15]}", json={"name": "Hooli"}).json["id"]
    assert begin(app, salesforce.open()).json["path"] == f"/accounts/{account}"


def test_a_signed_request_opens_the_panel_once(app, salesforce, globex):
    signed = salesforce.signed()
    assert salesforce.send(signed).status_code == 200
    again = salesforce.send(signed)
    assert (again.status_code, launch_in(again)) == (409, None)
    assert "good once" in again.text


def test_a_new_secret_ends_the_old_one_and_what_was_used_stays_so(app, client, cora):
    made = connect(client, "salesforce")
    crm = Salesforce(app, made)
    signed = crm.signed()
    assert crm.send(signed).status_code == 200
    path = f"/api/v1/embed-installations/{made['id']}"
    told = []
    for secret in ("another secret", SECRET):
        changed = client.patch(path, json={"secret": secret}, if_match=client.get(path).headers["ETag"])
        assert changed.status_code == 200
        told.append((crm.send(signed).status_code, crm.open(secret=secret).status_code))
    assert told == [(401, 200), (409, 200)]


def test_used_requests_are_forgotten_daily_when_their_time_is_over(salesforce, globex):
    assert salesforce.open().status_code == 200
    forget = DAILY["forget_panel_sessions"]
    with transaction() as session:
        forget(clock.now())
        assert session.scalar(text("select count(*) from used_request")) == 1
        session.execute(text("update used_request set kept_until = now() - interval '1 second'"))
        forget(clock.now())
        assert session.scalar(text("select count(*) from used_request")) == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [({"secret": "guessed secret"}, 401), ({"organization": "00D30000000002bEAA"}, 403)],
)
def test_a_request_signed_otherwise_or_for_another_organisation_opens_nothing(salesforce, change, status):
    answer = salesforce.open(**change)
    assert (answer.status_code, answer.mimetype, launch_in(answer)) == (status, "text/html", None)


@pytest.mark.parametrize("sent", ["", "x", "a.b", "." * 50_000])
def test_what_is_no_signed_request_opens_nothing(salesforce, sent):
    answer = salesforce.send(sent)
    assert answer.status_code in (400, 401)
    assert launch_in(answer) is None


def test_a_refusal_is_a_page_that_may_be_read_inside_the_crm_and_does_nothing(salesforce):
    answer = salesforce.open(secret="guessed secret")
    assert {"https://*.force.com", "https://*.salesforce.com", "https://*.zendesk.com"} <= set(ancestors(answer))
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'")
    assert "<script" not in answer.text


def test_another_tenants_address_knows_neither_the_secret_nor_the_user(app, salesforce, new_tenant, as_user, client):
    """Two tenants of ours, each with an organisation of its own: what one signed opens nothing at the other's."""
    other = new_tenant("Other")
    with transaction(tenant=other.id):
        plain = auth.create_token(auth.get_user(other.admin.id), name="", now=clock.real_now())[1]
    theirs = connect(ApiClient(app, plain), "salesforce", secret="another secret")
    signed = salesforce.signed()
    assert ApiClient(app, None).post(place_of(theirs), data={"signed_request": signed}).status_code == 401
    mixed = re.sub(r"[0-9a-f]{32}\.", f"{other.id.hex}.", salesforce.path)
    assert ApiClient(app, None).post(mixed, data={"signed_request": signed}).status_code == 404


@pytest.mark.parametrize("place", ["x", "x.y", "0" * 32, f"{'0' * 32}.{'0' * 32}", f"{'0' * 32}.{'0' * 31}g", "-" * 65])
@pytest.mark.parametrize("kind", ["salesforce", "zendesk", "hubspot"])
def test_an_address_that_is_nobodys_answers_that_nothing_is_connected(app, place, kind):
    assert ApiClient(app, None).post(f"/panel/embed/{kind}/{place}", data={}).status_code == 404


def test_a_connection_answers_at_its_own_kinds_address_only(app, client, salesforce):
    path = salesforce.path.replace("/salesforce/", "/zendesk/")
    assert ApiClient(app, None).post(path, data={"token": "x"}).status_code == 404


def test_a_disconnected_organisation_opens_nothing(app, client, cora):
    made = connect(client, "salesforce")
    crm = Salesforce(app, made)
    assert crm.open().status_code == 200
    assert client.delete(f"/api/v1/embed-installations/{made['id']}").status_code == 204
    assert crm.open().status_code == 404


def test_the_address_opened_by_hand_says_what_it_is_for(app, salesforce):
    anybody = ApiClient(app, None)
    assert "This address is for your CRM" in anybody.get(salesforce.path).text
    unapproved = anybody.get(f"{salesforce.path}?_sfdc_canvas_authvalue=user_approval_required")
    assert unapproved.status_code == 403
    assert "pre-authorized" in unapproved.text


# ---- who a CRM's user is --------------------------------------------------------------------------------------------


def test_a_user_is_learnt_at_the_first_sign_in_and_known_by_id_from_then_on(app, client, salesforce, globex):
    assert salesforce.open().status_code == 200
    switch_matching(client, False)
    assert salesforce.open(email="somebody.else@example.com").status_code == 200


def test_whoever_takes_over_an_address_does_not_become_that_person(salesforce, globex):
    assert salesforce.open().status_code == 200
    impostor = salesforce.open(userId="005300000000009AAA", email="cora@example.com")
    assert (impostor.status_code, launch_in(impostor)) == (403, None)


def test_whoever_changes_their_address_to_anothers_stays_who_they_are(app, salesforce, globex, make_user, cora):
    boss = make_user("manager", email="boss@example.com")
    assert salesforce.open().status_code == 200
    assert begin(app, salesforce.open(email=boss.email)).status_code == 200
    with transaction():
        users = set(db.session.scalars(text("select user_id from panel_session")))
    assert users == {cora.id}


def test_an_unknown_user_gets_a_page_that_says_what_to_ask_whom(salesforce):
    answer = salesforce.open(email="nobody@example.com", userId="005300000000002AAA")
    assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert "You are not known to Firsthand yet" in answer.text
    for needed in ("nobody@example.com", "005300000000002AAA", "Acme in salesforce"):
        assert needed in answer.text


def test_what_a_crm_says_of_somebody_is_shown_as_text(salesforce):
    answer = salesforce.open(email="<img src=x onerror=alert(1)>@example.com", userId="005300000000002AAA")
    assert "<img" not in answer.text


def test_an_address_opens_nothing_while_the_tenant_does_not_match_by_it(client, salesforce):
    switch_matching(client, False)
    assert salesforce.open().status_code == 403


def test_the_address_of_a_portal_user_matches_nobody(salesforce):
    assert salesforce.open(userType="CspLitePortal").status_code == 403


@pytest.mark.parametrize("change", [{"active": False}, {"role": "integration"}])
def test_who_has_left_gets_the_same_page_as_who_was_never_here(client, salesforce, cora, change):
    assert salesforce.open().status_code == 200
    path = f"/api/v1/users/{cora.id}"
    assert client.patch(path, json=change, if_match=client.get(path).headers["ETag"]).status_code == 200
    answer = salesforce.open()
    assert (answer.status_code, "You are not known to Firsthand yet" in answer.text) == (403, True)


def test_what_an_admin_said_goes_before_the_address(app, client, make_user, cora):
    made = connect(client, "salesforce")
    other = make_user(email="other@example.com")
    path = f"/api/v1/embed-installations/{made['id']}/identities/{CRM_USER[:15]}"
    assert client.put(path, json={"user_email": other.email}).json["external_id"] == CRM_USER
    begin(app, Salesforce(app, made).open())
    with transaction():
        assert db.session.scalar(text("select user_id from panel_session")) == other.id


# ---- Zendesk --------------------------------------------------------------------------------------------------------


def test_zendesk_opens_the_panel_for_an_agent_that_was_said(app, zendesk, cora):
    answer = zendesk.open()
    assert answer.status_code == 200
    opened = begin(app, answer).json
    assert (opened["path"], opened["origin"]) == ("/mine", "https://acme.zendesk.com")
    assert "zendesk." in answer.text
    assert 'data-records="zendesk"' in answer.text
    assert "https://acme.zendesk.com" in ancestors(answer)


def test_a_zendesk_token_opens_the_panel_once_however_its_signature_is_written(zendesk):
    token = zendesk.token()
    assert zendesk.send(token).status_code == 200
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1]
    assert zendesk.send(token).status_code == 409
    assert zendesk.send(twin).status_code in (401, 409)


def test_a_stale_or_foreign_zendesk_token_opens_nothing(zendesk):
    past = {"iat": 1_700_000_000, "exp": 1_700_000_060}
    assert zendesk.open(**past).status_code == 401
    assert zendesk.open(aud="https://acme.zendesk.com/api/v2/apps/installations/1.json").status_code == 403
    assert zendesk.open(context={"product": "chat"}).status_code == 403
    assert zendesk.open(key=type(KEY).generate_key(2048)).status_code == 401
    assert zendesk.send("").status_code == 400


def test_an_agent_nobody_said_is_unknown(zendesk):
    answer = zendesk.open(sub="9999")
    assert (answer.status_code, "9999" in answer.text) == (403, True)


# ---- what is kept ---------------------------------------------------------------------------------------------------


def test_nothing_of_a_signed_request_is_stored_but_a_hash(app, salesforce, globex, capsys):
    signed = salesforce.signed()
    assert salesforce.send(signed).status_code == 200
    salesforce.send(signed)
    salesforce.open(secret="guessed secret")
    with transaction():
        rows = db.session.execute(text("select to_jsonb(u) from used_request u")).scalars().all()
        others = db.session.execute(text("select to_jsonb(i) from crm_identity i")).scalars().all()
    kept = f"{rows}{others}{capsys.readouterr()}"
    assert len(rows) == 1
    for secret in ("oauthToken", "00D!", signed[:40], signed[-40:], CONNECTIONS["salesforce"]["secret"]):
        assert secret not in kept


@pytest.fixture
def logged(capsys):
    """What is logged, as in production."""
    logs.configure("json", "info")
    yield lambda: capsys.readouterr().out
    logs.configure("json", "warning")


def test_who_is_let_in_by_whom_stands_in_the_log_and_what_proved_it_does_not(salesforce, globex, cora, logged):
    signed = salesforce.signed()
    answer = salesforce.send(signed)
    lines = logged()
    noted = [line for line in map(json.loads, lines.splitlines()) if line["event"] == "panel_launched"]
    assert [(line["user_id"], line["via"]) for line in noted] == [(str(cora.id), "salesforce")]
    for secret in (launch_in(answer), signed[:40], signed[-40:], "cora@example.com"):
        assert secret not in lines


def test_of_two_that_bring_one_request_at_once_one_is_let_in(salesforce, globex):
    signed = salesforce.signed()
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda _: salesforce.send(signed).status_code, range(4)))
    assert sorted(told) == [200, 409, 409, 409]


def test_a_user_who_comes_twice_at_once_is_learnt_once(salesforce, globex):
    both = [salesforce.signed(), salesforce.signed()]
    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(lambda signed: salesforce.send(signed).status_code, both))
    assert told == [200, 200]
    with transaction():
        assert db.session.scalar(text("select count(*) from crm_identity")) == 1


def test_a_sign_in_between_another_ones_look_and_its_answer_is_no_refusal(salesforce, globex):
    """The second launch comes whole between the first one's look for a known user and its look by address."""
    told = []

    @contextmanager
    def interrupted():
        def other(connection, cursor, statement, *_):
            if "crm_identity" in statement and not told:
                told.append(None)
                with ThreadPoolExecutor(1) as thread:
                    told[0] = thread.submit(lambda: salesforce.send(second).status_code).result()

        event.listen(db.engine, "after_cursor_execute", other)
        try:
            yield
        finally:
            event.remove(db.engine, "after_cursor_execute", other)

    first, second = salesforce.signed(), salesforce.signed()
    with interrupted():
        assert salesforce.send(first).status_code == 200
    assert told == [200]
    with transaction():
        assert db.session.scalar(text("select count(*) from crm_identity")) == 1


def test_a_sign_in_takes_few_statements(salesforce, globex, statements):
    salesforce.open()
    with statements() as sent:
        salesforce.open()
    assert len(sent) <= 9, sent


def test_a_secret_sealed_under_a_key_that_has_gone_is_asked_for_again(app, salesforce):
    kept = app.config["SEALING_KEYS"]
    app.config["SEALING_KEYS"] = ("another key, long enough for what it is for",)
    try:
        answer = salesforce.open()
    finally:
        app.config["SEALING_KEYS"] = kept
    assert (answer.status_code, launch_in(answer)) == (409, None)


def test_hubspots_pages_may_show_the_panel_once_it_is_connected(app, client, tenant):
    shell = f"/panel/t/{tenant.id}"
    assert ancestors(ApiClient(app, None).get(shell)) == ["'self'"]
    HubSpot(app, connect(client, "hubspot"))
    assert "https://app.hubspot.com" in ancestors(ApiClient(app, None).get(shell))
