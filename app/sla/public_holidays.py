"""Public holidays by country and region, turned into dates when a calendar is published and frozen with its version."""

import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Any

import holidays

from app.sla.definition import parse_date
from app.sla.hours import FIRST_YEAR, LAST_YEAR, CalendarError

YEARS_BACK, YEARS_AHEAD = 5, 10
MOST_COUNTRIES = 20
_ASKED = ("country", "region", "from", "until")
_WRITTEN = ("dates", "notes")  # by publishing; sent back with a definition that was read, they are written anew
_lookups = Lock()  # what the library warns of is caught for the whole process, so one asks at a time
_COUNTRY = re.compile(r"[A-Z]{2}")


def usual_span(today: date) -> tuple[date, date]:
    """The days a publication knows holidays of when nothing else is said: whole years around today's."""
    first, last = max(today.year - YEARS_BACK, FIRST_YEAR), min(today.year + YEARS_AHEAD, LAST_YEAR)
    return date(first, 1, 1), date(last, 12, 31)


def with_dates(definition: Mapping[str, Any], *, today: date, field: str = "holidays_of") -> dict[str, Any]:
    """The definition with the dates of each entry of `holidays_of` written into it; what it held before is replaced.

    Raises CalendarError naming the entry's field and what is expected there.
    """
    asked = definition.get("holidays_of")
    if not asked:
        return dict(definition)
    if not isinstance(asked, Sequence) or isinstance(asked, str) or len(asked) > MOST_COUNTRIES:
        raise CalendarError(field, f"expected a list of at most {MOST_COUNTRIES} countries")
    filled = [_fill(entry, f"{field}/{index}", today) for index, entry in enumerate(asked)]
    return {**definition, "holidays_of": filled}


def list_countries() -> list[str]:
    """The codes of the countries whose holidays are known."""
    return sorted(code for code in holidays.list_supported_countries() if _COUNTRY.fullmatch(code))


def last_holiday(definition: Mapping[str, Any]) -> date | None:
    """The last day a published definition is closed on by name; None if it knows no holidays at all."""
    own = definition.get("holidays") or []
    public = [day for entry in definition.get("holidays_of") or [] for day in entry["dates"]]
    return max((parse_date(day, "holidays") for day in [*own, *public]), default=None)


def _fill(entry: object, field: str, today: date) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise CalendarError(field, 'expected a country such as {"country": "DE", "region": "BY"}')
    for name in entry:
        if name not in (*_ASKED, *_WRITTEN):
            raise CalendarError(f"{field}/{name}", "unknown field, expected country, region, from or until")
    first, last = _span(entry, field, today)
    known, notes = _lookup(entry, field, range(first.year, last.year + 1))
    dates = {day.isoformat(): name for day, name in sorted(known.items()) if first <= day <= last}
    if not dates:
        raise CalendarError(field, f"no holiday is known from {first} to {last}")
    given = {name: entry[name] for name in _ASKED if entry.get(name) is not None}
    return {**given, "dates": dates, **({"notes": notes} if notes else {})}


def _span(entry: Mapping[str, Any], field: str, today: date) -> tuple[date, date]:
    first, last = usual_span(today)
    if entry.get("from") is not None:
        first = parse_date(entry["from"], f"{field}/from")
    if entry.get("until") is not None:
        last = parse_date(entry["until"], f"{field}/until")
    if last < first:
        raise CalendarError(f"{field}/until", f"expected a date from {first} on")
    return first, last


def _lookup(entry: Mapping[str, Any], field: str, years: range) -> tuple[Mapping[date, str], list[str]]:
    """What the library knows of these years, in English where it can, and what it says about how well it knows."""
    country, region = entry.get("country"), entry.get("region")
    whole = _of_country(country)
    if whole is None:
        raise CalendarError(f"{field}/country", f"expected an ISO 3166 code such as DE, NO or US, got {country!r}")
    if region is not None and region not in whole.subdivisions:
        regions = ", ".join(sorted(whole.subdivisions)) or "none"
        raise CalendarError(f"{field}/region", f"expected a region of {country} ({regions}), got {region!r}")
    language = "en_US" if "en_US" in whole.supported_languages else whole.default_language
    with _lookups, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = holidays.country_holidays(str(country), subdiv=region, years=years, language=language)
    return found, sorted({str(warning.message) for warning in said})


def _of_country(country: object) -> Any:
    if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
        return None
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:  # how the library says that it has no such country; the caller refuses it by field
        return None
