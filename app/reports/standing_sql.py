"""SQL: the cases open at a moment, or those of one account, their contracts and opportunities, each once."""

from app.reports.folding import ENDLESS, SPANS
from app.reports.worth_sql import at_stake, renewing

CLASSES = [*enumerate(f"{int(longest.total_seconds())} seconds" for longest in SPANS)]
CLASSES += [(len(SPANS), "200 years"), (ENDLESS, "1000 years")]
# Cases that this reader may see, of the accounts that a question is only about.
SEEN = """
    {f}.escalation_id <> all(cast(:hidden as uuid[]))
    and (cast(:accounts as uuid[]) is null or {f}.account_id = any(cast(:accounts as uuid[])))
"""
# A fact that held at a moment began at most its class's longest before it: each class is a short stretch of the index.
# Written out class by class, since a join with a list of them is planned as one scan of all.
_OF_CLASS = """
    select {columns} from case_fact f
    where f.standing = 'open' and f.span = {span} and f.known_from <= {at} and f.known_until > {at}
    and f.known_from > cast({at} as timestamptz) - interval '{longest}'
    and {seen}
"""


def _held(seen: str, *, columns: str = "f.*", at: str = ":as_of") -> str:
    """The facts of open cases that held at a moment. Columns of the index alone are read without the rows."""
    asked = {"seen": seen, "columns": columns, "at": at}
    return " union all ".join(_OF_CLASS.format(span=span, longest=longest, **asked) for span, longest in CLASSES)


_SEEN = SEEN.format(f="f")
HELD = _held(_SEEN)
OPEN = f"opened as materialized ({HELD})"


def opened(*columns: str, name: str = "opened", at: str = ":as_of") -> str:
    """SQL: the cases open at a moment that this reader may see, with some columns alone."""
    return f"{name} as materialized ({_held(_SEEN, columns=', '.join(f'f.{one}' for one in columns), at=at)})"


# Whoever asks, and about whichever accounts: an owner's load is all of it.
_OWNED = _held("true", columns="f.owner_id")
OWNER_LOADS = f"owner_load as materialized (select owner_id, count(*) as cases from ({_OWNED}) f group by 1)"  # noqa: S608 - the parts are ours
_OF_ACCOUNT = """
    select f.* from case_fact f
    where {whose} and f.known_from <= :as_of and f.known_until > :as_of and {seen}
"""
_OWN = _OF_ACCOUNT.format(whose="f.account_id = :account", seen=_SEEN)
_UNDER = "not cast(:own as boolean) and f.group_id = :account and f.group_id <> f.account_id"
_BELOW = _OF_ACCOUNT.format(whose=_UNDER, seen=_SEEN)
# Of an ultimate parent also the cases of the accounts that stood below it then, unless its `own` are asked for.
COVERED = f"covered as materialized ({_OWN} union all {_BELOW})"
OPEN_OF_ACCOUNT = f"{COVERED}, opened as materialized (select * from covered where standing = 'open')"  # noqa: S608
# Cases of one account know the same of a contract, up to the batch that tells them: what was known last counts. Of the
# cases that know the same of all, one speaks for them.
LINES = f"""
    line as (
        select o.escalation_id, o.account_id, o.group_id, o.known_from, l.* from opened o {at_stake("o")}
        where l.ends_on is null or l.ends_on >= :today
    ), content as (
        select distinct on (worth_id) worth_id, escalation_id, account_id, group_id, known_from from opened
        order by worth_id, known_from desc, escalation_id
    ), at_stake as (
        select distinct on (l.id) l.id, l.kind, c.account_id, c.group_id, l.amount, l.currency
        from content c {at_stake("c")} where l.ends_on is null or l.ends_on >= :today
        order by l.id, c.known_from desc, c.escalation_id
    ), renewing as (
        select distinct on (l.id) l.id, 'renewal' as kind, o.account_id, o.group_id, o.renewal_on, l.amount, l.currency
        from opened o {renewing("o")} where o.renewal_on between :today and cast(:today as date) + 90
        order by l.id, o.known_from desc, o.escalation_id
    )
"""  # noqa: S608 - the parts are ours
