"""API tokens `fh_<tenant>_<secret>`: the tenant stands in the token, so its scope is set before the first read."""

import hashlib
import secrets
from uuid import UUID

PREFIX = "fh_"


def mint(tenant_id: UUID, *, prefix: str = PREFIX) -> tuple[str, bytes]:
    """A new token and the hash to keep; 256 random bits, so a plain SHA-256 is enough."""
    secret = secrets.token_urlsafe(32)
    return f"{prefix}{tenant_id.hex}_{secret}", hash_secret(secret)


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def parse(token: str, *, prefix: str = PREFIX) -> tuple[UUID, bytes] | None:
    """(tenant, secret's hash) of a well-formed token, else None."""
    if not token.startswith(prefix):
        return None
    tenant, _, secret = token.removeprefix(prefix).partition("_")
    try:
        return UUID(hex=tenant), hash_secret(secret)
    except ValueError:
        return None
