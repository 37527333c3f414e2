"""What the course of one case says: how old it is, how heavy, and where the time of one that was not on time went.

SQL over one fact `f`; each figure of owners and causes counts or adds one of these, and so do its rows.
"""

from dataclasses import dataclass

from app.reports.standing_sql import SEEN
from app.reports.standings import IN_COHORT
from app.routing.choice import HALF_WEIGHT_STATUSES, SEVERITY_WEIGHT
from app.texts import noted

DAY = 86400
NOTABLE = 0.1  # of the time from the raise to the end, or to the moment asked about
LONG = 0.25
_END = "coalesce(f.closed_at, cast(:as_of as timestamptz))"
_LIFE = f"extract(epoch from {_END} - f.raised_at)"
_HEAVY = " ".join(f"when {severity} then {weight}" for severity, weight in SEVERITY_WEIGHT.items())
_LIGHT = ", ".join(f"'{status}'" for status in sorted(HALF_WEIGHT_STATUSES))

# As routing weighs it, by severity and status.
WEIGHT = f"(case f.severity {_HEAVY} end / case when f.status in ({_LIGHT}) then 2.0 else 1 end)"
# Whole days, begun ones included, from the raise to the end.
DAYS_OPEN = f"coalesce(f.days, greatest(0, ceil(extract(epoch from :as_of - f.raised_at) / {DAY}))::int)"
_AGE = f"floor(extract(epoch from cast(:as_of as timestamptz) - f.raised_at) / {DAY})"
AGES = {
    "under_7": f"{_AGE} < 7",
    "from_7_to_14": f"{_AGE} between 7 and 14",
    "from_15_to_30": f"{_AGE} between 15 and 30",
    "over_30": f"{_AGE} > 30",
}
COHORT = IN_COHORT.format(f="f")
AGAIN_DAYS = 90
# One of the same account and reason was raised in the days before it.
AGAIN = f"""exists (
    select from case_fact p where p.tenant_id = f.tenant_id and p.account_id = f.account_id and p.reason = f.reason
    and p.known_from <= :as_of and p.known_until > :as_of and {IN_COHORT.format(f="p")} and {SEEN.format(f="p")}
    and (p.raised_at, p.escalation_id) < (f.raised_at, f.escalation_id)
    and f.raised_at - p.raised_at <= interval '{AGAIN_DAYS} days')"""
SPARED = f"(f.preventable is true or {AGAIN})"
OVERDUE = "f.standing = 'open' and f.close_target_at < :as_of"
MISSED_STANDINGS = "'late', 'unresolved', 'customer_silent'"
MISSED = f"(f.standing in ({MISSED_STANDINGS}) or ({OVERDUE}))"


def _waited(party: str) -> str:
    """Seconds waited for a party, the wait under way included."""
    under_way = f"case when f.waiting_for = '{party}' then extract(epoch from :as_of - f.waiting_since) else 0 end"
    return f"(coalesce((f.waits ->> '{party}')::bigint, 0) + {under_way})"


_STOOD_STILL = " + ".join(_waited(party) for party in ("customer", "vendor", "internal"))


@dataclass(frozen=True)
class Part:
    """Where time goes: a case counts under each whose condition holds. `said` says of how many, `helps` what would."""

    key: str
    condition: str
    name: str
    text: str
    said: str
    helps: str


_KNOWN = (
    Part(
        "waited_vendor",
        f"({_waited('vendor')} > 0 and {_waited('vendor')} >= {NOTABLE} * {_LIFE})",
        noted("Waited for the vendor"),
        noted("It waited for the vendor for a tenth of its time or more."),
        noted("%(cases)s of %(missed)s waited for the vendor"),
        noted("Agree with the vendor by when they answer, and who is asked when they don't."),
    ),
    Part(
        "waited_customer",
        f"({_waited('customer')} > 0 and {_waited('customer')} >= {NOTABLE} * {_LIFE})",
        noted("Waited for the customer"),
        noted("It waited for the customer for a tenth of its time or more."),
        noted("%(cases)s of %(missed)s waited for the customer"),
        noted("Ask for all that is needed at once, and agree with the customer by when."),
    ),
    Part(
        "waited_internal",
        f"({_waited('internal')} > 0 and {_waited('internal')} >= {NOTABLE} * {_LIFE})",
        noted("Waited for ourselves"),
        noted("It waited for somebody of ours for a tenth of its time or more."),
        noted("%(cases)s of %(missed)s waited for somebody of ours"),
        noted("Name who of ours owes what by when, and move up sooner when it does not come."),
    ),
    Part(
        "paused_long",
        f"({_STOOD_STILL} > {LONG} * {_LIFE})",
        noted("Stood still for long"),
        noted("All its waits together took more than a quarter of its time."),
        noted("%(cases)s of %(missed)s stood still for more than a quarter of their time"),
        noted("Look at waits while they last, not after them."),
    ),
    Part(
        "extended",
        "f.extended",
        noted("Was given more time"),
        noted("An extension was granted; on time is still judged by the original target."),
        noted("%(cases)s of %(missed)s were given more time"),
        noted("Ask by half time what stands in the way of the target, while there is time to clear it."),
    ),
    Part(
        "rerouted",
        "f.reroutes > 0",
        noted("Went through several hands"),
        noted("It was given on to another owner at least once; absences and hand-backs don't count."),
        noted("%(cases)s of %(missed)s went through several hands"),
        noted("See which routing rule would have found the last owner first."),
    ),
    Part(
        "acknowledged_late",
        "(f.acknowledged_late or f.acknowledged_at is null)",
        noted("Acknowledged late"),
        noted("Its first acknowledgement came after the time promised for it, or never."),
        noted("%(cases)s of %(missed)s were acknowledged late or never"),
        noted("See whether there was room when they came: load, absences, working hours."),
    ),
    Part(
        "came_back",
        "f.reopens > 0",
        noted("Came back"),
        noted("It was taken up again after it had been resolved."),
        noted("%(cases)s of %(missed)s came back after they were resolved"),
        noted("Agree with the customer what done means before the work begins."),
    ),
    Part(
        "awaited_word",
        "(f.standing in ('late', 'open') and f.resolved_at <= f.close_target_at)",
        noted("Awaited the customer's word"),
        noted("It was resolved by its target; only the customer's word came later."),
        noted("%(cases)s of %(missed)s were resolved in time and awaited the customer's word"),
        noted("Ask for the customer's word on the day of the resolution."),
    ),
)
_NONE = Part(
    "none_known",
    f"(({' or '.join(part.condition for part in _KNOWN)}) is not true)",
    noted("None of these"),
    noted("Nothing of the above is on record: the time went into the work itself, or nobody wrote down where."),
    noted("%(cases)s of %(missed)s show nothing on record"),
    noted("Talk these through with who worked on them: the record does not say where the time went."),
)
PARTS = (*_KNOWN, _NONE)
