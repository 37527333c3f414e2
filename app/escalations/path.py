"""The way of the work up the tiers, told from the timeline: where it was, what each tier answered and tried, how long.

Pure: events in, stages out. An attempt belongs to the tier the work was in when it was made, whenever it was logged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.escalations.tiers import FIRST_TIER, TIERS
from app.sla.calendar import Calendar

VENDOR_TIERS = ("vendor", "management")

Word = Literal["yes", "no", "resolved", "moved_up", "unanswered"]
State = Literal["left", "current", "ended", "passed_over", "skipped", "ahead"]


@dataclass(frozen=True, slots=True)
class Said:
    """An event of the case; `by` is who acted, None for the engine."""

    seq: int
    kind: str
    at: datetime
    by: Mapping[str, Any] | None
    facts: Mapping[str, Any]
    texts: Mapping[str, str | None]
    acting_for_id: Any = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried in a tier and what came of it; a text erased by law is None."""

    tier: str
    what: str | None
    result: str | None
    at: datetime
    by: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to the tier's question; `after_seconds` is the open time since the work came to the tier."""

    word: Word
    at: datetime
    by: Mapping[str, Any] | None
    acting_for_id: Any
    reason: str | None
    note: str | None
    after_seconds: int


@dataclass(slots=True)
class Stage:
    """A tier on the way. `reason`, `automatic` and `brief` tell of the hop by which it was left; `why` why the work
    never stayed there: `no_vendor`, `nobody_there` or `to_tier`."""

    tier: str
    state: State
    entered_at: datetime | None = None
    entered_by_seq: int = 0
    left_at: datetime | None = None
    left_by: Mapping[str, Any] | None = None
    reason: str | None = None
    automatic: bool | None = None
    brief: str | None = None
    why: str | None = None
    replies: list[Reply] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    vendors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def answer(self) -> Reply | None:
        """The last reply, which holds."""
        return self.replies[-1] if self.replies else None

    @property
    def worked_by(self) -> Mapping[str, Any] | None:
        """Who said that it can be resolved here, and so works it beside the owner."""
        return self.answer.by if self.answer and self.answer.word == "yes" else None


def stages_of(
    events: Iterable[Said], path: Sequence[str], *, calendar: Calendar, live: bool = True
) -> tuple[Stage, ...]:
    """Every tier the work was in, was led past or, while `live`, may still come to, in the order of the way."""
    walk = _Walk(path, calendar)
    attempts = []
    for event in events:
        if event.kind == "attempt":
            attempts.append(event)
        else:
            walk.take(event)
    stages = walk.finish(live=live)
    for event in attempts:
        stage = stage_of(stages, seq=event.seq, at=event.at)
        stage.attempts.append(_attempt(event, stage.tier))
    return stages


def not_again(stages: Sequence[Stage]) -> list[Attempt]:
    """What earlier tiers tried, which the present one must not try again, oldest first."""
    earlier = [stage for stage in stages if stage.state == "left"]
    return sorted((one for stage in earlier for one in stage.attempts), key=lambda one: one.at)


def tried(stages: Sequence[Stage]) -> list[Attempt]:
    """Everything that was tried so far, oldest first."""
    return sorted((one for stage in stages for one in stage.attempts), key=lambda one: one.at)


def stage_of(stages: Sequence[Stage], *, seq: int, at: datetime) -> Stage:
    """Where the work was when something happened, by its own time and at one instant by the order of events; before
    it was anywhere, where the way begins."""
    found = [one for one in stages if one.entered_at is not None and one.entered_at <= at and one.entered_by_seq <= seq]
    return found[-1] if found else stages[0]


@dataclass(slots=True)
class _Walk:
    """The stages entered so far."""

    path: Sequence[str]
    calendar: Calendar
    stages: list[Stage] = field(default_factory=list)
    been: list[Stage] = field(default_factory=list)

    def take(self, event: Said) -> None:
        if event.kind in ("raise", "approve"):
            self.enter(event.facts.get("tier") or FIRST_TIER, event)
        elif not self.been:
            return
        elif event.kind == "escalate":
            self.hop(event)
        elif event.kind == "qualify":
            word: Word = "yes" if event.facts["resolvable"] else "no"
            self.reply(event, word, event.facts.get("reason") or event.texts.get("reason"))
        elif event.kind == "resolve" and not self.is_answered("yes", "resolved"):
            self.reply(event, "resolved", None)
        elif event.kind == "edit":
            self.correct(event)

    def enter(self, tier: str, event: Said) -> None:
        stage = Stage(tier, "current", entered_at=event.at, entered_by_seq=event.seq)
        self.stages.append(stage)
        self.been.append(stage)

    def hop(self, event: Said) -> None:
        """Leave a tier, note those led past, come to the next; who goes up by hand without a word has answered no."""
        left, facts = self.been[-1], event.facts
        automatic = bool(facts.get("automatic"))
        if automatic and not left.replies:
            self.reply(event, "unanswered", None)
        elif not automatic and not self.is_answered("no"):
            self.reply(event, "moved_up", facts.get("reason"))
        left.state, left.left_at, left.left_by = "left", event.at, event.by
        left.reason, left.automatic, left.brief = facts.get("reason"), automatic, event.texts.get("brief")
        self.stages += _led_past(self.path, left.tier, facts["tier"], facts.get("passed_over") or ())
        self.enter(facts["tier"], event)
        self.name_vendor(event)

    def is_answered(self, *words: Word) -> bool:
        answer = self.been[-1].answer
        return answer is not None and answer.word in words

    def reply(self, event: Said, word: Word, reason: str | None) -> None:
        stage = self.been[-1]
        entered_at = stage.entered_at or event.at
        after = max(0, self.calendar.between(entered_at, event.at))
        note = event.texts.get("note") if event.kind == "qualify" else None
        stage.replies.append(Reply(word, event.at, event.by, event.acting_for_id, reason, note, after))

    def correct(self, event: Said) -> None:
        """A brief written after the hop, or another contact of the vendor's."""
        if event.texts.get("handover_brief") and len(self.been) > 1:
            self.been[-2].brief = event.texts["handover_brief"]
        self.name_vendor(event)

    def name_vendor(self, event: Said) -> None:
        vendor = {name: event.texts.get(f"vendor_{name}") for name in ("name", "contact", "reference")}
        if any(vendor.values()) and self.been[-1].tier in VENDOR_TIERS:
            self.been[-1].vendors.append({**vendor, "at": event.at, "by": event.by})

    def finish(self, *, live: bool) -> tuple[Stage, ...]:
        if not self.been:
            return tuple(Stage(tier, "ahead") for tier in self.path)
        last = self.been[-1]
        if not live:
            last.state = "ended"
            return tuple(self.stages)
        ahead = [Stage(tier, "ahead") for tier in self.path if TIERS.index(tier) > TIERS.index(last.tier)]
        return (*self.stages, *ahead)


def _attempt(event: Said, tier: str) -> Attempt:
    return Attempt(tier, event.texts.get("what"), event.texts.get("result"), event.at, event.by)


def _led_past(path: Sequence[str], was: str, came_to: str, passed_over: Iterable[str]) -> list[Stage]:
    """The tiers of the path between: those with nobody there, and those a person skipped."""
    between = [tier for tier in path if TIERS.index(was) < TIERS.index(tier) < TIERS.index(came_to)]
    passed = set(passed_over)
    return [
        Stage(tier, "passed_over", why="no_vendor" if tier == "vendor" else "nobody_there")
        if tier in passed
        else Stage(tier, "skipped", why="to_tier")
        for tier in between
    ]
