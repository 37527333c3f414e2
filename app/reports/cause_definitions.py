"""What the figures of causes mean."""

from app.reports.causes_sql import STATES
from app.reports.courses import AGAIN, COHORT, SPARED
from app.reports.definitions import CASES, PREVENTION, TOUCHED, Definition
from app.texts import noted

_ACTIONS = noted("count of prevention actions promised in cases raised from–to, as they stood then")
_NAMES = {
    "promised": noted("Prevention actions"),
    "done": noted("Prevention actions done"),
    "open": noted("Prevention actions open"),
    "overdue": noted("Prevention actions overdue"),
    "dropped": noted("Prevention actions dropped"),
}

OF_CAUSES = (
    Definition(
        "preventable",
        noted("Preventable share"),
        noted("Of the cases of which it was said whether they were preventable, those that were; said on resolving."),
        noted("preventable ÷ said"),
        CASES,
        f"{COHORT} and f.preventable",
    ),
    Definition(
        "days_open",
        noted("Cost in days open"),
        noted(
            "Days from the raise to the closing, or to the moment asked about while it is open; begun days included. "
            "Days of cases that were open side by side add up."
        ),
        noted("sum over the cases raised from–to of days open"),
        CASES,
        COHORT,
    ),
    Definition(
        "value_touched",
        noted("Value touched"),
        noted(
            "Contracts and opportunities that cases of a cause touched, each once within the cause, at the last amount "
            "known and the rates of the day asked about. Causes overlap: one contract can stand under several, so they "
            "do not add up to the total."
        ),
        noted("sum over the distinct contracts and opportunities of a cause of amount × rate"),
        TOUCHED,
    ),
    Definition(
        "recurring",
        noted("Came again"),
        noted("Another case of the same account and reason had been raised in the 90 days before it."),
        noted("count of the cases raised from–to of which this is true as of then"),
        CASES,
        f"{COHORT} and {AGAIN}",
    ),
    Definition(
        "spared",
        noted("Would be spared"),
        noted(
            "Cases that prevention would have spared: said to be preventable when they were resolved, or come again "
            "within 90 days of one of the same account and reason. Of open ones nothing is guessed."
        ),
        noted("sum of days open over these cases; causes by it, the costliest first, then by value touched"),
        CASES,
        f"{COHORT} and {SPARED}",
    ),
    *(
        Definition(
            f"prevention_{state}",
            _NAMES[state],
            noted("What somebody promised to do so that it does not happen again; overdue is open after its day."),
            _ACTIONS,
            PREVENTION,
            condition,
        )
        for state, condition in STATES.items()
    ),
)
