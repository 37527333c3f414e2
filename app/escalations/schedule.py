"""What a case's promises will bring and have brought: steps to come with who would hear of them now, and the log."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.db import db
from app.escalations.audience import OF_TASKS, Audience
from app.escalations.firing import CHANNEL, NOBODY, NOTIFY, over, whom
from app.escalations.models import Escalation
from app.sla import queries as sla
from app.sla.models import Clock
from app.sla.queries import Upcoming

# A ladder may go on for ever: it is shown this far beyond the last due time, or beyond now when that has passed.
BEYOND = timedelta(days=14)
MOST = 200


def schedule_of(
    record: Escalation, now: datetime, *, before: tuple[datetime, UUID] | None = None, limit: int = MOST
) -> dict[str, Any]:
    """`{upcoming, sent, earlier}`: recipients as of now, in at most five statements; what is held stands in `upcoming`.

    `sent` are the last lines of the log, `before` one if it is given; `earlier` tells where those before them end, None
    when there are none.
    """
    asked = select(Clock).where(Clock.escalation_id == record.id, Clock.next_step_at.is_not(None))
    clocks = list(db.session.scalars(asked))
    log = sla.sent_steps(record.id, now, before=before, most=limit + 1)
    held = [_held(line) for line in log if line["held_until"] is not None]
    coming = coming_steps(record, clocks, until_of(clocks, now), now=now)
    sent = [line for line in log if line["held_until"] is None]
    shown = sent[-limit:]
    return {
        "upcoming": sorted([*coming, *held], key=lambda step: step["at"]),
        "sent": shown,
        "earlier": (shown[0]["at"], shown[0]["id"]) if len(sent) > limit else None,
    }


def until_of(clocks: Iterable[Clock], now: datetime) -> datetime:
    return max([now, *(clock.due_at for clock in clocks if clock.due_at is not None)]) + BEYOND


def coming_steps(record: Escalation, clocks: list[Clock], until: datetime, *, now: datetime) -> list[dict[str, Any]]:
    """Each step to come with the addresses it would reach if it fired now."""
    steps = sla.upcoming_steps(clocks, until)
    telling = [step for step in steps if step.action == NOTIFY]
    if not telling:
        return [_coming(step, [NOBODY]) for step in steps]
    tasks = any(step.clock.kind in OF_TASKS for step in telling)
    audience = Audience([record.id], {role for step in telling for role in step.roles}, now=now, tasks=tasks)
    return [_coming(step, recipients(step, audience)) for step in steps]


def recipients(step: Upcoming, audience: Audience) -> list[str]:
    """The addresses a step would reach now; an action has no recipient."""
    if step.action != NOTIFY:
        return [NOBODY]
    case = audience.cases[step.clock.escalation_id]
    if over(case):
        return []
    reached = whom(audience, step.clock, step.roles)
    return sorted(audience.people[id_].email for id_ in reached.told)


def _coming(step: Upcoming, reached: list[str]) -> dict[str, Any]:
    return {
        "at": step.at,
        "held_until": None,
        "clock": step.clock.kind,
        "cycle": step.clock.cycle,
        "step": step.step,
        "repeat": step.repeat,
        "action": step.action,
        "recipients": reached,
        "channel": CHANNEL if step.action == NOTIFY else None,
    }


def _held(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "recipients": [line["recipient"]]}
