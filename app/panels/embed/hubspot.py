"""HubSpot's request signature, version 3: Base64 of HMAC-SHA256 over method, URI, body and timestamp, end to end.

From HubSpot's "Validating requests": the URI is the full https address with its query, in which a table of characters
is decoded; milliseconds; nothing older than five minutes. Its own libraries sign the address as it stands and some
deployments decode all of it, so those two are tried as well. The address is the one we are known by, never what a
`Host` header says.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from app.panels.embed.errors import Malformed, SignatureStale, SignatureWrong, WrongTenant

WINDOW_MS = 300_000
DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
ENCODED = re.compile("|".join(DECODED), re.IGNORECASE)
DIGITS = re.compile(r"[0-9]{1,15}\Z", re.ASCII)


@dataclass(frozen=True)
class HubSpotCaller:
    """Who asks through a card: HubSpot's own user and the address they sign in with."""

    user_id: str
    email: str | None


def readings(uri: str) -> tuple[str, str, str]:
    """The address as HubSpot's table decodes it, as it stands, and decoded whole."""
    return ENCODED.sub(lambda found: DECODED[found[0].upper()], uri), uri, unquote(uri)


def sign(secret: str, method: str, uri: str, body: bytes, timestamp: str) -> str:
    """The signature of a request whose address reads exactly so."""
    message = f"{method}{uri}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


def check_request(
    *, method: str, uri: str, body: bytes, signature: str | None, timestamp: str | None, secret: str, now_ms: int
) -> None:
    """Raise unless the signature is HubSpot's and at most five minutes away from now, either way."""
    if not signature or not timestamp or not DIGITS.match(timestamp):
        raise Malformed("Expected X-HubSpot-Signature-v3 and X-HubSpot-Request-Timestamp")
    if abs(now_ms - int(timestamp)) > WINDOW_MS:
        raise SignatureStale
    given = signature.encode()
    # Each reading is compared, whether or not one before it was right: how long it takes says nothing.
    matches = [
        hmac.compare_digest(sign(secret, method, reading, body, timestamp).encode(), given) for reading in readings(uri)
    ]
    if not any(matches):
        raise SignatureWrong


def read_caller(query: str, *, portal_id: str) -> HubSpotCaller:
    """Who HubSpot says is asking, from what it adds to a checked request's query.

    What a card itself sends may be anything its user likes, so a name that stands there twice is refused.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    if _only(pairs, "portalId") != portal_id:
        raise WrongTenant
    user_id = _only(pairs, "userId")
    if not user_id or not DIGITS.match(user_id):
        raise Malformed("The request names no user")
    return HubSpotCaller(user_id, _only(pairs, "userEmail") or None)


def _only(pairs: Sequence[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise Malformed(f"{name} is given twice")
    return values[0] if values else None
