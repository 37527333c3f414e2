"""Secrets of other systems that must be read back (an OIDC client's, a CRM's): sealed for one tenant and one purpose.

AES-256-GCM, with a key derived from the first of `SEALING_KEYS` (default: `SECRET_KEY`). Tenant and purpose are
authenticated beside the text, so a sealed secret copied into another tenant's row, or into another column, does not
open. What is sealed names its key: the others of the list go on opening what they sealed, so a key is exchanged by
putting a new one first, and the old one is dropped when its secrets have been entered anew.
"""

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from app.auth.errors import SealBroken
from app.db import current_tenant

FORM = "s1"
NONCE_BYTES = 12


def seal(plain: str, *, purpose: str) -> str:
    """The text of a secret as it may stand in a row; `purpose` is the record's, such as `identity_provider:<id>`."""
    number, key = next(iter(_keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    content = nonce + AESGCM(key).encrypt(nonce, plain.encode(), _context(purpose))
    return f"{FORM}.{number}.{base64.urlsafe_b64encode(content).decode()}"


def unseal(sealed: str, *, purpose: str) -> str:
    """The secret again; `SealBroken` when it was changed, is another tenant's or purpose's, or its key has gone."""
    form, number, content = [*sealed.split("."), "", ""][:3]
    key = _keys().get(number)
    if form != FORM or key is None:
        raise SealBroken
    try:
        raw = base64.b64decode(content, altchars=b"-_", validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _context(purpose)).decode()
    except (binascii.Error, InvalidTag, ValueError):
        raise SealBroken from None


def _context(purpose: str) -> bytes:
    return f"{current_tenant()}:{purpose}".encode()


def _keys() -> dict[str, bytes]:
    """Each key by its number (a hash that says nothing of it), the one that seals first."""
    keys = [
        HKDF(SHA256(), 32, salt=None, info=b"sealing").derive(k.encode()) for k in current_app.config["SEALING_KEYS"]
    ]
    return {hashlib.sha256(b"number" + key).hexdigest()[:8]: key for key in keys}
