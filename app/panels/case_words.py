"""How the page of a case says things: its codes in words, the next step, and what clocks and ladders do next."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from babel.dates import format_timedelta
from markupsafe import Markup, escape

from app.escalations import code_words
from app.texts import gettext as _
from app.texts import language, noted

TONES = {
    "requested": "soon",
    "declined": "quiet",
    "open": "soon",
    "in_progress": "good",
    "waiting": "paused",
    "resolved": "soon",
    "closed": "quiet",
    "merged": "quiet",
}
STATUSES = {status: (tone, code_words.STATUSES[status]) for status, tone in TONES.items()}
OUTCOMES = {
    "resolved": noted("resolved"),
    "unresolved": noted("not resolved"),
    "withdrawn": noted("withdrawn by the customer"),
    "customer_silent": noted("the customer no longer answered"),
    "mistaken": noted("raised by mistake"),
}
CLOCKS = code_words.CLOCKS
CLOCK_TONES = {
    "running": "good",
    "paused": "paused",
    "breached": "missed",
    "met": "good",
    "missed": "missed",
    "cancelled": "quiet",
}
CLOCK_STATES = {state: (tone, code_words.CLOCK_STATES[state]) for state, tone in CLOCK_TONES.items()}
FLAGS = {
    "long_pause": noted("paused for long"),
    "logged_late": noted("logged late"),
    "late_by_original": noted("late by the original date"),
}
TIERS = code_words.TIERS
SEGMENTS = code_words.SEGMENTS
PARTIES = {"customer": noted("the customer"), "vendor": noted("the vendor"), "internal": noted("us")}
AUDIENCES = {
    "customer": noted("Customer"),
    "account_team": noted("Account team"),
    "executive": noted("Executives"),
}
CHANNELS = {
    "email": noted("E-mail"),
    "call": noted("Call"),
    "meeting": noted("Meeting"),
    "portal": noted("Portal"),
    "chat": noted("Chat"),
}
HOP_REASONS = {
    "time": noted("Its time ran out"),
    "options_exhausted": noted("Everything that can be done here was tried"),
    "severity": noted("It is too severe for this tier"),
    "outside_expertise": noted("It needs other knowledge"),
    "uncertainty": noted("Nobody here is sure"),
    "customer_demand": noted("The customer demands it"),
    "other": noted("Something else"),
}
MISROUTES = {
    "wrong_team": noted("The wrong team"),
    "wrong_person": noted("The wrong person"),
    "lacks_skill": noted("It needs other skills"),
    "no_capacity": noted("Too much work already"),
    "wrong_account": noted("The wrong account"),
    "conflict_of_interest": noted("A conflict of interest"),
    "other": noted("Something else"),
}
CHOICES = {
    "extend": noted("Give it more time, with a later close date"),
    "vendor": noted("Engage the vendor, with a named contact and reference"),
    "concession": noted("Offer the customer a concession and tell them"),
    "close_unresolved": noted("Close it unresolved and tell the customer why"),
    "go_on": noted("Go on as before"),
}
SEVERITIES = {
    1: noted("1 · nothing works"),
    2: noted("2 · badly hurt"),
    3: noted("3 · hindered"),
    4: noted("4 · annoyed"),
}
REPLIES = {
    "yes": noted("can be resolved here"),
    "no": noted("cannot be resolved here"),
    "resolved": noted("resolved here"),
    "moved_up": noted("moved up"),
    "unanswered": noted("not answered in time"),
}
PLACES = {
    "left": noted("was here"),
    "current": noted("is here"),
    "ended": noted("ended here"),
    "passed_over": noted("passed over"),
    "skipped": noted("skipped"),
    "ahead": noted("ahead"),
}
ROLES = {
    "owner": noted("the owner"),
    "owner_manager": noted("the owner's manager"),
    "team_lead": noted("the team's lead"),
    "account_owner": noted("the account owner"),
    "csm": noted("the CSM"),
    "sponsor": noted("the executive sponsor"),
    "watchers": noted("who watches"),
    "next_tier": noted("the next tier"),
    "approver": noted("the approver"),
    "approver_manager": noted("the approver's manager"),
    "admins": noted("the admins"),
}
HELD_BACK = {
    "already_acted": noted("it was done already"),
    "merged": noted("the case was merged"),
    "closed": noted("the case is closed"),
    "no_address": noted("no address"),
    "absent": noted("absent"),
}
DOES = {
    "escalate": noted("the work moves up a tier"),
    "reassign": noted("it is given to somebody else"),
    "task": noted("a task is made"),
    "decision": noted("management is asked to decide"),
    "close": noted("it closes without the customer's word"),
}
LIKENESS = {
    "same_reference": noted("a ticket in common"),
    "similar_text": noted("similar words"),
    "same_account": noted("same account"),
    "same_group": noted("same group"),
    "same_reason": noted("same reason"),
}
# Why somebody could not take a case, and what whoever could has points for.
EXCLUDED = {
    "absent": noted("absent"),
    "at_capacity": noted("full"),
    "out_of_hours": noted("out of hours"),
    "lacks_skill": noted("without a required skill"),
    "lacks_preferred": noted("without a preferred skill"),
    "inactive": noted("no longer active"),
    "about_user": noted("it is about them"),
    "left_out": noted("had it just before"),
    "not_a_person": noted("an integration"),
    "place_taken": noted("another case took their last place"),
}
POINTS = {
    "affinity": noted("knowing the account"),
    "capacity": noted("free capacity"),
    "overlap": noted("shared working hours"),
    "value": noted("a small share of the value in hand"),
    "rest": noted("rest since the last assignment"),
}
TOLD = {
    "sent": noted("sent"),
    "done": noted("done"),
    "suppressed": noted("held back"),
    "folded": noted("told together with another"),
    "passed_over": noted("passed over"),
}
FILE_STATES = {
    "waiting": noted("not scanned yet"),
    "removed": noted("removed"),
    "infected": noted("infected"),
    "erased": noted("erased"),
}
USERS = {
    "csm": noted("CSM"),
    "specialist": noted("Specialist"),
    "manager": noted("Manager"),
    "executive": noted("Executive"),
    "admin": noted("Admin"),
    "integration": noted("Integration"),
}
# Sentence, and the words on its button.
NEXT: Mapping[str, tuple[str, str]] = {
    "decide_request": (noted("Decide whether this may be raised"), noted("Decide")),
    "await_approval": (noted("It waits for an approver's word"), ""),
    "answer_extension": (noted("Answer the request for a later close date"), noted("Answer")),
    "decide": (noted("Decide what is done: it has come to you"), noted("Decide")),
    "write_handover": (noted("Write the handover and move the work up"), noted("Move up")),
    "acknowledge": (noted("Acknowledge: take the case in hand"), noted("Acknowledge")),
    "verify": (noted("Get the customer's word"), noted("Note their word")),
    "answer_after": (noted("Answer the customer, who wrote after the case was closed"), noted("Write")),
    "late_brief": (noted("Write the handover brief that is still missing"), noted("Write")),
    "tell_customer": (noted("Tell the customer"), noted("Write")),
    "answer_customer": (noted("Answer the customer"), noted("Write")),
    "tell_account_team": (noted("Tell the account team"), noted("Write")),
    "tell_executives": (noted("Tell the executives"), noted("Write")),
    "plan": (noted("Agree a plan with the customer"), noted("Note the plan")),
    "sign_of_work": (noted("Show that somebody is on it: note what was tried"), noted("Note it")),
    "qualify": (noted("Say whether it can be resolved here"), noted("Answer")),
    "move_up": (noted("Resolve it here, or move it up"), noted("Move up")),
    "extend": (noted("Resolve it, or ask for an extension"), noted("Ask for more time")),
    "overdue": (noted("The close date is missed: resolve it, or ask for an extension"), noted("Ask for more time")),
    "await_extension": (noted("The request for a later date waits for its answer"), ""),
    "await_decision": (noted("Management has to decide"), noted("Decide")),
    "do_task": (noted("Do: %(task)s"), noted("Open the task")),
    "waiting_customer": (noted("Waiting for the customer"), noted("Take it up again")),
    "waiting_vendor": (noted("Waiting for the vendor"), noted("Take it up again")),
    "waiting_internal": (noted("Waiting for colleagues"), noted("Take it up again")),
    "resolve": (noted("Nothing required is open: resolve it"), noted("Resolve")),
    "closed": (noted("It is closed"), ""),
    "declined": (noted("It was declined"), ""),
    "merged": (noted("It was merged into another"), ""),
    "go_on": (noted("Go on"), ""),
}


def word(table: Mapping[Any, Any], key: Any) -> str:
    """The table's word in the reader's language; an unknown code as it is, without its underscores."""
    found = table.get(key, str(key).replace("_", " "))
    return _(found[-1] if isinstance(found, tuple) else found)


def tone(table: Mapping[Any, tuple[str, str]], key: Any) -> str:
    return table[key][0] if key in table else "quiet"


def step(offset: str) -> str:
    """A reminder by when it is due: `-P3D` is 3 days before; what is of another form stays as it is."""
    if offset == "0":
        return _("when it is due")
    if offset.endswith("%"):
        return _("at %(share)s of the time") % {"share": offset}
    found = OFFSET.fullmatch(offset)
    if not found:
        return offset
    days, hours, minutes = (int(one or 0) for one in found.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes)
    span = format_timedelta(length, granularity="minute", threshold=1.2, locale=language())
    return (_("%(span)s before") if found[1] == "-" else _("%(span)s after")) % {"span": span}


def listed(parts: Sequence[str]) -> str:
    """`the owner and the CSM`."""
    if len(parts) < 2:
        return "".join(parts)
    return _("%(first)s and %(last)s") % {"first": ", ".join(parts[:-1]), "last": parts[-1]}


def what_happens(action: str, roles: Sequence[str]) -> str:
    """What a step of a ladder does, in words: who is told, or what is done."""
    if action != "notify":
        return word(DOES, action)
    people = listed([word(ROLES, role) for role in roles])
    return (_("%(people)s is told") if len(roles) == 1 else _("%(people)s are told")) % {"people": people}


def choices(table: Mapping[Any, Any], only: Iterable[Any] | None = None) -> list[tuple[Any, str]]:
    """The table as the choices of a form, all or only some."""
    return [(key, word(table, key)) for key in (table if only is None else only)]


OFFSET = re.compile(r"([+-])P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
# What a draft leaves to be filled.
GAP = re.compile("⟦[^⟧]*⟧")


def gaps(text: str) -> Markup:
    """A letter as its reader sees it, with what is still to be filled marked."""
    parts = GAP.split(text), GAP.findall(text)
    marked = [Markup("<mark>{}</mark>").format(gap) for gap in parts[1]]
    shown = [escape(part) for part in parts[0]]
    return Markup("").join(piece for pair in zip(shown, (*marked, ""), strict=True) for piece in pair)
