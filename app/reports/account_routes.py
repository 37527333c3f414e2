"""Doors to the reports on accounts as JSON."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Response

from app.accounts.queries import check_account
from app.auth.guards import requires
from app.http import ApiBlueprint, answer, decode_cursor, encode_cursor, transaction
from app.http.panels import choose_language
from app.reports.account import account_report
from app.reports.account_schemas import AccountReportArguments, AccountReportSchema, AccountsArguments, AccountsSchema
from app.reports.accounts import accounts_of, list_answer
from app.reports.asking import ask
from app.reports.errors import FactsBeingMade
from app.reports.money import money_of
from app.reports.reading import Reading, days_of
from app.reports.rows import position

bp = ApiBlueprint("report_accounts", __name__, url_prefix="/api/v1/reports")


@bp.get("/accounts")
@bp.arguments(AccountsArguments, location="query")
@bp.response(200, AccountsSchema)
@requires("reports:read")
def list_accounts(query: dict[str, Any]) -> Response:
    """Accounts with open escalations by value at stake, each with its story in one line, in the language asked for."""
    choose_language()
    limit, after = query["limit"], decode_cursor(query.get("cursor"))
    with transaction(), ask(query) as asked:
        money = money_of(asked)
        found = accounts_of(asked, money, after, limit + 1)
        more = encode_cursor(position(found[limit - 1])) if len(found) > limit else None
        return answer(AccountsSchema, {**list_answer(asked, money), "items": found[:limit], "next_cursor": more})


@bp.get("/accounts/<uuid:account_id>")
@bp.arguments(AccountReportArguments, location="query")
@bp.response(200, AccountReportSchema)
@requires("reports:read")
def get_account_report(query: dict[str, Any], account_id: UUID) -> Response:
    """One account before a call, as of any moment: its story, promises, what was told, and a brief in the language
    asked for."""
    choose_language()
    with transaction(), ask_of(account_id, query) as asked:
        first, last = days_of(query, asked)
        found = account_report(asked, account_id, first=first, last=last, own=query["own"])
        return answer(AccountReportSchema, found)


@contextmanager
def ask_of(account_id: UUID, query: Mapping[str, Any]) -> Iterator[Reading]:
    """The caller's question; while facts are being made, an account that there isn't is still not found."""
    try:
        with ask(query) as asked:
            yield asked
    except FactsBeingMade:
        check_account(account_id)
        raise
