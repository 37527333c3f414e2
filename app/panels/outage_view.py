"""What the pages of outages say: the last word on one, what was offered to its cases, and its timeline in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.panels import case_words as words
from app.panels.case_timeline import Day, Line, days_of, texts_of
from app.texts import gettext as _
from app.texts import noted

SAID: Mapping[str, str] = {
    "open": noted("Opened; %(owner)s owns it"),
    "edit": noted("Changed %(fields)s"),
    "update": noted("What is known was offered to its cases, for %(audiences)s"),
    "resolve": noted("It is over; its cases were offered this, for %(audiences)s"),
}
FIELDS = {"title": noted("the title"), "statement": noted("the statement"), "owner": noted("the owner")}
OUTCOMES = {
    "raised": ("good", noted("raised")),
    "linked": ("good", noted("joined")),
    "known": ("quiet", noted("was there already")),
    "rejected": ("missed", noted("not taken")),
}
# What is read first of an event: what customers read, else what was said among us.
FIRST = ("text", "summary", "text_customer", "text_account_team", "text_executive")


def last_said(word: Mapping[str, Any] | None) -> str | None:
    """The last word on an outage as one text; None when nobody has said anything, or it was erased."""
    texts = (word or {}).get("texts") or {}
    return next((texts[name] for name in FIRST if texts.get(name)), None)


def offer_words(offer: Mapping[str, Any] | None) -> tuple[str, str]:
    """What became of what the outage offered to a case last, with its tone."""
    if offer is None:
        return "quiet", _("nothing offered yet")
    over = offer["kind"] == "outage_resolution"
    if offer["state"] == "open":
        return "soon", _("the end is offered, not told yet") if over else _("news is offered, not sent yet")
    if offer["state"] == "done":
        return "good", _("the end was told") if over else _("the news was sent")
    return "quiet", _("not sent: %(reason)s") % {"reason": offer["reason"] or "–"}


def days_of_outage(events: Iterable[Mapping[str, Any]]) -> list[Day]:
    """Its events by day, in words."""
    return days_of([line_of(event) for event in events])


def line_of(event: Mapping[str, Any]) -> Line:
    return Line(
        at=event["at"],
        said=said_of(event),
        by=event["actor"],
        acting_for=event["acting_for"],
        recorded_at=event["recorded_at"],
        texts=tuple(texts_of(event)),
    )


def said_of(event: Mapping[str, Any]) -> str:
    """The event in one sentence."""
    facts = event["facts"]
    changed = [*facts.get("fields", ()), *(["owner"] if isinstance(facts.get("owner"), Mapping) else [])]
    audiences = [words.word(words.AUDIENCES, one).lower() for one in facts.get("audiences") or ()]
    said = _(SAID.get(event["kind"], event["kind"])) % {
        "owner": event["owner"] or _("nobody"),
        "fields": words.listed([words.word(FIELDS, one) for one in changed]),
        "audiences": words.listed(audiences) or _("nobody"),
    }
    moved = "owner" in changed and event["owner"]
    return f"{said}: {event['owner']}" if moved else said


def refusals(hits: Sequence[Mapping[str, Any]]) -> str:
    """The lines that were not taken, to be mended and sent again."""
    return "\n".join(hit["line"] for hit in hits if hit["outcome"] == "rejected")
