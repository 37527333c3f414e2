"""What a message draft may name: the fields of a case, each with its kind and what it says.

A field that is for us alone, such as what a customer is worth to us, is refused in a wording for the customer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Union

from app.playbooks.intake import QUESTIONS

MOST_LISTED = 10


@dataclass(frozen=True)
class Field:
    """`kind`: text, number, date, moment or money; `internal`: never in a text for the customer."""

    kind: str
    about: str
    internal: bool = False


@dataclass(frozen=True)
class Many:
    """A list to go through with `for`, oldest first, at most the last MOST_LISTED."""

    about: str
    of: Mapping[str, Field]
    internal: bool = False


Group = Mapping[str, Union[Field, Many, "Group"]]


def _text(about: str, *, internal: bool = False) -> Field:
    return Field("text", about, internal)


def _moment(about: str, *, internal: bool = False) -> Field:
    return Field("moment", about, internal)


def _person(whose: str) -> Group:
    return {"name": _text(f"{whose}: name"), "email": _text(f"{whose}: e-mail")}


def _clock(about: str, *, internal: bool = False) -> Group:
    return {
        "due_at": _moment(f"{about}: due", internal=internal),
        "state": _text(f"{about}: running, paused, breached, met, missed or cancelled", internal=internal),
    }


ESCALATION: Group = {
    "number": _text("as people write it, ESC-1042"),
    "title": _text("its title"),
    "customer_statement": _text("what the customer said, in their own words"),
    "desired_outcome": _text("what would make it right for them"),
    "impact": _text("what it does to them"),
    "severity": Field("number", "1 (worst) to 4"),
    "status": _text("open, in_progress, waiting, resolved, closed"),
    "tier": _text("tier_1 to management"),
    "reason": _text("what kind of grievance it is"),
    "raised_at": _moment("when it was raised"),
    "due_at": _moment("when it is to be closed"),
    "resolve_by_at": _moment("by when we have to resolve it, so that the customer can still verify", internal=True),
    "forecast_close_on": Field("date", "when the owner expects to close it"),
    "waiting_for": _text("customer, vendor or internal", internal=True),
    "waiting_reason": _text("why it waits, as noted among us", internal=True),
    "resume_on": Field("date", "until when it waits"),
    "resolved_at": _moment("when it was resolved"),
    "closed_at": _moment("when it was closed"),
    "reopens": Field("number", "how often it was taken up again"),
}
VALUE: Group = {
    "at_stake": Field("money", "what we lose if this goes wrong", internal=True),
    "arr": Field("money", "the account's yearly revenue", internal=True),
    "renewal_on": Field("date", "the account's next renewal", internal=True),
    "renewal_value": Field("money", "what is then renewed", internal=True),
}
ACCOUNT: Group = {
    "name": _text("the customer company"),
    "region": _text("its region"),
    "segment": _text("strategic, enterprise, mid_market, small", internal=True),
    "health": Field("number", "0 to 100", internal=True),
    "owner": _person("the account's own owner"),
    "csm": _person("who looks after the account"),
}
CUSTOMER: Group = {
    "name": _text("the contact who raised it"),
    "email": _text("their address"),
    "last_told_at": _moment("when the customer last heard from us"),
    "last_wrote_at": _moment("when the customer last wrote"),
}
CLOCKS: Group = {
    "respond": _clock("the first answer to the customer"),
    "reply": _clock("the answer to their oldest open message"),
    "customer_update": _clock("the next update to the customer"),
    "plan": _clock("the plan agreed with the customer"),
    "verify": _clock("the customer's word on the resolution"),
    "close": _clock("closing the case"),
    "acknowledge": _clock("the owner's acknowledgement", internal=True),
    "account_team_update": _clock("the next update to the account team", internal=True),
    "executive_update": _clock("the next update to executives", internal=True),
    "tier": _clock("the time of this tier", internal=True),
    "still_on_it": _clock("the owner's next sign of work", internal=True),
}
NEXT_UPDATE: Group = {
    "customer": _moment("by when the customer hears from us again, if this is sent now"),
    "account_team": _moment("by when the account team does", internal=True),
    "executive": _moment("by when executives do", internal=True),
}
RESOLUTION: Group = {
    "summary": _text("what was done"),
    "root_cause": _text("why it happened"),
    "prevention": _text("what keeps it from happening again"),
}
OUTAGE: Group = {
    "title": _text("the outage behind the case: its title"),
    "statement": _text("what is known of it among us", internal=True),
    "opened_at": _moment("when we took it for one"),
    "updated_at": _moment("when it was last told of"),
    "update": _text("what it says to customers"),
    "update_account_team": _text("what it says to account teams", internal=True),
    "update_executive": _text("what it says to executives", internal=True),
    "resolution": _text("how it was ended"),
    "root_cause": _text("why it happened"),
}

FIELDS: Group = {
    "escalation": ESCALATION,
    "account": ACCOUNT,
    "value": VALUE,
    "owner": _person("who owns the case"),
    "manager": _person("the owner's manager"),
    "customer": CUSTOMER,
    "clocks": CLOCKS,
    "next_update": NEXT_UPDATE,
    "resolution": RESOLUTION,
    "handover": {"brief": _text("the last handover brief", internal=True)},
    "attempts": Many(
        "what was tried",
        {"at": _moment("when"), "what": _text("what"), "result": _text("with which result")},
        internal=True,
    ),
    "updates": Many("what we told the customer", {"at": _moment("when"), "text": _text("what we wrote")}),
    "messages": Many("what the customer wrote", {"at": _moment("when"), "text": _text("what they wrote")}),
    "outage": OUTAGE,
    "sender": _person("who sends this"),
    "us": {"name": _text("our company")},
}


def fields_with(questions: Mapping[str, str]) -> Group:
    """All fields of a case whose playbook asks these questions, by key."""
    return {**FIELDS, "answers": {key: _text(ask) for key, ask in {**QUESTIONS, **questions}.items()}}


def list_fields(group: Group = FIELDS, *, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every field by its path; one of a list has the list's name and `[]`."""
    for name, one in group.items():
        if isinstance(one, Field):
            yield prefix + name, one
        elif isinstance(one, Many):
            for member, field in one.of.items():
                yield f"{prefix}{name}[].{member}", Field(field.kind, f"{one.about}: {field.about}", one.internal)
        else:
            yield from list_fields(one, prefix=f"{prefix}{name}.")
