"""What each figure means, how it is made and which rows stand behind it: what the answers count by, in words."""

from dataclasses import dataclass

from app.reports.standings import COUNTED, TIERS

CASES, OPEN_CASES, LINES, RENEWALS, ACCOUNTS, GROUPS = "cases", "open_cases", "lines", "renewals", "accounts", "groups"


@dataclass(frozen=True)
class Definition:
    """`source` is the kind of row behind the figure, `condition` SQL on a fact `f` that its rows meet."""

    key: str
    name: str
    text: str
    formula: str
    source: str
    condition: str = "true"


def _of_cohort(key: str, name: str, text: str, *, condition: str | None = None) -> Definition:
    """A count over the cases raised in the days asked for."""
    holds = condition or COUNTED[key].format(f="f")
    formula = f"count of cases raised from–to that are {name.lower()} as of then"
    return Definition(key, name, text, formula, CASES, holds)


NOT_DUE = "f.standing = 'open' and f.close_target_at >= :as_of"
OVERDUE = "f.standing = 'open' and f.close_target_at < :as_of"

DEFINITIONS = (
    Definition(
        "open",
        "Open escalations",
        "Escalations in open, in progress, waiting or resolved: the customer's word is still awaited. One that waits "
        "for approval is not open yet.",
        "count of open cases as of then; accounts and groups are distinct, a group by its ultimate parent",
        OPEN_CASES,
    ),
    Definition(
        "accounts",
        "Accounts affected",
        "Accounts with at least one open escalation, each with its value at stake.",
        "distinct accounts of the open cases; the value of an account is the union of what its open cases touch",
        ACCOUNTS,
    ),
    Definition(
        "groups",
        "Groups affected",
        "Groups of accounts, by their ultimate parent, with at least one open escalation.",
        "distinct ultimate parents of the open cases; the value is the union over the group",
        GROUPS,
    ),
    Definition(
        "value_at_stake",
        "Value at stake",
        "Annual value of the contracts and the weighted open opportunities that open escalations touch, each counted "
        "once however many escalations touch it. Without an exchange rate of that day, at most as old as the setting "
        "allows, an amount is listed and the total is incomplete: never 0, never guessed.",
        "sum over distinct contracts of ARR × rate + sum over distinct opportunities of amount × probability × rate",
        LINES,
    ),
    Definition(
        "renewals_at_risk",
        "Renewals at risk",
        "Contracts that renew within 90 days of accounts with an open escalation, at their raised price.",
        "sum over distinct contracts ending first, renewal within 0–90 days, of ARR × (1 + rise) × rate",
        RENEWALS,
    ),
    _of_cohort("raised", "Raised", "The cohort: raised in these days, whatever became of them but withdrawn, mistaken "
               "or merged."),
    _of_cohort("on_time", "Closed on time", "Closed with outcome resolved by the original target, 30 days unless the "
               "contract says otherwise; an extension moves nothing here. After a reopening the last closing counts."),
    _of_cohort("late", "Closed late", "Closed with outcome resolved after the original target."),
    _of_cohort("unresolved", "Closed unresolved", "Ended by management's decision without a resolution: stays in the "
               "cohort and is never on time."),
    _of_cohort("customer_silent", "Closed, customer silent", "Ended because the customer did not answer: stays in the "
               "cohort and is never on time."),
    _of_cohort("open_not_due", "Open, not due yet", "Open and not past the original target: counted neither as on time "
               "nor as late.", condition=NOT_DUE),
    _of_cohort("open_overdue", "Open, past the target", "Open although the original target has passed.",
               condition=OVERDUE),
    _of_cohort("withdrawn", "Withdrawn", "Outside the cohort, given as a number."),
    _of_cohort("mistaken", "Mistaken", "Outside the cohort, given as a number."),
    _of_cohort("merged", "Merged", "Outside the cohort, given as a number: the case it went into counts."),
    _of_cohort("extended", "Extended", "An extension was granted; on time is still judged by the original target."),
    _of_cohort("long_pause", "Paused long", "Waited, on whomever, for more than a quarter of the time from raise to "
               "closing."),
    _of_cohort("logged_late", "Logged late", "On time by when it happened, but recorded only after the target."),
    _of_cohort("unanswered", "Unanswered", "Closed because the customer's word did not come: resolved, never reported "
               "as confirmed."),
    _of_cohort("ended", "Closed", "Closed, whatever the outcome, and not open again."),
    _of_cohort("by_first_owner", "Closed by the first owner", "Closed, whatever the outcome, with the first of the "
               "owners as the last; who stood in for somebody absent is no owner here."),
    *(
        _of_cohort(f"left_{tier}", f"Through {tier.replace('_', ' ')}", "Closed cases that were in this tier; the time "
                   "in it runs until the work in it ended.")
        for tier in TIERS
    ),
)  # fmt: skip
BY_KEY = {definition.key: definition for definition in DEFINITIONS}
SHARES = {
    "on_time_share": Definition(
        "on_time_share",
        "On-time closing",
        "Share of a cohort closed on time. Open cases not due yet are left out until they are due.",
        "on_time ÷ (raised − open_not_due)",
        CASES,
        COUNTED["on_time"].format(f="f"),
    ),
    "survival": Definition(
        "survival",
        "Still open after so many days",
        "Kaplan–Meier estimate of the share still open by whole days since the raise: open cases count up to their "
        "age. Cases closed unresolved or silent stay at risk, since nothing was resolved.",
        "product over days of (1 − closed on that day ÷ at risk)",
        CASES,
        COUNTED["raised"].format(f="f"),
    ),
    "first_owner_right": Definition(
        "first_owner_right",
        "First owner right",
        "Share of closed cases closed by their first owner. Moves for absence and hand-backs are no re-routes.",
        "by_first_owner ÷ ended",
        CASES,
        COUNTED["ended"].format(f="f"),
    ),
    "tiers": Definition(
        "tiers",
        "Time per tier",
        "Mean time closed cases of the cohort spent in each tier they entered.",
        "sum of seconds in the tier ÷ cases that entered it",
        CASES,
        COUNTED["ended"].format(f="f"),
    ),
    "changes": Definition(
        "changes",
        "What changed",
        "What became known since the last report: raised, closed, opened again, past the target, extended, moved up.",
        "cases whose facts as of then differ from those as of the last report",
        CASES,
    ),
}
ALL = (*DEFINITIONS, *SHARES.values())
FIGURES = {definition.key: definition for definition in ALL}
READER = (
    "Escalations that you may not see, restricted ones and those about yourself, are in none of your figures, whenever "
    "you ask about: two readers' totals can differ."
)
