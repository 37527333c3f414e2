"""What each figure means, how it is made and which rows stand behind it: what the answers count by, in words."""

from dataclasses import dataclass

from app.reports.standings import COUNTED, TIERS
from app.texts import noted

# Whose a case is: who holds it now; who was the last of its owners, absences left out; who was the first of them.
HOLDERS = "f.owner_id = any(cast(:people as uuid[]))"
CLOSERS = "f.closer_id = any(cast(:people as uuid[]))"
FIRST = "f.first_owner_id = any(cast(:people as uuid[]))"
CASES, OPEN_CASES, LINES, RENEWALS, ACCOUNTS, GROUPS = "cases", "open_cases", "lines", "renewals", "accounts", "groups"
COUNT = noted("count of the cases raised from–to of which this is true as of then")
TOUCHED, PREVENTION = "touched", "prevention"
WARNED = "warned"  # accounts, listed by the report itself
COURSES = (CASES, TOUCHED, PREVENTION)  # of cases raised in a span of days


@dataclass(frozen=True)
class Definition:
    """`source` is the kind of row behind the figure, `condition` SQL on a fact `f` that its rows meet; `whose` is met
    by those of some `people`, where they are asked for."""

    key: str
    name: str
    text: str
    formula: str
    source: str
    condition: str = "true"
    whose: str = ""

    @property
    def of_people(self) -> str:
        """SQL: a row is theirs; open cases are whose they are then, others whose they were at last."""
        return self.whose or (CLOSERS if self.source in COURSES else HOLDERS)


def _of_cohort(key: str, name: str, text: str, *, condition: str | None = None) -> Definition:
    """A count over the cases raised in the days asked for."""
    holds = condition or COUNTED[key].format(f="f")
    return Definition(key, name, text, COUNT, CASES, holds)


THROUGH = (
    noted("Through tier 1"), noted("Through tier 2"), noted("Through tier 3"), noted("Through a visit on site"),
    noted("Through the vendor"), noted("Through management"),
)  # fmt: skip
NOT_DUE = "f.standing = 'open' and f.close_target_at >= :as_of"
OVERDUE = "f.standing = 'open' and f.close_target_at < :as_of"

DEFINITIONS = (
    Definition(
        "open",
        noted("Open escalations"),
        noted(
            "Escalations in open, in progress, waiting or resolved: the customer's word is still awaited. One that "
            "waits for approval is not open yet."
        ),
        noted("count of open cases as of then; accounts and groups are distinct, a group by its ultimate parent"),
        OPEN_CASES,
    ),
    Definition(
        "accounts",
        noted("Accounts affected"),
        noted("Accounts with at least one open escalation, each with its value at stake."),
        noted("distinct accounts of the open cases; the value of an account is the union of what its open cases touch"),
        ACCOUNTS,
    ),
    Definition(
        "groups",
        noted("Groups affected"),
        noted("Groups of accounts, by their ultimate parent, with at least one open escalation."),
        noted("distinct ultimate parents of the open cases; the value is the union over the group"),
        GROUPS,
    ),
    Definition(
        "value_at_stake",
        noted("Value at stake"),
        noted(
            "Annual value of the contracts and the weighted open opportunities that open escalations touch, each "
            "counted once however many escalations touch it. Without an exchange rate of that day, at most as old as "
            "the setting allows, an amount is listed and the total is incomplete: never 0, never guessed."
        ),
        noted(
            "sum over distinct contracts of ARR × rate + sum over distinct opportunities of amount × probability × rate"
        ),
        LINES,
    ),
    Definition(
        "renewals_at_risk",
        noted("Renewals at risk"),
        noted("Contracts that renew within 90 days of accounts with an open escalation, at their raised price."),
        noted("sum over distinct contracts ending first, renewal within 0–90 days, of ARR × (1 + rise) × rate"),
        RENEWALS,
    ),
    _of_cohort(
        "raised",
        noted("Raised"),
        noted("The cohort: raised in these days, whatever became of them but withdrawn, mistaken or merged."),
    ),
    _of_cohort(
        "on_time",
        noted("Closed on time"),
        noted(
            "Closed with outcome resolved by the original target, 30 days unless the "
            "contract says otherwise; an extension moves nothing here. After a reopening the last closing counts."
        ),
    ),
    _of_cohort("late", noted("Closed late"), noted("Closed with outcome resolved after the original target.")),
    _of_cohort(
        "unresolved",
        noted("Closed unresolved"),
        noted("Ended by management's decision without a resolution: stays in the cohort and is never on time."),
    ),
    _of_cohort(
        "customer_silent",
        noted("Closed, customer silent"),
        noted("Ended because the customer did not answer: stays in the cohort and is never on time."),
    ),
    _of_cohort(
        "open_not_due",
        noted("Open, not due yet"),
        noted("Open and not past the original target: counted neither as on time nor as late."),
        condition=NOT_DUE,
    ),
    _of_cohort(
        "open_overdue",
        noted("Open, past the target"),
        noted("Open although the original target has passed."),
        condition=OVERDUE,
    ),
    _of_cohort("withdrawn", noted("Withdrawn"), noted("Outside the cohort, given as a number.")),
    _of_cohort("mistaken", noted("Mistaken"), noted("Outside the cohort, given as a number.")),
    _of_cohort(
        "merged", noted("Merged"), noted("Outside the cohort, given as a number: the case it went into counts.")
    ),
    _of_cohort(
        "extended",
        noted("Extended"),
        noted("An extension was granted; on time is still judged by the original target."),
    ),
    _of_cohort(
        "long_pause",
        noted("Paused long"),
        noted("Waited, on whomever, for more than a quarter of the time from raise to closing."),
    ),
    _of_cohort(
        "logged_late", noted("Logged late"), noted("On time by when it happened, but recorded only after the target.")
    ),
    _of_cohort(
        "unanswered",
        noted("Unanswered"),
        noted("Closed because the customer's word did not come: resolved, never reported as confirmed."),
    ),
    _of_cohort("ended", noted("Closed"), noted("Closed, whatever the outcome, and not open again.")),
    _of_cohort(
        "by_first_owner",
        noted("Closed by the first owner"),
        noted(
            "Closed, whatever the outcome, with the first of the "
            "owners as the last; who stood in for somebody absent is no owner here."
        ),
    ),
    *(
        _of_cohort(
            f"left_{tier}",
            name,
            noted("Closed cases that were in this tier; the time in it runs until the work in it ended."),
        )
        for tier, name in zip(TIERS, THROUGH, strict=True)
    ),
)
BY_KEY = {definition.key: definition for definition in DEFINITIONS}
SHARES = {
    "on_time_share": Definition(
        "on_time_share",
        noted("On-time closing"),
        noted("Share of a cohort closed on time. Open cases not due yet are left out until they are due."),
        noted("on_time ÷ (raised − open_not_due)"),
        CASES,
        COUNTED["on_time"].format(f="f"),
    ),
    "survival": Definition(
        "survival",
        noted("Still open after so many days"),
        noted(
            "Kaplan–Meier estimate of the share still open by whole days since the raise: open cases count up to their "
            "age. Cases closed unresolved or silent stay at risk, since nothing was resolved."
        ),
        noted("product over days of (1 − closed on that day ÷ at risk)"),
        CASES,
        COUNTED["raised"].format(f="f"),
    ),
    "first_owner_right": Definition(
        "first_owner_right",
        noted("First owner right"),
        noted("Share of closed cases closed by their first owner. Moves for absence and hand-backs are no re-routes."),
        noted("by_first_owner ÷ ended"),
        CASES,
        COUNTED["ended"].format(f="f"),
        FIRST,
    ),
    "tiers": Definition(
        "tiers",
        noted("Time per tier"),
        noted("Mean time closed cases of the cohort spent in each tier they entered."),
        noted("sum of seconds in the tier ÷ cases that entered it"),
        CASES,
        COUNTED["ended"].format(f="f"),
    ),
    "changes": Definition(
        "changes",
        noted("What changed"),
        noted(
            "What became known since the last report: raised, closed, opened again, past the target, extended, moved "
            "up."
        ),
        noted("cases whose facts as of then differ from those as of the last report"),
        CASES,
    ),
}
ALL = (*DEFINITIONS, *SHARES.values())
READER = noted(
    "Escalations that you may not see, restricted ones and those about yourself, are in none of your figures, whenever "
    "you ask about: two readers' totals can differ."
)
