"""Admin pages about calendars: a week as a picture, what would be due, holidays and the next version."""

import io
import re

import pytest

from tests.panels.test_admin_people import admin, goes_to, refused_at, version_in

__all__ = ["admin"]

OFFICE = {f"weekly.{day}": "9:00–12:30, 13:30–17" for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def path(admin):
    """A calendar of Berlin, open 7 hours on working days, closed on Christmas Eve and on Bavaria's holidays."""
    form = {
        **OFFICE,
        "name": "Berlin",
        "timezone": "Europe/Berlin",
        "day_seconds": "7",
        "holidays_of.0.country": "de",
        "holidays_of.0.region": "BY",
        "holidays_of.1.country": "",
        "holidays": "2026-12-24",
        "overrides": "2026-12-31 9:00–12:00",
        "breaks": "2026-12-23 10:00–11:00",
    }
    return goes_to(admin.post("/admin/calendars", form))


def days_in(answer):
    """What the picture of a week says beside each day."""
    said = re.findall(r'<span class="week-said">(.*?)</span></li>', answer.text, re.S)
    return [re.sub(r"\s+", " ", one).strip() for one in said]


def test_what_is_written_becomes_the_definition_of_the_api(client, path):
    made = client.get(f"/api/v1{path.removeprefix('/admin')}").json
    wanted = made["definition"]
    assert wanted["weekly"]["mon"] == [["09:00", "12:30"], ["13:30", "17:00"]]
    assert set(wanted["weekly"]) == {"mon", "tue", "wed", "thu", "fri"}
    assert (wanted["timezone"], wanted["day_seconds"], wanted["holidays"]) == ("Europe/Berlin", 25_200, ["2026-12-24"])
    assert wanted["overrides"] == {"2026-12-31": [["09:00", "12:00"]]}
    assert wanted["breaks"] == [{"date": "2026-12-23", "start": "10:00", "end": "11:00"}]
    assert wanted["holidays_of"][0]["dates"]["2026-12-25"] == "Christmas Day"


def test_a_week_shows_hours_breaks_holidays_and_days_off(admin, path):
    assert days_in(admin.get(f"{path}?week=2026-12-23")) == [
        "9:00–12:30, 13:30–17:00",
        "9:00–12:30, 13:30–17:00",
        "9:00–10:00, 11:00–12:30, 13:30–17:00",
        "closed · day off",
        "closed · Christmas Day",
        "closed · Second Day of Christmas",
        "closed",
    ]
    assert days_in(admin.get(f"{path}?week=2026-12-31"))[3] == "9:00–12:00 · other hours"
    assert admin.get(f"{path}?week=tomorrow").status_code == 422


def test_a_window_stands_where_its_hours_are(admin, path):
    first = admin.get(f"{path}?week=2026-12-21").text
    assert '<rect class="week-open" x="37.5%" width="14.58%"' in first


def test_what_would_be_due_is_said_with_the_hours_that_count(admin, path):
    """Two business days of 7 hours from Wed 23 Dec 16:00 Berlin (15:00 UTC, the tenant's zone): 1 h that day, closed to
    Sunday, 7 h on Monday, 6 h on Tuesday: until 16:00, which is 15:00 UTC."""
    answer = admin.post(f"{path}/due", {"start": "2026-12-23T15:00", "amount": "2", "unit": "days"})
    assert answer.status_code == 200, answer.text
    assert "Tue 29 Dec 2026 16:00" in answer.text
    assert "Tue 29 Dec 2026 15:00, your time" in answer.text
    hours = [float(one) for one in re.findall(r'<td class="number">([\d.]+)</td>', answer.text)]
    assert hours == [1.0, 3.5, 3.5, 3.5, 2.5]
    assert refused_at(admin.post(f"{path}/due", {"amount": "2", "unit": "days"})) == (422, ["start"])


def test_the_form_shows_what_was_published_and_sends_the_same_back(admin, client, path):
    shown = admin.get(f"{path}/edit").text
    fields = dict(re.findall(r'name="((?:weekly|holidays_of|timezone|day_seconds)[^"]*)"[^>]*value="([^"]*)"', shown))
    fields |= dict(re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>([^<]*)</textarea>', shown))
    goes_to(admin.post(path, {**fields, "version": version_in(admin.get(f"{path}/edit"))}))
    made = client.get(f"/api/v1{path.removeprefix('/admin')}").json
    first, second = made["versions"]
    assert first["definition"] == second["definition"]


@pytest.mark.parametrize(
    ("field", "said", "named"),
    [
        ("weekly.mon", "nine to five", "weekly.mon"),
        ("weekly.mon", "9:00–12:00, 11:00–14:00", "weekly.mon"),
        ("timezone", "Europe/Nowhere", "timezone"),
        ("holidays", "2026-13-01", "holidays.0"),
        ("holidays_of.0.country", "XX", "holidays_of.0.country"),
        ("overrides", "2026-12-31 9–", "overrides"),
        ("breaks", "2026-12-31", "breaks"),
        ("day_seconds", "25", "day_seconds"),
    ],
)
def test_a_refusal_names_the_box(field, said, named, admin, path):
    form = {"version": version_in(admin.get(f"{path}/edit")), **OFFICE, field: said}
    assert refused_at(admin.post(path, form)) == (422, [named])


def test_who_edits_an_older_version_sees_both(admin, client, path):
    version = version_in(admin.get(f"{path}/edit"))
    goes_to(admin.post(path, {**OFFICE, "version": version, "timezone": "Europe/Paris"}))
    stale = admin.post(path, {**OFFICE, "version": version, "timezone": "Europe/Rome"})
    assert stale.status_code == 412
    assert (
        '<th scope="row">Time zone</th><td class="words">Europe/Paris</td><td class="words">Europe/Rome' in stale.text
    )
    newer = re.search(r'data-version="(\d+)"', stale.text)[1]
    goes_to(admin.post(path, {**OFFICE, "version": newer, "timezone": "Europe/Rome"}))
    assert client.get(f"/api/v1{path.removeprefix('/admin')}").json["definition"]["timezone"] == "Europe/Rome"


def test_a_name_that_is_taken_is_not_published_over(admin, path):
    assert refused_at(admin.post("/admin/calendars", {**OFFICE, "name": "Berlin"})) == (422, ["name"])


def test_days_off_come_from_a_file(admin, client, path):
    event = (
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20261130\r\nSUMMARY:Fair\r\nEND:VEVENT"
    )
    file = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{event}\r\nEND:VCALENDAR\r\n"
    sent = {"file": (io.BytesIO(file.encode()), "days.ics", "text/calendar")}
    goes_to(admin.post(f"{path}/holidays", sent, key="once"))
    made = client.get(f"/api/v1{path.removeprefix('/admin')}").json
    assert made["definition"]["holidays"] == ["2026-11-30", "2026-12-24"]
    assert refused_at(admin.post(f"{path}/holidays", {})) == (422, ["file"])


def test_pages_open_for_admins_only_in_few_statements(admin, panel, make_user, path, statements):
    other = panel(make_user("manager"))
    for one in ("/admin/calendars", "/admin/calendars/new", path, f"{path}/edit"):
        assert other.get(one).status_code == 403
        with statements() as sent:
            assert admin.get(one).status_code == 200
        assert len(sent) <= 6, (one, sent)
