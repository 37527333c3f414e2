"""Working a case: acknowledge, assign, plan, watch."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth import queries as users
from app.db import db
from app.errors import invalid
from app.escalations import deciding, holders, promises
from app.escalations.case import Act, Change, begin
from app.escalations.course_models import Forecast
from app.escalations.models import Escalation, Watcher
from app.escalations.owning import hand_over, own, routing_input
from app.routing import service as routing
from app.routing.errors import OwnerNotAllowed
from app.routing.inputs import Cause
from app.routing.queries import find_team


def acknowledge(escalation_id: UUID, *, act: Act, at: datetime | None = None) -> Escalation:
    """The owner takes the case in hand; the acknowledge clock is met."""
    change = begin(escalation_id, "acknowledge", act)
    change.step("acknowledge", acknowledgement_void=not change.record.acknowledged)
    happened_at = change.happened_at(at)
    change.record.acknowledged = True
    promises.acknowledged(change, happened_at)
    change.note("acknowledge", at=happened_at)
    return change.save()


@dataclass(frozen=True)
class NewOwner:
    """Whom to give the case to: a user, a team, or nobody named: routed afresh without the present owner."""

    owner_id: UUID | None = None
    owner_email: str | None = None
    team_id: UUID | None = None


def assign(escalation_id: UUID, *, act: Act, to: NewOwner, reason: str, misroute: str | None = None) -> Escalation:
    """A new owner, with the reason; without a target the case is routed afresh, which is how an owner declines.

    `misroute` says why routing was wrong before, if it was.
    """
    change = begin(escalation_id, "assign", act)
    give(change, to, reason=reason, misroute=misroute)
    return change.save()


def give(change: Change, to: NewOwner, *, reason: str, misroute: str | None = None) -> None:
    """Into other hands; a new owner makes the acknowledgement void."""
    change.step("assign")
    record, previous = change.record, change.record.owner_id
    declined = to == NewOwner()
    cause: Cause = "decline" if declined and change.standing.is_owner else "assign"
    because: Any = {"cause": cause, "reason": reason, "misroute": misroute}
    if declined:
        own(change, change.account, **because, exclude=frozenset({previous} if previous else ()))
    else:
        hand_over(change, change.account, chosen(change, to), **because)
    if record.owner_id != previous:
        promises.owner_changed(change)


def chosen(change: Change, to: NewOwner) -> routing.RoutingResult:
    """The decision record of a named owner or team."""
    facts = routing_input(change, change.account)
    if to.team_id is not None:
        if find_team(to.team_id) is None:
            raise invalid("team_id", "there is no such team")
        return routing.route(facts, actor=change.act.actor, now=change.now, cause="assign", team_id=to.team_id)
    where = "owner_id" if to.owner_id else "owner_email"
    owner_id = to.owner_id
    if owner_id is None:
        user = users.find_user_by_email(to.owner_email or "")
        owner_id = user.id if user else None
    try:
        if owner_id is None:
            raise OwnerNotAllowed("expected an active colleague")
        return routing.appoint(facts, owner_id, actor=change.act.actor, now=change.now, cause="assign")
    except OwnerNotAllowed as refused:
        raise invalid(where, refused.detail) from refused


def reweigh(change: Change) -> None:
    """Waiting and resolved work weighs half."""
    routing.reweigh(
        change.record.id,
        routing.work_weight(change.record.severity, change.record.status),
        value=change.record.value_amount,
        reason=change.record.reason,
    )


def plan(escalation_id: UUID, *, act: Act, content: str, forecast_close_on: date, customer_agreed: bool) -> Escalation:
    """The plan and the forecast close date; agreed with the customer, it meets the plan clock."""
    change = begin(escalation_id, "plan", act)
    change.step("plan")
    set_forecast(change, forecast_close_on)
    if customer_agreed:
        change.clocks.fulfil("plan", change.now, change.now)
    facts = {"forecast_close_on": forecast_close_on, "customer_agreed": customer_agreed}
    change.note("plan", facts, {"plan": content})
    change.sign_of_work(change.now)
    return change.save()


def set_forecast(change: Change, close_on: date | None) -> None:
    """Keep the forecast and its history; a day that has passed is refused."""
    record = change.record
    if close_on == record.forecast_close_on:
        return
    if close_on is not None and close_on < change.now.astimezone(change.zone).date():
        raise invalid("forecast_close_on", "expected today or a later day")
    change.rows.append(
        Forecast(
            escalation_id=record.id,
            was=record.forecast_close_on,
            close_on=close_on,
            at=change.now,
            recorded_at=change.now,
            actor_id=change.act.actor.user_id,
        )
    )
    change.note("forecast", {"was": record.forecast_close_on, "is": close_on})
    record.forecast_close_on = close_on


def set_watching(escalation_id: UUID, *, act: Act, watching: bool) -> Escalation:
    """Follow a case, or stop; who saw a restricted one only so has no task of it any more."""
    change = begin(escalation_id, "watch", act)
    if act.actor.user_id is not None:
        _watch(change.record, act.actor.user_id, watching=watching)
    change.note("watch", {"watching": watching})
    if change.record.restricted and not watching:
        holders.follow(change, because="watch")
        deciding.ask_who_sees(change)
    return change.save()


def _watch(record: Escalation, user_id: UUID, *, watching: bool) -> None:
    """Add or remove a watcher; doing it twice changes nothing."""
    asked = (Watcher.escalation_id == record.id, Watcher.user_id == user_id)
    present = db.session.scalar(select(Watcher).where(*asked))
    if watching and present is None:
        db.session.add(Watcher(escalation_id=record.id, user_id=user_id))
    elif not watching and present is not None:
        db.session.delete(present)
