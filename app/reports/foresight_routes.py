"""Doors to what lies ahead: which open cases are likely to miss their target, which accounts to raise one."""

from typing import Any

from flask import Response

from app.auth.guards import requires
from app.http import ApiBlueprint, answer, decode_cursor, encode_cursor, transaction
from app.reports.asking import ask
from app.reports.definitions import READER
from app.reports.forecast.reading import forecast_of
from app.reports.foresight_schemas import ForecastSchema, ForesightArguments, WarningsSchema
from app.reports.money import money_of
from app.reports.reading import Reading
from app.reports.warning import warnings_of

foresight = ApiBlueprint("foresight", __name__, url_prefix="/api/v1/reports")


@foresight.get("/forecast")
@foresight.arguments(ForesightArguments, location="query")
@foresight.response(200, ForecastSchema)
@requires("reports:read")
def get_forecast(query: dict[str, Any]) -> Response:
    """Open cases by their chance to miss the original target, as of any moment, with what speaks for it."""
    limit, after = query["limit"], decode_cursor(query.get("cursor"))
    with transaction(), ask(query) as asked:
        return answer(ForecastSchema, {**_frame(asked), **_paged(forecast_of(asked, after=after, limit=limit))})


@foresight.get("/early-warning")
@foresight.arguments(ForesightArguments, location="query")
@foresight.response(200, WarningsSchema)
@requires("reports:read")
def list_warnings(query: dict[str, Any]) -> Response:
    """Accounts without an open case that are likely to raise one, as of any moment, with each part of their score."""
    limit, after = query["limit"], decode_cursor(query.get("cursor"))
    with transaction(), ask(query) as asked:
        found = warnings_of(asked, money_of(asked), after=after, limit=limit)
        return answer(WarningsSchema, {**_frame(asked), **_paged(found)})


def _frame(asked: Reading) -> dict[str, Any]:
    return {"as_of": asked.as_of, "lag_seconds": asked.lag_seconds, "reader": READER}


def _paged(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "next_cursor": encode_cursor(found["next"]) if found["next"] else None}
