"""What HubSpot's card shows of a company: what is at stake and what is open, as its person may see it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import fields
from sqlalchemy import func, select

from app import texts
from app.accounts import queries as accounts
from app.accounts.errors import AccountNotFound
from app.accounts.facts import AccountFacts
from app.auth.actor import Actor
from app.auth.models import User
from app.auth.roles import READ
from app.db import db
from app.escalations.lifecycle import LIVE
from app.escalations.listing import list_escalations
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.http import AwareDateTime, Money, Schema
from app.panels import wording
from app.texts import noted

SHOWN = 10
COMPANY = "0-2"
NOT_HERE = noted("This company is not in Firsthand yet")
HOW = noted("Ask whoever administers Firsthand for you to bring it in; its id in HubSpot is %(id)s.")
ELSEWHERE = noted("The card shows escalations on companies")
GO_THERE = noted("Open the company of this record to see what is open there.")


class CardAccount(Schema):
    id = fields.UUID()
    name = fields.String()


class CardValue(Schema):
    amount = Money(allow_none=True)
    currency = fields.String()
    incomplete = fields.Boolean()


class CardCase(Schema):
    id = fields.UUID()
    number = fields.String()
    title = fields.String()
    status = fields.String()
    status_text = fields.String()
    owner = fields.String(allow_none=True)
    due_at = AwareDateTime()
    overdue = fields.Boolean()


class CardMessage(Schema):
    title = fields.String()
    text = fields.String()


class CardSchema(Schema):
    """Of a company that is not known, `account` is null and `message` says how it gets here."""

    account = fields.Nested(CardAccount, allow_none=True)
    value_at_stake = fields.Nested(CardValue, allow_none=True)
    open_count = fields.Integer()
    overdue_count = fields.Integer()
    open = fields.List(fields.Nested(CardCase))
    message = fields.Nested(CardMessage, allow_none=True)
    as_of = AwareDateTime()


def card_of(source: str, object_type: str, object_id: str, *, user: User, now: datetime) -> dict[str, Any]:
    """The card of a company, in five statements."""
    if object_type != COMPANY:
        return _without(ELSEWHERE, GO_THERE, object_id, now)
    try:
        facts = accounts.account_facts((source, object_id), now=now, rank=False)
    except AccountNotFound:
        return _without(NOT_HERE, HOW, object_id, now)
    return {**_cases(facts.account.id, user, now), **_worth(facts), "message": None, "as_of": now}


def _without(title: str, text: str, object_id: str, now: datetime) -> dict[str, Any]:
    message = {"title": texts.gettext(title), "text": texts.gettext(text) % {"id": object_id}}
    nothing: dict[str, Any] = {"account": None, "value_at_stake": None, "open": [], "open_count": 0, "overdue_count": 0}
    return {**nothing, "message": message, "as_of": now}


def _worth(facts: AccountFacts) -> dict[str, Any]:
    at_stake, currency = facts.value.value_at_stake, facts.value.currency
    value = {"amount": at_stake.amount, "currency": currency, "incomplete": at_stake.incomplete}
    return {"account": facts.account, "value_at_stake": value}


def _cases(account_id: UUID, user: User, now: datetime) -> dict[str, Any]:
    """What is open on the account and may be seen, soonest due first, and how much of it there is in all."""
    actor = Actor(user.id, user.email, user.name, user.role, READ)
    wanted = {"status": "live", "account": str(account_id), "sort": "due", "limit": SHOWN}
    listed = list_escalations(wanted, actor=actor, now=now)["items"]
    theirs = (Escalation.account_id == account_id, Escalation.status.in_(LIVE), visible_to(actor, now))
    overdue = func.count().filter(Escalation.due_at < now)
    count, late = db.session.execute(select(func.count(), overdue).where(*theirs)).one()
    return {"open": [_line(case) for case in listed], "open_count": count, "overdue_count": late}


def _line(case: dict[str, Any]) -> dict[str, Any]:
    owner = case["owner"]
    status_text = texts.gettext(wording.STATUSES[case["status"]])
    return {**case, "status_text": status_text, "owner": owner["name"] if owner else None}
