"""What a page of reports is asked: as of when, which days, since when; and a calm page where there is no answer."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from app import clock
from app.auth.actor import current_actor
from app.db import transaction
from app.errors import Invalid
from app.http import Query
from app.http.forms import load_body, with_offset
from app.http.panels import page, zone
from app.http.parser import UNSTORABLE
from app.reports.definitions import Definition
from app.reports.errors import FactsBeingMade
from app.reports.figures import FIGURES
from app.reports.reading import Reading, reading
from app.reports.schemas import PartArguments, SummaryArguments
from app.reports.standings import STANDING_WORDS, TIER_NAMES
from app.reports.whose import only_of
from app.texts import gettext

bp = Blueprint("report_parts", __name__, template_folder="templates")

MOMENTS, DAYS, WHOSE = ("as_of", "since"), ("from", "to"), ("accounts", "own_accounts")
PARTS = ("figure", *PartArguments().fields)  # of a figure's rows
API, PANEL = "/api/v1/", "#/"


def read_question(schema: type[Query] = SummaryArguments) -> dict[str, Any]:
    """What the page's address says of the schema's parameters; a time without an offset is the viewer's. Invalid names
    each that can't be read."""
    names = {field.data_key or name for name, field in schema().fields.items()}
    said = {name: value for name, value in _said().items() if name in names}
    return load_body(schema, {name: with_offset(v) if name in MOMENTS else v for name, v in said.items()})


def ask(query: Mapping[str, Any]) -> AbstractContextManager[Reading]:
    """The caller's question: as of when, and about which accounts."""
    actor = current_actor()
    return reading(query.get("as_of"), actor=actor, now=clock.now(), only=only_of(query, actor))


def _said() -> dict[str, str]:
    names = (*MOMENTS, *DAYS, *WHOSE, *PARTS)
    asked = {name: UNSTORABLE.sub("", request.args.get(name, "")).strip() for name in names}
    return {name: value for name, value in asked.items() if value}


def calmly(view: Callable[..., Response]) -> Callable[..., Response]:
    """A page that can't answer says so in its place: what of the question is wrong beside it, or that facts are being
    made."""

    @wraps(view)
    def answer(**named: Any) -> Response:
        try:
            return view(**named)
        except FactsBeingMade as unready:
            return _unanswered(unready.status, {})
        except Invalid as refused:
            return _unanswered(refused.status, faults_of(refused))

    return answer


def faults_of(refused: Invalid) -> dict[str, str]:
    """What is wrong, by the name of the field."""
    return {(one.get("parameter") or one.get("pointer", "")).strip("/"): one["detail"] for one in refused.errors}


def _unanswered(status: int, faults: Mapping[str, str]) -> Response:
    path = request.path.removeprefix("/panel")
    with transaction():
        return page("reports/unanswered.html", status, path=path, faults=faults, said=_fields())


def _fields() -> dict[str, str]:
    """What was said as fields of a form take it: a moment in the viewer's time, and none that is no moment."""
    said = _said()
    return {name: _local(value) if name in MOMENTS else value for name, value in said.items()}


def _local(moment: str) -> str:
    try:
        at = datetime.fromisoformat(with_offset(moment))
    except ValueError:
        return ""
    return at.astimezone(ZoneInfo(zone("UTC"))).strftime("%Y-%m-%dT%H:%M") if at.tzinfo else ""


@bp.app_template_global("report_link")
def link_to(path: str, **more: str) -> str:
    """A page of reports for the same moment and accounts as this one; what `more` says goes before that."""
    return f"#{path}{_query('as_of', *WHOSE, **more)}"


@bp.app_template_global("report_query")
def same_question(**more: str) -> str:
    """What the page was asked, for a part of it that is asked for later."""
    return _query(*MOMENTS, *DAYS, *WHOSE, *PARTS, **more)


@bp.app_template_global("report_parts")
def parts_said() -> dict[str, str]:
    """Which part of a report the page is about, for the form that asks about another moment."""
    return {name: value for name, value in _said().items() if name in (*WHOSE, *PARTS)}


@bp.app_template_global("report_rows")
def rows_of(figure: str, as_of: datetime, days: Mapping[str, Any] | None = None) -> str:
    """The rows of a figure as of a moment, of the days raised in a report."""
    span = {"from": days["first"].isoformat(), "to": days["last"].isoformat()} if days else {}
    return f"#/reports/rows{_query(*WHOSE, figure=figure, as_of=as_of.isoformat(), **span)}"


def _query(*kept: str, **more: str) -> str:
    said = {name: value for name, value in _said().items() if name in kept}
    asked = urlencode({name: value for name, value in {**said, **more}.items() if value})
    return f"?{asked}" if asked else ""


@bp.app_template_filter("rows_page")
def rows_page(rows: str) -> str:
    """The panel's page of the rows that the API has at this address."""
    return rows.replace(API, PANEL, 1)


@bp.app_template_filter("tier_words")
def tier_words(tier: str) -> str:
    return gettext(TIER_NAMES[tier])


@bp.app_template_filter("standing_words")
def standing_words(standing: str) -> str:
    return gettext(STANDING_WORDS[standing])


@bp.app_template_global("figure_definition")
def definition_of(key: str) -> Definition:
    return FIGURES[key]
