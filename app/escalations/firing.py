"""What due clocks set off: lines for the log and messages, for a whole batch; nothing here performs an action."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from app.escalations.audience import NO_ADDRESS, OF_TASKS, Audience, Reached
from app.escalations.audience_rows import Case, Person
from app.escalations.lifecycle import LIVE, REQUESTED
from app.escalations.reminders import Reminder
from app.escalations.urgency import AT_DUE, is_urgent
from app.notifications import service as notifications
from app.notifications.quiet import Delivery
from app.sla import claims, due
from app.sla.claims import Line
from app.sla.due import DueClock, Fired, Firing, Told
from app.sla.models import Clock
from app.sla.steps import Due

log = structlog.get_logger()

NOTIFY = "notify"
CHANNEL = "email"
NOBODY = "-"


@dataclass(slots=True)
class Outgoing:
    """Everything one batch writes: how its clocks stand, the log's lines, and the messages some of them carry."""

    fired: list[Fired] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    messages: list[tuple[UUID, notifications.Message]] = field(default_factory=list)

    def take(self, other: "Outgoing") -> None:
        self.fired += other.fired
        self.lines += other.lines
        self.messages += other.messages

    def write(self, now: datetime) -> set[UUID]:
        """Clocks, log and messages in at most four statements; only a line that is new sends its message."""
        new = claims.write(self.fired, self.lines, now)
        if notifications.post_all([message for line_id, message in self.messages if line_id in new]):
            notifications.wake_delivery()
        return new


def tell(plans: Sequence[Fired], now: datetime) -> Outgoing:
    """The reminders of a batch; a clock whose message cannot be written is set aside and holds up no other."""
    outgoing = Outgoing()
    audience = find_audience(plans, now)
    for fired in plans:
        try:
            outgoing.take(tell_one(fired, audience, now) if audience else Outgoing([fired]))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            outgoing.fired.append(due.set_aside(fired.clock, error))
    return outgoing


def find_audience(plans: Sequence[Fired], now: datetime) -> Audience | None:
    """The people of every role these plans name; None when nobody is to be told."""
    telling = [(fired, firing) for fired in plans for firing in fired.firings if firing.action == NOTIFY]
    if not telling:
        return None
    roles = {role for _, firing in telling for role in firing.roles}
    tasks = any(fired.clock.kind in OF_TASKS for fired, _ in telling)
    return Audience({fired.clock.escalation_id for fired, _ in telling}, roles, now=now, tasks=tasks)


def tell_one(fired: Fired, audience: Audience, now: datetime) -> Outgoing:
    """What one clock's reminders say and to whom: of those missed, the latest for each person."""
    outgoing = Outgoing([fired])
    telling = [firing for firing in fired.firings if firing.action == NOTIFY]
    if not telling:
        return outgoing
    case = audience.cases[fired.clock.escalation_id]
    if reason := over(case):
        outgoing.lines = [_line(fired, firing, NOBODY, "suppressed", reason=reason) for firing in telling]
        return outgoing
    meant = [(firing, whom(audience, fired.clock, firing.roles)) for firing in telling]
    for firing, reached in meant:
        outgoing.lines += passed_by(fired, firing, reached)
    for told in due.fold((firing, reached.told) for firing, reached in meant):
        hearing = next(reached.told[told.person] for firing, reached in meant if firing is told.firing)
        roles = hearing.roles
        outgoing.lines += [_folded(fired, missed, told.person, roles) for missed in told.folded]
        in_place = tuple((audience.people[id_].name, tuple(held)) for id_, held in hearing.in_place.items())
        reminder = Reminder(case, fired.clock, told.firing, told.stands_for, hearing.own, in_place)
        delivery = audience.delivery(told.person, now, urgent=_is_urgent(case, fired, told))
        line = _line(fired, told.firing, str(told.person), "sent", roles=roles, folded=len(told.folded))
        line.channel = delivery.channel
        outgoing.lines.append(line)
        outgoing.messages.append((line.id, _message(line, reminder, audience.people[told.person], now, delivery)))
    return outgoing


def _is_urgent(case: Case, fired: Fired, told: Told[UUID]) -> bool:
    offsets = {told.firing.offset, *(missed.step.offset for missed in told.folded)}
    return is_urgent(case.severity, fired.clock.kind, tells_breach=AT_DUE in offsets)


def over(case: Case) -> str | None:
    """Why nobody needs to be told any more, if the case has ended although its clock had not."""
    if case.status in LIVE or case.status == REQUESTED:
        return None
    return "merged" if case.status == "merged" else "already_acted"


def roles_now(case: Case, kind: str, roles: Collection[str]) -> Collection[str]:
    """While `resolved`, close reminders go to the owner alone: only the customer's word is awaited. Of a tier's time
    whom the tier asks hears with the owner."""
    if kind == "tier" and "owner" in roles and case.asked_id is not None:
        return (*roles, "asked")
    return ("owner",) if kind == "close" and case.status == "resolved" else roles


def whom(audience: Audience, clock: Clock | DueClock, roles: Collection[str]) -> Reached:
    """Whom a step of this clock that names these roles reaches now."""
    case = audience.cases[clock.escalation_id]
    return audience.resolve(case.id, roles_now(case, clock.kind, roles), subject=clock.subject)


def passed_by(fired: Fired, firing: Firing, reached: Reached) -> Iterator[Line]:
    """Lines for those who were not told, and one for the roles that nobody holds."""
    for id_, reason in reached.passed_by.items():
        yield _line(fired, firing, str(id_), "suppressed", reason=reason, delegate_id=reached.delegated.get(id_))
    if reached.empty:
        yield _line(fired, firing, NOBODY, "suppressed", reason=NO_ADDRESS, roles=reached.empty)


def _line(
    fired: Fired,
    firing: Firing,
    recipient: str,
    outcome: str,
    *,
    reason: str | None = None,
    roles: Sequence[str] = (),
    folded: int = 0,
    delegate_id: UUID | None = None,
) -> Line:
    return Line(
        clock=fired.clock,
        step=firing.offset,
        repeat=firing.repeat,
        action=firing.action,
        recipient=recipient,
        at=firing.at,
        outcome=outcome,
        roles=roles or firing.roles,
        channel=CHANNEL if outcome == "sent" else None,
        reason=reason,
        folded=folded,
        delegate_id=delegate_id,
    )


def _folded(fired: Fired, missed: Due, person: UUID, roles: Sequence[str]) -> Line:
    step = missed.step
    return Line(fired.clock, step.offset, missed.repeat, step.action, str(person), missed.at, "folded", roles)


def action_lines(fired: Fired, firing: Firing, *, done: bool) -> list[Line]:
    """An action's lines, its own last: those of its kind that were missed before it fold into it. They have no
    recipient. One whose cause has gone is logged and not done."""
    lines = [
        Line(fired.clock, missed.step.offset, missed.repeat, firing.action, NOBODY, missed.at, "folded", firing.roles)
        for missed in firing.earlier
    ]
    outcome, reason = ("done", None) if done else ("suppressed", "already_acted")
    return [*lines, _line(fired, firing, NOBODY, outcome, reason=reason, folded=len(lines))]


def _message(
    line: Line, reminder: Reminder, person: Person, now: datetime, delivery: Delivery
) -> notifications.Message:
    return (
        person.id,
        person.email,
        reminder.kind,
        reminder.subject,
        reminder.body,
        reminder.why,
        line.clock.escalation_id,
        line.clock.id,
        f"step:{line.id}",
        now,
        delivery.hold_until,
        delivery.channel,
    )
