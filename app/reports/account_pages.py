"""Pages on accounts: those with open escalations, and the one to read before a call."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app.auth.guards import requires
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.db import transaction
from app.escalations.code_words import CLOCKS
from app.http.paging import part
from app.http.panels import PanelBlueprint, page
from app.reports import account_pictures as pictures
from app.reports.account import account_report
from app.reports.account_routes import ask_of
from app.reports.accounts import accounts_of, list_answer
from app.reports.asking import ask, calmly, read_question
from app.reports.money import money_of
from app.reports.reading import days_of
from app.reports.rows import position
from app.texts import gettext

bp = PanelBlueprint("reports_accounts", __name__)

SHOWN = 30


@bp.app_template_filter("clock_words")
def clock_words(clock: str) -> str:
    return gettext(CLOCKS[clock])


@bp.get("/reports/accounts")
@requires("reports:read")
@calmly
def show_accounts() -> Response:
    """Accounts with open escalations by value at stake, each with its story in a line."""
    query = read_question()
    with transaction(), ask(query) as asked:
        money = money_of(asked)
        found, cursor = part(lambda after, limit: accounts_of(asked, money, after, limit), position, limit=SHOWN)
        values: dict[str, Any] = {"found": list_answer(asked, money), "accounts": found, "cursor": cursor}
        template = "reports/accounts_more.html" if "cursor" in request.args else "reports/accounts.html"
        return page(template, **values)


@bp.get("/reports/accounts/<uuid:account_id>")
@requires("reports:read")
@calmly
def show_account(account_id: UUID) -> Response:
    """The page to read before the call: the story, the promises, what we told them, what we will do, who to thank and
    who to ask."""
    query, own = read_question(), request.args.get("own") == "true"
    with transaction(), ask_of(account_id, query) as asked:
        first, last = days_of(query, asked)
        found = account_report(asked, account_id, first=first, last=last, own=own)
        chart = pictures.over_time_chart(found["over_time"])
        reasons = {one.name: one.label for one in list_reasons(tenant_settings())}
        return page("reports/account.html", found=found, chart=chart, words=pictures, reasons=reasons)
