"""Public holidays become dates when a calendar is published; expected dates are those of the law and of Easter."""

from datetime import date, datetime
from typing import Any

import pytest

from app.sla.calendar import Calendar, compile_calendar
from app.sla.hours import CalendarError
from app.sla.public_holidays import with_dates

TODAY = date(2026, 3, 2)
WEEKLY = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def dates_of(**entry: str) -> dict[str, str]:
    [filled] = with_dates({"holidays_of": [entry]}, today=TODAY)["holidays_of"]
    dates: dict[str, str] = filled["dates"]
    return dates


# Easter Sunday is 2026-04-05 and 2027-03-28; Corpus Christi 60 days later is a holiday in Bavaria, not in Berlin.
def test_a_region_adds_its_own_days() -> None:
    year = {"from": "2026-01-01", "until": "2026-12-31"}
    bavaria, berlin = dates_of(country="DE", region="BY", **year), dates_of(country="DE", region="BE", **year)
    assert bavaria["2026-06-04"] == "Corpus Christi"
    assert "2026-06-04" not in berlin
    assert berlin["2026-03-08"] == "Women's Day"
    assert bavaria["2026-04-06"] == berlin["2026-04-06"] == "Easter Monday"


def test_a_holiday_that_falls_on_a_weekend_is_kept_on_the_day_in_lieu() -> None:
    american = dates_of(country="US", **{"from": "2026-07-01", "until": "2026-07-31"})
    assert list(american) == ["2026-07-03", "2026-07-04"]  # a Saturday


def test_without_a_span_holidays_are_known_from_five_years_back_to_ten_years_ahead() -> None:
    norway = list(dates_of(country="NO"))
    assert (norway[0], norway[-1]) == ("2021-01-01", "2036-12-26")


def test_several_countries_close_the_same_calendar_and_own_days_stay() -> None:
    definition: dict[str, Any] = {
        "timezone": "UTC",
        "weekly": WEEKLY,
        "holidays": ["2026-03-04"],
        "holidays_of": [{"country": "NO"}, {"country": "GB", "region": "SCT"}],
    }
    calendar = compile_calendar(with_dates(definition, today=TODAY))
    closed = [day for day in ("2026-03-04", "2026-05-14", "2026-11-30", "2026-03-05") if not opens_on(calendar, day)]
    assert closed == ["2026-03-04", "2026-05-14", "2026-11-30"]  # own; Ascension Day; Saint Andrew's Day


def opens_on(calendar: Calendar, day: str) -> bool:
    return calendar.is_open(datetime.fromisoformat(f"{day}T12:00Z"))


def test_dates_written_by_an_earlier_publication_are_replaced() -> None:
    day = "2026-05-17"
    old = {"holidays_of": [{"country": "NO", "from": day, "until": day, "dates": {"1999-01-01": "x"}}]}
    [entry] = with_dates(old, today=TODAY)["holidays_of"]
    assert entry["dates"] == {"2026-05-17": "Constitution Day"}
    assert (entry["from"], entry["until"]) == (day, day)


def test_what_the_source_says_about_its_knowledge_is_kept() -> None:
    [india, norway] = with_dates({"holidays_of": [{"country": "IN"}, {"country": "NO"}]}, today=TODAY)["holidays_of"]
    assert india["notes"] == ["Requested Holidays are available only from 2001 to 2035."]
    assert "notes" not in norway
    assert with_dates({"holidays_of": [india]}, today=TODAY)["holidays_of"] == [india]


@pytest.mark.parametrize(
    ("entries", "field", "says"),
    [
        ([{"country": "XX"}], "holidays_of/0/country", "expected an ISO 3166 code"),
        ([{"country": "Norway"}], "holidays_of/0/country", "expected an ISO 3166 code"),
        ([{}], "holidays_of/0/country", "expected an ISO 3166 code"),
        ([{"country": "NO"}, {"country": "DE", "region": "XY"}], "holidays_of/1/region", "BB, BE, BW, BY"),
        ([{"country": "NO", "region": 3}], "holidays_of/0/region", "expected a region of NO"),
        ([{"country": "NO", "from": "soon"}], "holidays_of/0/from", "expected a date"),
        ([{"country": "NO", "from": "1960-01-01"}], "holidays_of/0/from", "1970"),
        ([{"country": "NO", "until": "2101-01-01"}], "holidays_of/0/until", "from 1970 to 2100"),
        ([{"country": "NO", "from": "2026-05-02", "until": "2026-05-01"}], "holidays_of/0/until", "2026-05-02"),
        ([{"country": "NO", "from": "2026-05-02", "until": "2026-05-02"}], "holidays_of/0", "no holiday is known"),
        ([{"country": "NO", "county": "Viken"}], "holidays_of/0/county", "unknown field"),
        (["NO"], "holidays_of/0", "expected a country"),
        ([{"country": "NO"}] * 21, "holidays_of", "at most 20"),
        ("NO", "holidays_of", "expected a list"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_by_field(entries: Any, field: str, says: str) -> None:
    with pytest.raises(CalendarError) as refused:
        with_dates({"holidays_of": entries}, today=TODAY)
    assert refused.value.field == field
    assert says in refused.value.detail


def test_a_calendar_whose_countries_were_not_looked_up_is_refused() -> None:
    with pytest.raises(CalendarError) as refused:
        compile_calendar({"timezone": "UTC", "weekly": WEEKLY, "holidays_of": [{"country": "NO"}]})
    assert refused.value.field == "holidays_of/0/dates"
