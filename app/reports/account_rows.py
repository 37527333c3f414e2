"""The rows behind the figures of one account's report, by keyset: those of the other reports for its cases alone, and
its promises, words, root causes, prevention actions and renewal."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from app.errors import invalid_parameter
from app.reports import account_definitions as kinds
from app.reports.account_parts import case_named
from app.reports.account_sql import CAUSE, CLOCK, PREVENTION, RECENT, SAID, TEXT
from app.reports.definitions import Definition
from app.reports.money import Money
from app.reports.of_account import OfAccount
from app.reports.promises import state_of
from app.reports.reading import Reading
from app.reports.standing_sql import COVERED
from app.reports.standings import IN_COHORT
from app.reports.worth_sql import renewing

NOTHING = UUID(int=0)
_IDS = "array(select escalation_id from mine)"
_MINE = f"with {COVERED}, mine as materialized (select * from covered f where {RECENT})"  # noqa: S608
_COLUMNS = "e.number, e.title, r.escalation_id, a.id as account_id, a.name as account_name"
_NAMED = """
    join escalation e on e.id = r.escalation_id join mine m on m.escalation_id = r.escalation_id
    join account a on a.id = m.account_id
"""
# Closing counts as in cohorts, so its row is the case itself.
CLOCKS = text(
    f"""
    {_MINE}, promise as (
        select f.escalation_id as id, f.escalation_id, 'close' as clock, null as state, null::text[] as flags,
               f.close_target_at as due_at, f.closed_at as ended_at, null as zone, null::jsonb as entries, f.standing
        from mine f where {IN_COHORT.format(f="f")} and f.day_raised between :first and :last
        union all
        select k.id, k.escalation_id, k.kind, k.state, k.flags, k.due_at, k.ended_at, k.zone,
               case when not known then entries end, null
        from ({CLOCK.format(ids=_IDS)}) k where known or entries is not null
    )
    select r.*, {_COLUMNS} from promise r {_NAMED} where r.id > cast(:id as uuid) order by r.id limit :limit
    """  # noqa: S608 - the parts are ours
)
WORDS = text(
    f"""
    {_MINE}, {SAID.format(ids=_IDS)}
    select r.id, r.at, r.facts ->> 'channel' as channel, r.kind, {_COLUMNS} from said r {_NAMED}
    where (r.turn = 'told' or r.kind = 'message') and r.id > cast(:id as uuid) order by r.id limit :limit
    """  # noqa: S608 - the parts are ours
)
CAUSES = text(
    f"""
    {_MINE}, {CAUSE.format(ids=_IDS)}
    select r.id, r.at, r.preventable, e.reason, {TEXT.format(event="r.id", field="root_cause")} as root_cause,
           {_COLUMNS}
    from cause r {_NAMED} where r.id > cast(:id as uuid) order by r.id limit :limit
    """  # noqa: S608 - the parts are ours
)
ACTIONS = text(
    f"""
    {_MINE}, {SAID.format(ids=_IDS)}, {PREVENTION}
    select r.id, r.state, r.due_on, r.ended_on, r.owner_id, u.name as owner_name,
           {TEXT.format(event="r.event_id", field="prevention")} as action, {_COLUMNS}
    from prevention r {_NAMED} left join "user" u on u.id = r.owner_id
    where r.id > cast(:id as uuid) order by r.id limit :limit
    """  # noqa: S608 - the parts are ours
)
RENEWAL = text(
    f"""
    with {COVERED}, latest as (
        select known_from, account_id, worth_id from covered where account_id = :account
        order by known_from desc, escalation_id limit 1
    )
    select l.id, 'renewal' as kind, l.amount as own_amount, l.currency, c.external_id,
           a.id as account_id, a.name as account_name
    from latest f {renewing("f")} join account a on a.id = f.account_id left join contract c on c.id = l.id
    where l.id > cast(:id as uuid) order by l.id limit :limit
    """  # noqa: S608 - the parts are ours
)


def list_rows(
    figure: Definition, reading: Reading, money: Money, *, first: date, last: date, after: list[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """The next rows of a figure that only an account has, after a position."""
    question, shown = SHOWN[figure.source]
    start = {"id": after[0] if after else NOTHING, "limit": limit}
    found = _ask(question, reading, first=first, last=last, **start).mappings().all()
    return [{**shown(row, reading, money), "position": [str(row["id"])]} for row in found]


def count_rows(figure: Definition, reading: Reading, *, first: date, last: date) -> int:
    """How many rows such a figure has; one statement."""
    counted = text(f"select count(*) from ({SHOWN[figure.source][0].text}) counted")  # noqa: S608 - the part is ours
    found: int = _ask(counted, reading, first=first, last=last, id=NOTHING, limit=None).scalar_one()
    return found


def _ask(question: TextClause, reading: Reading, **values: Any) -> Any:
    if not isinstance(reading, OfAccount):
        raise invalid_parameter("account", "expected the account whose rows are asked for")
    if any(part is not None for part in (reading.people, reading.cause, reading.root_cause)):
        raise invalid_parameter("figure", "expected a figure of cases where owner, team, reason or root cause is given")
    return reading.ask(question, zone=reading.zone.key, **values)


def _of_case(row: Mapping[str, Any]) -> dict[str, Any]:
    account = {"id": row["account_id"], "name": row["account_name"]}
    return {**row, "escalation": case_named(row), "account": account}


def _promise(row: Mapping[str, Any], reading: Reading, money: Money) -> dict[str, Any]:
    """A promise as it stood then: by its row if nothing was written since, else by the ledger of that time."""
    promise = {name: value for name, value in _of_case(row).items() if name not in ("state", "standing", "entries")}
    if row["clock"] == "close":
        return {**promise, "kept": CLOSED_AS.get(row["standing"]) or _open(row["due_at"], reading.as_of)}
    if row["entries"]:
        state = state_of(row, reading.as_of)
        return {**promise, "kept": NAMED.get(state.state, state.state), "due_at": state.due_at}
    ended = NAMED.get(row["state"], row["state"])
    return {**promise, "kept": ended if row["ended_at"] else _open(row["due_at"], reading.as_of)}


def _open(due_at: datetime | None, as_of: datetime) -> str:
    return "overdue" if due_at is not None and due_at <= as_of else "running"


def _action(row: Mapping[str, Any], reading: Reading, money: Money) -> dict[str, Any]:
    return {**_of_case(row), "owner": {"id": row["owner_id"], "name": row["owner_name"]}}


def _renewing(row: Mapping[str, Any], reading: Reading, money: Money) -> dict[str, Any]:
    amount = money.converted(row["own_amount"], row["currency"])
    value = {"amount": amount, "currency": money.currency, "incomplete": amount is None}
    return {**row, "account": {"id": row["account_id"], "name": row["account_name"]}, "value": value}


def _said(row: Mapping[str, Any], reading: Reading, money: Money) -> dict[str, Any]:
    return _of_case(row)


NAMED = {"met": "kept", "breached": "overdue", "paused": "running"}
CLOSED_AS = {"on_time": "kept", **dict.fromkeys(("late", "unresolved", "customer_silent"), "missed")}
SHOWN: Mapping[str, tuple[TextClause, Callable[..., dict[str, Any]]]] = {
    kinds.CLOCKS: (CLOCKS, _promise),
    kinds.WORDS: (WORDS, _said),
    kinds.CAUSES: (CAUSES, _said),
    kinds.ACTIONS: (ACTIONS, _action),
    kinds.RENEWAL: (RENEWAL, _renewing),
}
