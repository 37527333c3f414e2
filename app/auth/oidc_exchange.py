"""What is asked of a provider when somebody comes back from it, outside every transaction."""

from dataclasses import dataclass
from datetime import datetime

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client import OAuthError

from app.auth.errors import IdentityUnproven, ProviderAway, ProviderRefused, SignInCancelled
from app.auth.oidc_clients import Client, open_session, redirect_uri
from app.auth.oidc_discovery import Metadata, get_json, keys_at, metadata_of
from app.auth.oidc_tokens import Claims, Expected, KeyUnknown, TokenRefused, prove
from app.outside import OutsideFailed

log = structlog.get_logger()


@dataclass(frozen=True)
class Taken:
    """A sign-in that has come back to the browser which began it."""

    client: Client
    nonce: str
    code_verifier: str
    path: str


def discover(client: Client, *, now: datetime) -> Metadata:
    """What the provider says of itself; asked outside every transaction."""
    try:
        return metadata_of(client.issuer, now)
    except OutsideFailed as failed:
        raise away(client, failed) from failed


def away(client: Client, failed: Exception) -> ProviderAway:
    """The refusal for an outside call that came to nothing; why is for the log and the admins' check."""
    log.warning("provider_away", issuer=client.issuer, reason=str(failed))
    return ProviderAway(str(failed))


def read_person(taken: Taken, *, code: str | None, error: str | None, iss: str | None, now: datetime) -> Claims:
    """Exchange what the provider sent back for who it is; outside every transaction.

    `iss` must be the provider's where it says that it sends it (RFC 9207), and wherever it comes.
    """
    metadata = discover(taken.client, now=now)
    if (iss is not None or metadata.sends_issuer) and iss != taken.client.issuer:
        raise _unproven(taken.client, f"the answer is from {iss}")
    if error is not None:
        raise _refused(taken.client, error)
    if not code:
        raise _unproven(taken.client, "the answer has no code")
    try:
        answer = _exchange(taken, metadata, code)
        claims = _prove(taken, metadata, answer, now)
        return _with_email(claims, taken.client, metadata, answer)
    except OutsideFailed as failed:
        raise away(taken.client, failed) from failed
    except TokenRefused as refused:
        raise _unproven(taken.client, str(refused)) from refused


def _exchange(taken: Taken, metadata: Metadata, code: str) -> dict[str, object]:
    """The tokens for a code; a code used before is refused by the provider."""
    try:
        with open_session(taken.client, metadata) as session:
            answer: dict[str, object] = session.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri(),
                code_verifier=taken.code_verifier,
            )
    except OAuthError as error:
        raise _refused_exchange(taken.client, error) from error
    except (requests.RequestException, AuthlibBaseError, ValueError, RecursionError) as error:
        raise OutsideFailed(f"The provider's token endpoint does not answer as it should: {error}") from error
    return answer


def _refused_exchange(client: Client, error: OAuthError) -> IdentityUnproven | ProviderRefused:
    if error.error == "invalid_grant":
        return _unproven(client, "the provider does not know the code, or gave it out before")
    return _refused(client, str(error.error))


def _refused(client: Client, error: str) -> ProviderRefused:
    log.info("sign_in_refused", issuer=client.issuer, error=error[:100])
    return SignInCancelled() if error == "access_denied" else ProviderRefused(error[:100])


def _unproven(client: Client, reason: str) -> IdentityUnproven:
    log.warning("identity_unproven", issuer=client.issuer, reason=reason)
    return IdentityUnproven(reason)


def _prove(taken: Taken, metadata: Metadata, answer: dict[str, object], now: datetime) -> Claims:
    """The ID token's claims; when its key is unknown the provider's keys are read anew, once."""
    id_token, access_token = answer.get("id_token"), answer.get("access_token")
    if not isinstance(id_token, str):
        raise TokenRefused("the provider sent no ID token")
    expected = Expected(taken.client.issuer, taken.client.client_id, taken.nonce, metadata.algorithms)
    bearer = access_token if isinstance(access_token, str) else None
    try:
        keys = keys_at(metadata.jwks_uri, now)
        return prove(id_token, keys, expected=expected, access_token=bearer, now=now)
    except KeyUnknown:
        keys = keys_at(metadata.jwks_uri, now, fresh=True)
        return prove(id_token, keys, expected=expected, access_token=bearer, now=now)


def _with_email(claims: Claims, client: Client, metadata: Metadata, answer: dict[str, object]) -> Claims:
    """In the code flow a provider may give the address at its userinfo endpoint only (Core 1.0, 5.4)."""
    bearer = answer.get("access_token")
    if "email" in claims or not client.email_matches or not metadata.userinfo_endpoint or not isinstance(bearer, str):
        return claims
    told = get_json(metadata.userinfo_endpoint, bearer=bearer)
    if told.get("sub") != claims["sub"]:
        raise TokenRefused("the userinfo endpoint speaks of somebody else")
    return {**claims, **{name: told[name] for name in ("email", client.vouched_by) if name in told}}
