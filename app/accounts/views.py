"""Records and facts in the shape of the answers."""

from dataclasses import asdict
from datetime import date
from typing import Any

from app.accounts.facts import AccountFacts
from app.accounts.models import Contract
from app.accounts.service import Upsert
from app.accounts.value import Total


def upserted(upsert: Upsert[Any]) -> dict[str, Any]:
    """The record's columns with what became of the request."""
    record = upsert.record
    columns = {column.key: getattr(record, column.key) for column in record.__table__.columns}
    if isinstance(record, Contract):
        columns["escalator"] = {name: columns[f"escalator_{name}"] for name in ("kind", "percent", "floor", "cap")}
    return {**columns, "upsert": upsert.outcome, "warnings": upsert.warnings}


def record(facts: AccountFacts) -> dict[str, Any]:
    people = {"owner": facts.owner, "csm": facts.csm, "sponsor": facts.sponsor}
    return {**asdict(facts.account), **people, "parents": facts.chain, "warnings": facts.warnings}


def value(facts: AccountFacts) -> dict[str, Any]:
    """The value with every line it adds and what the account gives to a priority."""
    worth = facts.value
    totals = {name: total(getattr(worth, name), worth.currency) for name in ("arr", "pipeline", "value_at_stake")}
    return {
        "account_id": facts.account.id,
        "as_of": worth.as_of,
        "currency": worth.currency,
        **totals,
        "renewal_on": worth.renewal_on,
        "renewal_value": total(worth.renewal_value, worth.currency),
        "estimate": worth.estimate,
        "from_account": facts.from_account_id,
        "service_level": facts.service_level,
        "parts": worth.parts,
        "priority_inputs": inputs(facts),
    }


def total(sum_: Total, currency: str) -> dict[str, Any]:
    return {
        "amount": sum_.amount,
        "currency": currency,
        "incomplete": sum_.incomplete,
        "unconverted": sum_.unconverted,
    }


def inputs(facts: AccountFacts) -> dict[str, Any]:
    renewal_on = facts.value.renewal_on
    return {
        "value_percentile": facts.percentile,
        "book_on": facts.book_on,
        "renewal_on": renewal_on,
        "days_to_renewal": _days(facts.today, renewal_on),
        "health": facts.account.health,
    }


def _days(today: date, later: date | None) -> int | None:
    return None if later is None else (later - today).days
