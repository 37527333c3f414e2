"""Changing how somebody wants to be told."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.auth import service as auth
from app.auth.settings import current_version
from app.db import current_tenant, db, new_id
from app.errors import invalid
from app.notifications import quiet
from app.notifications.models import Preference
from app.notifications.queries import BEFORE_ANY_CHANGE, IN_USE
from app.notifications.quiet import DAYS, QuietError


def lock_preferences(user_id: UUID) -> Preference:
    """The row to be changed, made if this is the first change, and locked."""
    first = insert(Preference).values(**BEFORE_ANY_CHANGE, tenant_id=current_tenant(), id=new_id(), user_id=user_id)
    db.session.execute(first.on_conflict_do_nothing(index_elements=["tenant_id", "user_id"]))
    if not current_version(IN_USE):
        auth.set_current(**{IN_USE: 1})
    return db.session.scalars(select(Preference).where(Preference.user_id == user_id).with_for_update()).one()


def change_preferences(row: Preference, changes: Mapping[str, Any]) -> None:
    """What is named is replaced whole; it counts for what comes after it, and what is held already keeps its time."""
    _check(changes)
    if "digest" in changes:
        digest = changes["digest"] or {}
        row.digest_at, row.digest_days = digest.get("at"), _in_order(digest.get("days", DAYS))
    if "quiet_hours" in changes:
        row.quiet_hours = {day: changes["quiet_hours"][day] for day in _in_order(changes["quiet_hours"])}
    for name in ("channels", "timezone"):
        if name in changes:
            setattr(row, name, changes[name])
    db.session.flush()


def _check(changes: Mapping[str, Any]) -> None:
    for name, parse in (("quiet_hours", quiet.parse_quiet_hours), ("digest", quiet.parse_digest)):
        try:
            if name in changes:
                parse(changes[name])
        except QuietError as error:
            raise invalid(f"{name}/{error.field}".rstrip("/"), error.detail) from error


def _in_order(days: Collection[str]) -> list[str]:
    return [day for day in DAYS if day in days]
