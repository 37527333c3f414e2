"""What `firsthand sweep` does and shows; operations registers the command."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app import clock
from app.db import db, transaction
from app.escalations import set_aside
from app.escalations.audience import OF_TASKS, Audience
from app.escalations.firing import NOTIFY
from app.escalations.jobs import sweep_tenant
from app.escalations.schedule import recipients
from app.escalations.words import numbered
from app.sla import queries as sla
from app.sla.models import Clock

__all__ = ["Planned", "count_set_aside", "preview", "sweep_tenant", "take_up_again"]
AT_ONCE = 500


@dataclass(frozen=True, order=True)
class Planned:
    """A step that would fire, and whom it would reach as things stand now."""

    at: datetime
    number: int
    clock: str
    step: str
    action: str
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        told = ", ".join(self.recipients) or "nobody"
        return "\t".join((self.at.isoformat(), numbered(self.number), self.clock, self.step, self.action, told))


def preview(tenant_id: UUID, until: datetime | None = None) -> list[Planned]:
    """What would fire by `until` (by default the tenant's now) if nobody acted, in order of time; nothing is stored."""
    planned: list[Planned] = []
    with transaction(tenant=tenant_id):
        ends_at = until or clock.now()
        for clocks in _due_clocks(ends_at):
            planned += _plan(clocks, ends_at)
    return sorted(planned)


def take_up_again(tenant_id: UUID) -> int:
    """As `set_aside.take_up_again`, in a transaction of its own."""
    with transaction(tenant=tenant_id):
        return set_aside.take_up_again()


def count_set_aside(tenant_id: UUID) -> int:
    with transaction(tenant=tenant_id):
        return db.session.scalar(select(func.count()).where(Clock.problem.is_not(None))) or 0


def _due_clocks(until: datetime) -> Iterator[list[Clock]]:
    asked = select(Clock).where(Clock.next_step_at <= until).order_by(Clock.id).limit(AT_ONCE)
    found = list(db.session.scalars(asked))
    while found:
        yield found
        last = found[-1].id
        db.session.expunge_all()
        found = list(db.session.scalars(asked.where(Clock.id > last)))


def _plan(clocks: list[Clock], until: datetime) -> list[Planned]:
    steps = sla.upcoming_steps(clocks, until)
    roles = {role for step in steps if step.action == NOTIFY for role in step.roles}
    tasks = any(step.clock.kind in OF_TASKS for step in steps)
    audience = Audience({step.clock.escalation_id for step in steps}, roles, now=clock.now(), tasks=tasks)
    return [
        Planned(
            at=step.at,
            number=audience.cases[step.clock.escalation_id].number,
            clock=step.clock.kind,
            step=step.step,
            action=step.action,
            recipients=tuple(recipients(step, audience)),
        )
        for step in steps
    ]
