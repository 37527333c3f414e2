"""What a playbook says, as understood: questions, tasks, tier path, updates, ladders, exit criteria, drafts.

Everything in it has a short `key` by which the rest names it; how much it may hold stands here, too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.routing.match import Compiled
from app.sla.ladder import Ladder, OwnLadders
from app.sla.level import TIERS

ROLES = ("owner", "csm", "account_owner", "sponsor", "team_lead", "owner_manager", "tier")
MOST_TASKS, MOST_QUESTIONS, MOST_CRITERIA = 200, 100, 50
KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
TITLE, SENTENCE = 200, 2_000
AUDIENCES = ("customer", "account_team", "executive")
SUITS = ("open", "in_progress", "waiting", "resolved", "closed")
MOST_DRAFTS, MESSAGE = 30, 10_000

MEMBERS = (
    "name",
    "about",
    "rank",
    "when",
    "questions",
    "tasks",
    "tiers",
    "updates",
    "ladders",
    "exit_criteria",
    "drafts",
)

Promised = Mapping[str, int]


@dataclass(frozen=True)
class Question:
    """Something to ask the customer; of every case, or of those with one of `reasons`."""

    key: str
    ask: str
    reasons: tuple[str, ...]
    required: bool


@dataclass(frozen=True)
class TaskPlan:
    """Something to do. `due` counts from when it is ready: once all of `after` are done or waived, and, with a
    `tier`, once the work has come there."""

    key: str
    title: str
    role: str
    due: Promised | None
    after: tuple[str, ...]
    required: bool
    customer_visible: bool
    tier: str | None


@dataclass(frozen=True)
class TierPlan:
    """A stage of the path: its time, whether the work moves on by itself when that is over, whether it is routed
    afresh, and what is asked of whoever qualifies it."""

    tier: str
    within: Promised | None
    automatic: bool
    reroute: bool
    ask: str


@dataclass(frozen=True)
class Criterion:
    """What must hold before the case may be called resolved."""

    key: str
    text: str


@dataclass(frozen=True)
class Draft:
    """A message to be filled with the case's fields, edited and sent by a person to everybody in `audience`, who read
    `text` or a wording of their own; it is suggested first in the statuses that it `suits`."""

    key: str
    title: str
    audience: tuple[str, ...]
    subject: str
    text: str
    texts: Mapping[str, str] = field(default_factory=dict)
    suits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Playbook:
    """An understood version. Of those whose `when` holds, the one of the lowest `rank` is used. The steps in `ladders`,
    by kind of clock, go before the tenant's; a saved version keeps them under its `ladder_number`."""

    name: str
    about: str
    rank: int
    when: Compiled
    questions: tuple[Question, ...]
    tasks: tuple[TaskPlan, ...]
    tiers: tuple[TierPlan, ...]
    updates: Mapping[str, Promised]
    criteria: tuple[Criterion, ...]
    drafts: tuple[Draft, ...] = ()
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    ladder_number: int | None = None

    @property
    def own_ladders(self) -> OwnLadders | None:
        """By which its cases climb, None where the tenant's ladders hold for every kind."""
        return OwnLadders(self.ladder_number, frozenset(self.ladders)) if self.ladder_number else None

    @property
    def path(self) -> tuple[str, ...]:
        """The tiers the work may go through; all of them when the playbook names none."""
        return tuple(tier.tier for tier in self.tiers) or TIERS

    def tier(self, name: str) -> TierPlan | None:
        return next((tier for tier in self.tiers if tier.tier == name), None)

    def draft(self, key: str) -> Draft | None:
        return next((draft for draft in self.drafts if draft.key == key), None)

    def asked_of(self, reason: str) -> tuple[Question, ...]:
        """The questions for a case with this reason."""
        return tuple(one for one in self.questions if not one.reasons or reason in one.reasons)
