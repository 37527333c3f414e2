"""The doors to calendars: status, shape, permission; and that nothing computed is stored."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.auth.models import User
from app.db import db, transaction
from app.sla.models import CalendarVersion
from tests.conftest import ApiClient

NINE_TO_FIVE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
BERLIN = {"timezone": "Europe/Berlin", "weekly": NINE_TO_FIVE, "holidays": ["2026-12-25"]}


def test_a_new_tenant_lists_its_office_hours(client: ApiClient) -> None:
    answer = client.get("/api/v1/calendars")
    [calendar] = answer.get_json()["items"]
    assert answer.status_code == 200
    assert (calendar["name"], calendar["number"], calendar["definition"]) == (
        "default",
        1,
        {"timezone": "UTC", "weekly": NINE_TO_FIVE},
    )


def test_publishing_a_known_name_adds_a_version(client: ApiClient) -> None:
    first = client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN})
    second = client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN, "day_seconds": 27000})
    assert (first.status_code, second.status_code) == (201, 201)
    read = client.get(second.headers["Location"]).get_json()
    assert read["id"] == first.get_json()["id"]
    assert [(version["number"], version["definition"].get("day_seconds")) for version in read["versions"]] == [
        (1, None),
        (2, 27000),
    ]
    assert [item["name"] for item in client.get("/api/v1/calendars").get_json()["items"]] == ["berlin", "default"]


def test_a_calendar_without_a_zone_is_published_in_the_tenants(client: ApiClient) -> None:
    settings = client.get("/api/v1/settings")
    client.patch("/api/v1/settings", json={"timezone": "Asia/Tokyo"}, if_match=settings.headers["ETag"])
    published = client.post("/api/v1/calendars", json={"name": "here", "weekly": NINE_TO_FIVE})
    assert published.get_json()["definition"]["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "closed", "weekly": {}}, "/weekly"),
        ({"name": "odd", "weekly": {"mon": [["09:00", "9"]]}}, "/weekly/mon/0/1"),
        ({"name": "odd", "weekly": {"funday": []}}, "/weekly/funday"),
        ({"name": "odd", "timezone": "Mars/Olympus", "weekly": NINE_TO_FIVE}, "/timezone"),
        ({"name": "odd", "weekly": NINE_TO_FIVE, "holidays": ["25.12."]}, "/holidays/0"),
        ({"name": "odd", "always_open": "yes"}, "/always_open"),
        ({"weekly": NINE_TO_FIVE}, "/name"),
        ({"name": "odd", "weekly": NINE_TO_FIVE, "colour": "red"}, "/colour"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused_by_field(
    client: ApiClient, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/api/v1/calendars", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert len(client.get("/api/v1/calendars").get_json()["items"]) == 1


def test_calendars_are_published_by_admins_and_computed_by_anybody(
    make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    csm = as_user(make_user("csm"))
    assert csm.post("/api/v1/calendars", json={"name": "mine", **BERLIN}).status_code == 403
    asked = {"calendar": BERLIN, "operations": []}
    assert csm.post("/api/v1/calendars/compute", json=asked).get_json() == {"results": []}


def test_computing_answers_in_order_and_stores_nothing(client: ApiClient) -> None:
    # Friday 27 March 2026, 16:00 in Berlin (+01:00); on Sunday clocks go forward
    friday = "2026-03-27T16:00:00+01:00"
    asked = [
        {"op": "add", "start": friday, "seconds": 7200},
        {"op": "subtract", "start": "2026-03-30T10:00:00+02:00", "seconds": 7200},
        {"op": "between", "start": friday, "end": "2026-03-30T10:00:00+02:00"},
        {"op": "is_open", "start": friday},
        {"op": "next_open", "start": friday},
        {"op": "next_close", "start": friday},
        {"op": "next_windows", "start": "2026-12-24T08:00:00+01:00", "count": 2},
    ]
    answer = client.post("/api/v1/calendars/compute", json={"calendar": BERLIN, "operations": asked})
    assert answer.status_code == 200
    assert answer.get_json()["results"] == [
        {"end": "2026-03-30T08:00:00+00:00"},
        {"end": "2026-03-27T15:00:00+00:00"},
        {"seconds": 7200},
        {"open": True},
        {"at": "2026-03-30T07:00:00+00:00"},
        {"at": "2026-03-27T16:00:00+00:00"},
        {
            "windows": [
                ["2026-12-24T08:00:00+00:00", "2026-12-24T16:00:00+00:00"],
                ["2026-12-28T08:00:00+00:00", "2026-12-28T16:00:00+00:00"],
            ]
        },
    ]
    with transaction():
        assert len(db.session.scalars(select(CalendarVersion.id)).all()) == 1


@pytest.mark.parametrize(
    ("calendar", "operation", "pointer"),
    [
        (BERLIN, {"op": "add", "start": "2026-03-27T16:00:00", "seconds": 1}, "/operations/0/start"),
        (BERLIN, {"op": "add", "start": "2026-03-27T16:00:00Z", "seconds": -1}, "/operations/0/seconds"),
        (BERLIN, {"op": "add", "start": "2026-03-27T16:00:00Z", "count": 1}, "/operations/0/count"),
        (BERLIN, {"op": "jump", "start": "2026-03-27T16:00:00Z"}, "/operations/0/op"),
        ({"weekly": {}}, {"op": "is_open", "start": "2026-03-27T16:00:00Z"}, "/calendar/weekly"),
        ({"holydays": []}, {"op": "is_open", "start": "2026-03-27T16:00:00Z"}, "/calendar/holydays"),
    ],
)
def test_a_question_without_meaning_is_refused_by_field(
    client: ApiClient, calendar: dict[str, Any], operation: dict[str, Any], pointer: str
) -> None:
    answer = client.post("/api/v1/calendars/compute", json={"calendar": calendar, "operations": [operation]})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_the_tenants_calendar_must_be_published_before_it_is_named(client: ApiClient) -> None:
    etag = client.get("/api/v1/settings").headers["ETag"]
    refused = client.patch("/api/v1/settings", json={"calendar": "berlin"}, if_match=etag)
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "/calendar")
    client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN})
    taken = client.patch("/api/v1/settings", json={"calendar": "berlin"}, if_match=etag)
    assert (taken.status_code, taken.get_json()["calendar"]) == (200, "berlin")


def test_public_holidays_are_dates_of_the_published_version(client: ApiClient) -> None:
    asked = {"country": "DE", "region": "BY", "from": "2026-01-01", "until": "2026-12-31"}
    body = {"name": "munich", "timezone": "Europe/Berlin", "weekly": NINE_TO_FIVE, "holidays_of": [asked]}
    [entry] = client.post("/api/v1/calendars", json=body).get_json()["definition"]["holidays_of"]
    assert {name: entry[name] for name in asked} == asked
    assert entry["dates"]["2026-06-04"] == "Corpus Christi"


def test_public_holidays_are_computed_and_refused_by_field(client: ApiClient) -> None:
    corpus_christi = {"op": "is_open", "start": "2026-06-04T12:00:00+02:00"}
    answers = [
        client.post(
            "/api/v1/calendars/compute",
            json={"calendar": {**BERLIN, "holidays_of": [entry]}, "operations": [corpus_christi]},
        )
        for entry in ({"country": "DE", "region": "BY"}, {"country": "DE", "region": "BE"}, {"country": "QQ"})
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert [answer.get_json()["results"] for answer in answers[:2]] == [[{"open": False}], [{"open": True}]]
    [error] = answers[2].get_json()["errors"]
    assert error["pointer"] == "/calendar/holidays_of/0/country"


XMAS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Christmas\r\n"
    "DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def send_file(client: ApiClient, path: str, content: str, **options: Any) -> Any:
    return client.open("POST", path, data=content.encode(), content_type="text/calendar; charset=utf-8", **options)


def test_a_calendar_file_closes_its_days_in_a_new_version_once(client: ApiClient) -> None:
    where = client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN}).headers["Location"]
    first, again = (send_file(client, f"{where}/holidays", XMAS) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["definition"] == {**BERLIN, "holidays": ["2026-12-24", "2026-12-25", "2026-12-26"]}
    assert [version["number"] for version in again.get_json()["versions"]] == [1, 2]


def test_a_calendar_file_with_a_fault_changes_nothing(client: ApiClient) -> None:
    where = client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN}).headers["Location"]
    refused = send_file(client, f"{where}/holidays", XMAS.replace("DTEND;VALUE=DATE:20261227", "DTEND:20261227T0000Z"))
    assert refused.status_code == 422
    assert [(error["pointer"], error["line"]) for error in refused.get_json()["errors"]] == [("/events/0", "4")]
    assert client.get(where).get_json()["number"] == 1


def test_the_door_for_calendar_files_takes_nothing_else(
    client: ApiClient, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    where = client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN}).headers["Location"] + "/holidays"
    unknown = "/api/v1/calendars/01900000-0000-7000-8000-000000000000/holidays"
    assert send_file(as_user(make_user("csm")), where, XMAS).status_code == 403
    assert send_file(client, unknown, XMAS).status_code == 404
    assert client.post(where, json={}).status_code == 415
    assert client.post(where).status_code == 415
    assert send_file(client, where, "x" * (2**20 + 1)).status_code == 413


def test_a_calendar_file_sent_again_under_its_key_is_done_once(client: ApiClient) -> None:
    where = client.post("/api/v1/calendars", json={"name": "berlin", **BERLIN}).headers["Location"] + "/holidays"
    answers = [send_file(client, where, XMAS, key="k-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json() == answers[1].get_json()


def test_a_definition_as_read_can_be_published_again_and_is_looked_up_anew(client: ApiClient) -> None:
    body = {"name": "oslo", "timezone": "Europe/Oslo", "weekly": NINE_TO_FIVE, "holidays_of": [{"country": "NO"}]}
    first = client.post("/api/v1/calendars", json=body).get_json()
    stale = first["definition"] | {"holidays_of": [{"country": "NO", "dates": {"2001-01-02": "gone"}}]}
    again = client.post("/api/v1/calendars", json={"name": "oslo", **stale}).get_json()
    assert (first["number"], again["number"]) == (1, 2)
    assert again["definition"] == first["definition"]
