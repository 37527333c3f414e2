"""Plays the story: each step is one call of a service in a transaction of its own, at its moment of tenant time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.auth.actor import Actor
from app.db import db, transaction
from app.escalations import lifecycle
from app.escalations import service as escalations
from app.escalations.models import Escalation
from app.escalations.service import Act
from app.operations.sample import accounts, people
from app.operations.sample.days import moment, working_day
from app.operations.sample.story import Case, Step

CLOSE_OF_BUSINESS = time(17)


@dataclass(frozen=True)
class Beat:
    """One step of a case with its moment; None stands for the raise itself."""

    at: datetime
    case: Case
    step: Step | None


@dataclass
class Player:
    """`actors` by key; `ids` of the cases raised so far."""

    actors: Mapping[str, Actor]
    origin: date
    ids: dict[str, UUID] = field(default_factory=dict)

    def play(self, beat: Beat) -> None:
        with transaction():
            if beat.step is None:
                self.ids[beat.case.key] = self.raise_(beat.case, beat.at)
            else:
                Scene(self, beat.case, beat.step, beat.at).play()

    def raise_(self, case: Case, at: datetime) -> UUID:
        customer = case.by == "customer"
        actor = self.actors[people.HELPDESK.key if customer else case.by]
        email = accounts.contact(case.account)[1] if customer else actor.email
        refs = ({"system": "zendesk", "external_id": ticket_of(case)},) if customer else ()
        new = escalations.NewEscalation(
            title=case.title,
            severity=case.severity,
            account=(accounts.SOURCE, case.account),
            customer_statement=case.said,
            desired_outcome=case.wanted,
            impact=case.impact,
            reason=case.reason,
            raised_by_kind="customer" if customer else "colleague",
            raised_by_email=email,
            source="zendesk" if customer else "crm",
            external_refs=refs,
            about_user=self.actors[case.about].email if case.about else None,
            restricted=case.about is not None,
        )
        return escalations.raise_escalation(new, act=Act(actor, at)).record.id


def ticket_of(case: Case) -> str:
    return f"{70_000 + sum(map(ord, case.key))}"


def beats(cases: tuple[Case, ...], origin: date) -> list[Beat]:
    """Every raise and step in order of time; at one moment, in the order written."""
    zones = {id_: ZoneInfo(customer.zone) for id_, customer in accounts.read_customers().items()}
    listed = []
    for case in cases:
        zone = zones[case.account]
        listed.append(Beat(moment(working_day(origin, -case.days_ago), case.time, zone), case, None))
        for told in case.steps:
            day = working_day(origin, told.day - case.days_ago)
            listed.append(Beat(moment(day, told.time, zone), case, told))
    return sorted(listed, key=lambda beat: beat.at)


@dataclass
class Scene:
    """One step while its transaction is open."""

    player: Player
    case: Case
    step: Step
    at: datetime

    def play(self) -> None:
        _VERBS[self.step.verb](self, dict(self.step.words))

    @property
    def id(self) -> UUID:
        return self.player.ids[self.case.key]

    @property
    def record(self) -> Escalation:
        return db.session.scalars(select(Escalation).where(Escalation.id == self.id)).one()

    @property
    def owner(self) -> str:
        owner_id = self.record.owner_id
        return next(key for key, actor in self.player.actors.items() if actor.user_id == owner_id)

    @property
    def act(self) -> Act:
        who = self.step.who
        if who in ("owner", "manager"):
            owner = self.owner
            managers = {person.key: person.manager or "margaret" for person in people.PEOPLE}
            who = owner if who == "owner" else managers[owner]
        if who == "customer":
            who = people.HELPDESK.key
        return Act(self.player.actors[who], self.at)

    @property
    def contact(self) -> tuple[str, str]:
        return accounts.contact(self.case.account)

    def days_on(self, days: int) -> date:
        """So many working days after this step."""
        return working_day(self.player.origin, self.step.day - self.case.days_ago + days)

    def acknowledge(self, _: dict[str, Any]) -> None:
        escalations.acknowledge(self.id, act=self.act)

    def attempt(self, words: dict[str, Any]) -> None:
        escalations.add_attempt(self.id, act=self.act, at=None, **words)

    def update(self, words: dict[str, Any]) -> None:
        audiences = list(words.get("audience", ("customer",)))
        channel = words.get("channel", "email")
        escalations.add_update(
            self.id, act=self.act, audiences=audiences, channel=channel, content=words["text"], at=None
        )

    def message(self, words: dict[str, Any]) -> None:
        escalations.add_message(
            self.id,
            act=self.act,
            sender=self.contact[1],
            channel="email",
            content=words["text"],
            at=None,
            external_id=f"{ticket_of(self.case)}-{self.step.day}-{self.step.time}",
        )

    def comment(self, words: dict[str, Any]) -> None:
        escalations.add_comment(self.id, act=self.act, content=words["text"])

    def plan(self, words: dict[str, Any]) -> None:
        close_on = self.days_on(words["forecast"])
        escalations.plan(
            self.id, act=self.act, content=words["text"], forecast_close_on=close_on, customer_agreed=words["agreed"]
        )

    def escalate(self, words: dict[str, Any]) -> None:
        escalations.escalate(self.id, act=self.act, hop=escalations.Hop(**words))

    def assign(self, words: dict[str, Any]) -> None:
        to = escalations.NewOwner(owner_email=self.player.actors[words["to"]].email)
        escalations.assign(self.id, act=self.act, to=to, reason=words["reason"])

    def wait(self, words: dict[str, Any]) -> None:
        on = escalations.Wait(words["party"], words["reason"], self.days_on(words["days"]))
        escalations.wait(self.id, act=self.act, on=on)

    def extend(self, words: dict[str, Any]) -> None:
        zone = ZoneInfo(self.record.zone)
        until = datetime.combine(self.days_on(words["days"]), CLOSE_OF_BUSINESS, zone).astimezone(UTC)
        asked = escalations.Extension(until, words["reason"], words["agreed"])
        escalations.extend(self.id, act=self.act, extension=asked)

    def approve(self, _: dict[str, Any]) -> None:
        self.answer(approved=True)

    def decline(self, words: dict[str, Any]) -> None:
        self.answer(approved=False, reason=words["reason"])

    def answer(self, *, approved: bool, reason: str | None = None) -> None:
        raised = self.record.status == lifecycle.REQUESTED
        answer = escalations.answer_raise if raised else escalations.answer_extension
        answer(self.id, act=self.act, approved=approved, reason=reason)

    def decision(self, words: dict[str, Any]) -> None:
        escalations.record_decision(self.id, act=self.act, choice=words["choice"], reason=words["reason"])

    def resolve(self, words: dict[str, Any]) -> None:
        escalations.resolve(self.id, act=self.act, resolution=escalations.Resolution(**words))

    def verify(self, words: dict[str, Any]) -> None:
        word = escalations.Word(
            accepted=words["accepted"],
            confirmed_by=self.contact[0],
            channel=words["channel"],
            comment=words["comment"],
        )
        escalations.verify(self.id, act=self.act, word=word)

    def reopen(self, words: dict[str, Any]) -> None:
        escalations.reopen(self.id, act=self.act, reason=words["reason"])

    def close_unresolved(self, words: dict[str, Any]) -> None:
        escalations.close_unresolved(self.id, act=self.act, outcome=words["outcome"], reason=words["reason"])

    def merge(self, words: dict[str, Any]) -> None:
        escalations.merge(self.id, act=self.act, into_id=self.player.ids[words["into"]], reason=words["reason"])


_VERBS: Mapping[str, Callable[[Scene, dict[str, Any]], None]] = {
    name: getattr(Scene, name)
    for name in (
        "acknowledge",
        "attempt",
        "update",
        "message",
        "comment",
        "plan",
        "escalate",
        "assign",
        "wait",
        "extend",
        "approve",
        "decline",
        "decision",
        "resolve",
        "verify",
        "reopen",
        "close_unresolved",
        "merge",
    )
}
