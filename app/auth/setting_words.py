"""Settings by what they are about: how each is called on its page and what it does. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.texts import noted


@dataclass(frozen=True)
class Setting:
    """One thing to set: how it is called, what it does, and what kind of field it has."""

    name: str
    label: str
    text: str
    kind: str = "number"


GROUPS: Sequence[tuple[str, Sequence[Setting]]] = (
    (
        noted("Where you are"),
        (
            Setting(
                "timezone", noted("Time zone"), noted("Days begin and end by it, where nobody has another."), "zone"
            ),
            Setting("reporting_currency", noted("Currency"), noted("Values are added up in it."), "currency"),
            Setting(
                "calendar",
                noted("Working hours"),
                noted("Promises count by it where nothing else is said."),
                "calendar",
            ),
            Setting(
                "rate_max_age_days", noted("Age of exchange rates"), noted("Days after which a rate no longer counts.")
            ),
        ),
    ),
    (
        noted("Who answers when nobody else can"),
        (
            Setting(
                "duty_owner_email", noted("Duty owner"), noted("Gets what no rule finds an owner for."), "colleague"
            ),
            Setting("duty_deputy_email", noted("Deputy"), noted("Gets it while the duty owner is away."), "colleague"),
            Setting(
                "absence_mode",
                noted("While somebody is away"),
                noted("What happens to their cases, unless they say otherwise."),
                "mode",
            ),
            Setting(
                "capacity",
                noted("Room for work"),
                noted("Units of work that fit with one person: a case weighs 4, 3, 2 or 1 by severity."),
            ),
            Setting(
                "suggestion_confidence",
                noted("Suggestions from closed cases"),
                noted("How sure they must be, from 0 to 1; blank: none are made."),
                "share",
            ),
        ),
    ),
    (
        noted("What is promised"),
        (
            Setting("close_days", noted("Close"), noted("Calendar days from the raise.")),
            Setting(
                "acknowledge_hours", noted("Acknowledge"), noted("Working hours for the owner to take it in hand.")
            ),
            Setting("respond_business_days", noted("First answer to the customer"), noted("Working days.")),
            Setting("decide_business_days", noted("Decide on a request"), noted("Working days for whoever is asked.")),
            Setting(
                "verify_business_days",
                noted("Get the customer's word"),
                noted("Working days after it is called solved."),
            ),
            Setting(
                "silent_gap_business_days",
                noted("Silence"),
                noted("Working days without a word to the customer that count as a gap."),
            ),
        ),
    ),
    (
        noted("Waiting and coming back"),
        (
            Setting(
                "wait_budget_business_days",
                noted("Waiting in all"),
                noted("Working days that promises may stand still for one case."),
            ),
            Setting(
                "resume_within_business_days",
                noted("One wait"),
                noted("Working days after which a wait must be looked at."),
            ),
            Setting(
                "reopen_days", noted("Open again"), noted("Days after the close in which a case may be opened again.")
            ),
        ),
    ),
)
WEIGHTS: Mapping[str, str] = {
    "value": noted("Value at stake"),
    "severity": noted("Severity"),
    "renewal": noted("Renewal is near"),
    "age": noted("How long it is open"),
    "health": noted("Poor health"),
    "repeats": noted("Happened before"),
}
MODES: Mapping[str, str] = {
    "cover": noted("They stay theirs; whoever stands in helps"),
    "move": noted("Whoever stands in becomes the owner"),
}
LABELS: Mapping[str, str] = {
    **{setting.name: setting.label for _title, settings in GROUPS for setting in settings},
    **{f"priority_weights.{name}": label for name, label in WEIGHTS.items()},
    "approval.asked": noted("Raises need a yes"),
    "approval.approvers": noted("Who is asked"),
    "reasons": noted("Reasons of your own"),
}
