"""A Canvas signed request: `<Base64 signature>.<Base64 JSON>`, posted by the user's browser.

The signature is the HMAC-SHA256 of the second part's *text* under the app's consumer secret (Canvas developer guide,
"Verify and decode a signed request"). Nothing in it says when it was made (`issuedAt` is for Salesforce itself), so its
freshness is a matter of its being used once. The OAuth token inside is never read.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.panels.embed.errors import AlgorithmRefused, Malformed, SignatureWrong, WrongTenant

ALGORITHM = "hmacsha256"
# Whose address an administrator of theirs has vouched for; somebody of a portal or site may call themselves anything.
STAFF = "standard"
CLASSIC, LIGHTNING = ".my.salesforce.com", ".lightning.force.com"
SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z", re.ASCII)


@dataclass(frozen=True)
class CanvasVisit:
    """Who opened the panel on which record (None: none), from which origins of theirs; `email` only of staff."""

    user_id: str
    email: str | None
    record_id: str | None
    origins: tuple[str, ...]


def long_id(value: Any) -> str | None:
    """The 18 characters of a Salesforce id of 15 or 18; None for what is none.

    The last three say, five characters a time, which of the first 15 are capitals.
    """
    if not isinstance(value, str) or not ID.match(value):
        return None
    body, suffix = value[:15], value[15:]
    chunks = (body[start : start + 5] for start in (0, 5, 10))
    made = "".join(SUFFIX_ALPHABET[sum(c.isupper() << n for n, c in enumerate(chunk))] for chunk in chunks)
    return body + made if suffix in ("", made) else None


def read_signed_request(sent: str, *, secret: str, organization_id: str) -> CanvasVisit:
    """What a signed request says, once its signature, algorithm and organisation (18 characters) are right."""
    signature, dot, payload = sent.partition(".")
    if not (signature and dot and payload and payload.isascii()):
        raise Malformed
    # The texts are compared, not the bytes: there is one way to write a signature, so no second one to replay.
    made = base64.b64encode(hmac.digest(secret.encode(), payload.encode(), hashlib.sha256))
    if not hmac.compare_digest(made, signature.encode()):
        raise SignatureWrong
    content = _content(payload)
    if str(content.get("algorithm", "")).lower() != ALGORITHM:
        raise AlgorithmRefused
    context = _part(content, "context")
    if long_id(_part(context, "organization").get("organizationId")) != organization_id:
        raise WrongTenant
    return _visit(content, context)


def _content(payload: str) -> Mapping[str, Any]:
    try:
        content = json.loads(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(content, dict):
        raise Malformed
    return content


def _part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A member that should be an object; anything else counts as an empty one."""
    part = content.get(name)
    return part if isinstance(part, dict) else {}


def _visit(content: Mapping[str, Any], context: Mapping[str, Any]) -> CanvasVisit:
    user = _part(context, "user")
    user_id = long_id(user.get("userId"))
    if user_id is None:
        raise Malformed("The request names no user")
    email, kind = user.get("email"), str(user.get("userType", ""))
    return CanvasVisit(
        user_id=user_id,
        email=email if isinstance(email, str) and email and kind.lower() == STAFF else None,
        record_id=_record(_part(context, "environment")),
        origins=_origins(_part(content, "client")),
    )


def _origins(client: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the page around the panel is from, as Salesforce says; Lightning is served beside each domain of theirs."""
    said = [found for name in ("targetOrigin", "instanceUrl") if (found := _origin(client.get(name)))]
    lightning = [one.removesuffix(CLASSIC) + LIGHTNING for one in said if one.endswith(CLASSIC)]
    return tuple(dict.fromkeys([*said, *lightning]))


def _record(environment: Mapping[str, Any]) -> str | None:
    """The page's record, or the account that a case among its fields names; on Lightning pages it is a parameter."""
    parameters = environment.get("parameters")
    if isinstance(parameters, str):
        try:
            parameters = json.loads(parameters)
        except ValueError:
            parameters = None
    named = parameters.get("recordId") if isinstance(parameters, dict) else None
    record = _part(environment, "record")
    return long_id(record.get("AccountId")) or long_id(record.get("Id")) or long_id(named)


def _origin(url: Any) -> str | None:
    """`https://host` of a URL of theirs."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_host = parts.hostname and re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", parts.hostname, re.ASCII)
    return f"https://{parts.hostname}" if parts.scheme == "https" and is_host else None
