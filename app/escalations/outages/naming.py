"""Accounts and cases as people name them: a line each, by the number of a case or by an account's id or name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from app.accounts.models import Account
from app.auth.actor import Actor
from app.db import db
from app.escalations.models import Escalation
from app.escalations.queries import visible_to

CASE = "ESC-"
MOST_DIGITS = 9
UNKNOWN_CASE = "there is no such escalation"
UNKNOWN_ACCOUNT = "there is no such account"
SEVERAL = "several accounts are called so: expected the CRM's id"


def rows_of(lines: Sequence[str], *, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Each line as an entry of `POST /outages/{id}/escalations`, or with a `fault`; two statements."""
    cases = _find_cases([number for line in lines if (number := _number(line)) is not None], actor, now)
    accounts = _find_accounts([line.lower() for line in lines if not _is_case(line)])
    return [_case(cases.get(_number(line) or 0)) if _is_case(line) else _account(line, accounts) for line in lines]


def _is_case(line: str) -> bool:
    return line.upper().startswith(CASE)


def _number(line: str) -> int | None:
    digits = line.upper().removeprefix(CASE)
    known = _is_case(line) and digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS
    return int(digits) if known else None


def _case(found: UUID | None) -> dict[str, Any]:
    return {"escalation_id": found} if found else {"fault": UNKNOWN_CASE}


def _account(line: str, accounts: Sequence[Account]) -> dict[str, Any]:
    """By the CRM's id, else by name, else by domain."""
    said = line.lower()
    kinds = ("external_id", "name", "domain")
    by_kind = ([one for one in accounts if (getattr(one, kind) or "").lower() == said] for kind in kinds)
    found = next((some for some in by_kind if some), [])
    if len(found) == 1:
        return {"account_id": found[0].id}
    return {"fault": SEVERAL if found else UNKNOWN_ACCOUNT}


def _find_cases(numbers: Sequence[int], actor: Actor, now: datetime) -> dict[int, UUID]:
    if not numbers:
        return {}
    asked = select(Escalation.number, Escalation.id).where(Escalation.number.in_(numbers), visible_to(actor, now))
    return {row.number: row.id for row in db.session.execute(asked)}


def _find_accounts(said: Sequence[str]) -> Sequence[Account]:
    if not said:
        return ()
    named = [func.lower(column).in_(said) for column in (Account.external_id, Account.name, Account.domain)]
    return db.session.scalars(select(Account).where(Account.merged_into_id.is_(None), or_(*named))).all()
