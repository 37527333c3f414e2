"""The fixed words of a case and how its number is written."""

import json
from typing import Any
from urllib.parse import quote

from app.auth.settings import REASONS
from app.escalations.tiers import TIERS
from app.playbooks.definition import AUDIENCES

__all__ = [
    "AUDIENCES",
    "CHOICES",
    "CHOICE_MEANS",
    "HOP_REASONS",
    "REASONS",
    "TIERS",
    "as_json",
    "link_for_lessons",
    "numbered",
]

HOP_REASONS = (
    "time",
    "options_exhausted",
    "severity",
    "outside_expertise",
    "uncertainty",
    "customer_demand",
    "other",
)
CHOICES = ("extend", "vendor", "concession", "close_unresolved", "go_on")
# Each choice in words, and the call by which it is done.
CHOICE_MEANS: dict[str, tuple[str, str | None]] = {
    "extend": ("give it more time, with a later close date", "extend"),
    "vendor": ("engage the vendor, with a named contact and reference", "escalate"),
    "concession": ("offer the customer a concession and tell them", "updates"),
    "close_unresolved": ("close it unresolved and tell the customer why", "close-unresolved"),
    "go_on": ("go on as before", None),
}
CHANNELS = ("call", "email", "meeting", "portal", "chat")


def numbered(number: int) -> str:
    """`ESC-1042`, as people see it."""
    return f"ESC-{number}"


def as_json(value: Any) -> str:
    return json.dumps(value, default=str)


def link_for_lessons(reason: str) -> str:
    """Where a case of this reason finds what was learnt before."""
    return f"/api/v1/lessons?reason={quote(reason, safe='')}"
