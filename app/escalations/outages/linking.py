"""Cases join an outage, leave it, and take it along in a merge."""

from uuid import UUID

from sqlalchemy import select

from app.db import db
from app.errors import invalid
from app.escalations import tasking
from app.escalations.case import Change
from app.escalations.outages import offering
from app.escalations.outages.errors import OutageEnded
from app.escalations.outages.models import OFFERS, Outage
from app.playbooks import service as playbooks

LEFT = "the case is not of this outage any more"


def find_open(outage_id: UUID | None, field: str = "outage_id") -> Outage | None:
    """The outage that a case is to join, kept open until the case has; None asked for, none found.

    Taken before the case is locked, as who tells of the outage locks them in this order.
    """
    if outage_id is None:
        return None
    outage = db.session.scalar(select(Outage).where(Outage.id == outage_id).with_for_update(read=True))
    if outage is None:
        raise invalid(field, "there is no such outage")
    if outage.state != "open":
        raise OutageEnded(
            "A case joins an outage while it is open", errors=[{"pointer": f"/{field}", "detail": "it is resolved"}]
        )
    return outage


def move(change: Change, outage: Outage | None) -> dict[str, UUID | None]:
    """The case is of this outage from now on, or of none; what the former one offered falls away."""
    record, was = change.record, change.record.outage_id
    if was is not None:
        withdraw(change)
    record.outage_id, record.outage_seq = outage.id if outage else None, 0
    call_for(outage)
    return {"was": was, "is": record.outage_id}


def call_for(outage: Outage | None) -> None:
    """What it said so far is offered to who joins."""
    if outage is not None and outage.news_seq:
        offering.call_for_more()


def withdraw(change: Change) -> None:
    """The offer that nobody answered falls away, with the reason."""
    for task in playbooks.list_open(change.record.id):
        if task.kind in OFFERS:
            tasking.settle(change, task, {"state": "waived", "reason": LEFT})
            change.note("task", {"task": task.id, "state": "waived"}, {"reason": LEFT})


def join(loser: Change, survivor: Change) -> None:
    """In a merge the survivor takes over the outage; of its own it keeps that one, with what it was offered itself."""
    if survivor.record.outage_id is not None:
        withdraw(loser)
    else:
        survivor.record.outage_id = loser.record.outage_id
        survivor.record.outage_seq = loser.record.outage_seq
