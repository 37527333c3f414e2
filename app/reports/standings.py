"""Where a case stands for reports, and what each figure of a cohort counts: SQL over one fact, in one place.

A cohort is the cases raised in a span of days. `withdrawn`, `mistaken` and `merged` are outside it and given as
numbers; one that was requested and not approved is nowhere.
"""

from app.escalations.tiers import TIERS as TIERS
from app.texts import noted

TIER_NAMES = {
    "tier_1": noted("tier 1"),
    "tier_2": noted("tier 2"),
    "tier_3": noted("tier 3"),
    "onsite": noted("a visit on site"),
    "vendor": noted("the vendor"),
    "management": noted("management"),
}
COHORT = ("open", "on_time", "late", "unresolved", "customer_silent")
OUTSIDE = ("withdrawn", "mistaken", "merged")
NOWHERE = ("requested", "declined")
STANDING_WORDS = {
    "open": noted("open"),
    "on_time": noted("closed on time"),
    "late": noted("closed late"),
    "unresolved": noted("closed unresolved"),
    "customer_silent": noted("closed, customer silent"),
    "withdrawn": noted("withdrawn"),
    "mistaken": noted("mistaken"),
    "merged": noted("merged"),
}
STANDINGS = (*COHORT, *OUTSIDE, *NOWHERE)

IN_COHORT = "{f}.standing in ('open', 'on_time', 'late', 'unresolved', 'customer_silent')"
ENDED = "{f}.status = 'closed'"
# The same of the standing.
ENDED_STANDING = "{f}.standing in ('on_time', 'late', 'unresolved', 'customer_silent', 'withdrawn', 'mistaken')"
# Of a fact `f`: that a case was raised again for an earlier one is fixed when it is raised.
RAISED_AGAIN = """
    exists (select 1 from escalation again where again.tenant_id = f.tenant_id and again.id = f.escalation_id
            and again.recurrence_of_id is not null)
"""
CAME_BACK = f"(f.reopens > 0 or {RAISED_AGAIN})"
# What is summed by day raised; each is a condition on a fact `f` whose count is the figure.
COUNTED = {
    "raised": IN_COHORT,
    "on_time": "{f}.standing = 'on_time'",
    "late": "{f}.standing = 'late'",
    "unresolved": "{f}.standing = 'unresolved'",
    "customer_silent": "{f}.standing = 'customer_silent'",
    "withdrawn": "{f}.standing = 'withdrawn'",
    "mistaken": "{f}.standing = 'mistaken'",
    "merged": "{f}.standing = 'merged'",
    "extended": f"{IN_COHORT} and {{f}}.extended",
    "long_pause": f"{IN_COHORT} and {{f}}.long_pause",
    "logged_late": f"{IN_COHORT} and {{f}}.logged_late",
    "unanswered": f"{IN_COHORT} and {{f}}.verification = 'unanswered'",
    "ended": ENDED,
    "by_first_owner": f"{ENDED} and {{f}}.closer_id = {{f}}.first_owner_id",
    **{f"left_{tier}": f"{ENDED} and {{f}}.{tier}_seconds is not null" for tier in TIERS},
}
# What is summed of a column, where its condition holds.
SUMMED = {f"{tier}_seconds": (f"{ENDED}", f"coalesce({{f}}.{tier}_seconds, 0)") for tier in TIERS}
MEASURES = (*COUNTED, *SUMMED)


def amount_of(measure: str, fact: str) -> str:
    """SQL: what one fact adds to a measure."""
    if measure in COUNTED:
        return f"(({COUNTED[measure].format(f=fact)}) is true)::int"
    condition, value = SUMMED[measure]
    return f"case when {condition.format(f=fact)} then {value.format(f=fact)} else 0 end"
