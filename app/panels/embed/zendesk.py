"""The token with which Zendesk posts an app's first page: a JWT signed with the app's own RSA key.

From Zendesk's "Secure the app": `aud` is the address of this installation of the app, `iss` the account's host, with
or without https://. RS256 and nothing else is taken: a verifier that also takes HS256 takes whatever anybody signs
with the public key (RFC 8725, 3.1).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError, MissingAlgorithmError, UnsupportedAlgorithmError
from joserfc.jwk import RSAKey

from app.panels.embed.errors import (
    AlgorithmRefused,
    Malformed,
    SignatureStale,
    SignatureWrong,
    WrongProduct,
    WrongTenant,
)

SKEW_SECONDS = 30
LEAST_KEY_BITS = 2048
AUDIENCE = re.compile(r"https://[a-z0-9][a-z0-9-]*\.zendesk\.com/api/v2/apps/installations/[0-9]+\.json\Z", re.ASCII)
USER = re.compile(r"(?:https://[a-z0-9-]+\.zendesk\.com/api/v2/users/)?([0-9]+)(?:\.json)?\Z", re.ASCII)


@dataclass(frozen=True)
class ZendeskVisit:
    """Which agent opened the app, in which place (`ticket_sidebar`), and until when the token lives."""

    user_id: str
    location: str | None
    expires_at: int


def read_key(pem: str) -> RSAKey:
    """The app's public key; ValueError for anything else, a private key or a weak one among them."""
    try:
        key = RSAKey.import_key(pem.strip())
    except (JoseError, ValueError, TypeError) as error:
        raise ValueError("no RSA public key in PEM") from error
    if key.is_private or key.raw_value.key_size < LEAST_KEY_BITS:
        raise ValueError("no public key, or a weak one")
    return key


def read_token(token: str, *, public_key: str, audience: str, now: int) -> ZendeskVisit:
    """What a token says, once its signature, installation, time and product are right; `now` in whole seconds."""
    claims = _claims(token, public_key)
    if claims.get("aud") != audience or str(claims.get("iss", "")).removeprefix("https://") != host_of(audience):
        raise WrongTenant
    expires_at = _check_times(claims, now)
    context = claims.get("context")
    if not isinstance(context, Mapping) or context.get("product") != "support":
        raise WrongProduct
    found = USER.match(str(claims.get("sub", "")))
    if found is None:
        raise Malformed("The token names no user")
    location = context.get("location")
    return ZendeskVisit(found[1], location if isinstance(location, str) else None, expires_at)


def host_of(audience: str) -> str:
    """The account's host, `acme.zendesk.com`."""
    return urlsplit(audience).hostname or ""


def _claims(token: str, public_key: str) -> Mapping[str, Any]:
    key = read_key(public_key)
    try:
        return jwt.decode(token, key, algorithms=["RS256"]).claims
    except BadSignatureError:
        raise SignatureWrong from None
    except (UnsupportedAlgorithmError, MissingAlgorithmError):
        raise AlgorithmRefused from None
    except (JoseError, ValueError, RecursionError):
        raise Malformed from None


def _check_times(claims: Mapping[str, Any], now: int) -> int:
    """`exp` is to come, `iat` and `nbf` are past, half a minute aside for clocks; answers `exp`."""
    times = {name: claims.get(name, 0 if name == "nbf" else None) for name in ("exp", "iat", "nbf")}
    if not all(_is_moment(value) for value in times.values()):
        raise Malformed("The token does not say when it was made and until when it lives")
    if now >= times["exp"] + SKEW_SECONDS or max(times["iat"], times["nbf"]) > now + SKEW_SECONDS:
        raise SignatureStale
    return int(times["exp"])


def _is_moment(value: Any) -> bool:
    """A number of seconds that a date can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 253_402_300_800
