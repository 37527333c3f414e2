"""Pages for executives: the summary before a board call, the rows behind each figure, and what the figures mean."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response, request

from app.auth.guards import requires
from app.db import transaction
from app.errors import invalid_parameter
from app.http.paging import part
from app.http.panels import PanelBlueprint, page, zone
from app.reports import over_time, pictures, rows, stories, telling
from app.reports.asking import ask, calmly, read_part, read_question
from app.reports.definitions import COURSES, READER
from app.reports.figures import FIGURES, WITH_ROWS
from app.reports.money import money_of
from app.reports.parts import part_of, words_of
from app.reports.reading import Reading, days_of
from app.reports.summary import OPEN_NOW, frame, summarise

bp = PanelBlueprint("reports_summary", __name__)

SHOWN = 50


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
        before = _before(asked, since)
        values: dict[str, Any] = {
            "found": found,
            "before": before,
            "headline": telling.headline(found, before),
            "telling": telling,
        }
        values |= {"accounts": stories.stories_of(asked, money_of(asked)), "today": asked.today}
        return page("reports/summary.html", charts=_charts(found), **values)


def _before(asked: Reading, since: datetime) -> dict[str, Any]:
    """What was open and at stake at the last report, as it was known then."""
    then = replace(asked, as_of=since)
    row = then.ask(OPEN_NOW).one()
    said = telling.when(since, asked.as_of, zone(asked.zone.key))
    return {"count": row.count, "said": said, **money_of(then).total(row.at_stake)}


def _charts(found: Mapping[str, Any]) -> list[Any]:
    on_time = pictures.on_time_chart(found["on_time"], found["first"], found["last"])
    return [on_time, pictures.survival_chart(found["survival"])]


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
    query, key = read_question(), request.args.get("figure", "")
    if key not in WITH_ROWS:
        raise invalid_parameter("figure", f"expected one of {', '.join(WITH_ROWS)}")
    figure = FIGURES[key]
    said = read_part()
    with transaction(), ask(query) as whole:
        asked = part_of(whole, said)
        (first, last), money = days_of(query, asked), money_of(asked)
        found, cursor = part(
            lambda after, limit: rows.list_rows(
                figure, asked, money, first=first, last=last, after=after, limit=limit
            ),
            rows.position,
            limit=SHOWN,
        )  # fmt: skip
        values: dict[str, Any] = {"figure": figure, "rows": found, "cursor": cursor, "first": first, "last": last}
        values |= {"part": said, "of": words_of(said), "spanned": figure.source in COURSES}
        template = "reports/rows_more.html" if "cursor" in request.args else "reports/rows.html"
        return page(template, report=frame(asked, money), **values)


@bp.get("/reports/definitions")
@requires("reports:read")
def show_definitions() -> Response:
    """What each figure means, how it is made and which rows stand behind it."""
    with transaction():
        return page("reports/definitions.html", figures=FIGURES.values(), reader=READER)
