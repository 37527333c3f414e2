"""SQL: the cases raised in a span of days, as known at a moment, without what was known of them before and after.

What holds to this day of ended cases is read from indexes by day raised, what is open as `standing_sql` does, and what
was known of ended cases for a time (until they were taken up again, say) from an index of that alone.
"""

from app.reports.folding import ENDLESS
from app.reports.standing_sql import CLASSES, SEEN, opened

_LASTING = f"""
    select {{columns}} from case_fact f
    where f.span = {ENDLESS} and f.standing <> 'open' and f.known_from <= :as_of and {{which}} and {SEEN.format(f="f")}
"""  # noqa: S608 - the parts are ours
_STILL_OPEN = "select {columns} from opened f where {which}"
_FOR_A_TIME = f"""
    select {{columns}} from case_fact f
    where f.span <> {ENDLESS} and f.span = {{span}} and f.standing <> 'open'
    and f.known_from <= :as_of and f.known_until > :as_of
    and f.known_from > cast(:as_of as timestamptz) - interval '{{longest}}' and {{which}} and {SEEN.format(f="f")}
"""  # noqa: S608 - the parts are ours


def opened_with(*columns: str) -> str:
    """SQL: `opened`, of which the cases below are a part, with all columns that are asked of them."""
    return opened(*dict.fromkeys((*columns, "day_raised", "standing")))


def raised_between(*columns: str, first: str = ":first", only: str = "true", still_open: str = "true") -> str:
    """SQL: the cases raised from `first` to `:last` that this reader may see, ended ones of which `only` is true of the
    fact `f` and open ones of which `still_open` is; columns that an index holds are read from it alone. Needs
    `opened_with` those columns and those that `still_open` names."""
    days = f"f.day_raised between {first} and :last"
    asked = {"columns": ", ".join(f"f.{column}" for column in columns), "which": f"{days} and {only}"}
    passed = [(span, longest) for span, longest in CLASSES if span != ENDLESS]
    arms = [_LASTING.format(**asked), _STILL_OPEN.format(**{**asked, "which": f"{days} and {still_open}"})]
    arms += [_FOR_A_TIME.format(span=span, longest=longest, **asked) for span, longest in passed]
    return " union all ".join(arms)
