"""One case told through the services at moments of March 2026, office hours Monday to Friday 9 to 17 UTC."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth.models import User
from app.db import db, transaction
from app.escalations import jobs, service
from app.escalations.case import Act
from app.escalations.models import Escalation
from app.escalations.timeline_models import Event
from app.notifications.models import Intent
from app.rows import insert_all
from app.sla import service as sla
from app.sla.cli import verify_tenants
from app.sla.ledger import Target
from app.sla.models import Clock, ClockEntry
from tests.conftest import TestTenant, actor_of
from tests.escalations.conftest import Company

RESOLUTION = service.Resolution(summary="Fixed", root_cause="A full disk", preventable=True)
YES = service.Word(accepted=True, confirmed_by="Jo", channel="call")
NO = service.Word(accepted=False, confirmed_by="Jo", channel="call")


def march(text: str) -> datetime:
    """`2 10:00` is Monday the 2nd of March 2026; the 30th and `4-8 10:00` (8 April) are as plain."""
    day, time = text.split()
    month, _, day_of_month = day.rpartition("-")
    hours, minutes = time.split(":")
    return datetime(2026, int(month or 3), int(day_of_month), int(hours), int(minutes), tzinfo=UTC)


@dataclass
class Story:
    """`story.do(service.acknowledge, "2 11:00")` acts as the owner unless `by` says otherwise."""

    tenant: TestTenant
    company: Company
    id: UUID = field(init=False)

    def raised(self, at: str = "2 10:00", *, by: User | None = None, **fields: Any) -> "Story":
        new = {"title": "Exports fail", "severity": 2, "account_id": UUID(self.company.account_id), **fields}
        with transaction():
            act = Act(actor_of(by or self.company.csm), march(at))
            self.id = service.raise_escalation(service.NewEscalation(**new), act=act).record.id
        return self

    def do(self, use_case: Any, moment: str, /, *, by: User | None = None, **values: Any) -> Any:
        with transaction():
            return use_case(self.id, act=Act(actor_of(by or self.company.owner), march(moment)), **values)

    def update(self, at: str, *, sent: str | None = None, to: str = "customer") -> None:
        happened = march(sent) if sent else None
        self.do(service.add_update, at, audiences=[to], channel="email", content="News", at=happened)

    def message(self, at: str, *, sent: str | None = None) -> None:
        """The helpdesk passes on what the customer wrote, perhaps late."""
        values = {"sender": "Jo", "channel": "email", "content": "And?", "external_id": None}
        happened = march(sent) if sent else None
        self.do(service.add_message, at, by=self.tenant.admin, at=happened, **values)

    def wait(self, at: str, until: int, *, party: str = "customer") -> None:
        self.do(service.wait, at, on=service.Wait(party, "logs", date(2026, 3, until)))

    def open_clock(self, kind: str, at: str, hours: int) -> None:
        """A promise that only a path or playbook can ask for."""
        target = Target("business_seconds", hours * 3600)
        with transaction():
            basis = sla.basis(now=march(at))
            moment = {"at": march(at), "now": march(at)}
            insert_all(sla.open_clock(kind, escalation_id=self.id, basis=basis, target=target, **moment))

    def sweep(self, at: str) -> int:
        return jobs.sweep_tenant(self.tenant.id, march(at))

    def wake(self, at: str) -> int:
        return jobs.wake_waiting_tenant(self.tenant.id, march(at))

    def cycles(self, kind: str) -> list[Clock]:
        with transaction():
            asked = select(Clock).where(Clock.escalation_id == self.id, Clock.kind == kind).order_by(Clock.cycle)
            return list(db.session.scalars(asked))

    def shown(self, kind: str) -> list[tuple[str, str | None]]:
        """(state, due as `2 14:00`) of each cycle of a kind."""
        return [(clock.state, day_of(clock.due_at)) for clock in self.cycles(kind)]

    def ledger(self, kind: str) -> list[tuple[str, str | None]]:
        """(type, at) of every entry of a kind's clocks, in order of writing."""
        with transaction():
            asked = select(ClockEntry).join(Clock, Clock.id == ClockEntry.clock_id)
            mine = asked.where(Clock.escalation_id == self.id, Clock.kind == kind)
            found = db.session.scalars(mine.order_by(Clock.cycle, ClockEntry.seq)).all()
        return [(entry.type, day_of(entry.at)) for entry in found]

    def record(self) -> Escalation:
        with transaction():
            return db.session.scalars(select(Escalation).where(Escalation.id == self.id)).one()

    def events(self, kind: str) -> list[Event]:
        with transaction():
            asked = select(Event).where(Event.escalation_id == self.id, Event.kind == kind)
            return list(db.session.scalars(asked.order_by(Event.seq)))

    def told(self, kind: str) -> list[str]:
        """The subjects of messages of a kind."""
        with transaction():
            asked = select(Intent.subject).where(Intent.escalation_id == self.id, Intent.kind == kind)
            return list(db.session.scalars(asked.order_by(Intent.id)))

    def agrees(self) -> bool:
        """Whether every stored clock is what its ledger says."""
        return not any(batch.differences for batch in verify_tenants([self.tenant.id]))


def day_of(at: datetime | None) -> str | None:
    """A moment as `march` reads it; seconds below the minute are not shown."""
    if at is None:
        return None
    month = "" if at.month == 3 else f"{at.month}-"
    return f"{month}{at.day} {at:%H:%M}"
