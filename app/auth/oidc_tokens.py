"""What an ID token must prove (OpenID Connect Core 1.0, 3.1.3.7): signed by the issuer, for us, now, for this sign-in.

Keys and the moment are given. Only signatures made with a private key count, so neither an unsigned token nor
one that takes a public key for a shared secret is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_SECONDS = 60
LONGEST_SUBJECT = 255

Claims = Mapping[str, Any]


class TokenRefused(Exception):
    """The token does not prove it; the message says why, for whoever set the provider up."""


class KeyUnknown(TokenRefused):
    """It names a key that is not among those we have: the provider may have changed them since."""


@dataclass(frozen=True)
class Expected:
    """What the token has to say; `algorithms` are those that the provider announced."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: tuple[str, ...] = ALGORITHMS


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """The keys a provider signs with: public ones for signatures; others in its document are passed over."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise TokenRefused("The provider's keys are no list of keys")
    used = [key for key in listed if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and _signs(key)]
    try:
        return KeySet.import_key_set({"keys": used})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused("None of the provider's keys can be read") from error


def _signs(key: Mapping[str, Any]) -> bool:
    return str(key.get("use", "sig")) == "sig"


def prove(id_token: str, keys: KeySet, *, expected: Expected, access_token: str | None, now: datetime) -> Claims:
    """The token's claims, when it proves them; `KeyUnknown` or `TokenRefused` otherwise."""
    allowed = [name for name in expected.algorithms if name in ALGORITHMS]
    registry = JWSRegistry(algorithms=allowed or ["RS256"], strict_check_header=False)
    try:
        token = jwt.decode(id_token, keys, registry=registry)
    except InvalidKeyIdError as error:
        raise KeyUnknown("The ID token is signed with a key that the provider does not list") from error
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(f"The ID token's signature does not hold: {error}") from error
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
    }
    params = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": access_token}
    claims = CodeIDToken(token.claims, token.header, options, params)
    try:
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(f"The ID token is not for this sign-in: {error}") from error
    if not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
        raise TokenRefused("The ID token names nobody")
    return dict(claims)


def verified_email(claims: Claims, vouched_by: str) -> str | None:
    """The address the provider vouches for, in lower case; one it only repeats is none. Some send yes as a word."""
    email = claims.get("email")
    if not isinstance(email, str) or claims.get(vouched_by) not in (True, "true", "1"):
        return None
    return email.strip().lower() or None


def missing_claim(claims: Claims, required: Mapping[str, str]) -> str | None:
    """The first required claim that is not exactly as it should be."""
    return next((name for name, value in required.items() if claims.get(name) != value), None)
