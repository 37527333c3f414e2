"""Finding an account by a few letters of it; who looks after some sees these first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, or_, select, tuple_

from app.accounts.models import Account
from app.db import db

SHOWN = 25
MINE, OTHERS = 0, 1


@dataclass(frozen=True)
class Found:
    """Accounts of a page; `mine` says how many of its first ones the asker looks after, `after` where it goes on."""

    items: list[Account]
    mine: int
    after: list[Any] | None


def find_accounts(words: str, *, email: str | None, after: Sequence[Any] | None, limit: int = SHOWN) -> Found:
    """By a part of the name or domain, or by the CRM's whole id; merged ones are left out.

    Those whose owner or CSM has this address come first, each kind by name: at most two statements a page.
    """
    part, *position = after or (MINE, None, None)
    found: list[tuple[int, Account]] = []
    for kind in range(part, OTHERS + 1):
        start = position if kind == part and after else None
        rows = _read(words, email, kind, start, limit + 1 - len(found))
        found += [(kind, row) for row in rows]
        if len(found) > limit:
            break
    shown = found[:limit]
    goes_on = [shown[-1][0], shown[-1][1].name, str(shown[-1][1].id)] if len(found) > limit else None
    return Found([row for _, row in shown], sum(kind == MINE for kind, _ in shown), goes_on)


def _read(words: str, email: str | None, kind: int, after: Sequence[Any] | None, limit: int) -> Sequence[Account]:
    looked_after = or_(
        *(func.coalesce(func.lower(by), "") == (email or "-") for by in (Account.owner_email, Account.csm_email))
    )
    asked = select(Account).where(Account.merged_into_id.is_(None), looked_after if kind == MINE else ~looked_after)
    if words:
        asked = asked.where(_matches(words))
    if after is not None:
        asked = asked.where(tuple_(Account.name, Account.id) > tuple_(literal(after[0]), literal(UUID(after[1]))))
    return db.session.scalars(asked.order_by(Account.name, Account.id).limit(limit)).all()


def _matches(words: str) -> ColumnElement[bool]:
    return or_(
        Account.name.icontains(words, autoescape=True),
        Account.domain.icontains(words, autoescape=True),
        Account.external_id == words,
    )
