"""Opening an outage, changing it, telling what is known of it and ending it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text

from app import clock
from app.auth import queries as users
from app.auth import service as auth
from app.auth.actor import Actor
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import Model, current_tenant, db, new_id
from app.errors import NotFound, invalid
from app.escalations import timeline
from app.escalations.case import Act, by_engine
from app.escalations.outages import offering
from app.escalations.outages.errors import NotYourOutage, OutageEnded
from app.escalations.outages.models import Outage
from app.escalations.standing import places
from app.notifications import service as notifications
from app.notifications.models import Intent
from app.rows import insert_all

log = structlog.get_logger()

TOLD = "outage_owner"
MAY_ACT = text(
    f"""
    with recursive line as (
        select u.id, u.manager_id, 0 as height from "user" u where u.id = :owner
        union all
        select m.id, m.manager_id, line.height + 1 from "user" m join line on m.id = line.manager_id
        where line.height < 50
    ), {places("cast(null as uuid)")}
    select exists (select 1 from line join places on places.id = line.id)
    """  # noqa: S608 - the part is ours
)


@dataclass(frozen=True)
class News:
    """What is offered to every case: one text, or single audiences' own; `channel` is by what it is meant to go out."""

    audiences: Sequence[str]
    content: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    channel: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        return {"audiences": list(self.audiences), "channel": self.channel}

    @property
    def written(self) -> dict[str, str | None]:
        return {"text": self.content, **{f"text_{name}": own for name, own in self.texts.items()}}


def unchecked(outage: Outage) -> None:
    """No precondition was sent."""


def open_outage(title: str, *, statement: str | None, owner_email: str | None, act: Act) -> Outage:
    """One cause for what several accounts suffer; without an owner named it is who opens it."""
    owner = find_owner(owner_email or act.actor.email)
    outage = Outage(
        id=new_id(),
        tenant_id=current_tenant(),
        title=title,
        statement=statement,
        owner_id=owner.id,
        state="open",
        opened_at=act.now,
        event_count=0,
        event_hash=timeline.START,
        news_seq=0,
        settled=False,
    )
    db.session.add(outage)
    note(outage, act, "open", {"owner": owner.id}, {"title": title, "statement": statement})
    tell_owner(outage, owner, act)
    return outage


def find_owner(email: str) -> User:
    """An active colleague who can own something."""
    user = users.find_user_by_email(email)
    if user is None or not auth.can_own(user):
        raise invalid("owner_email", "expected an active colleague")
    return user


def get_outage(outage_id: UUID, *, lock: bool = False) -> Outage:
    asked = select(Outage).where(Outage.id == outage_id)
    outage = db.session.scalar(asked.with_for_update(key_share=True) if lock else asked)
    if outage is None:
        raise NotFound
    return outage


def may_act(owner_id: UUID, actor: Actor) -> bool:
    """Its owner, anybody above them in the line, who stands in for one of these, and admins."""
    if actor.is_system or actor.role == "admin":
        return True
    return bool(db.session.scalar(MAY_ACT, {"owner": owner_id, "me": actor.user_id, "now": clock.now()}))


def check_may_act(outage: Outage, actor: Actor) -> None:
    if not may_act(outage.owner_id, actor):
        raise NotYourOutage


def take(outage_id: UUID, act: Act, check: Callable[[Outage], None] = unchecked) -> Outage:
    """The outage, locked, for whoever may act on it and has read its present version."""
    outage = get_outage(outage_id, lock=True)
    check_may_act(outage, act.actor)
    check(outage)
    return outage


def change_outage(
    outage_id: UUID, *, act: Act, changes: Mapping[str, Any], check: Callable[[Outage], None] = unchecked
) -> Outage:
    """Another title, statement or owner."""
    outage = take(outage_id, act, check)
    named = [name for name in ("title", "statement") if name in changes]
    texts = {name: changes[name] for name in named if changes[name] != getattr(outage, name)}
    for name, said in texts.items():
        setattr(outage, name, said)
    facts: dict[str, Any] = {"fields": sorted(texts)}
    if "owner_email" in changes:
        owner = find_owner(changes["owner_email"])
        if owner.id != outage.owner_id:
            facts["owner"] = {"was": outage.owner_id, "is": owner.id}
            outage.owner_id = owner.id
            tell_owner(outage, owner, act)
    if len(facts) > 1 or texts:
        note(outage, act, "edit", facts, texts)
    return outage


def tell(outage_id: UUID, *, act: Act, news: News, check: Callable[[Outage], None] = unchecked) -> Outage:
    """What is known now; it is offered to every open case, and nobody has been told anything by it."""
    outage = take(outage_id, act, check)
    check_open(outage)
    note(outage, act, "update", news.facts, news.written)
    offer(outage, act.now)
    return outage


def resolve(
    outage_id: UUID,
    *,
    act: Act,
    summary: str,
    root_cause: str | None,
    preventable: bool | None,
    news: News,
    check: Callable[[Outage], None] = unchecked,
) -> Outage:
    """The cause is gone; every open case is offered its resolution, and verified by its own customer."""
    outage = take(outage_id, act, check)
    check_open(outage)
    outage.state, outage.resolved_at = "resolved", act.now
    facts = {**news.facts, "preventable": preventable}
    note(outage, act, "resolve", facts, {"summary": summary, "root_cause": root_cause, **news.written})
    offer(outage, act.now)
    return outage


def check_open(outage: Outage) -> None:
    if outage.state != "open":
        raise OutageEnded(f"It was resolved on {outage.resolved_at:%d %b %Y}; what began since is another outage")


def offer(outage: Outage, now: datetime) -> None:
    """Its newest event is what is offered, to the first cases at once, to the rest by the job."""
    outage.news_seq, outage.settled = outage.event_count, False
    db.session.flush()
    if offering.offer_batch(now, outage_id=outage.id) == offering.BATCH:
        offering.call_for_more()


def note(
    outage: Outage, act: Act, kind: str, facts: Mapping[str, Any], texts: Mapping[str, str | None] | None = None
) -> None:
    """Append one event to its timeline."""
    rows = event_of(outage, act, kind, facts, texts or {})
    db.session.flush()
    insert_all(rows)


def event_of(
    outage: Outage, act: Act, kind: str, facts: Mapping[str, Any], texts: Mapping[str, str | None]
) -> list[Model]:
    owned = act.actor.user_id in (None, outage.owner_id)
    return timeline.append(
        outage,
        kind,
        actor_id=act.actor.user_id,
        at=act.now,
        now=act.now,
        facts=facts,
        texts={**texts, **({"note": act.note} if act.note else {})},
        acting_for_id=None if owned or kind == "open" else outage.owner_id,
    )


def tell_owner(outage: Outage, owner: User, act: Act) -> None:
    """Who is to answer for it hears so, unless they did it themselves."""
    if owner.id != act.actor.user_id:
        post([message_to(owner, outage, act.now)], act.now)


def post(messages: list[Intent], now: datetime) -> None:
    notifications.hold(messages, now=now, urgent=True)
    insert_all(messages)
    notifications.wake_delivery()


def message_to(owner: User, outage: Outage, now: datetime) -> Intent:
    return notifications.intent(
        user=owner,
        kind=TOLD,
        subject=f"{outage.title}: you own this outage",
        body=outage.statement or outage.title,
        dedupe_key=f"{TOLD}:{outage.id}:{outage.event_count}:{owner.id}",
        at=now,
        now=now,
    )


def hand_on(leaver_id: UUID, now: datetime) -> None:
    """The open outages of who left go to the nearest above them who is there, else to who is on duty, else an admin.

    With nobody of these there is nobody to tell either: it is logged, and tried again each day (`note_left_work`).
    """
    asked = select(Outage).where(Outage.owner_id == leaver_id, Outage.state == "open").order_by(Outage.id)
    owned = list(db.session.scalars(asked.with_for_update(key_share=True)))
    if not owned:
        return
    heir = next(iter(list_heirs(leaver_id)), None)
    if heir is None:
        log.error("outages_without_owner", outage_ids=[str(outage.id) for outage in owned], owner_id=str(leaver_id))
        return
    rows: list[Model] = []
    for outage in owned:
        outage.owner_id = heir.id
        facts = {"fields": [], "owner": {"was": leaver_id, "is": heir.id}}
        rows += event_of(outage, by_engine(now), "edit", facts, {})
    db.session.flush()
    insert_all(rows)
    post([message_to(heir, outage, now) for outage in owned], now)


def list_heirs(leaver_id: UUID) -> list[User]:
    """Who can own what somebody leaves behind, the nearest first."""
    line, settings = auth.line_above(leaver_id), tenant_settings()
    duty = [email.lower() for email in (settings.duty_owner_email, settings.duty_deputy_email) if email]
    found = [one for one in users.list_active(ids=line, emails=duty, roles=["admin"]) if auth.can_own(one)]

    def place(one: User) -> int:
        if one.id in line:
            return line.index(one.id)
        return len(line) + (duty.index(one.email) if one.email in duty else len(duty))

    return sorted(found, key=place)
