"""The identity provider as admins enter, read, try and remove it."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.auth.models import IdentityProvider, User
from app.auth.oidc_clients import get_client
from app.db import db, transaction
from tests.auth.provider import CLIENT_ID, CLIENT_SECRET, Provider, providing
from tests.conftest import ApiClient, TestTenant

PATH = "/api/v1/identity-provider"
BODY = {"issuer": "https://login.example.com/realm", "client_id": "us", "client_secret": "the secret"}


@pytest.fixture
def provider(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setitem(app.config, "PRIVATE_NETWORKS", (ip_network("127.0.0.0/8"),))
    with providing() as made:
        yield made


def secret_kept() -> str | None:
    with transaction():
        return get_client().client_secret


def test_a_provider_is_entered_read_and_removed(app: Flask, tenant: TestTenant, client: ApiClient) -> None:
    assert (client.get(PATH).status_code, client.get(PATH).json["code"]) == (404, "no_identity_provider")
    made = client.put(PATH, json=BODY)
    assert made.status_code == 201
    read = client.get(PATH)
    assert read.json == made.json
    assert read.headers["ETag"] == made.headers["ETag"] == '"1"'
    assert (read.json["issuer"], read.json["client_id"], read.json["has_secret"]) == (BODY["issuer"], "us", True)
    assert (read.json["match_email"], read.json["required_claims"]) == (True, {})
    assert read.json["redirect_uri"] == f"{app.config['BASE_URL']}/auth/callback"
    assert read.json["sign_in_url"] == f"{app.config['BASE_URL']}/auth/{tenant.id.hex}/sign-in"
    assert client.delete(PATH, if_match=7).status_code == 412
    assert client.delete(PATH).status_code == 204
    assert client.get(PATH).status_code == 404


def test_the_secret_is_kept_sealed_and_never_answered(tenant: TestTenant, client: ApiClient) -> None:
    made = client.put(PATH, json=BODY, key="k")
    assert "the secret" not in made.text
    with transaction():
        stored = db.session.scalars(select(IdentityProvider)).one().client_secret
        everywhere = db.session.scalars(text("select to_jsonb(i)::text from identity_provider i")).one()
    assert stored is not None
    assert stored.startswith("s1.")
    assert "the secret" not in everywhere
    assert secret_kept() == "the secret"


def test_a_replacement_needs_the_etag_and_keeps_a_secret_left_out(tenant: TestTenant, client: ApiClient) -> None:
    client.put(PATH, json=BODY)
    changed = {"issuer": BODY["issuer"], "client_id": "we", "match_email": False, "required_claims": {"hd": "acme.com"}}
    assert client.put(PATH, json=changed).status_code == 428
    assert client.put(PATH, json=changed, if_match=9).status_code == 412
    answer = client.put(PATH, json=changed, if_match=1)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (answer.json["client_id"], answer.json["match_email"]) == ("we", False)
    assert answer.json["required_claims"] == {"hd": "acme.com"}
    assert secret_kept() == "the secret"
    client.put(PATH, json={**changed, "client_secret": None}, if_match=2)
    assert secret_kept() is None


def test_a_kept_secret_is_not_sent_to_another_issuer(tenant: TestTenant, client: ApiClient) -> None:
    """Else whoever may change settings, but not read secrets, would have it sent to a server of their own."""
    client.put(PATH, json=BODY)
    answer = client.put(PATH, json={"issuer": "https://other.example", "client_id": "us"}, if_match=1)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/client_secret")
    assert client.get(PATH).json["issuer"] == BODY["issuer"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", "login.example.com"),
        ("issuer", "ftp://login.example.com"),
        ("issuer", "https://login.example.com/?a=b"),
        ("issuer", "https://login.example.com/#a"),
        ("issuer", "https://me:word@login.example.com"),
        ("issuer", "https://login.example.com/a b"),
        ("issuer", "https://login.example.com:x"),
        ("issuer", "https://*.example.com"),
        ("issuer", None),
        ("client_id", ""),
        ("client_secret", ""),
        ("match_email", "yes"),
        ("vouched_by", "trust me"),
        ("required_claims", [1]),
        ("required_claims", {str(n): "x" for n in range(11)}),
    ],
)
def test_a_wrong_field_is_named(tenant: TestTenant, client: ApiClient, field: str, value: Any) -> None:
    answer = client.put(PATH, json={**BODY, field: value})
    assert answer.status_code == 422
    assert {error["pointer"].split("/")[1] for error in answer.json["errors"]} == {field}
    assert client.get(PATH).status_code == 404


def test_only_admins_see_and_change_it(tenant: TestTenant, make_user: Any, as_user: Any) -> None:
    manager = as_user(make_user("manager"))
    assert [manager.get(PATH).status_code, manager.put(PATH, json=BODY).status_code] == [403, 403]
    assert manager.post(f"{PATH}/check").status_code == 403


# ---- trying it ------------------------------------------------------------------------------------------------------


def checked(client: ApiClient, issuer: str, **options: Any) -> dict[str, Any]:
    """The findings of a check, by step."""
    body = {"issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **options}
    assert client.put(PATH, json=body, if_match="*").status_code in (200, 201)
    answer = client.post(f"{PATH}/check", key="k")
    assert answer.status_code == 200, answer.text
    findings = {finding["step"]: finding for finding in answer.json["findings"]}
    assert answer.json["ok"] == all(finding["ok"] for finding in findings.values())
    return findings


def failed(findings: dict[str, Any]) -> dict[str, str]:
    return {step: finding["detail"] for step, finding in findings.items() if not finding["ok"]}


def test_a_provider_that_works_passes_every_step(tenant: TestTenant, client: ApiClient, provider: Provider) -> None:
    findings = checked(client, provider.issuer)
    assert list(findings) == ["discovery", "keys", "algorithms", "pkce", "client"]
    assert failed(findings) == {}
    assert findings["keys"]["detail"] == "It lists 1 key to sign with"
    assert findings["client"]["detail"] == "It knows our client id and secret"


@pytest.mark.parametrize("options", [{"client_secret": "wrong"}, {"client_id": "nobody"}])
def test_a_wrong_client_is_found(
    tenant: TestTenant, client: ApiClient, provider: Provider, options: dict[str, str]
) -> None:
    findings = failed(checked(client, provider.issuer, **options))
    assert list(findings) == ["client"]
    assert "refuses our client id or secret (invalid_client)" in findings["client"]


def test_a_provider_that_calls_itself_otherwise_is_found(
    tenant: TestTenant, client: ApiClient, provider: Provider
) -> None:
    findings = failed(checked(client, f"{provider.issuer}/"))
    assert list(findings) == ["discovery"]
    assert findings["discovery"].startswith(f"It calls itself {provider.issuer}, not {provider.issuer}/;")


def test_a_provider_that_signs_in_no_way_we_know_is_found(
    tenant: TestTenant, client: ApiClient, provider: Provider
) -> None:
    name = "id_token_signing_alg_values_supported"
    provider.change_metadata = lambda content: content.update({name: ["HS256", "none"]})
    provider.listed = []
    findings = failed(checked(client, provider.issuer))
    assert findings == {
        "keys": "None of the provider's keys can be read",
        "algorithms": "It signs with HS256, none; set it to RS256 or ES256",
    }


def test_a_check_reads_anew_what_was_kept(tenant: TestTenant, client: ApiClient, provider: Provider) -> None:
    provider.away = True
    assert "status 503" in failed(checked(client, provider.issuer))["discovery"]
    provider.away = False
    assert client.post(f"{PATH}/check").json["ok"] is True


def test_an_address_inside_our_own_network_is_not_asked(tenant: TestTenant, client: ApiClient) -> None:
    with providing() as inside:
        findings = failed(checked(client, inside.issuer))
        assert findings == {"discovery": "127.0.0.1 is 127.0.0.1, which is not on the public internet"}
        assert inside.asked == []


def test_without_a_provider_there_is_nothing_to_try(tenant: TestTenant, client: ApiClient) -> None:
    assert client.post(f"{PATH}/check").json["code"] == "no_identity_provider"


# ---- who is known there ---------------------------------------------------------------------------------------------


def test_who_is_known_at_the_provider_is_said_listed_and_forgotten(
    tenant: TestTenant, client: ApiClient, make_user: Callable[..., User]
) -> None:
    users = [make_user("csm", f"{name}@example.com") for name in ("ada", "bea", "cid")]
    client.put(PATH, json=BODY)
    for number, user in enumerate(users):
        made = client.post(f"{PATH}/identities", json={"subject": f"s-{number}", "user_email": user.email})
        assert made.status_code == 201
    first = client.get(f"{PATH}/identities?limit=2").json
    assert [(one["user_email"], one["subject"]) for one in first["items"]] == [
        ("ada@example.com", "s-0"),
        ("bea@example.com", "s-1"),
    ]
    rest = client.get(f"{PATH}/identities?limit=2&cursor={first['next_cursor']}").json
    assert [(one["user_id"], one["issuer"], one["last_used_at"]) for one in rest["items"]] == [
        (str(users[2].id), BODY["issuer"], None)
    ]
    gone = f"{PATH}/identities/{first['items'][0]['id']}"
    assert [client.delete(gone).status_code, client.delete(gone).status_code] == [204, 404]
    assert client.delete(PATH).status_code == 204
    assert client.get(f"{PATH}/identities").json["items"] == []


def test_one_account_is_one_persons(tenant: TestTenant, client: ApiClient, make_user: Callable[..., User]) -> None:
    ada, bea = (make_user("csm", f"{name}@example.com").email for name in ("ada", "bea"))
    client.put(PATH, json=BODY)
    assert client.post(f"{PATH}/identities", json={"subject": "s", "user_email": ada}).status_code == 201
    for subject, email in (("s", bea), ("t", ada)):
        answer = client.post(f"{PATH}/identities", json={"subject": subject, "user_email": email})
        assert (answer.status_code, answer.json["code"]) == (409, "identity_linked")
    unknown = client.post(f"{PATH}/identities", json={"subject": "u", "user_email": "nobody@example.com"})
    assert unknown.json["errors"][0]["pointer"] == "/user_email"
