"""What the figures of owners and teams mean."""

from app.reports.courses import AGES, MISSED, PARTS
from app.reports.definitions import CASES, LINES, OPEN_CASES, Definition
from app.texts import noted

GIVEN_ON = "(f.owners - -1) ?| cast(cast(:people as uuid[]) as text[])"
TAKEN_OVER = "(f.owners - 0) ?| cast(cast(:people as uuid[]) as text[])"
_COUNT = noted("count of cases raised from–to for which this holds as of then")
_OPEN = noted("count of open cases as of then")
_AGES = {
    "under_7": noted("Open under 7 days"),
    "from_7_to_14": noted("Open 7 to 14 days"),
    "from_15_to_30": noted("Open 15 to 30 days"),
    "over_30": noted("Open over 30 days"),
}

OF_OWNERS = (
    Definition(
        "load",
        noted("Load"),
        noted(
            "Work in hand as routing weighs it: an open case counts 4, 3, 2 or 1 by severity 1 to 4, half of that "
            "while it waits or is resolved. Capacity is that of today: the largest of somebody's places in teams, of "
            "a team what its members take on there."
        ),
        noted("sum over open cases of weight; beside it the capacity"),
        OPEN_CASES,
    ),
    *(
        Definition(f"aged_{age}", _AGES[age], noted("Open cases by whole days since they were raised."), _OPEN,
                   OPEN_CASES, condition)
        for age, condition in AGES.items()
    ),
    Definition(
        "value_in_hand",
        noted("Value in hand"),
        noted("Value at stake in the open cases somebody holds, each contract and opportunity once."),
        noted("value at stake over the open cases of the owner or the team"),
        LINES,
    ),
    Definition(
        "missed",
        noted("Not closed on time"),
        noted(
            "Closed late, ended unresolved or because the customer was silent, or open past the original target. A "
            "case counts with the last of its owners; who stood in for somebody absent is no owner here."
        ),
        noted("late + unresolved + customer_silent + open_overdue"),
        CASES,
        MISSED,
    ),
    *(
        Definition(f"missed_{part.key}", part.name, part.text, noted("count of cases not closed on time for which this "
                   "holds; one case can count under several"), CASES, f"{MISSED} and {part.condition}")
        for part in PARTS
    ),
    Definition(
        "rerouted_away",
        noted("Given on"),
        noted("Cases given on to another owner, once each; moves for absence and hand-backs don't count."),
        _COUNT,
        CASES,
        "f.reroutes > 0",
        GIVEN_ON,
    ),
    Definition(
        "rerouted_to",
        noted("Taken over"),
        noted("Cases taken over from another owner, once each; moves for absence and hand-backs don't count."),
        _COUNT,
        CASES,
        "f.reroutes > 0",
        TAKEN_OVER,
    ),
)  # fmt: skip
