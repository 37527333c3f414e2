"""Trying a provider out for the admin who entered it: each step a sentence, and what to do where one fails."""

from dataclasses import dataclass
from datetime import datetime

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client import OAuthError

from app.auth.oidc_clients import Client, open_session, redirect_uri
from app.auth.oidc_discovery import Metadata, keys_at, metadata_of
from app.auth.oidc_tokens import ALGORITHMS
from app.outside import OutsideFailed

KNOWN_REFUSALS = ("invalid_grant", "invalid_request")
NO_CODE = "a code that was never given out"


@dataclass(frozen=True)
class Finding:
    """One step of a check: `discovery`, `keys`, `algorithms`, `pkce` or `client`."""

    step: str
    ok: bool
    detail: str


def check(client: Client, *, now: datetime) -> list[Finding]:
    """What a sign-in would meet, asked afresh, outside every transaction; ends where nothing more can be asked."""
    try:
        metadata = metadata_of(client.issuer, now, fresh=True)
    except OutsideFailed as failed:
        return [Finding("discovery", False, str(failed))]
    found = [Finding("discovery", True, f"It answers, and sends people to {metadata.authorization_endpoint}")]
    return [*found, _keys(metadata, now), _algorithms(metadata), _challenges(metadata), _client(client, metadata)]


def _keys(metadata: Metadata, now: datetime) -> Finding:
    try:
        count = len(keys_at(metadata.jwks_uri, now, fresh=True).keys)
    except OutsideFailed as failed:
        return Finding("keys", False, str(failed))
    return Finding("keys", True, f"It lists {count} key{'' if count == 1 else 's'} to sign with")


def _algorithms(metadata: Metadata) -> Finding:
    common = [name for name in metadata.algorithms if name in ALGORITHMS]
    if common:
        return Finding("algorithms", True, f"It signs with {', '.join(common)}")
    announced = ", ".join(metadata.algorithms) or "nothing"
    return Finding("algorithms", False, f"It signs with {announced}; set it to RS256 or ES256")


def _challenges(metadata: Metadata) -> Finding:
    """PKCE is always sent; a provider that does not announce it may ignore it; state and nonce still bind it."""
    if "S256" in metadata.challenges:
        return Finding("pkce", True, "It checks that the browser which ends a sign-in has begun it (PKCE, S256)")
    return Finding("pkce", True, "It does not say that it knows PKCE; what we send of it may be ignored")


def _client(client: Client, metadata: Metadata) -> Finding:
    """A code that was never given out is refused for itself, unless the client's name or secret are refused first."""
    try:
        with open_session(client, metadata) as session:
            session.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=NO_CODE,
                redirect_uri=redirect_uri(),
                code_verifier="0" * 43,
            )
    except OAuthError as error:
        return _judged(str(error.error))
    except (OutsideFailed, requests.RequestException, AuthlibBaseError, ValueError, RecursionError) as error:
        return Finding("client", False, f"Its token endpoint does not answer as it should: {error}")
    return Finding("client", False, "Its token endpoint took a code that was never given out")


def _judged(error: str) -> Finding:
    if error in KNOWN_REFUSALS:
        return Finding("client", True, "It knows our client id and secret")
    if error in ("invalid_client", "unauthorized_client"):
        return Finding("client", False, f"It refuses our client id or secret ({error}): compare both with the provider")
    return Finding("client", False, f"Its token endpoint refuses us: {error[:100]}")
