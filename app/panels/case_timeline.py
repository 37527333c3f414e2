"""The timeline as people read it: newest first, by day, people's words in full, the engine's notes in one line each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from app.panels import case_words as words
from app.panels import event_words
from app.panels.navigation import day as day_of
from app.panels.navigation import viewer_zone
from app.panels.record_words import field
from app.panels.told import told
from app.texts import gettext as _

CODES = frozenset({"title", "raised_by_email", "name", "other_answers"})


@dataclass(frozen=True)
class Line:
    """One line: who did what, in words, and what they wrote. A reminder has no `seq`."""

    at: datetime
    said: str
    by: str | None
    acting_for: str | None = None
    seq: int | None = None
    recorded_at: datetime | None = None
    texts: tuple[tuple[str, str | None], ...] = ()

    @property
    def is_engine(self) -> bool:
        """What nobody did and nobody wrote."""
        return self.by is None and not self.texts

    @property
    def is_logged_later(self) -> bool:
        return self.recorded_at is not None and (self.recorded_at - self.at).total_seconds() > 60


@dataclass(frozen=True)
class Day:
    """The lines of one day in the viewer's zone: people's, and folded beside them what the engine noted."""

    on: date
    lines: Sequence[Line]
    notes: Sequence[Line]


def days_of(lines: Iterable[Line]) -> list[Day]:
    """Lines in their order, by day."""
    zone = ZoneInfo(viewer_zone())
    found = []
    for on, group in groupby(lines, key=lambda line: line.at.astimezone(zone).date()):
        of_day = list(group)
        people, engine = ([line for line in of_day if line.is_engine is quiet] for quiet in (False, True))
        found.append(Day(on, people, engine))
    return found


def lines_of(events: Iterable[Mapping[str, Any]], sent: Iterable[Mapping[str, Any]] = ()) -> list[Line]:
    """Events and reminders together, newest first."""
    lines = [*map(line_of, events), *map(reminder_of, sent)]
    return sorted(lines, key=lambda line: (line.at, line.seq or 0), reverse=True)


def line_of(event: Mapping[str, Any]) -> Line:
    return Line(
        at=event["at"],
        said=said_of(event),
        by=event["actor"],
        acting_for=event["acting_for"],
        seq=event["seq"],
        recorded_at=event["recorded_at"],
        texts=tuple(texts_of(event)),
    )


def texts_of(event: Mapping[str, Any]) -> Iterable[tuple[str, str | None]]:
    """What somebody wrote, each under its heading; one erased by law is None."""
    order = list(event_words.LABELS)
    by_engine = event["actor"] is None
    known = sorted(event["texts"], key=lambda name: order.index(name) if name in order else len(order))
    for name in known:
        if name not in CODES:
            said = event["texts"][name]
            heading = _(event_words.LABELS[name]) if name in event_words.LABELS else ""
            yield heading, told(said) if by_engine and said else said


def said_of(event: Mapping[str, Any]) -> str:
    """The event in one sentence."""
    sentence = _(event_words.SAID.get(event["kind"], event["kind"].replace("_", " ").capitalize()))
    return sentence % Named(event) if "%(" in sentence else sentence


class Named(dict[str, str]):
    """The names in an event's sentence, made from its facts when they are asked for."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        super().__init__()
        self.event = event
        self.facts: Mapping[str, Any] = event["facts"]

    def __missing__(self, name: str) -> str:
        return str(NAMES[name](self) or _("nothing more"))

    def text(self, name: str) -> str:
        return self.event["texts"].get(name) or ""


def _on(said: Any) -> str:
    """A day or a moment that facts carry as text."""
    if not said:
        return _("no day")
    text = str(said)
    return day_of(datetime.fromisoformat(text) if len(text) > len("2026-01-31") else date.fromisoformat(text))


def _answer(named: Named) -> str:
    return words.word(words.REPLIES, "yes" if named.facts.get("resolvable") else "no")


def _word(named: Named) -> str:
    accepted = named.facts.get("accepted")
    return _("confirmed") if accepted else _("none came") if accepted is None else _("not solved")


def _fields(named: Named) -> str:
    changed = [name for name in named.facts if name not in ("missing", "completeness", "fields")]
    return ", ".join(field(name) for name in (*named.facts.get("fields", ()), *changed))


def _audiences(named: Named) -> str:
    return words.listed([words.word(words.AUDIENCES, one).lower() for one in named.facts.get("audiences", ())])


NAMES: Mapping[str, Callable[[Named], Any]] = {
    "owner": lambda named: named.event["owner"],
    "task": lambda named: named.event["task"] or named.text("title"),
    "state": lambda named: {"done": _("done"), "waived": _("not needed"), "open": _("open")}.get(
        named.facts.get("state", ""), ""
    ),
    "answer": _answer,
    "tier": lambda named: words.word(words.TIERS, named.facts.get("tier")),
    "party": lambda named: words.word(words.PARTIES, named.facts.get("party")),
    "until": lambda named: _on(named.facts.get("until") or named.facts.get("resume_on")),
    "word": _word,
    "outcome": lambda named: words.word(words.OUTCOMES, named.facts.get("outcome")),
    "choice": lambda named: words.word(words.CHOICES, named.facts.get("choice")),
    "number": lambda named: named.facts.get("number"),
    "forecast": lambda named: _on(named.facts.get("forecast_close_on") or named.facts.get("is")),
    "audiences": _audiences,
    "link": lambda named: f"{named.facts.get('system')} {named.facts.get('external_id')}",
    "fields": _fields,
    "score": lambda named: named.facts.get("score") or named.facts.get("is"),
}


def reminder_of(line: Mapping[str, Any]) -> Line:
    """A line of the log of reminders."""
    clock = words.word(words.CLOCKS, line["clock"])
    values = {
        "clock": clock,
        "step": words.step(line["step"]),
        "to": line["recipient"],
        "why": words.word(words.HELD_BACK, line["reason"] or ""),
    }
    if line["outcome"] == "suppressed":
        said = _("Reminder held back (%(why)s): %(clock)s, to %(to)s") % values
    elif line["outcome"] == "passed_over":
        said = _("Reminder passed over: %(clock)s, %(step)s") % values
    elif line["action"] != "notify":
        said = _("%(clock)s: %(done)s") % {**values, "done": words.word(words.DOES, line["action"])}
    elif line["recipient"] == "-":
        said = _("Reminder: %(clock)s, %(step)s, reached nobody") % values
    else:
        said = _("Reminder: %(clock)s, %(step)s, to %(to)s") % values
    return Line(at=line["at"], said=said, by=None)
