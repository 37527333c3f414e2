"""What was signed lets somebody in once: its hash is kept for as long as its sender's signature would hold."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.db import current_tenant, db, new_id
from app.panels.embed.errors import Replayed
from app.panels.embed.models import EmbedInstallation, UsedRequest

# A Canvas request says nothing of its age: it would hold for as long as its secret, which is changed once a year.
UNDATED = timedelta(days=400)


def use_once(installation: EmbedInstallation, signed: str, *, kept_until: datetime) -> None:
    """Note that this was used; `Replayed` when it was used before.

    `signed` is the part that the signature covers: a signature may be written in more ways than one.
    """
    values = {
        "tenant_id": current_tenant(),
        "id": new_id(),
        "installation_id": installation.id,
        "digest": hashlib.sha256(signed.encode()).digest(),
        "kept_until": kept_until,
    }
    noted = insert(UsedRequest).values(values).on_conflict_do_nothing().returning(UsedRequest.id)
    if db.session.scalar(noted) is None:
        raise Replayed


def forget_old(now: datetime) -> int:
    """Forget what its own time refuses by now; called daily, in real time."""
    old = delete(UsedRequest).where(UsedRequest.kept_until <= now).returning(UsedRequest.id)
    return len(db.session.scalars(old).all())
