"""The rows behind each figure, by keyset: what a figure counts or adds, and nothing else."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Result, TextClause, text

from app.escalations.words import numbered
from app.reports import account_rows
from app.reports import definitions as kinds
from app.reports.causes_sql import PROMISED
from app.reports.courses import DAYS_OPEN, WEIGHT
from app.reports.definitions import Definition
from app.reports.figures import FIGURES
from app.reports.money import Money
from app.reports.reading import Reading
from app.reports.standing_sql import LINES, OPEN, SEEN
from app.reports.touched_sql import TOUCHED
from app.reports.worth_sql import renewing

# Of a figure the rows of some people, or of one reason.
_PART = """
    (cast(:people as uuid[]) is null or {whose}) and (cast(:cause as text) is null or f.reason = cast(:cause as text))
"""
_ROOT = "(cast(:root_cause as uuid) is null or f.root_cause = cast(:root_cause as uuid))"
_OF_HOLDERS = _PART.format(whose=kinds.HOLDERS)
OPENED = f"{OPEN.replace('opened', 'every', 1)}, opened as materialized (select f.* from every f where {_OF_HOLDERS})"  # noqa: S608
_SHOWN = f"""
    f.escalation_id, e.number, e.title, f.standing, f.status, f.outcome, f.verification, f.tier, f.severity, f.reason,
    f.raised_at, f.day_raised, f.close_target_at, f.due_at, f.closed_at, f.days, f.account_id, a.name as account_name,
    f.owner_id, u.name as owner_name,
    case when f.standing = 'open' then {WEIGHT} end as weight, {DAYS_OPEN} as days_open
"""
_NAMED = """
    join escalation e on e.tenant_id = f.tenant_id and e.id = f.escalation_id
    join account a on a.tenant_id = f.tenant_id and a.id = f.account_id
    left join "user" u on u.tenant_id = f.tenant_id and u.id = f.owner_id
    where (f.day_raised, f.escalation_id) > (cast(:day as date), cast(:id as uuid))
"""
_IN_ORDER = "order by f.day_raised, f.escalation_id limit :limit"
OPEN_CASES = {
    figure.key: text(f"with {OPENED} select {_SHOWN} from opened f {_NAMED} and ({figure.condition}) {_IN_ORDER}")  # noqa: S608 - the parts are ours
    for figure in FIGURES.values()
    if figure.source == kinds.OPEN_CASES
}
CASES = {
    figure.key: text(
        f"""
        select {_SHOWN} from case_fact f {_NAMED}
        and f.known_from <= :as_of and f.known_until > :as_of and f.day_raised between :first and :last
        and {SEEN.format(f="f")} and ({figure.condition}) and {_PART.format(whose=figure.of_people)} and {_ROOT}
        {_IN_ORDER}
        """  # noqa: S608 - the parts are ours
    )
    for figure in FIGURES.values()
    if figure.source == kinds.CASES
}
ACTIONS = {
    figure.key: text(
        f"""
        with {PROMISED} select p.id, p.state, p.due_on, p.state = 'open' and p.due_on < :today as overdue, p.reason,
               a.action, p.escalation_id, e.number, e.title, p.account_id, c.name as account_name,
               a.owner_id, u.name as owner_name
        from promised p join prevention_action a on a.id = p.id join "user" u on u.id = a.owner_id
        join escalation e on e.id = p.escalation_id join account c on c.id = p.account_id
        where (p.due_on, p.id) > (cast(:day as date), cast(:id as uuid)) and ({figure.condition})
        and (cast(:cause as text) is null or p.reason = cast(:cause as text))
        order by p.due_on, p.id limit :limit
        """  # noqa: S608 - the parts are ours
    )
    for figure in FIGURES.values()
    if figure.source == kinds.PREVENTION
}
_RATES = "rate as (select key as currency, value::numeric as rate from jsonb_each_text(cast(:rates as jsonb)))"
# What has no rate comes first, then the largest amount.
_RANKED = """
    select * from shown s where (s.known, -s.amount, s.id) > (cast(:known as boolean), cast(:amount as numeric), :id)
    order by s.known, -s.amount, s.id limit :limit
"""
_RENEWALS = f"(select o.escalation_id, l.id, 'renewal' as kind from opened o {renewing('o')}) touched"  # noqa: S608
_CASES = "count(distinct escalation_id)"
_OF_LINES = f"""
    with {{cases}}, {_RATES}, touching as (
        select id, kind, {{counted}} as escalations from {{told}} group by id, kind
    ), shown as (
        select l.id, l.kind, l.account_id, l.amount as own_amount, l.currency, t.escalations,
               r.rate is not null as known, l.amount * coalesce(r.rate, 1) as amount, l.amount * r.rate as converted
        from {{lines}} l join touching t on t.id = l.id and t.kind = l.kind
        left join rate r on r.currency = l.currency
    ), ranked as ({_RANKED})
    select s.*, a.name as account_name, coalesce(c.external_id, o.external_id) as external_id
    from ranked s join account a on a.id = s.account_id
    left join contract c on c.id = s.id left join opportunity o on o.id = s.id
    order by s.known, -s.amount, s.id
"""  # noqa: S608 - the parts are ours
# Of one account or group each contract and opportunity counts once.
_OF_ACCOUNTS = f"""
    with {OPENED}, {LINES}, {_RATES}, own as (
        select distinct on ({{whose}}, id) {{whose}} as whose, id, amount, currency
        from line order by {{whose}}, id, known_from desc, escalation_id
    ), shown as (
        select o.whose as id, o.escalations, coalesce(w.amount, 0) as amount, coalesce(w.known, true) as known,
               case when w.whose is null then 0 else w.amount end as converted
        from (select {{whose}} as whose, count(*) as escalations from opened group by {{whose}}) o
        left join (select own.whose, sum(own.amount * r.rate) as amount, bool_and(r.rate is not null) as known
                   from own left join rate r on r.currency = own.currency group by own.whose) w on w.whose = o.whose
    ), ranked as ({_RANKED})
    select s.*, s.id as account_id, a.name as account_name from ranked s join account a on a.id = s.id
    order by s.known, -s.amount, s.id
"""  # noqa: S608 - the parts are ours
WORTH: Mapping[str, TextClause] = {
    kinds.LINES: text(_OF_LINES.format(cases=f"{OPENED}, {LINES}", told="line", counted=_CASES, lines="at_stake")),
    kinds.RENEWALS: text(
        _OF_LINES.format(cases=f"{OPENED}, {LINES}", told=_RENEWALS, counted=_CASES, lines="renewing")
    ),
    kinds.TOUCHED: text(_OF_LINES.format(cases=TOUCHED, told="line", counted="sum(cases)::bigint", lines="touched")),
    kinds.ACCOUNTS: text(_OF_ACCOUNTS.format(whose="account_id")),
    kinds.GROUPS: text(_OF_ACCOUNTS.format(whose="group_id")),
}
LISTED: Mapping[str, TextClause] = {**OPEN_CASES, **CASES, **ACTIONS}
NOTHING = UUID(int=0)


def list_rows(
    figure: Definition, reading: Reading, money: Money, *, first: date, last: date, after: list[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """The next rows of a figure after a position."""
    days = {"first": first, "last": last}
    if figure.source in account_rows.SHOWN:
        return account_rows.list_rows(figure, reading, money, **days, after=after, limit=limit)
    if figure.source in WORTH:
        return _worth(WORTH[figure.source], reading, money, after, {**days, "limit": limit})
    day, id_ = after or [date.min.isoformat(), str(NOTHING)]
    values = {"day": day, "id": id_, "limit": limit}
    return _cases(reading.ask(LISTED[figure.key], **values, **days))


def count_rows(figure: Definition, reading: Reading, money: Money, *, first: date, last: date) -> int:
    """How many rows a figure has; one statement."""
    if figure.source in account_rows.SHOWN:
        return account_rows.count_rows(figure, reading, first=first, last=last)
    start = _start_of_worth(money, None) if figure.source in WORTH else {"day": date.min, "id": NOTHING}
    question = WORTH[figure.source] if figure.source in WORTH else LISTED[figure.key]
    counted = text(f"select count(*) from ({question.text}) counted")  # noqa: S608 - the parts are ours
    found: int = reading.ask(counted, **start, first=first, last=last, limit=None).scalar_one()
    return found


def position(row: Mapping[str, Any]) -> list[Any]:
    """Where the list goes on after a row."""
    if "position" in row:
        return list(row["position"])
    if "due_on" in row:
        return [row["due_on"].isoformat(), str(row["id"])]
    if "escalation" in row:
        return [row["day_raised"].isoformat(), str(row["escalation"]["id"])]
    return [row["known"], str(row["exact"]), str(row["id"])]


def _cases(found: Result[Any]) -> list[dict[str, Any]]:
    names = list(found.keys())
    return [
        {
            **row,
            "escalation": {"id": row["escalation_id"], "number": numbered(row["number"]), "title": row["title"]},
            "account": {"id": row["account_id"], "name": row["account_name"]},
            "owner": {"id": row["owner_id"], "name": row["owner_name"]} if row["owner_id"] else None,
        }
        for row in (dict(zip(names, values, strict=True)) for values in found.all())
    ]


def _worth(
    question: TextClause, reading: Reading, money: Money, after: list[Any] | None, asked: Mapping[str, Any]
) -> list[dict[str, Any]]:
    found = reading.ask(question, **_start_of_worth(money, after), **asked).mappings().all()
    return [_valued(row, money) for row in found]


def _start_of_worth(money: Money, after: list[Any] | None) -> dict[str, Any]:
    known, amount, id_ = after or [False, "Infinity", str(NOTHING)]
    rates = orjson.dumps({currency: str(rate) for currency, rate in money.rates.items()}).decode()
    return {"known": known, "amount": -Decimal(amount), "id": UUID(id_), "rates": rates}


def _valued(row: Any, money: Money) -> dict[str, Any]:
    """What has no rate is in no amount: a line shows its own currency alone, an account the part that has one."""
    return {
        **row,
        "exact": row["amount"],
        "account": {"id": row["account_id"], "name": row["account_name"]},
        "value": {"amount": row["converted"], "currency": money.currency, "incomplete": not row["known"]},
    }
