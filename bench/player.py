"""Plays events of an incident log as use cases of one tenant; `bench.replay` says how states map."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.accounts import service as accounts
from app.accounts.jobs import make_book
from app.auth import service as auth
from app.auth.actor import SYSTEM, Actor
from app.auth.changes import update_settings
from app.auth.models import User
from app.auth.queries import get_tenant
from app.db import db, transaction
from app.escalations import jobs, service
from app.escalations.lifecycle import LIVE
from app.escalations.models import Escalation
from app.escalations.service import Act, NewEscalation, NewOwner, Resolution, Wait, Word
from app.routing import service as routing
from bench.ground import actor_of, new_tenant
from bench.incidents import Event

SOURCE = "servicenow"
LONGEST_REOPEN = 365  # the log once goes on with a case weeks after closing it
REASSIGNED, NAMED = "reassigned in the log", "named in the log"
PARTIES = {"User": "customer", "Vendor": "vendor", "Problem": "internal", "Evidence": "internal"}
LONGEST_VERIFY = 250  # business days; the log once took 199 days from resolved to closed

CASES = text("select count(*) from escalation")
SPANS = text("select closed_at - raised_at from escalation where status = 'closed' and outcome = 'resolved'")
REASSIGNED_COUNTS = text(
    """
    select (select count(*) from event e join event_text t on t.event_id = e.id and t.field = 'reason'
            where e.escalation_id = c.id and e.kind = 'assign' and t.text = :reason)
    from escalation c
    """
)
REMINDERS = text("select count(*) from step_log where outcome = 'sent'")


class Player:
    """One tenant with its accounts, and with people and teams as the log makes them known."""

    def __init__(self, events: list[Event]) -> None:
        self.tenant_id, admin = new_tenant("Replay")
        self.admin = actor_of(admin)
        self.actors: dict[UUID, Actor] = {admin.id: self.admin}
        self.users: dict[str, User] = {}
        self.teams: dict[str, UUID] = {}
        self.members: set[tuple[str, str]] = set()
        self.cases: dict[str, UUID] = {}
        self.last: dict[str, Event] = {}
        self.worked_on: dict[str, date] = {}
        self.due: datetime | None = None
        self.use_cases = 0
        with transaction(tenant=self.tenant_id):
            changes = {"verify_business_days": LONGEST_VERIFY, "reopen_days": LONGEST_REOPEN, "capacity": 1000}
            update_settings(get_tenant(lock=True), changes)
            self._make_accounts(events)

    def _make_accounts(self, events: list[Event]) -> None:
        """Every location as a customer, as a CRM would have them before anything happens, and the book of that day."""
        if events:
            began = events[0].at
            names = dict.fromkeys(event.account for event in events)
            raw = [{"source": SOURCE, "external_id": name, "name": name} for name in names]
            accounts.upsert_many("accounts", [accounts.read_row("accounts", row) for row in raw], now=began)
            make_book(began)

    # -- time -------------------------------------------------------------------------------------------------------

    def sweep(self, now: datetime) -> None:
        """What time brings about by itself up to this hour: reminders, lapses, ends of waits."""
        if self.due is not None and self.due <= now:
            jobs.wake_waiting_tenant(self.tenant_id, now)
            jobs.sweep_tenant(self.tenant_id, now)
            self._look_ahead()

    def _look_ahead(self) -> None:
        with transaction(tenant=self.tenant_id):
            self.due = jobs.next_moment()

    def play(self, events: list[Event]) -> None:
        """The events of an hour, in one transaction."""
        if not events:
            return
        with transaction(tenant=self.tenant_id):
            for event in events:
                self._know(event)
                self._happen(event)
                self.last[event.incident] = event
        self._look_ahead()

    # -- what the log makes known -----------------------------------------------------------------------------------

    def _know(self, event: Event) -> None:
        """The team and the colleague of this event, made when they are first met."""
        if event.group and event.group not in self.teams:
            self.teams[event.group] = routing.create_team(event.group, now=event.at).id
        if event.assignee and event.assignee not in self.users:
            self._meet(event.assignee, event.at)
        if event.group and event.assignee and (event.group, event.assignee) not in self.members:
            self.members.add((event.group, event.assignee))
            routing.put_member(routing.get_team(self.teams[event.group]), self.users[event.assignee].id, capacity=None)

    def _meet(self, name: str, now: datetime) -> None:
        user = auth.create_user(email_of(name), name=name, role="specialist", actor=SYSTEM, now=now)
        self.users[name] = user
        self.actors[user.id] = actor_of(user)

    # -- events as use cases ----------------------------------------------------------------------------------------

    def _happen(self, event: Event) -> None:
        known = self.last.get(event.incident)
        before = self.use_cases
        if known is None:
            record = self._raise(event)
        else:
            record = self._find(event)
            record = self._take_up_again(record, event)
            record = self._assign_again(record, event, known)
        self._reach(record, event)
        if known is not None and self.use_cases == before:
            self._sign_of_work(record, event)

    def _find(self, event: Event) -> Escalation:
        record = db.session.get(Escalation, self.cases[event.incident])
        assert record is not None
        return record

    def _raise(self, event: Event) -> Escalation:
        new = NewEscalation(
            title=f"{event.incident}: {event.about}",
            severity=event.severity,
            account=(SOURCE, event.account),
            customer_statement=event.about or event.incident,
            desired_outcome="As before.",
            impact="As the log has it.",
            raised_by_kind="customer",
            raised_by_email=email_of(event.caller),
            source=SOURCE,
            external_refs=({"system": SOURCE, "external_id": event.incident},),
        )
        record = self._done(service.raise_escalation(new, act=self._as_admin(event)).record)
        self.cases[event.incident] = record.id
        record = self._find(event)
        if event.group or event.assignee:
            record = self._assign(record, event, NAMED)
        return record

    def _take_up_again(self, record: Escalation, event: Event) -> Escalation:
        """Out of Resolved and Closed, when the log goes on with the work."""
        if event.state in ("Resolved", "Closed"):
            return record
        act = self._as_owner(record, event)
        if record.status == "resolved":
            word = Word(accepted=False, confirmed_by=event.caller, channel="portal")
            return self._done(service.verify(record.id, act=act, word=word))
        if record.status == "closed":
            reopened = service.reopen(record.id, act=act, reason="reopened in the log")
            assert isinstance(reopened, Escalation), f"{event.incident} is reopened too late"
            return self._done(reopened)
        return record

    def _assign_again(self, record: Escalation, event: Event, known: Event) -> Escalation:
        if event.reassignments != known.reassignments:
            return self._assign(record, event, REASSIGNED)
        named = self.users[event.assignee].id if event.assignee else None
        if named and event.assignee != known.assignee and named != record.owner_id and record.status in LIVE:
            return self._assign(record, event, NAMED)
        return record

    def _assign(self, record: Escalation, event: Event, reason: str) -> Escalation:
        if event.assignee:
            to = NewOwner(owner_id=self.users[event.assignee].id)
        else:
            to = NewOwner(team_id=self.teams[event.group] if event.group else None)
        return self._done(service.assign(record.id, act=self._as_admin(event), to=to, reason=reason))

    def _reach(self, record: Escalation, event: Event) -> None:
        """Whatever leads from where the case is to where the log has it."""
        if event.state == "New" or record.status == "closed":
            return
        if record.status == "open" or (record.status != "resolved" and not record.acknowledged):
            record = self._done(service.acknowledge(record.id, act=self._as_owner(record, event)))
        if event.state in ("Resolved", "Closed"):
            self._end(record, event)
        elif event.state.startswith("Awaiting"):
            self._wait(record, event)
        elif record.status == "waiting":
            self._done(service.resume(record.id, act=self._as_owner(record, event)))

    def _end(self, record: Escalation, event: Event) -> None:
        if record.status != "resolved":
            resolution = Resolution(summary="Resolved in the log.", root_cause=event.about or "-", preventable=False)
            record = self._done(service.resolve(record.id, act=self._as_owner(record, event), resolution=resolution))
        if event.state == "Closed":
            word = Word(accepted=True, confirmed_by=event.caller, channel="portal")
            self._done(service.verify(record.id, act=self._as_owner(record, event), word=word))

    def _wait(self, record: Escalation, event: Event) -> None:
        party = PARTIES[event.state.split()[1]]
        if record.status == "waiting" and record.waiting_party == party:
            return
        on = Wait(party=party, reason=event.state, resume_on=last_day_of_wait(event.at))
        self._done(service.wait(record.id, act=self._as_owner(record, event), on=on))

    def _sign_of_work(self, record: Escalation, event: Event) -> None:
        if record.status not in ("open", "in_progress", "waiting") or (
            self.worked_on.get(event.incident) == event.at.date()
        ):
            return
        self.worked_on[event.incident] = event.at.date()
        act = self._as_owner(record, event)
        self._done(service.add_comment(record.id, act=act, content="Worked on."))

    def _done(self, record: Escalation) -> Escalation:
        self.use_cases += 1
        return record

    def _as_owner(self, record: Escalation, event: Event) -> Act:
        return Act(self.actors[record.owner_id] if record.owner_id else self.admin, event.at)

    def _as_admin(self, event: Event) -> Act:
        return Act(self.admin, event.at)

    def results(self) -> dict[str, Any]:
        """What the database says of the cases, not what was played."""
        with transaction(tenant=self.tenant_id) as session:
            return {
                "incidents": session.scalar(CASES),
                "spans": list(session.scalars(SPANS)),
                "reassigned": list(session.scalars(REASSIGNED_COUNTS, {"reason": REASSIGNED})),
                "reminders": session.scalar(REMINDERS),
                "use_cases": self.use_cases,
            }


def email_of(name: str) -> str:
    return f"{name.lower().replace(' ', '-').replace('?', 'unknown')}@example.com"


def last_day_of_wait(at: datetime) -> date:
    """Ten business days ahead, Monday to Friday, 9 to 17, end eleven days later at the earliest: from a Monday's
    opening at the second Friday's close."""
    return (at + timedelta(days=11)).date()
