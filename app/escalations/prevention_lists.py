"""Prevention actions as they are read: mine, a colleague's, an account's; what is overdue."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select, tuple_

from app.accounts.models import Account
from app.accounts.queries import tenant_today
from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.errors import NotFound, invalid_parameter
from app.escalations.closure_models import PREVENTION_STATES
from app.escalations.models import Escalation, PreventionAction
from app.escalations.queries import visible_to
from app.escalations.words import numbered
from app.http import split_words

PLAIN = ("id", "action", "due_on", "state", "reason", "created_at", "ended_at", "version")


def list_actions(
    asked: Mapping[str, Any], *, actor: Actor, now: datetime, after: tuple[date, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """By due day, in one statement: of the cases the caller sees, and their own."""
    query = _seen_by(actor, now).where(*_filters(asked, actor, tenant_today(now)))
    if after is not None:
        query = query.where(tuple_(PreventionAction.due_on, PreventionAction.id) > after)
    rows = db.session.execute(query.order_by(PreventionAction.due_on, PreventionAction.id).limit(limit))
    return [_view(row, tenant_today(now)) for row in rows]


def get_action(action_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    row = db.session.execute(_seen_by(actor, now).where(PreventionAction.id == action_id)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row, tenant_today(now))


def _seen_by(actor: Actor, now: datetime) -> Select[Any]:
    """Whoever sees the case, and the action's owner, to whom a case they may not see is not named."""
    seen = visible_to(actor, now)
    about = or_(Escalation.about_user_id.is_(None), Escalation.about_user_id != actor.user_id)
    mine = and_(PreventionAction.owner_id == actor.user_id, about)
    return (
        select(
            PreventionAction,
            User.email,
            User.name,
            Escalation.id.label("escalation_id"),
            Escalation.number,
            case((seen, Escalation.title)).label("title"),
            Account.id.label("account_id"),
            Account.name.label("account"),
        )
        .join(Escalation, Escalation.id == PreventionAction.escalation_id)
        .join(Account, Account.id == Escalation.account_id)
        .join(User, User.id == PreventionAction.owner_id)
        .where(or_(mine, seen))
    )


def _view(row: Any, today: date) -> dict[str, Any]:
    found = row.PreventionAction
    return {
        **{name: getattr(found, name) for name in PLAIN},
        "owner": {"id": found.owner_id, "email": row.email, "name": row.name},
        "overdue": found.state == "open" and found.due_on < today,
        "escalation": {"id": row.escalation_id, "number": numbered(row.number), "title": row.title},
        "account": {"id": row.account_id, "name": row.account},
    }


def _filters(asked: Mapping[str, Any], actor: Actor, today: date) -> list[ColumnElement[bool]]:
    states = split_words(asked["state"])
    if not states or set(states) - set(PREVENTION_STATES):
        raise invalid_parameter("state", f"expected some of {', '.join(PREVENTION_STATES)}")
    found: list[ColumnElement[bool]] = [PreventionAction.state.in_(states)]
    if "owner" in asked:
        emails = [actor.email if word == "me" else word.lower() for word in split_words(asked["owner"])]
        found.append(User.email.in_(emails))
    if "account" in asked:
        found.append(Escalation.account_id == asked["account"])
    if "escalation" in asked:
        found.append(PreventionAction.escalation_id == asked["escalation"])
    if "overdue" in asked:
        late = and_(PreventionAction.state == "open", PreventionAction.due_on < today)
        found.append(late if asked["overdue"] else ~late)
    return found
