"""A question about one account: every statement about all cases asked of its cases alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from app.reports.reading import Reading
from app.reports.standing_sql import COVERED, HELD

WITH = "with "
OPEN_OF_IT = "select * from covered where standing = 'open'"


@dataclass(frozen=True)
class OfAccount(Reading):
    """`scope` names the account, and whether its `own` cases are meant or also those of the accounts below it."""

    scope: Mapping[str, Any] = field(default_factory=dict)

    def ask(self, question: Any, **values: Any) -> Any:
        return super().ask(narrowed(question), **self.scope, **values)


def of_account(reading: Reading, account_id: UUID, *, own: bool) -> OfAccount:
    """The same question about this account."""
    given = {one.name: getattr(reading, one.name) for one in fields(reading)}
    return OfAccount(**given, scope={"account": account_id, "own": own})


@cache
def narrowed(question: TextClause) -> TextClause:
    """All cases, or all that are open, become the account's; they are found by it."""
    asked = question.text.strip()
    if COVERED in asked:
        return question
    asked = asked.replace(HELD, OPEN_OF_IT, 1).replace("from case_fact f", "from covered f", 1)
    if "covered" not in asked:
        return question
    return text(f"{WITH}{COVERED}, {asked[len(WITH) :]}" if asked.startswith(WITH) else f"{WITH}{COVERED} {asked}")
