"""What the figures of one account's report mean: promises, what was told, causes, prevention, what came back."""

from app.reports.definitions import CASES, Definition
from app.reports.standings import CAME_BACK, COUNTED
from app.texts import noted

# Kinds of rows that only one account has.
CLOCKS, WORDS, CAUSES, ACTIONS, RENEWAL = "clocks", "words", "root_causes", "actions", "renewal"
OF_DAYS = (CLOCKS, WORDS, CAUSES, ACTIONS)

OF_ACCOUNTS = (
    Definition(
        "renewal",
        noted("Next renewal"),
        noted(
            "What of the account renews next and for how much, at the raised price: as its escalations "
            "knew it last. They follow it while one is open."
        ),
        noted("sum over the contracts ending first of ARR × (1 + rise) × rate"),
        RENEWAL,
    ),
    Definition(
        "over_time",
        noted("Escalations over time"),
        noted(
            "By month: raised, closed, and open at its end. After a reopening the last closing counts; "
            "withdrawn, mistaken and merged ones are left out."
        ),
        noted("open at the end of a month = all raised up to then − all closed up to then"),
        CASES,
        COUNTED["raised"].format(f="f"),
    ),
    Definition(
        "promises",
        noted("Promises"),
        noted(
            "Running promises by kind, one for each cycle of a clock: kept in time, missed, past due and "
            "not kept yet. Those kept by an extended due time but after the first one are kept, and given "
            "apart. Closing counts by the original target, as on-time closing does. Of the cases raised "
            "or closed in these days, or open."
        ),
        noted("count of clocks by kind and state as of then; cancelled ones were neither kept nor missed"),
        CLOCKS,
    ),
    Definition(
        "told",
        noted("What was told"),
        noted(
            "Updates that were told to the customer and what the customer wrote. A silence is a stretch "
            "in which a case was in work and the customer heard nothing. Of the cases raised or closed in "
            "these days, or open."
        ),
        noted("count of updates to the audience customer, count of messages; longest = the longest of those stretches"),
        WORDS,
    ),
    Definition(
        "root_causes",
        noted("Root causes"),
        noted(
            "What was found as the cause when a case was resolved, and whether it could have been "
            "prevented. A reopened case has none until it is resolved again. Of the cases raised or "
            "closed in these days, or open."
        ),
        noted("preventable share = preventable ÷ those of which it was said, among the cases raised in these days"),
        CAUSES,
    ),
    Definition(
        "prevention_actions",
        noted("Prevention actions"),
        noted(
            "What was promised so that a case does not happen again, and whether it was done by its day. "
            "Of the cases raised or closed in these days, or open."
        ),
        noted("count of actions by state as of then; overdue = open after their day"),
        ACTIONS,
    ),
    Definition(
        "came_back",
        noted("What came back"),
        noted(
            "Cases of the cohort that were opened again, or raised for an earlier case that could not be "
            "reopened any more."
        ),
        noted("count of cases with a reopening or a rejection, or that name the case they repeat"),
        CASES,
        f"{COUNTED['raised'].format(f='f')} and {CAME_BACK}",
    ),
)
