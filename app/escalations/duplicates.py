"""Possible duplicates of a case, or of one that is being written, as its reader may see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, select, text
from sqlalchemy.types import JSON, Boolean, Double

from app.accounts.models import Account
from app.auth.actor import Actor
from app.db import db
from app.escalations.likeness import COLUMNS, FOUND, IN_ORDER, SHOWN, Likeness, reasons_of
from app.escalations.models import Escalation, Link
from app.escalations.queries import get_visible, visible_to
from app.escalations.words import numbered

TYPES = {"refs": JSON, "score": Double}
CASE = ("id", "number", "title", "status", "reason", "account_id", "raised_at", "closed_at")


def list_duplicates(like: Likeness, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Those that look most like it, references in common first, then the likest texts; one statement."""
    found = (
        text(f"with recursive {FOUND} select id, raised_at, {', '.join(COLUMNS)} from found")  # noqa: S608 - ours
        .columns(Escalation.id, Escalation.raised_at)
        .bindparams(**like.parameters(now))
    )
    alike = found.subquery("found")
    why: list[ColumnElement[Any]] = [
        literal_column(f"found.{name}", TYPES.get(name, Boolean)).label(name) for name in COLUMNS
    ]
    query = (
        select(*(getattr(Escalation, name) for name in CASE), Account.name.label("account_name"), *why)
        .join(alike, alike.c.id == Escalation.id)
        .join(Account, and_(Account.tenant_id == Escalation.tenant_id, Account.id == Escalation.account_id))
        .where(visible_to(actor, now))
        .order_by(text(IN_ORDER))
        .limit(SHOWN)
    )
    return {"items": [duplicate_of(row) for row in db.session.execute(query).mappings()]}


def duplicate_of(found: Mapping[Any, Any]) -> dict[str, Any]:
    """One of them as it is shown."""
    return {**found, "number": numbered(found["number"]), "reasons": reasons_of(found)}


def duplicates_of(escalation_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Of a case that is stored; of a merged one, of what it says itself."""
    record = get_visible(escalation_id, actor=actor, now=now)
    links = db.session.execute(select(Link.system, Link.external_id).where(Link.escalation_id == record.id).limit(50))
    like = Likeness(
        account_id=record.account_id,
        title=record.title,
        statement=record.customer_statement,
        reason=record.reason,
        refs=[dict(link) for link in links.mappings()],
        self_id=record.id,
    )
    return list_duplicates(like, actor=actor, now=now)
