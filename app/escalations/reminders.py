"""What a reminder says: the fact first, then what is due, which step this is, what it stands for and why you get it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.escalations.audience_rows import Case, OpenTask
from app.escalations.words import numbered
from app.sla.due import DueClock, Firing

WHAT_TO_DO: Mapping[str, str] = {
    "decide": "approve or decline",
    "acknowledge": "acknowledge",
    "respond": "first answer to the customer",
    "reply": "answer the customer",
    "customer_update": "tell the customer",
    "account_team_update": "tell the account team",
    "executive_update": "tell the executives",
    "tier": "solve it here or move it up",
    "plan": "agree the plan with the customer",
    "still_on_it": "show that it is worked on",
    "close": "close",
    "verify": "get the customer's word",
    "task": "do the task",
}
NAMES: Mapping[str, str] = {
    "owner": "its owner",
    "owner_manager": "the owner's manager",
    "team_lead": "the team's lead",
    "account_owner": "the account owner",
    "csm": "the account's CSM",
    "sponsor": "the account's executive sponsor",
    "watchers": "watching it",
    "next_tier": "the lead of the next tier",
    "approver": "an approver",
    "approver_manager": "an approver's manager",
    "admins": "an admin",
    "duty_owner": "on duty",
    "asked": "whom the tier asks",
    "assignee": "the task's assignee",
    "assignee_manager": "the manager of the task's assignee",
}
BRIEF = 80
RESOLVE_BY_STEPS = frozenset({"-P7D"})


@dataclass(frozen=True, slots=True)
class Reminder:
    """One message to one person about one step of one clock.

    `roles` are the person's own, `in_place` the absent colleagues they stand in for, by name with their roles.
    """

    case: Case
    clock: DueClock
    firing: Firing
    stands_for: int
    roles: Sequence[str]
    in_place: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def awaits_customer(self) -> bool:
        """While resolved, closing waits for the customer's word alone."""
        return self.clock.kind == "close" and self.case.status == "resolved"

    @property
    def overdue(self) -> bool:
        return self.clock.due_at is not None and self.firing.at >= self.clock.due_at

    @property
    def kind(self) -> str:
        return "overdue" if self.overdue else "reminder"

    @property
    def subject(self) -> str:
        """The fact in one line, as in "Globex: close by Mon 21 Dec 17:00 · ESC-1042"."""
        what = "the customer's word is awaited, close" if self.awaits_customer else WHAT_TO_DO[self.clock.kind]
        what += f" {brief(self.task.title)}" if self.task else ""
        word = "was due" if self.overdue else "by"
        return f"{self.case.account}: {what} {word} {short(self.clock.due_at, self.clock.zone)} · {self.number}"

    @property
    def number(self) -> str:
        return numbered(self.case.number)

    @property
    def body(self) -> str:
        lines = (self.about, self.to_do, self.due, self.step, self.folded, self.working_deadline)
        return "\n".join(line for line in lines if line)

    @property
    def task(self) -> OpenTask | None:
        """What is to be done, where the promise is a task."""
        return self.case.tasks.get(self.clock.subject)

    @property
    def to_do(self) -> str:
        return f"Task: {self.task.title}" if self.task else ""

    @property
    def about(self) -> str:
        return f"{self.case.title} (severity {self.case.severity}, {self.case.status.replace('_', ' ')})"

    @property
    def due(self) -> str:
        clock = self.clock
        said = f"Due {long(clock.due_at, clock.zone)}"
        if clock.extended and clock.original_due_at is not None:
            said += f", extended from {long(clock.original_due_at, clock.zone)}"
        return f"{said}."

    @property
    def step(self) -> str:
        if self.awaits_customer:
            return f"{step_of(self.firing.offset)} The work is done; ask the customer whether it is."
        times = f" Told {self.firing.repeat + 1} times so far." if self.firing.repeat else ""
        return step_of(self.firing.offset) + times

    @property
    def folded(self) -> str:
        if self.stands_for < 2:
            return ""
        at = long(self.firing.at, self.clock.zone)
        return f"This message stands for {self.stands_for} reminders that could not go out; the last was due {at}."

    @property
    def working_deadline(self) -> str:
        if self.clock.kind != "close" or self.firing.offset not in RESOLVE_BY_STEPS or self.awaits_customer:
            return ""
        return f"To be confirmed in time it must be resolved by {long(self.case.resolve_by_at, self.clock.zone)}."

    @property
    def why(self) -> str:
        return why_of(tuple(self.roles), self.in_place)


@lru_cache(maxsize=1_000)
def why_of(roles: tuple[str, ...], in_place: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> str:
    """One sentence that names all the roles by which somebody is told, and in whose place."""
    reasons = [f"because you are {_listed([NAMES[role] for role in roles])}"] if roles else []
    reasons += [
        f"in place of {name}, who is absent and is {_listed([NAMES[role] for role in held])}" for name, held in in_place
    ]
    return f"You get this {', and '.join(reasons)}."


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


@lru_cache(maxsize=1_000)
def step_of(offset: str) -> str:
    """The step in plain words, from its offset as written."""
    if offset == "0":
        return "The time is up."
    if offset.endswith("%"):
        return f"{offset.rstrip('%')} % of the time has passed."
    days = offset[2:-1] if offset[1:2] == "P" and offset.endswith("D") and offset[2:-1].isdigit() else None
    length = f"{days} day{'' if days == '1' else 's'}" if days else offset[1:]
    return f"Left: {length}." if offset.startswith("-") else f"Overdue by {length} or more."


def brief(title: str) -> str:
    """A title as a line of subject bears it: quoted, on one line, cut where it would hide what follows."""
    words = " ".join(title.split())
    return f'"{words}"' if len(words) <= BRIEF else f'"{words[: BRIEF - 1].rstrip()}…"'


@lru_cache(maxsize=10_000)
def short(at: datetime | None, zone: str) -> str:
    """A moment as people say it: Mon 21 Dec 17:00."""
    return "no time" if at is None else f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}"


@lru_cache(maxsize=10_000)
def long(at: datetime | None, zone: str) -> str:
    """A moment with its year and zone."""
    return "no time" if at is None else f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M} ({zone})"
