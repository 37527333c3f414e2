"""What an ID token must prove, claim by claim (OpenID Connect Core 1.0, 3.1.3.7)."""

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from app.auth.oidc_tokens import Expected, KeyUnknown, TokenRefused, missing_claim, prove, read_keys, verified_email
from tests import NOW
from tests.auth.provider import FIRST_KEY, SECOND_KEY, forged

ISSUER, US, NONCE, BEARER = "https://login.example.com", "firsthand", "the nonce", "the access token"
EXPECTED = Expected(ISSUER, US, NONCE)
SECONDS = int(NOW.timestamp())
KEYS = read_keys({"keys": [FIRST_KEY.as_dict(private=False)]})
NAMED = {"alg": "RS256", "kid": "one"}

Claims = dict[str, Any]


def claims(**changes: Any) -> Claims:
    """Those of a token made now, for five minutes; a change to None takes one away."""
    made = {"iss": ISSUER, "aud": US, "sub": "c-1", "nonce": NONCE, "iat": SECONDS, "exp": SECONDS + 300, **changes}
    return {name: value for name, value in made.items() if value is not None}


def signed(content: Claims, header: dict[str, str] = NAMED, key: Any = FIRST_KEY) -> str:
    return jwt.encode(header, content, key, algorithms=[header["alg"]])


def proven(token: str, *, now: Any = NOW, expected: Expected = EXPECTED) -> Any:
    return prove(token, KEYS, expected=expected, access_token=BEARER, now=now)


def half_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")


def test_a_token_for_us_now_and_this_sign_in_is_taken() -> None:
    assert proven(signed(claims(email="a@example.com")))["email"] == "a@example.com"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": [US]},
        {"aud": [US, "another"], "azp": US},
        {"azp": US},
        {"at_hash": half_hash(BEARER)},
        {"exp": SECONDS - 59},
        {"iat": SECONDS + 59},
        {"sub": "x" * 255},
    ],
)
def test_what_the_standard_allows_is_taken(change: Claims) -> None:
    assert proven(signed(claims(**change)))


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": None},
        {"aud": 7},
        {"aud": [US, "another"]},
        {"aud": [US, "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://another.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"exp": SECONDS - 60},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": SECONDS + 61},
        {"iat": None},
        {"nbf": SECONDS + 61},
        {"at_hash": half_hash("another token")},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
)
def test_one_claim_that_is_wrong_or_missing_is_enough_to_refuse(change: Claims) -> None:
    with pytest.raises(TokenRefused):
        proven(signed(claims(**change)))


def test_a_token_is_over_a_minute_after_its_time() -> None:
    token = signed(claims(exp=SECONDS + 300))
    assert proven(token, now=NOW + timedelta(seconds=359))
    with pytest.raises(TokenRefused):
        proven(token, now=NOW + timedelta(seconds=360))


@pytest.mark.parametrize(
    "make",
    [
        lambda: forged({"alg": "none"}, claims()),
        lambda: forged({"alg": "none", "kid": "one"}, claims()),
        lambda: forged({"alg": "HS256"}, claims()),
        lambda: forged({"alg": "HS256", "kid": "one"}, claims()),
        lambda: signed(claims(), NAMED, SECOND_KEY),
        lambda: signed(claims(), {"alg": "ES256", "kid": "one"}, ECKey.generate_key("P-256", {"kid": "one"})),
        lambda: f"{signed(claims())[:-8]}AAAAAAAA",
        lambda: signed(claims()).rpartition(".")[0] + ".",
        lambda: signed(claims()).rpartition(".")[0],
        lambda: "",
        lambda: "a.b.c",
        lambda: "ä",
        lambda: "." * 100_000,
    ],
    ids=range(13),
)
def test_a_token_the_provider_has_not_signed_is_refused(make: Callable[[], str]) -> None:
    with pytest.raises(TokenRefused):
        proven(make())


def test_a_key_that_is_not_listed_is_named_as_such() -> None:
    with pytest.raises(KeyUnknown):
        proven(signed(claims(), {"alg": "RS256", "kid": "two"}, SECOND_KEY))


def test_an_algorithm_the_provider_has_not_announced_is_refused() -> None:
    token = signed(claims(), {"alg": "PS256", "kid": "one"})
    assert proven(token)
    with pytest.raises(TokenRefused):
        proven(token, expected=Expected(ISSUER, US, NONCE, ("RS256",)))


def test_a_provider_that_announces_only_what_we_do_not_know_is_held_to_the_standards_own() -> None:
    odd = Expected(ISSUER, US, NONCE, ("HS256", "none"))
    assert proven(signed(claims()), expected=odd)
    with pytest.raises(TokenRefused):
        proven(forged({"alg": "HS256", "kid": "one"}, claims()), expected=odd)


def test_of_a_providers_keys_those_that_sign_are_read() -> None:
    public = FIRST_KEY.as_dict(private=False)
    others = [
        {**SECOND_KEY.as_dict(private=False), "use": "enc"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "s"},
        {"kty": "AKP", "kid": "new"},
        "no key",
    ]
    assert [key.kid for key in read_keys({"keys": [public, *others]})] == ["one"]


@pytest.mark.parametrize(
    "document", [{}, {"keys": None}, {"keys": []}, {"keys": [{"kty": "RSA"}]}, {"keys": [{"kty": "EC", "crv": "P-1"}]}]
)
def test_keys_that_cannot_be_read_are_said(document: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        read_keys(document)


@pytest.mark.parametrize(
    ("told", "email"),
    [
        ({"email": "A@Example.com ", "email_verified": True}, "a@example.com"),
        ({"email": "a@example.com", "email_verified": "true"}, "a@example.com"),
        ({"email": "a@example.com", "email_verified": False}, None),
        ({"email": "a@example.com", "email_verified": "false"}, None),
        ({"email": "a@example.com", "email_verified": None}, None),
        ({"email": "a@example.com", "email_verified": [True]}, None),
        ({"email": "a@example.com", "xms_edov": True}, None),
        ({"email": "a@example.com"}, None),
        ({"email": ["a@example.com"], "email_verified": True}, None),
        ({"email": " ", "email_verified": True}, None),
        ({"email_verified": True}, None),
    ],
)
def test_an_address_counts_only_when_it_is_vouched_for(told: Claims, email: str | None) -> None:
    assert verified_email(told, "email_verified") == email


def test_a_required_claim_is_exactly_as_it_should_be() -> None:
    required = {"hd": "example.com", "tid": "t-1"}
    assert missing_claim({"hd": "example.com", "tid": "t-1", "more": 1}, required) is None
    assert missing_claim({"hd": "example.com", "tid": "T-1"}, required) == "tid"
    assert missing_claim({"tid": "t-1"}, required) == "hd"
    assert missing_claim({}, {}) is None
