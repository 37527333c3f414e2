"""What the members of a record and their codes are called, where a line of the timeline is shown in full."""

import json
from collections.abc import Mapping
from typing import Any

from app.panels.case_words import CHANNELS, CHOICES, OUTCOMES, PARTIES, STATUSES, TIERS, word
from app.panels.told import REASONS
from app.texts import gettext as _
from app.texts import noted

# What a record's members are called.
FIELDS = {
    "account": noted("Account"),
    "answers": noted("Answers"),
    "audiences": noted("Audience"),
    "cause": noted("Cause"),
    "channel": noted("Channel"),
    "close_target": noted("To be closed by"),
    "completeness": noted("Questions answered"),
    "contracts": noted("Contracts"),
    "contract_ids": noted("Contracts"),
    "currency": noted("Currency"),
    "customer_agreed": noted("The customer agreed"),
    "customer_statement": noted("The customer said"),
    "desired_outcome": noted("What would make it right"),
    "due_at": noted("Due"),
    "forecast_close_on": noted("Closes on, as you see it"),
    "impact": noted("What it does to them"),
    "is": noted("Now"),
    "owner": noted("Owner"),
    "party": noted("For whom it waits"),
    "playbook": noted("Playbook"),
    "raised_by": noted("Raised by"),
    "reason": noted("Kind of grievance"),
    "restricted": noted("Who sees it?"),
    "resume_on": noted("Until"),
    "root_cause": noted("Why it happened"),
    "rule": noted("Rule"),
    "severity": noted("Severity"),
    "severity_reason": noted("Why the severity falls"),
    "source": noted("Source"),
    "state": noted("State"),
    "status": noted("State"),
    "task": noted("Task"),
    "team": noted("Team"),
    "tier": noted("Tier"),
    "title": noted("Title"),
    "until": noted("Until"),
    "value": noted("Value"),
    "vendor_contact": noted("Contact"),
    "vendor_name": noted("Vendor"),
    "vendor_reference": noted("Their number"),
    "was": noted("Before"),
}
CAUSES = {
    "raise": noted("Raised"),
    "assign": noted("Given to somebody else"),
    "hop": noted("Moved up"),
    "absence": noted("absent"),
    "hand_back": noted("Taken back after an absence"),
    "rebalance": noted("Work spread anew"),
    "reopen": noted("Taken up again"),
    "deactivated": noted("no longer active"),
}
RAISERS = {"customer": noted("the customer"), "colleague": noted("a colleague"), "system": noted("a program")}
SOURCES = {"api": noted("a program"), "panel": noted("this panel"), "import": noted("an import")}
FACTS: Mapping[str, Mapping[str, Any]] = {
    "tier": TIERS,
    "from_tier": TIERS,
    "to_tier": TIERS,
    "party": PARTIES,
    "channel": CHANNELS,
    "outcome": OUTCOMES,
    "choice": CHOICES,
    "status": STATUSES,
    "cause": CAUSES,
    "raised_by": RAISERS,
    "source": SOURCES,
    "reason": {label.lower().replace(" ", "_"): label for label in REASONS},
}


def field(name: str) -> str:
    """What a member of a record is called."""
    return word(FIELDS, name)


def fact(name: str, said: Any) -> str:
    """What stands at this member of a record: a code in words, else as it is kept."""
    if said is None or isinstance(said, bool):
        return "–" if said is None else _("yes") if said else _("no")
    if isinstance(said, str) and said in FACTS.get(name, {}):
        return word(FACTS[name], said)
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
