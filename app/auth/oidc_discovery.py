"""What a provider says of itself (OpenID Connect Discovery 1.0) and its keys, kept for an hour by each process.

A provider that does not answer is asked again after fifteen seconds, not by everybody who wants to sign in meanwhile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import requests
from joserfc.jwk import KeySet

from app.auth.oidc_tokens import ALGORITHMS, TokenRefused, read_keys
from app.outside import OutsideFailed, check_url, guard

KEPT = timedelta(hours=1)
AWAY = timedelta(seconds=15)
MOST_KEPT = 1_000
WELL_KNOWN = "/.well-known/openid-configuration"

T = TypeVar("T")


@dataclass(frozen=True)
class Metadata:
    """Where a provider's doors are, and how it wants to be spoken to."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    auth_methods: tuple[str, ...]
    algorithms: tuple[str, ...]
    challenges: tuple[str, ...]
    sends_issuer: bool


class Kept(Generic[T]):
    """Answers of outside by their address, failures among them for a shorter while."""

    def __init__(self, fetch: Callable[[str], T]) -> None:
        self.fetch = fetch
        self.answers: dict[str, tuple[datetime, T | OutsideFailed]] = {}

    def get(self, key: str, now: datetime, *, fresh: bool = False) -> T:
        until, answer = self.answers.get(key, (now, None))
        if answer is None or until <= now or fresh:
            answer = self._ask(key)
            while len(self.answers) >= MOST_KEPT:
                self.answers.pop(next(iter(self.answers)), None)
            self.answers[key] = (now + (AWAY if isinstance(answer, OutsideFailed) else KEPT), answer)
        if isinstance(answer, OutsideFailed):
            raise OutsideFailed(str(answer))
        return answer

    def _ask(self, key: str) -> T | OutsideFailed:
        try:
            return self.fetch(key)
        except OutsideFailed as failed:
            return failed


def get_json(url: str, *, bearer: str | None = None) -> dict[str, Any]:
    """A JSON object from outside; `OutsideFailed` when there is none at this address."""
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    with guard(requests.Session()) as session:
        answer = session.get(url, headers=headers)
    if answer.status_code != 200:
        raise OutsideFailed(f"{url} answers with status {answer.status_code}")
    try:
        content = answer.json()
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise OutsideFailed(f"{url} does not answer with a JSON object")
    return content


def _fetch_metadata(issuer: str) -> Metadata:
    return read_metadata(issuer, get_json(issuer.rstrip("/") + WELL_KNOWN))


def read_metadata(issuer: str, content: Mapping[str, Any]) -> Metadata:
    """The provider's document, checked: it must be the issuer's own and name every door that a sign-in needs."""
    if content.get("issuer") != issuer:
        raise OutsideFailed(f"It calls itself {content.get('issuer')}, not {issuer}; enter it exactly as it does")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_door(content, "authorization_endpoint", issuer),
        token_endpoint=_door(content, "token_endpoint", issuer),
        jwks_uri=_door(content, "jwks_uri", issuer),
        userinfo_endpoint=_door(content, "userinfo_endpoint", issuer) if content.get("userinfo_endpoint") else None,
        end_session_endpoint=(
            _door(content, "end_session_endpoint", issuer) if content.get("end_session_endpoint") else None
        ),
        auth_methods=_words(content, "token_endpoint_auth_methods_supported", ("client_secret_basic",)),
        algorithms=_words(content, "id_token_signing_alg_values_supported", ALGORITHMS),
        challenges=_words(content, "code_challenge_methods_supported", ()),
        sends_issuer=content.get("authorization_response_iss_parameter_supported") is True,
    )


def _door(content: Mapping[str, Any], name: str, issuer: str) -> str:
    """One address of the document; as secure as the issuer's own."""
    url = content.get(name)
    if not isinstance(url, str):
        raise OutsideFailed(f"Its document names no {name}")
    check_url(url)
    if urlsplit(issuer).scheme == "https" and urlsplit(url).scheme != "https":
        raise OutsideFailed(f"Its {name} does not begin with https://")
    return url


def _words(content: Mapping[str, Any], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    listed = content.get(name)
    return tuple(word for word in listed if isinstance(word, str)) if isinstance(listed, list) else default


def _fetch_keys(jwks_uri: str) -> KeySet:
    try:
        return read_keys(get_json(jwks_uri))
    except TokenRefused as refused:
        raise OutsideFailed(str(refused)) from refused


metadata_of = Kept(_fetch_metadata).get
keys_at = Kept(_fetch_keys).get
