"""Who was erased by law: known by a keyed hash of their address only, so that nothing brings them back."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from flask import current_app
from sqlalchemy import select

from app.auth.models import ErasedPerson
from app.db import current_tenant, db


def address_hash(email: str) -> bytes:
    """HMAC-SHA256 of tenant and address under the installation's secret key."""
    content = f"erased:{current_tenant()}:{email.strip().lower()}"
    return hmac.new(current_app.config["SECRET_KEY"].encode(), content.encode(), hashlib.sha256).digest()


def remember(email: str, now: datetime) -> None:
    if not find_erased([email]):
        db.session.add(ErasedPerson(address_hash=address_hash(email), erased_at=now))
        db.session.flush()


def find_erased(emails: Iterable[str]) -> set[str]:
    """Those of these addresses whose person was erased, in one statement."""
    hashes = {address_hash(email): email for email in emails}
    if not hashes:
        return set()
    known = db.session.scalars(select(ErasedPerson.address_hash).where(ErasedPerson.address_hash.in_(hashes)))
    return {hashes[found] for found in known}
