"""What the page of a case is made from: the overview, told in sentences, bars and lists."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.auth.actor import Actor
from app.escalations.overview import MOST_EVENTS, Overview
from app.panels import case_words as words
from app.panels import clock_bars, event_words, next_step
from app.panels.case_timeline import days_of, lines_of
from app.panels.navigation import day, relative
from app.panels.next_step import Promise, Step, Todo
from app.panels.told import told
from app.sla.ledger import STANDING
from app.texts import gettext as _
from app.texts import noted

# The reader's actions in the order of the work, each with what its link says and its key.
OFFERED: Mapping[str, tuple[str, str | None]] = {
    "updates": (noted("Write an update"), "e"),
    "messages": (noted("Note what the customer said"), None),
    "acknowledge": (noted("Acknowledge"), None),
    "approve": (noted("Approve"), None),
    "decline": (noted("Decline"), None),
    "qualify": (noted("Can it be resolved here?"), None),
    "plan": (noted("Note the plan"), None),
    "wait": (noted("Wait"), None),
    "resume": (noted("Take it up again"), None),
    "escalate": (noted("Move up"), None),
    "resolve": (noted("Resolve"), None),
    "verify": (noted("Note the customer's word"), None),
    "extend": (noted("A later close date"), None),
    "assign": (noted("Give to somebody else"), None),
    "decision": (noted("Record a decision"), None),
    "edit": (noted("Edit"), None),
    "merge": (noted("Merge"), None),
    "playbook": (noted("Another playbook"), None),
    "reopen": (noted("Take it up again"), None),
    "survey": (noted("Ask how it was handled"), None),
    "close-unresolved": (noted("Close unresolved"), None),
}


def view_of(found: Overview, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Everything the page's parts show."""
    case = found.case
    bars = clock_bars.bars_of(found.clocks, found.coming, found.sent, now=now)
    step = next_step.next_step(situation_of(found, actor, now))
    return {
        "case": case,
        "record": found.record,
        "standing": found.standing,
        "my_places": {str(actor.user_id), *map(str, found.standing.absent)},
        "allowed": found.allowed,
        "zone": case["zone"],
        "words": words,
        "me": actor,
        "next": step,
        "next_path": path_of(step, case),
        "bars": bars,
        "ended": [view for view in found.clocks if view.state.state not in STANDING],
        "task_titles": {str(task["id"]): task["title"] for task in case["tasks"]},
        "tried": [attempt for stage in found.way.stages for attempt in stage.attempts],
        "earlier_attempts": found.way.earlier_attempts,
        "stages": found.way.stages,
        "open_tasks": [task for task in case["tasks"] if task["state"] == "open"],
        "ended_tasks": [task for task in case["tasks"] if task["state"] != "open"],
        "drafts": drafts_of(found),
        "criteria": found.criteria,
        "answers": found.answers,
        "token": token_of(case["version"], now),
        "is_watching": actor.email in case["watchers"],
        **timeline_view(case["id"], found.events, found.sent),
    }


def situation_of(found: Overview, actor: Actor, now: datetime) -> next_step.Situation:
    """The case as the rules of the next step ask about it."""
    running = [view for view in found.clocks if view.state.state in STANDING and view.row.kind != "task"]
    tasks = [
        Todo(
            id=str(task["id"]),
            kind=task["kind"],
            title=task["title"],
            due_at=task["due_at"],
            mine=is_mine(task, found, actor),
            required=task["required"],
        )
        for task in found.case["tasks"]
        if task["state"] == "open" and task["ready_at"] is not None
    ]
    return next_step.situation_of(
        found.case,
        now=now,
        allowed=found.allowed,
        promises=[Promise(view.row.kind, view.state.due_at) for view in running],
        tasks=tasks,
        pending=frozenset(one["kind"] for one in found.case["pending"]),
        ready=is_ready(found),
    )


def is_mine(task: Mapping[str, Any], found: Overview, actor: Actor) -> bool:
    """Whether the reader does this task, themselves or for somebody absent."""
    mine = {str(actor.user_id), *map(str, found.standing.absent)}
    return str(task["assignee_id"]) in mine


def is_ready(found: Overview) -> bool:
    """Whether nothing required stands between the case and its resolution."""
    open_required = [task for task in found.case["tasks"] if task["state"] == "open" and task["required"]]
    return not open_required and all(one.state != "open" for one in found.criteria)


def path_of(step: Step, case: Mapping[str, Any]) -> str | None:
    """Where the step's form is."""
    here = f"/escalations/{case['id']}"
    if step.action is None:
        return None
    if step.action == "task" and step.task is not None:
        return f"{here}/tasks/{step.task.id}"
    special = {"late_brief": "edit", "tell_account_team": "updates?audience=account_team",
               "tell_executives": "updates?audience=executive"}  # fmt: skip
    return f"{here}/{special.get(step.code, step.action)}"


def sentence_of(step: Step) -> str:
    """The step in words."""
    said = _(words.NEXT[step.code][0])
    return said % {"task": step.task.title if step.task else ""} if "%(" in said else said


def drafts_of(found: Overview) -> list[dict[str, Any]]:
    """The drafts of the case's playbook, those that suit its status first, with when each was last sent."""
    sent = found.case["drafts_sent"]
    drafts = [
        {"key": one.key, "title": one.title, "audience": one.audience,
         "suggested": found.record.status in one.suits, "last_sent_at": sent.get(one.key)}
        for one in (found.playbook.drafts if found.playbook else ())
    ]  # fmt: skip
    return sorted(drafts, key=lambda one: not one["suggested"])


def timeline_view(
    case_id: Any, events: Sequence[Mapping[str, Any]], sent: Sequence[Mapping[str, Any]], *, show: str = "all"
) -> dict[str, Any]:
    """A page of the timeline; reminders lie among the events of their time."""
    shown = events[:MOST_EVENTS]
    more = len(events) > MOST_EVENTS
    oldest = shown[-1]["at"] if more else None
    among = [line for line in sent if line["held_until"] is None and (oldest is None or line["at"] >= oldest)]
    return {
        "days": days_of(lines_of(shown, among)),
        "show": show,
        "filters": [(name, _(label)) for name, (label, _kinds) in event_words.FILTERS.items()],
        "before": shown[-1]["seq"] if more else None,
        "newest": max((event["seq"] for event in shown), default=0),
        "case_id": case_id,
    }


def token_of(version: int, now: datetime) -> str:
    """What the page shows: the record's version, and five minutes in which its relative times stay true."""
    return f"{version}-{int(now.timestamp()) // 300}"


def offered(case: Mapping[str, Any], allowed: frozenset[str]) -> list[tuple[str, str, str, str | None]]:
    """The reader's actions with where their forms are, what their links say and their keys."""
    here = f"/escalations/{case['id']}"
    return [(name, f"{here}/{name}", _(label), key) for name, (label, key) in OFFERED.items() if name in allowed]


def bar_words(bar: clock_bars.Bar) -> str:
    """The picture of a promise in words."""
    parts = [words.word(words.CLOCKS, bar.kind), words.word(words.CLOCK_STATES, bar.state)]
    if bar.due_at is not None:
        parts.append(_("due %(when)s") % {"when": relative(bar.due_at)})
    counts = Counter(tick.mark for tick in bar.ticks)
    told: dict[clock_bars.Mark, str] = {
        "sent": _("%(num)s reminders sent"),
        "suppressed": _("%(num)s held back"),
        "coming": _("%(num)s to come"),
    }
    parts += [sentence % {"num": counts[mark]} for mark, sentence in told.items() if counts[mark]]
    return ", ".join(parts)


def initials(name: str) -> str:
    """`AB` of Ada Bell."""
    parts = name.split()
    return "".join(part[0].upper() for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts))


def sentence(text: str) -> str:
    """What the engine says, with a capital and a full stop."""
    said = told(text)
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def pairs(rows: Sequence[Mapping[str, Any]], value: str, label: str) -> list[tuple[Any, Any]]:
    """Rows as the choices of a form."""
    return [(row[value], row[label]) for row in rows]


def iso_day(said: str | None) -> str:
    """A day that came as text."""
    return day(date.fromisoformat(said)) if said else "–"
