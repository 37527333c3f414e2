"""Signing in without a CRM: to a tenant's own identity provider and back, and every way in which it is refused."""

import time
from collections.abc import Callable, Iterator
from contextvars import Context
from datetime import timedelta
from http.cookies import SimpleCookie
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import select, text, update
from werkzeug.test import TestResponse

from app import clock, outside
from app.auth import service as auth
from app.auth.models import PanelLaunch, SignIn, User, UserIdentity
from app.db import db, tenant_scope, transaction
from app.operations.daily import run
from app.panels.sign_in import own_path
from tests.auth.provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    FIRST_KEY,
    SECOND_KEY,
    Provider,
    providing,
)
from tests.conftest import ApiClient, TestTenant

CORA = {"sub": "c-1", "email": "Cora@Example.com", "email_verified": True, "name": "Cora"}


class Browser:
    """Somebody's browser: it keeps our cookies and goes where it is sent, to the provider too."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.cookies: list[str] = []

    def visit(self, url: str) -> TestResponse:
        answer = Context().run(self.client.get, url, buffered=True)
        self.cookies += answer.headers.getlist("Set-Cookie")
        return answer

    def begin(self, tenant: TestTenant, query: str = "") -> str:
        """On to the provider: its address."""
        answer = self.visit(f"/auth/{tenant.id.hex}/sign-in{query}")
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def at_provider(self, url: str) -> str:
        """Signed in there: the address of ours it sends us back to."""
        answer = requests.get(url, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, tenant: TestTenant, query: str = "") -> TestResponse:
        return self.visit(self.at_provider(self.begin(tenant, query)))


@pytest.fixture
def provider(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setitem(app.config, "PRIVATE_NETWORKS", (ip_network("127.0.0.0/8"),))
    with providing(person=dict(CORA)) as made:
        yield made


def enter(client: ApiClient, provider: Provider, **options: Any) -> dict[str, Any]:
    body = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **options}
    answer = client.put("/api/v1/identity-provider", json=body, if_match="*")
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json
    return made


@pytest.fixture
def entered(client: ApiClient, provider: Provider) -> dict[str, Any]:
    return enter(client, provider)


@pytest.fixture
def cora(make_user: Callable[..., User]) -> User:
    return make_user("csm", "cora@example.com")


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


def launched(answer: TestResponse, tenant: TestTenant) -> str:
    """The launch that the browser was sent on with."""
    assert answer.status_code == 303, answer.text
    path, _, token = answer.headers["Location"].partition("#t=")
    assert path == f"/panel/t/{tenant.id}"
    return token


def refused(answer: TestResponse, status: int, title: str) -> str:
    assert answer.status_code == status, answer.text
    assert f"<h1>{title}</h1>" in answer.text.replace("&#39;", "'")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.text.replace("&#39;", "'")


UNPROVEN = "We could not make sure who you are"
STALE = "This sign-in is no longer open"
AWAY_TITLE = "Your company's sign-in does not answer"


def nobody_came_in() -> bool:
    with transaction():
        return not db.session.scalars(select(PanelLaunch)).all()


# ---- the way in -----------------------------------------------------------------------------------------------------


def test_who_signs_in_at_the_provider_gets_a_panel_of_their_own(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser
) -> None:
    token = launched(browser.sign_in(tenant), tenant)
    opened = ApiClient(app, None).post("/panel/session", data={"launch": token})
    assert (opened.status_code, opened.json["renewal"], opened.json["path"]) == (200, "self", "/mine")
    with transaction():
        launches = db.session.execute(text("select user_id from panel_session")).scalars().all()
    assert launches == [cora.id]


def test_reports_have_an_address_of_their_own_that_leads_through_the_sign_in(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser
) -> None:
    for rest, path in (("", "/reports"), ("/rows?figure=open", "/reports/rows?figure=open"), ("/nowhere", "/mine")):
        on = browser.visit(f"/reports/of/{tenant.id}{rest}")
        assert on.status_code == 302
        provider = browser.visit(on.headers["Location"]).headers["Location"]
        launch = launched(browser.visit(browser.at_provider(provider)), tenant)
        assert ApiClient(app, None).post("/panel/session", data={"launch": launch}).json["path"] == path


def test_reports_without_saying_whose_lead_on_where_there_is_one_tenant_alone(
    new_tenant: Callable[..., TestTenant], entered: dict[str, Any], tenant: TestTenant, browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    new_tenant()
    refused(browser.visit("/reports"), 404, "There is no sign-in here")
    one = text("select id from tenant where id = :id").bindparams(id=tenant.id)
    monkeypatch.setattr("app.panels.reports_door.TENANTS", one)
    on = browser.visit("/reports/rows?figure=open").headers["Location"]
    assert on == f"/auth/{tenant.id.hex}/sign-in?next=/reports/rows?figure%3Dopen"


def test_what_goes_to_the_provider_is_what_the_protocol_asks_for(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], provider: Provider, browser: Browser
) -> None:
    url = browser.begin(tenant)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{provider.issuer}/authorize?")
    assert asked["redirect_uri"] == f"{app.config['BASE_URL']}/auth/callback" == entered["redirect_uri"]
    assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT_ID, "S256")
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}
    assert len(asked["state"]) > 60
    assert len(asked["nonce"]) >= 43
    assert len(asked["code_challenge"]) == 43
    assert "prompt" not in asked
    assert "prompt=select_account" in browser.begin(tenant, "?account=choose")


def test_the_cookie_is_of_this_sign_in_only_and_goes_with_the_answer(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser, monkeypatch: Any
) -> None:
    monkeypatch.setitem(app.config, "BASE_URL", "https://firsthand.example.com")
    browser.visit(f"/auth/{tenant.id.hex}/sign-in")
    ((name, morsel),) = SimpleCookie(browser.cookies[0]).items()
    assert name.startswith("__Host-sign-in-")
    assert (morsel["path"], morsel["max-age"], morsel["samesite"]) == ("/", "600", "Lax")
    assert morsel["secure"]
    assert morsel["httponly"]
    assert not morsel["domain"]
    monkeypatch.undo()


@pytest.mark.parametrize("name", ["cora@example.com", "somebody@example.com"])
def test_after_the_answer_no_cookie_is_left(
    tenant: TestTenant, entered: dict[str, Any], make_user: Callable[..., User], browser: Browser, name: str
) -> None:
    """Whether they come in or, unknown, are refused."""
    make_user("csm", name)
    browser.sign_in(tenant)
    made, gone = (SimpleCookie(line) for line in browser.cookies)
    assert list(made) == list(gone)
    assert [morsel["max-age"] for morsel in gone.values()] == ["0"]


def test_two_windows_at_once_both_come_in(
    tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser
) -> None:
    first, second = browser.begin(tenant), browser.begin(tenant)
    launched(browser.visit(browser.at_provider(second)), tenant)
    launched(browser.visit(browser.at_provider(first)), tenant)


ACCOUNT = "/accounts/01900000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(("wanted", "path"), [(ACCOUNT, ACCOUNT), ("//evil.example", "/mine")])
def test_the_panel_begins_at_the_page_that_was_asked_for(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser, wanted: str, path: str
) -> None:
    token = launched(browser.sign_in(tenant, f"?{urlencode({'next': wanted})}"), tenant)
    assert ApiClient(app, None).post("/panel/session", data={"launch": token}).json["path"] == path


@pytest.mark.parametrize("path", ["/mine", "/mine?group=today&page=2", "/inbox", ACCOUNT])
def test_a_page_of_the_panel_is_known_as_such(app: Flask, path: str) -> None:
    with app.app_context():
        assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "work",
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/../auth/callback",
        "/mine/../../auth/callback",
        "/static/panel.js",
        "/session",
        "/nowhere",
        "javascript:alert(1)",
        "/mine\n",
        "/mine#/inbox",
        "/mine?a=<b>",
        "/mine" + "x" * 300,
    ],
)
def test_nothing_else_is(app: Flask, path: str | None) -> None:
    with app.app_context():
        assert own_path(path) == "/mine"


# ---- who it is ------------------------------------------------------------------------------------------------------


def test_the_address_counts_once_and_then_the_providers_own_name(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    browser.sign_in(tenant)
    provider.person = {"sub": "c-1", "email": "another@example.com", "email_verified": False}
    launched(browser.sign_in(tenant), tenant)
    with transaction():
        linked = [(i.user_id, i.issuer, i.subject) for i in db.session.scalars(select(UserIdentity))]
    assert linked == [(cora.id, provider.issuer, "c-1")]


def test_who_takes_over_an_address_does_not_become_its_former_holder(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    browser.sign_in(tenant)
    provider.person = {**CORA, "sub": "c-2"}
    said = refused(browser.sign_in(tenant), 403, "Another account is linked to this person")
    assert "cora@example.com" in said


@pytest.mark.parametrize("verified", [False, "absent"])
def test_an_address_the_provider_does_not_vouch_for_counts_nothing(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser, verified: Any
) -> None:
    provider.person = {**CORA, "email_verified": verified}
    if verified == "absent":
        del provider.person["email_verified"]
    said = refused(browser.sign_in(tenant), 403, "Your address is not confirmed")
    assert "c-1" in said
    assert nobody_came_in()


def test_a_provider_may_vouch_by_a_claim_of_its_own(
    tenant: TestTenant, client: ApiClient, provider: Provider, cora: User, browser: Browser
) -> None:
    """Microsoft Entra ID sends no `email_verified`."""
    enter(client, provider, vouched_by="xms_edov")
    provider.person = {**CORA, "email_verified": True}
    refused(browser.sign_in(tenant), 403, "Your address is not confirmed")
    provider.person = {"sub": "c-1", "email": "cora@example.com", "xms_edov": True}
    launched(browser.sign_in(tenant), tenant)


def test_an_address_given_only_at_the_userinfo_endpoint_counts(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    provider.person, provider.userinfo = {"sub": "c-1"}, {**CORA, "email_verified": "true"}
    launched(browser.sign_in(tenant), tenant)


def test_a_userinfo_endpoint_that_speaks_of_somebody_else_is_not_heard(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    provider.person, provider.userinfo = {"sub": "c-9"}, dict(CORA)
    refused(browser.sign_in(tenant), 403, UNPROVEN)


def test_an_unknown_person_gets_a_page_that_says_what_to_do(
    tenant: TestTenant, entered: dict[str, Any], browser: Browser
) -> None:
    said = refused(browser.sign_in(tenant), 403, "You are not known here yet")
    assert "Nobody here has the address cora@example.com" in said
    assert f"/auth/{tenant.id.hex}/sign-in?account=choose" in said
    assert nobody_came_in()


@pytest.mark.parametrize("linked", [False, True])
def test_who_was_deactivated_does_not_come_in(
    tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser, linked: bool
) -> None:
    if linked:
        browser.sign_in(tenant)
    with transaction():
        db.session.execute(text("delete from panel_launch"))
        db.session.get_one(User, cora.id).active = False
    refused(browser.sign_in(tenant), 403, "You can no longer sign in here")
    assert nobody_came_in()


def test_a_program_does_not_sit_before_a_panel(
    tenant: TestTenant, entered: dict[str, Any], make_user: Callable[..., User], browser: Browser
) -> None:
    make_user("integration", "cora@example.com")
    refused(browser.sign_in(tenant), 403, "You can no longer sign in here")


def test_where_addresses_are_not_asked_an_admin_says_whose_account_it_is(
    tenant: TestTenant, client: ApiClient, provider: Provider, cora: User, browser: Browser
) -> None:
    enter(client, provider, match_email=False)
    assert "its name is c-1" in refused(browser.sign_in(tenant), 403, "Your account is not linked yet")
    body = {"subject": "c-1", "user_email": "cora@example.com"}
    assert client.post("/api/v1/identity-provider/identities", json=body).status_code == 201
    launched(browser.sign_in(tenant), tenant)


def test_others_of_the_same_issuer_are_told_apart_by_the_required_claims(
    tenant: TestTenant, client: ApiClient, provider: Provider, cora: User, browser: Browser
) -> None:
    enter(client, provider, required_claims={"hd": "example.com"})
    for claims in ({}, {"hd": "other.example"}, {"hd": ["example.com"]}):
        provider.person = {**CORA, **claims}
        refused(browser.sign_in(tenant), 403, "This account belongs to another organisation")
    provider.person = {**CORA, "hd": "example.com"}
    launched(browser.sign_in(tenant), tenant)


# ---- what proves nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda claims: claims.update(nonce="another"),
        lambda claims: claims.update(aud="somebody else"),
        lambda claims: claims.update(iat=claims["iat"] - 4000, exp=claims["iat"] - 3600),
        lambda claims: claims.update(at_hash="another token's"),
    ],
    ids=["another sign-in's", "another client's", "expired", "another token's"],
)
def test_a_token_that_is_not_for_this_sign_in_proves_nothing(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser, change: Any
) -> None:
    provider.change_claims = change
    refused(browser.sign_in(tenant), 403, UNPROVEN)
    assert nobody_came_in()


@pytest.mark.parametrize(
    ("header", "key"),
    [({"alg": "none"}, None), ({"alg": "HS256", "kid": "one"}, None), ({"alg": "RS256", "kid": "one"}, SECOND_KEY)],
    ids=["unsigned", "public key as secret", "another key"],
)
def test_a_token_the_provider_has_not_signed_proves_nothing(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser, header: Any, key: Any
) -> None:
    provider.header, provider.key = header, key
    refused(browser.sign_in(tenant), 403, UNPROVEN)
    assert nobody_came_in()


def test_a_key_the_provider_has_changed_is_read_anew_once(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    launched(browser.sign_in(tenant), tenant)
    launched(browser.sign_in(tenant), tenant)
    assert provider.asked.count("keys") == 1
    provider.listed, provider.key, provider.header = [SECOND_KEY], SECOND_KEY, {"alg": "RS256", "kid": "two"}
    launched(browser.sign_in(tenant), tenant)
    assert provider.asked.count("keys") == 2
    provider.key, provider.header = FIRST_KEY, {"alg": "RS256", "kid": "one"}
    refused(browser.sign_in(tenant), 403, UNPROVEN)
    assert provider.asked.count("keys") == 3


# ---- whose sign-in it is --------------------------------------------------------------------------------------------


def test_a_code_and_its_state_come_in_once(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    back = browser.at_provider(browser.begin(tenant))
    launched(browser.visit(back), tenant)
    refused(browser.visit(back), 410, STALE)


def test_a_code_of_a_sign_in_that_is_over_is_not_taken_in_another(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    """The code is bound to its challenge, and given out once."""
    used = parse_qs(urlsplit(browser.at_provider(browser.begin(tenant))).query)["code"][0]
    fresh = parse_qs(urlsplit(browser.at_provider(browser.begin(tenant))).query)["state"][0]
    refused(browser.visit(f"/auth/callback?code={used}&state={fresh}"), 403, UNPROVEN)
    assert nobody_came_in()


def test_a_sign_in_of_another_browser_is_not_ended_here(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser
) -> None:
    """An attacker's own sign-in, sent to somebody as a link: they would write into the attacker's account."""
    back = browser.at_provider(browser.begin(tenant))
    refused(Browser(app).visit(back), 410, STALE)
    launched(browser.visit(back), tenant)


def test_the_cookie_of_one_sign_in_ends_no_other(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser
) -> None:
    attacker = Browser(app)
    back = attacker.at_provider(attacker.begin(tenant))
    browser.begin(tenant)
    refused(browser.visit(back), 410, STALE)


@pytest.mark.parametrize("state", ["", "x", "fo_", "fo_0_0", "ä", "fl_" + "0" * 32 + "_x", "fo_" + "0" * 32 + "_x"])
def test_what_is_no_state_of_ours_is_refused(
    tenant: TestTenant, entered: dict[str, Any], browser: Browser, state: str
) -> None:
    answer = browser.visit(f"/auth/callback?code=c&state={state}")
    assert answer.status_code in (404, 410)


def test_a_tampered_state_is_refused(tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser) -> None:
    back = browser.at_provider(browser.begin(tenant))
    state = parse_qs(urlsplit(back).query)["state"][0]
    changed = state[:-8] + ("A" if state[-8] != "A" else "B") + state[-7:]
    refused(browser.visit(back.replace(state, changed)), 410, STALE)
    assert nobody_came_in()


def test_a_state_moved_to_another_tenant_is_refused(
    tenant: TestTenant,
    new_tenant: Callable[..., TestTenant],
    as_user: Callable[..., ApiClient],
    entered: dict[str, Any],
    cora: User,
    provider: Provider,
    browser: Browser,
) -> None:
    other = new_tenant("other")
    back = browser.at_provider(browser.begin(tenant)).replace(tenant.id.hex, other.id.hex)
    refused(browser.visit(back), 404, "There is no sign-in here")


def test_a_sign_in_is_open_for_ten_minutes(
    tenant: TestTenant, entered: dict[str, Any], cora: User, browser: Browser
) -> None:
    back = browser.at_provider(browser.begin(tenant))
    with transaction():
        db.session.execute(update(SignIn).values(expires_at=SignIn.expires_at - timedelta(minutes=10)))
    refused(browser.visit(back), 410, STALE)


@pytest.mark.parametrize("how", ["at the next", "daily"])
def test_sign_ins_nobody_came_back_to_are_forgotten(
    tenant: TestTenant, entered: dict[str, Any], browser: Browser, how: str
) -> None:
    browser.begin(tenant)
    with transaction():
        db.session.execute(update(SignIn).values(expires_at=clock.real_now()))
    if how == "daily":
        with transaction():
            run("forget_panel_sessions", clock.now())
    else:
        browser.begin(tenant)
    with transaction():
        assert len(db.session.scalars(select(SignIn)).all()) == (0 if how == "daily" else 1)


def test_a_sign_in_begun_at_a_former_provider_is_refused(
    tenant: TestTenant, client: ApiClient, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    back = browser.at_provider(browser.begin(tenant))
    with providing() as another:
        enter(client, another)
    refused(browser.visit(back), 410, STALE)


def test_each_tenants_own_provider_signs_in_its_people_only(
    app: Flask, tenant: TestTenant, new_tenant: Callable[..., TestTenant], entered: dict[str, Any], browser: Browser
) -> None:
    """The other tenant has somebody of the same address; our provider does not speak for it."""
    other = new_tenant("other")
    refused(browser.visit(f"/auth/{other.id.hex}/sign-in"), 404, "There is no sign-in here")
    with tenant_scope(other.id):
        with transaction():
            auth.create_user("cora@example.com", name="Cora", role="csm", actor=other.actor, now=clock.real_now())
        refused(browser.sign_in(tenant), 403, "You are not known here yet")
        assert nobody_came_in()


# ---- a provider that fails or refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "title"),
    [
        ("access_denied", "You broke off the sign-in"),
        ("server_error", "Your company's sign-in said no"),
        ("<script>", "Your company's sign-in said no"),
    ],
)
def test_who_breaks_off_or_is_refused_there_is_told(
    tenant: TestTenant,
    entered: dict[str, Any],
    cora: User,
    provider: Provider,
    browser: Browser,
    error: str,
    title: str,
) -> None:
    provider.error = error
    said = refused(browser.sign_in(tenant), 403, title)
    assert "<script>" not in said
    assert f'href="/auth/{tenant.id.hex}/sign-in"' in said


@pytest.mark.parametrize("when", ["before", "between", "keys"])
def test_a_provider_that_is_away_is_said(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser, when: str
) -> None:
    if when == "before":
        provider.away = True
        refused(browser.visit(f"/auth/{tenant.id.hex}/sign-in"), 503, AWAY_TITLE)
        return
    back = browser.at_provider(browser.begin(tenant))
    if when == "keys":
        provider.listed = []
    else:
        provider.away = True
    refused(browser.visit(back), 503, AWAY_TITLE)
    assert nobody_came_in()


def test_a_provider_that_is_slow_is_not_waited_for(
    tenant: TestTenant,
    entered: dict[str, Any],
    provider: Provider,
    browser: Browser,
    cora: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back = browser.at_provider(browser.begin(tenant))
    monkeypatch.setattr(outside, "WHOLE_SECONDS", 0.5)
    provider.change_claims = lambda claims: time.sleep(2)
    refused(browser.visit(back), 503, AWAY_TITLE)  # what it says later would let her in


def test_a_secret_that_can_no_longer_be_read_is_said(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SEALING_KEYS", ("another key " * 4,))
    refused(browser.visit(f"/auth/{tenant.id.hex}/sign-in"), 409, "The sign-in has to be set up again")


def test_a_provider_that_is_away_is_not_asked_by_everybody(
    tenant: TestTenant, entered: dict[str, Any], provider: Provider, browser: Browser
) -> None:
    provider.away = True
    for _ in range(3):
        refused(browser.visit(f"/auth/{tenant.id.hex}/sign-in"), 503, AWAY_TITLE)
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(issuer="https://another.example"),
        lambda content: content.pop("token_endpoint"),
        lambda content: content.update(authorization_endpoint="javascript:alert(1)"),
        lambda content: content.update(jwks_uri=["x"]),
    ],
)
def test_a_document_that_is_not_the_issuers_own_leads_nowhere(
    tenant: TestTenant, entered: dict[str, Any], provider: Provider, browser: Browser, change: Any
) -> None:
    provider.change_metadata = change
    refused(browser.visit(f"/auth/{tenant.id.hex}/sign-in"), 503, AWAY_TITLE)


@pytest.mark.parametrize(
    ("announced", "sent", "taken"),
    [
        (True, "issuer", True),
        (True, None, False),
        (True, "https://another.example", False),
        (False, "https://another.example", False),
        (False, "issuer", True),
    ],
)
def test_an_answer_that_names_its_issuer_must_name_ours(
    tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser,
    announced: bool, sent: str | None, taken: bool,
) -> None:  # fmt: skip
    """RFC 9207: an answer of another provider is not mixed up with ours."""
    name = "authorization_response_iss_parameter_supported"
    provider.change_metadata = lambda content: content.update({name: announced})
    iss = provider.issuer if sent == "issuer" else sent
    provider.change_answer = lambda said: said.update({"iss": iss} if iss else {})
    answer = browser.sign_in(tenant)
    if taken:
        launched(answer, tenant)
    else:
        refused(answer, 403, UNPROVEN)
        assert "token" not in provider.asked


def test_no_transaction_is_open_while_the_provider_is_asked(
    app: Flask, tenant: TestTenant, entered: dict[str, Any], cora: User, provider: Provider, browser: Browser
) -> None:
    open_meanwhile = []

    def look(_: dict[str, Any]) -> None:
        with app.app_context():
            open_meanwhile.append(db.engine.pool.checkedout())

    provider.change_claims = look
    launched(browser.sign_in(tenant), tenant)
    assert open_meanwhile == [0]


# ---- out ------------------------------------------------------------------------------------------------------------


def test_the_way_out_names_the_providers_own(
    tenant: TestTenant, entered: dict[str, Any], provider: Provider, browser: Browser
) -> None:
    answer = browser.visit(f"/auth/{tenant.id.hex}/sign-out")
    assert answer.status_code == 200
    assert f'href="{provider.issuer}/leave?client_id=firsthand+at+acme"' in answer.text
    assert "Sign out of 127.0.0.1, too" in answer.text


def test_the_way_out_is_open_when_the_provider_is_away(
    tenant: TestTenant, entered: dict[str, Any], provider: Provider, browser: Browser
) -> None:
    provider.away = True
    answer = browser.visit(f"/auth/{tenant.id.hex}/sign-out")
    assert answer.status_code == 200
    assert "Sign out of" not in answer.text


@pytest.mark.parametrize("door", ["sign-in", "sign-out"])
@pytest.mark.parametrize("tenant_name", ["x", "0" * 32, "ä", "0" * 31])
def test_a_tenant_that_there_is_not_has_no_sign_in(app: Flask, browser: Browser, door: str, tenant_name: str) -> None:
    refused(browser.visit(f"/auth/{tenant_name}/{door}"), 404, "There is no sign-in here")
