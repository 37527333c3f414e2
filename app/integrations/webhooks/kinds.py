"""What other systems can be told of (pure): lines of a case's timeline, and promises that were missed.

An event is named `escalation.` and the kind of its line; ids and codes only travel, so that a receiver asks for the
rest with rights of its own.
"""

from collections.abc import Iterable

LINES = (
    "raise", "request", "approve", "decline", "assign", "acknowledge", "lapse", "qualify", "escalate", "wait",
    "wait_budget_used", "resume", "resolve", "verify", "close_unresolved", "reopen", "decision", "decision_asked",
    "merge", "extend", "extension_asked", "extension_declined", "plan", "forecast", "attempt", "update", "message",
    "comment", "link", "edit", "task", "task_added", "task_ready", "playbook", "playbook_replaced", "prevention",
    "survey",
)  # fmt: skip
BREACH = "promise.breach"
TEST = "firsthand.test"
EVENTS = (*(f"escalation.{kind}" for kind in LINES), BREACH)


def lines_of(events: Iterable[str]) -> list[str]:
    """The kinds of line that these events stand for."""
    return [event.partition(".")[2] for event in events if event != BREACH]
