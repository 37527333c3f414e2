"""One action on one case: the locked record, how its caller stands to it, and everything the action appends.

`begin` checks in the order of the answers: 404, 403, 412, then the lifecycle's 409. `Change.save` writes all at once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.accounts import queries as accounts
from app.accounts.facts import AccountFacts
from app.auth.actor import SYSTEM, Actor, UserRef
from app.auth.models import User
from app.db import Model, db
from app.errors import invalid
from app.escalations import lifecycle, permissions, timeline
from app.escalations.errors import NotYours
from app.escalations.models import Escalation
from app.escalations.standing import check_seen, lock_record, standing_of
from app.escalations.telling import in_place
from app.escalations.urgency import is_urgent
from app.escalations.worth import reprioritise, snapshot_of
from app.notifications import service as notifications
from app.notifications.models import Intent
from app.playbooks import service as playbooks
from app.playbooks.definition import Playbook
from app.playbooks.models import Task
from app.rows import insert_all
from app.sla import service as sla
from app.sla.calendar import Calendar
from app.sla.clocks import Clocks
from app.sla.ledger import Target


def unchecked(record: Escalation) -> None:
    """No precondition was sent."""


@dataclass(frozen=True)
class Act:
    """Who acts, when (tenant time), under which precondition, and a note they left.

    `at` is when it happened if that was earlier than `now`; `check` compares the caller's ETag with the locked record.
    """

    actor: Actor
    now: datetime
    check: Callable[[Escalation], None] = unchecked
    note: str | None = None


def by_engine(now: datetime) -> Act:
    """What the engine does by itself; it never counts as a human response."""
    return Act(actor=SYSTEM, now=now)


def begin(
    escalation_id: UUID,
    action: str,
    act: Act,
    *,
    pending: permissions.Pending = "raise",
    approvers: Callable[[Escalation], Collection[UUID]] | None = None,
) -> "Change":
    """The locked case, once its caller may see it, may do this, and has read its present version."""
    record = lock_record(escalation_id)
    standing = standing_of(record, act.actor, now=act.now)
    if approvers is not None and record.status == lifecycle.REQUESTED:
        standing = permissions.as_approver(standing, act.actor.user_id, approvers(record))
    if not act.actor.is_system:
        check_seen(record, standing, act.actor)
        if not permissions.who_may(action, standing, pending=pending):
            raise NotYours(f"{action}: {NotYours.title.lower()}")
        act.check(record)
    return Change(record, standing, act)


@dataclass
class Change:
    """What one action finds and appends; nothing is written before `save`."""

    record: Escalation
    standing: permissions.Actor
    act: Act
    rows: list[Model] = field(default_factory=list)
    told: bool = False

    def __post_init__(self) -> None:
        self.before = (self.record.status, self.record.tier, self.record.owner_id, self.record.severity)

    @property
    def now(self) -> datetime:
        return self.act.now

    @cached_property
    def clocks(self) -> Clocks:
        """Every clock of the case, locked."""
        return Clocks.load(self.record.id)

    @cached_property
    def account(self) -> AccountFacts:
        """The account as it stands now, over the contracts the case touches."""
        return accounts.account_facts(
            self.record.account_id, contract_ids=list_contract_ids(self.record.id), now=self.now
        )

    @property
    def zone(self) -> ZoneInfo:
        return sla.zone_of(self.record.zone)

    @cached_property
    def basis(self) -> sla.Basis:
        """What the case's clocks count by, as chosen at its raise."""
        return basis_of(self.record)

    @property
    def calendar(self) -> Calendar:
        return self.basis.calendar

    @property
    def playbook(self) -> Playbook | None:
        """What the case is handled by, None where no playbook was chosen."""
        return playbooks.find_playbook(self.record.playbook_version_id)

    @property
    def acting_for_id(self) -> UUID | None:
        """The absent colleague whose place gives the right to act, else the owner, when somebody who may act in their
        place does; who only adds a note acts for nobody, and so does the engine."""
        if self.act.actor.is_system or self.standing.is_owner:
            return None
        in_place = self.works_for_owner or self.act.actor.role == "admin"
        return self.standing.in_place_of or (self.record.owner_id if in_place else None)

    @property
    def works_for_owner(self) -> bool:
        """Whether this counts as the owner's own work."""
        standing = self.standing
        acts = standing.is_owner or standing.is_delegate or standing.acts_for_owner or standing.above_owner
        return acts and not self.act.actor.is_system

    def in_place_of(self, user_id: UUID | None) -> None:
        """Who does what a colleague was asked to do, and does not act for the owner, does it in that one's place."""
        if not self.works_for_owner and user_id in self.standing.absent:
            self.standing = replace(self.standing, in_place_of=user_id)

    def happened_at(self, at: datetime | None) -> datetime:
        """A person's `at`, within its limits; an integration's counts as sent, but not beyond now or the raise."""
        if at is None:
            return self.now
        if self.act.actor.role == "integration":
            return min(max(at, self.record.raised_at), self.now)
        earliest = self.calendar.subtract(self.now, self.calendar.day_seconds)
        try:
            return lifecycle.check_at(at, now=self.now, raised_at=self.record.raised_at, earliest=earliest)
        except lifecycle.MomentRefused as refused:
            raise invalid("at", f"expected {refused.expected}") from refused

    def step(self, action: str, **facts: Any) -> None:
        """Move the status as the lifecycle says, or refuse."""
        self.record.status = lifecycle.next_status(self.record.status, action, **facts)

    def note(
        self,
        kind: str,
        facts: Mapping[str, Any] | None = None,
        texts: Mapping[str, str | None] | None = None,
        *,
        at: datetime | None = None,
        external_key: str | None = None,
    ) -> None:
        """Append one event to the timeline."""
        written = dict(texts or {})
        if self.act.note:
            written.setdefault("note", self.act.note)
        self.rows += timeline.append(
            self.record,
            kind,
            actor_id=self.act.actor.user_id,
            at=at or self.now,
            now=self.now,
            facts=facts,
            texts=written,
            acting_for_id=self.acting_for_id,
            external_key=external_key,
        )

    def tell(
        self, users: Iterable[User | UserRef], kind: str, subject: str, body: str, *, present: bool = False
    ) -> None:
        """Post one message to each of these people and to who stands in for the absent among them, but not to the
        actor or whom the case is about. `present`: nobody among them can be absent."""
        passed_by = {self.act.actor.user_id, self.record.about_user_id, None}
        people = [user for user in users if user.id not in passed_by]
        previous = self.before[2]
        stand_ins = () if present else in_place(people, self.record, now=self.now, previous_owner_id=previous)
        for user, why in (*((user, None) for user in {user.id: user for user in people}.values()), *stand_ins):
            if user.id in passed_by:
                continue
            self.rows.append(
                notifications.intent(
                    user=user,
                    kind=kind,
                    subject=subject,
                    body=body,
                    dedupe_key=f"{kind}:{self.record.id}:{self.record.event_count}:{user.id}",
                    at=self.now,
                    now=self.now,
                    escalation_id=self.record.id,
                    why=why,
                )
            )
            self.told = True

    def hold_messages(self) -> None:
        """Let what is told wait as each recipient asked for, before it is written."""
        if self.told:
            messages = [row for row in self.rows if isinstance(row, Intent)]
            notifications.hold(messages, now=self.now, urgent=is_urgent(self.record.severity))

    def sign_of_work(self, at: datetime) -> None:
        """Work by the owner or who acts for them meets `still_on_it` and starts its next cycle.

        Logged late, work before a later sign of it that is known changes nothing.
        """
        clock = self.clocks.get("still_on_it")
        if not self.works_for_owner or clock is None or clock.ended_at is not None or at < clock.started_at:
            return
        self.clocks.fulfil("still_on_it", at, self.now)
        if self.record.status in ("in_progress", "waiting"):
            self.start_clock("still_on_it", at)

    @property
    def waiting_on(self) -> str | None:
        """The party clocks stand still for, None when nobody is waited on or the budget is used up."""
        return None if self.record.wait_exhausted else self.record.waiting_party

    def start_clock(
        self, kind: str, at: datetime, target: Target | None = None, *, because: str = "next_cycle"
    ) -> None:
        """The first or next cycle of this kind; without a target of its own by the service level or the settings."""
        self.clocks.start(
            kind,
            at=at,
            now=self.now,
            severity=self.record.severity,
            target=target,
            basis=self.basis,
            waiting_on=self.waiting_on,
            because=because,
        )

    def save(self) -> Escalation:
        """Write record, clocks, events, snapshot and messages; a change of status, tier or owner is snapshotted."""
        after = (self.record.status, self.record.tier, self.record.owner_id, self.record.severity)
        if after[:3] != self.before[:3]:
            self.rows.append(snapshot_of(self.record, self.account, self.now, cause=_cause(self.before, after)))
        if "clocks" in self.__dict__:
            self.clocks.save()
            take_dues(self.record, self.clocks)
        if after != self.before:
            reprioritise(self.record, self.account, self.now)
        db.session.flush()
        self.hold_messages()
        insert_all(self.rows)
        if self.told:
            notifications.wake_delivery()
        return self.record


def _cause(before: tuple[Any, ...], after: tuple[Any, ...]) -> str:
    named = zip(("status", "tier", "owner"), before, after, strict=False)
    return ",".join(name for name, was, is_ in named if was != is_)


def take_dues(record: Escalation, clocks: Clocks) -> None:
    """The close clock's present due, and the working deadline it leaves: less the verify target."""
    close = clocks.get("close")
    if close is not None and close.due_at is not None:
        record.due_at = close.due_at
        record.resolve_by_at = sla.resolve_by(close.due_at, basis_of(record))


def made(task: Task | None) -> dict[str, UUID]:
    """The fact by which an action's event names the task that it made; the stream of clocks begins the task there."""
    return {} if task is None else {"task": task.id}


def basis_of(record: Escalation) -> sla.Basis:
    """What the case's promises count by, as its row and its playbook's version keep it."""
    return sla.basis_of(
        record.calendar_version_id,
        record.zone,
        record.ladder_number,
        record.service_level_version_id,
        playbooks.find_own_ladders(record.playbook_version_id),
    )


def list_contract_ids(escalation_id: UUID) -> list[UUID]:
    """The contracts the case touches, in no order."""
    found = db.session.scalars(
        text("select contract_id from escalation_contract where escalation_id = :id"), {"id": escalation_id}
    )
    return list(found)
