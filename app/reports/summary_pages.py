"""Pages for executives: the summary before a board call, the rows behind each figure, and what the figures mean."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response, request

from app.auth.guards import requires
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.db import transaction
from app.errors import invalid_parameter
from app.http.paging import part
from app.http.panels import PanelBlueprint, page, zone
from app.reports import over_time, pictures, rows, stories, telling
from app.reports.account_definitions import OF_DAYS
from app.reports.asking import ask, calmly, read_question
from app.reports.definitions import COURSES, READER
from app.reports.figures import FIGURES
from app.reports.forecast.reading import counts_of, outlook_of
from app.reports.money import money_of
from app.reports.parts import part_of, words_of
from app.reports.reading import Reading, days_of
from app.reports.schemas import RowsOfArguments
from app.reports.summary import OPEN_THEN, frame, summarise

bp = PanelBlueprint("reports_summary", __name__)

SHOWN = 50
AT_ONCE = 1000  # open cases are foretold while the page waits; more of them in its place


@bp.get("/reports")
@requires("reports:read")
@calmly
def show_summary() -> Response:
    """One page before a board call: what is at stake, whether promises are kept, what changed and why."""
    query = read_question()
    with transaction(), ask(query) as asked:
        first, last = days_of(query, asked)
        found = summarise(asked, first=first, last=last, since=query.get("since"))
        since = found["changes"]["since"]
        if since > asked.as_of:
            raise invalid_parameter("since", f"expected a moment not later than {asked.as_of.isoformat()}")
        before, open_ = _before(asked, since), found["open"]["count"]
        values: dict[str, Any] = {"found": found, "before": before, "telling": telling, "today": asked.today}
        values["forecast"] = counts_of(outlook_of(asked)) if 0 < open_ <= AT_ONCE else None
        values["headline"] = telling.headline(found, before, values["forecast"])
        values["accounts"] = stories.stories_of(asked, money_of(asked))
        return page("reports/summary.html", charts=_charts(found), **values)


def _before(asked: Reading, since: datetime) -> dict[str, Any]:
    """What was open and at stake at the last report, as it was known then."""
    then = replace(asked, as_of=since)
    row = then.ask(OPEN_THEN).one()
    said = telling.when(since, asked.as_of, zone(asked.zone.key))
    return {"count": row.count, "said": said, **money_of(then).total(row.at_stake)}


def _charts(found: Mapping[str, Any]) -> list[Any]:
    on_time = pictures.on_time_chart(found["on_time"], found["first"], found["last"])
    return [on_time, pictures.survival_chart(found["survival"])]


@bp.get("/reports/outlook")
@requires("reports:read")
@calmly
def show_outlook() -> Response:
    """A part of the summary where much is open: how many will miss their target as things stand."""
    with transaction(), ask(read_question()) as asked:
        return page("reports/outlook.html", told=telling.ahead(counts_of(outlook_of(asked))))


@bp.get("/reports/value")
@requires("reports:read")
@calmly
def show_value() -> Response:
    """A part of the summary: value at stake over time, and what renews soonest."""
    query = read_question()
    by = over_time.MONTHS if request.args.get("by") == over_time.MONTHS else over_time.WEEKS
    with transaction(), ask(query) as asked:
        money = money_of(asked)
        series = over_time.value_over_time(asked, by)
        chart = pictures.value_chart(series, money.currency, asked.as_of, asked.zone)
        values: dict[str, Any] = {
            "chart": chart,
            "renewals": stories.renewals_of(asked, money),
            "money": money,
            "by": by,
        }
        return page("reports/value.html", **values)


@bp.get("/reports/rows")
@requires("reports:read")
@calmly
def show_rows() -> Response:
    """What a figure counts or adds, row by row, as of the same moment."""
    query = read_question(RowsOfArguments)
    figure = FIGURES[query["figure"]]
    with transaction(), ask(query) as whole:
        asked = part_of(whole, query)
        (first, last), money = days_of(query, asked), money_of(asked)
        found, cursor = part(
            lambda after, limit: rows.list_rows(
                figure, asked, money, first=first, last=last, after=after, limit=limit
            ),
            rows.position,
            limit=SHOWN,
        )  # fmt: skip
        values: dict[str, Any] = {"figure": figure, "rows": found, "cursor": cursor}
        values |= {"spanned": figure.source in (*COURSES, *OF_DAYS), "labels": _labels(), "of": words_of(query)}
        template = "reports/rows_more.html" if "cursor" in request.args else "reports/rows.html"
        return page(template, report={**frame(asked, money), "first": first, "last": last}, **values)


def _labels() -> dict[str, str]:
    """What the tenant calls each kind of grievance."""
    return {reason.name: reason.label for reason in list_reasons(tenant_settings())}


@bp.get("/reports/definitions")
@requires("reports:read")
def show_definitions() -> Response:
    """What each figure means, how it is made and which rows stand behind it."""
    with transaction():
        return page("reports/definitions.html", figures=FIGURES.values(), reader=READER)
