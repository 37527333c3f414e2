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
_AT_STAKE = f"""
    content as (
        select distinct on (worth_id) worth_id, escalation_id, account_id, group_id, known_from from {{cases}}
        order by worth_id, known_from desc, escalation_id
    ), at_stake as (
        select distinct on (l.id) l.id, l.kind, c.account_id, c.group_id, l.amount, l.currency
        from content c {at_stake("c")} where l.ends_on is null or l.ends_on >= :today
        order by l.id, c.known_from desc, c.escalation_id
    )
"""  # noqa: S608 - the parts are ours
RENEWING = f"""
    renewing as (
        select distinct on (l.id) l.id, 'renewal' as kind, o.account_id, o.group_id, o.renewal_on, l.amount, l.currency
        from opened o {renewing("o")} where o.renewal_on between :today and cast(:today as date) + 90
        order by l.id, o.known_from desc, o.escalation_id
    )
"""  # noqa: S608 - the parts are ours
LINES = f"""
    line as (
        select o.escalation_id, o.account_id, o.group_id, o.known_from, l.* from opened o {at_stake("o")}
        where l.ends_on is null or l.ends_on >= :today
    ), {_AT_STAKE.format(cases="opened")}, {RENEWING}
"""  # noqa: S608 - the parts are ours
# What sums by currency need to know of the cases open.
STAKE = (
    *("escalation_id", "account_id", "group_id", "known_from", "worth_id"),
    *("stake_amount", "stake_currency", "stake_lines", "stake_until"),
)
# The cases of an account that all know the same, of which nothing has ended and no other account has any, come to what
# one of them does; only the lines of the others are looked at one by one.
SUMS = f"""
    known_of as (
        select account_id, worth_id, any_value(stake_amount) as amount, any_value(stake_currency) as currency,
               any_value(stake_lines) as lines, any_value(stake_until) as until
        from opened group by account_id, worth_id
    ), whole as materialized (
        select account_id, any_value(amount) as amount, any_value(currency) as currency, any_value(lines) as lines
        from known_of group by account_id
        having count(*) = 1 and bool_and(currency is not null and (until is null or until >= :today))
        and account_id not in (select account_id from line_holder where shared)
    ), other as (
        select * from opened where account_id not in (select account_id from whole)
    ), {_AT_STAKE.format(cases="other")}, sums as (
        select currency, sum(amount)::text as amount, sum(lines) as lines
        from (select currency, amount, lines from whole union all select currency, amount, 1 from at_stake) s
        group by currency order by currency
    )
"""  # noqa: S608 - the parts are ours
