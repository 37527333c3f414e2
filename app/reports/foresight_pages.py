"""The page about what lies ahead: open cases likely to miss their target, accounts likely to raise one."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request

from app.auth.guards import requires
from app.db import transaction
from app.http import decode_cursor, encode_cursor
from app.http.forms import load_body
from app.http.panels import PanelBlueprint, page
from app.reports import foresight_words as words
from app.reports import telling
from app.reports.asking import ask, calmly, read_question
from app.reports.definitions import READER
from app.reports.forecast.reading import forecast_of
from app.reports.money import money_of
from app.reports.reading import Reading
from app.reports.schemas import SummaryArguments
from app.reports.summary import frame
from app.reports.warning import warnings_of

bp = PanelBlueprint("reports_foresight", __name__)

SHOWN = 20
PATH, CASES, ACCOUNTS = "/reports/warnings", "/reports/warnings/cases", "/reports/warnings/accounts"


@bp.get(PATH)
@requires("reports:read")
@calmly
def show_warnings() -> Response:
    """What lies ahead, as of a moment: open cases likely to miss their target, and who is likely to escalate next."""
    with transaction(), ask(read_question()) as asked:
        found = {**frame(asked, money_of(asked)), "reader": READER}
        lists: dict[str, Any] = {"forecast": _cases(asked, None), "warnings": _accounts(asked, None)}
        return page("reports/warnings.html", found=found, words=words, telling=telling, **lists)


@bp.get(CASES)
@requires("reports:read")
@calmly
def more_cases() -> Response:
    """The open cases that follow, as of the same moment."""
    return _more("reports/forecast_more.html", "forecast", _cases)


@bp.get(ACCOUNTS)
@requires("reports:read")
@calmly
def more_accounts() -> Response:
    """The accounts that follow, as of the same moment."""
    return _more("reports/warnings_more.html", "warnings", _accounts)


def _more(template: str, name: str, read: Callable[[Reading, list[Any] | None], Mapping[str, Any]]) -> Response:
    question, *after = decode_cursor(request.args.get("cursor")) or [{}]
    with transaction(), ask(load_body(SummaryArguments, question)) as asked:
        values: dict[str, Any] = {name: read(asked, after or None)}
        return page(template, words=words, telling=telling, **values)


def _cases(asked: Reading, after: list[Any] | None) -> Mapping[str, Any]:
    return _followed(forecast_of(asked, after=after, limit=SHOWN), asked, CASES)


def _accounts(asked: Reading, after: list[Any] | None) -> Mapping[str, Any]:
    return _followed(warnings_of(asked, money_of(asked), after=after, limit=SHOWN), asked, ACCOUNTS)


def _followed(found: dict[str, Any], asked: Reading, path: str) -> Mapping[str, Any]:
    """With the address of what follows, which asks the same question about the same moment."""
    if found["next"] is None:
        return {**found, "more": None}
    question = {"as_of": asked.as_of.isoformat(), **(asked.only.asked if asked.only else {})}
    cursor = encode_cursor([question, *found["next"]], path=f"/panel{path}")
    return {**found, "more": f"/panel{path}?cursor={cursor}"}
