"""Reports by mail: what a schedule says, whose it is, and when it is due next."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

SCHEDULES = "/api/v1/reports/schedules"
BODY = {
    "name": "Board",
    "report": "summary",
    "arguments": {"span": "last_3_months"},
    "rhythm": "weekly",
    "weekday": "mon",
    "hour": 8,
    "timezone": "Europe/Berlin",
    "recipients": ["boss@example.com", "Manager@example.com", "boss@example.com"],
}


@pytest.fixture
def boss(company, as_user):
    return as_user(company.boss)


@pytest.fixture
def manager(company, as_user):
    return as_user(company.manager)


def made(client, **fields):
    answer = client.post(
        SCHEDULES, json={name: value for name, value in {**BODY, **fields}.items() if value is not None}
    )
    assert answer.status_code == 201, answer.text
    return answer.json


def local(schedule):
    """When it is due next, on its own clock."""
    return datetime.fromisoformat(schedule["next_at"]).astimezone(ZoneInfo(schedule["timezone"]))


def test_a_schedule_says_what_goes_to_whom_and_when_next(boss):
    found = made(boss)
    assert [(one["email"], one["reads"]) for one in found["recipients"]] == [
        ("boss@example.com", True),
        ("manager@example.com", True),
    ]
    due = local(found)
    assert (due.weekday(), due.hour, due.minute) == (0, 8, 0)
    assert datetime.now(UTC) < due
    assert (found["report"], found["arguments"], found["view"]) == ("summary", {"span": "last_3_months"}, None)
    assert boss.get(f"{SCHEDULES}/{found['id']}").json == found


@pytest.mark.parametrize("report", ["summary", "owners", "teams", "causes", "forecast", "early-warning"])
def test_any_report_with_a_page_can_be_mailed_and_leads_to_it(boss, panel, company, report, fold):
    fold("20 10:00")
    view = boss.post("/api/v1/reports/views", json={"name": report, "report": report}).json
    assert boss.get(view["address"]).status_code == 200
    assert panel(company.boss).get(view["page"]).status_code == 200
    assert made(boss, view_id=view["id"], report=None, arguments=None, own_accounts=True)["report"] == report


def test_it_is_seen_by_who_is_sent_it_and_changed_by_its_owner_or_an_admin(boss, manager, client, make_user, as_user):
    found = made(boss)
    path, other = f"{SCHEDULES}/{found['id']}", as_user(make_user("executive"))
    assert [len(one.get(SCHEDULES).json["items"]) for one in (boss, manager, client, other)] == [1, 1, 1, 0]
    assert other.get(path).status_code == 404
    for answer in (manager.patch(path, json={"hour": 9}, if_match=1), manager.delete(path)):
        assert (answer.status_code, answer.json["code"]) == (403, "not_yours")
    assert manager.post(f"{path}/leave").status_code == 204
    assert manager.get(path).status_code == 404
    assert client.patch(path, json={"hour": 9}, if_match=1).json["hour"] == 9
    assert client.delete(path).status_code == 204
    assert boss.get(path).status_code == 404


def test_changed_it_is_due_by_its_new_hour_and_paused_never(boss):
    found = made(boss)
    path = f"{SCHEDULES}/{found['id']}"
    assert boss.patch(path, json={"hour": 9}).status_code == 428
    monthly = boss.patch(path, json={"rhythm": "monthly", "day": 31, "hour": 17}, if_match=1).json
    assert (monthly["weekday"], monthly["day"], local(monthly).hour) == (None, 31, 17)
    paused = boss.patch(path, json={"active": False}, if_match=2).json
    assert (paused["active"], paused["next_at"]) == (False, None)
    again = boss.patch(path, json={"active": True, "recipients": ["manager@example.com"]}, if_match=3).json
    assert again["next_at"] == monthly["next_at"]
    assert [one["email"] for one in again["recipients"]] == ["manager@example.com"]


def test_a_view_that_is_mailed_is_not_deleted_before_its_schedule_ends(boss):
    view = boss.post("/api/v1/reports/views", json={"name": "Q", "report": "summary"}).json
    found = made(boss, view_id=view["id"], report=None, arguments=None)
    assert (found["view"]["name"], found["report"]) == ("Q", "summary")
    refused = boss.delete(f"/api/v1/reports/views/{view['id']}")
    assert (refused.status_code, refused.json["code"]) == (409, "view_in_use")
    assert boss.delete(f"{SCHEDULES}/{found['id']}").status_code == 204
    assert boss.delete(f"/api/v1/reports/views/{view['id']}").status_code == 204


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"rhythm": "daily"}, "/rhythm"),
        ({"weekday": None}, "/weekday"),
        ({"weekday": "someday"}, "/weekday"),
        ({"day": 3}, "/day"),
        ({"rhythm": "monthly", "weekday": None}, "/day"),
        ({"rhythm": "monthly", "weekday": None, "day": 32}, "/day"),
        ({"hour": 24}, "/hour"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"paper": "a3"}, "/paper"),
        ({"recipients": None}, "/recipients"),
        ({"recipients": []}, "/recipients"),
        ({"recipients": ["boss@example.com", "owner@example.com"]}, "/recipients/1"),
        ({"recipients": ["nobody@example.com"]}, "/recipients/0"),
        ({"view_id": "01900000-0000-7000-8000-000000000000"}, "/report"),
        ({"view_id": "01900000-0000-7000-8000-000000000000", "report": None, "arguments": None}, "/view_id"),
    ],
)
def test_what_cannot_be_meant_is_named(boss, fields, pointer):
    body = {name: value for name, value in {**BODY, **fields}.items() if value is not None}
    answer = boss.post(SCHEDULES, json=body)
    assert (answer.status_code, [error["pointer"] for error in answer.json["errors"]]) == (422, [pointer])
