"""What was tried, what we told whom, what the customer said, notes among us, related tickets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth import queries as users
from app.db import db
from app.errors import invalid
from app.escalations import lifecycle, promises
from app.escalations.case import Act, Change, begin, made
from app.escalations.models import Escalation, Link
from app.escalations.outages import offers
from app.escalations.outages.models import UPDATE
from app.escalations.owning import named
from app.escalations.timeline_models import Event
from app.escalations.waiting import resume_work
from app.playbooks import service as playbooks
from app.playbooks.drafts import gaps_left
from app.playbooks.models import Task


def add_attempt(escalation_id: UUID, *, act: Act, what: str, result: str, at: datetime | None) -> Escalation:
    """What was tried and what came of it: the next tier must not try it again."""
    change = begin(escalation_id, "attempt", act)
    happened_at = change.happened_at(at)
    change.note("attempt", texts={"what": what, "result": result}, at=happened_at)
    change.sign_of_work(happened_at)
    return change.save()


@dataclass(frozen=True)
class Wording:
    """The draft that an update was written from, its subject, what single audiences read instead of the text, and the
    outage's offer that it answers."""

    draft: str | None = None
    subject: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    task_id: UUID | None = None


def add_update(
    escalation_id: UUID,
    *,
    act: Act,
    audiences: list[str],
    channel: str,
    content: str | None,
    at: datetime | None,
    wording: Wording = Wording(),
) -> Escalation:
    """What we told an audience; it meets the promises made to that audience."""
    change = begin(escalation_id, "update", act)
    texts = {"subject": wording.subject, "text": content, **{f"text_{one}": own for one, own in wording.texts.items()}}
    facts: dict[str, Any] = {"audiences": audiences, "channel": channel}
    if wording.draft is not None:
        check_from_draft(change, wording.draft, audiences, texts)
        facts["draft"] = wording.draft
    offer = offers.take(change, wording.task_id) if wording.task_id is not None else None
    if offer is not None:
        texts = offers.written(change, offer, audiences, texts)
        facts |= {"outage": change.record.outage_id, "offer": offer.id}
    happened_at = change.happened_at(at)
    if change.record.status in {*lifecycle.LIVE, lifecycle.CLOSED}:
        promises.told(change, audiences, happened_at)
    change.note("update", facts, texts, at=happened_at)
    if offer is not None and offer.kind == UPDATE:
        offers.done(change, offer)
    change.sign_of_work(happened_at)
    return change.save()


def check_from_draft(change: Change, key: str, audiences: list[str], texts: Mapping[str, str | None]) -> None:
    """It is one of the case's drafts, for these readers, and nothing in it is still to be filled."""
    draft = change.playbook.draft(key) if change.playbook else None
    if draft is None:
        raise invalid("draft", f"there is no draft {key} in the playbook of this case")
    for one in audiences:
        if one not in draft.audience:
            raise invalid("audience", f"the draft {key} is not for {one}, expected some of {', '.join(draft.audience)}")
    for name, said in texts.items():
        if gaps := gaps_left(draft, said or ""):
            place = name.replace("text_", "texts/", 1)
            raise invalid(place, f"is still to be filled: {', '.join(gaps)}", code="gaps_left")


def add_message(
    escalation_id: UUID,
    *,
    act: Act,
    sender: str,
    channel: str,
    content: str,
    at: datetime | None,
    external_id: str | None,
) -> Escalation:
    """What the customer said. One that arrives twice by its external id stands once.

    It ends a wait for the customer; on a closed case it makes a task for its owner, never a reopening.
    """
    change = begin(escalation_id, "message", act)
    if external_id and is_known(change, f"{channel}:{external_id}"):
        return change.record
    happened_at = change.happened_at(at)
    texts = {"from": sender, "text": content}
    key = f"{channel}:{external_id}" if external_id else None
    record = change.record
    task = new_answer(record, change.now) if record.status == "closed" and record.owner_id is not None else None
    change.note("message", {"channel": channel, **made(task)}, texts, at=happened_at, external_key=key)
    if record.status == "waiting" and record.waiting_party == "customer":
        resume_work(change, "customer_replied")
    if record.status in lifecycle.LIVE:
        promises.customer_spoke(change, happened_at)
    elif task is not None:
        ask_owner_to_answer(change, task)
    return change.save()


def is_known(change: Change, external_key: str) -> bool:
    asked = (Event.escalation_id == change.record.id, Event.external_key == external_key)
    return db.session.scalar(select(Event.id).where(*asked)) is not None


def new_answer(record: Escalation, now: datetime) -> Task:
    title = "The customer wrote after the case was closed: answer them"
    return playbooks.new_task("customer_message", title, escalation_id=record.id, assignee_id=record.owner_id, now=now)


def ask_owner_to_answer(change: Change, task: Task) -> None:
    change.rows.append(task)
    people = users.list_active(ids=[task.assignee_id] if task.assignee_id else [])
    subject = f"{named(change.record, change.account)}: the customer wrote"
    change.tell(people, "customer_message", subject, task.title)


def add_comment(escalation_id: UUID, *, act: Act, content: str) -> Escalation:
    """A note among us."""
    change = begin(escalation_id, "comment", act)
    change.note("comment", texts={"text": content})
    change.sign_of_work(change.now)
    return change.save()


def add_link(escalation_id: UUID, *, act: Act, system: str, external_id: str, url: str | None) -> Escalation:
    """A related ticket in another system; linking it twice changes nothing but the address."""
    change = begin(escalation_id, "link", act)
    record = change.record
    asked = (Link.escalation_id == record.id, Link.system == system, Link.external_id == external_id)
    known = db.session.scalar(select(Link).where(*asked))
    if known is not None:
        known.url = url or known.url
        db.session.flush()
        return record
    change.rows.append(
        Link(escalation_id=record.id, system=system, external_id=external_id, url=url, created_at=change.now)
    )
    change.note("link", {"system": system, "external_id": external_id})
    return change.save()
