"""Many accounts at once: for each that is hit a case of the outage, raised, linked, or known already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.accounts.models import Account
from app.db import db, take_turn
from app.errors import NotFound, invalid
from app.escalations.case import Act, begin
from app.escalations.demand import NewEscalation
from app.escalations.likeness import OUTAGE
from app.escalations.models import Escalation
from app.escalations.outages import keeping, linking
from app.escalations.queries import visible_to
from app.escalations.raising import raise_escalation
from app.escalations.words import numbered

GONE = ("declined", "merged")
OF_THE_CASE = ("title", "severity", "reason", "customer_statement", "desired_outcome", "impact")


@dataclass(frozen=True)
class Hit:
    """What became of one account: `raised`, `linked` or `known`, and its case; one known that the caller may not see is
    not named."""

    outcome: str
    escalation_id: UUID | None
    number: str | None


def affect(outage_id: UUID, row: Mapping[str, Any], *, act: Act) -> Hit:
    """One account of an outage: the case that is named joins it, else the account's own is found or raised.

    Those who name the same outage take turns, so that an account gets one case however often it is sent.
    """
    take_turn(f"outage:{outage_id}")
    outage = keeping.get_outage(outage_id)
    keeping.check_may_act(outage, act.actor)
    if "escalation_id" in row:
        return _link(outage_id, row["escalation_id"], act)
    account_id = row.get("account_id") or _account(row["account"]["source"], row["account"]["external_id"])
    known = db.session.execute(
        select(Escalation.id, Escalation.number, visible_to(act.actor, act.now).label("seen"))
        .where(Escalation.outage_id == outage_id, Escalation.account_id == account_id, Escalation.status.not_in(GONE))
        .order_by(Escalation.id)
        .limit(1)
    ).one_or_none()
    if known is not None:
        return Hit("known", known.id, numbered(known.number)) if known.seen else Hit("known", None, None)
    said = {name: row[name] for name in OF_THE_CASE if row.get(name) is not None}
    new = NewEscalation(**{"title": outage.title, "reason": OUTAGE, **said}, account_id=account_id, outage_id=outage_id)
    record = raise_escalation(new, act=act).record
    return Hit("raised", record.id, numbered(record.number))


def _account(source: str, external_id: str) -> UUID:
    asked = select(Account.id).where(Account.source == source, Account.external_id == external_id)
    found = db.session.scalar(asked)
    if found is None:
        raise invalid("account", "there is no such account")
    return found


def _link(outage_id: UUID, escalation_id: UUID, act: Act) -> Hit:
    """A case that is there already joins; one of another outage is moved by who works on it."""
    outage = linking.find_open(outage_id, "outage_id")
    try:
        change = begin(escalation_id, "link", act)
    except NotFound:
        raise invalid("escalation_id", "there is no such escalation") from None
    record = change.record
    if record.outage_id == outage_id:
        return Hit("known", record.id, numbered(record.number))
    if record.outage_id is not None:
        raise invalid("escalation_id", "this case is of another outage")
    change.note("edit", {"fields": [], "outage": linking.move(change, outage)})
    change.save()
    return Hit("linked", record.id, numbered(record.number))
