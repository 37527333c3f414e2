"""What a comparison's value looks like, and what a target is made of: enough to build a form from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.routing.fields import MAX_TEXT, Field
from app.routing.match import MAX_CHOICES, MAX_DAYS
from app.routing.policy import ROLES, STRATEGIES
from app.routing.requirements import MAX_SKILLS


@dataclass(frozen=True)
class Shape:
    """How a value is written in JSON, with one that is accepted."""

    name: str
    doc: str
    example: Any


@dataclass(frozen=True)
class Member:
    """One member of a target: its type, and the only words it can have where they are known."""

    name: str
    type: str
    doc: str
    required: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class TargetKind:
    """One kind of target with its members besides `kind`."""

    kind: str
    doc: str
    members: tuple[Member, ...] = field(default=())


_ONE = (
    Shape("text", f"A text of 1 to {MAX_TEXT} characters; case does not matter.", "Oslo"),
    Shape("number", "A number, not in quotes.", 3),
    Shape("money", "An amount in the reporting currency: a text with a decimal point, or a number.", "500000.00"),
    Shape("date", "A date of the tenant's calendar.", "2026-12-25"),
    Shape("datetime", "A moment with its offset.", "2026-12-25T09:00:00+00:00"),
    Shape("bool", "true or false.", True),
)
SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (
        *_ONE,
        *(Shape(f"{s.name}[]", f"A list of 1 to {MAX_CHOICES}: {s.doc}", [s.example]) for s in _ONE[:3]),
        Shape("days", f"Whole days from now, at most {MAX_DAYS}; a negative number looks back.", 60),
    )
}
OPERATORS: Mapping[str, str] = {
    "=": "Is this. A missing fact is nothing.",
    "!=": "Is not this; a missing fact is not.",
    "in": "Is one of these.",
    "contains": "Has this part; of a list, this item.",
    "<": "Less, or before.",
    "<=": "At most, or not after.",
    ">": "More, or after.",
    ">=": "At least, or not before.",
    "within_days": "From now to so many days ahead, both included.",
    "is_set": "Whether it is known at all; true unless said.",
}
TARGETS: tuple[TargetKind, ...] = (
    TargetKind(
        "user",
        "A colleague by name.",
        (Member("user_id", "id", "Whom; when saving, `email` may stand in its place."),),
    ),
    TargetKind("role", "Who has this role on the account.", (Member("role", "text", "Which role.", values=ROLES),)),
    TargetKind("previous_owner", "Who owned this account's previous escalation with the same reason."),
    TargetKind(
        "team",
        "A member of a team.",
        (
            Member("team_id", "id", "Which team; when saving, `team` with its name may stand in its place."),
            Member("strategy", "text", "How the member is chosen: by the printed score.", False, STRATEGIES),
        ),
    ),
    TargetKind("suggested", "Whom closed cases suggest, when surely enough; off until the tenant sets how surely."),
)
RULE: tuple[Member, ...] = (
    Member("name", "text", "What decisions and reports call the rule; each has its own."),
    Member("when", "condition", "all, any, not, or a comparison: field, op, value."),
    Member("target", "target", "Whom the rule wants."),
    Member("fallback", "target", "Whom it wants when the target yields nobody.", False),
    Member("required_skills", "skills", f"At most {MAX_SKILLS}: without one of them nobody is eligible.", False),
    Member("preferred_skills", "skills", "The most important first; given up from the last one backwards.", False),
)


def shape_of(known: Field, op: str) -> Shape:
    """What the value of this comparison looks like."""
    if op == "is_set":
        return SHAPES["bool"]
    if op == "within_days":
        return SHAPES["days"]
    name = "text" if known.type == "list" else known.type
    return SHAPES[f"{name}[]" if op == "in" else name]


def allowed_values(known: Field, op: str) -> tuple[str, ...]:
    """The only words this comparison can be made with; a part of a word may be any text."""
    return known.values if op in ("=", "!=", "in") else ()
