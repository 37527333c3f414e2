"""Saved views: whose they are, what they ask, and that a span is told on the day one reads."""

from datetime import date
from uuid import uuid4

import pytest

from app.reports.sharing.arguments import query_of

VIEWS = "/api/v1/reports/views"


@pytest.fixture
def boss(company, as_user):
    return as_user(company.boss)


@pytest.fixture
def manager(company, as_user):
    return as_user(company.manager)


def saved(client, name="Board", **fields):
    answer = client.post(VIEWS, json={"name": name, "report": "summary", **fields})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_view_keeps_what_was_asked_and_leads_to_it(boss, company):
    asked = {"from": "2026-01-01", "to": "2026-01-31", "accounts": [company.account_id]}
    made = saved(boss, "  January  ", arguments=asked)
    words = f"from=2026-01-01&to=2026-01-31&accounts={company.account_id}"
    assert (made["name"], made["arguments"], made["shared"], made["mine"]) == ("January", asked, False, True)
    assert (made["address"], made["page"]) == (f"/api/v1/reports/summary?{words}", f"/reports?{words}")
    assert boss.get(f"{VIEWS}/{made['id']}").json == made
    assert [one["id"] for one in boss.get(VIEWS).json["items"]] == [made["id"]]


def test_a_view_of_an_account_leads_to_its_page(boss, company):
    made = saved(boss, report="account", arguments={"account_id": company.account_id, "span": "last_12_months"})
    assert made["page"].startswith(f"/reports/accounts/{company.account_id}?from=")
    nameless = boss.post(VIEWS, json={"name": "Which?", "report": "account", "arguments": {}})
    assert (nameless.status_code, nameless.json["errors"][0]["pointer"]) == (422, "/arguments/account_id")


def test_a_span_is_told_in_days_on_the_day_one_reads():
    kept = {"span": "last_12_months", "own_accounts": True}
    asked = {"from": "2025-04-01", "to": "2026-03-20", "own_accounts": "true"}
    assert query_of(kept, date(2026, 3, 20)) == asked
    assert query_of(kept, date(2026, 4, 1)) == {**asked, "from": "2025-05-01", "to": "2026-04-01"}
    assert query_of({"as_of": "2026-03-01T00:00:00+00:00"}, date(2026, 4, 1)) == {"as_of": "2026-03-01T00:00:00+00:00"}


def test_a_private_view_is_nobody_elses_and_a_shared_one_is_changed_by_its_owner_or_an_admin(boss, manager, client):
    own, shared = saved(boss, "Own"), saved(boss, "All", shared=True)
    assert [one["name"] for one in manager.get(VIEWS).json["items"]] == ["All"]
    assert manager.get(f"{VIEWS}/{own['id']}").status_code == 404
    assert manager.patch(f"{VIEWS}/{own['id']}", json={"name": "Mine"}, if_match=1).status_code == 404
    path = f"{VIEWS}/{shared['id']}"
    assert (manager.get(path).json["mine"], manager.get(path).json["may_change"]) == (False, False)
    for answer in (manager.patch(path, json={"name": "Mine"}, if_match=1), manager.delete(path)):
        assert (answer.status_code, answer.json["code"]) == (403, "not_yours")
    assert client.patch(path, json={"name": "Everybody's"}, if_match=1).status_code == 200
    assert client.delete(f"{VIEWS}/{own['id']}").status_code == 404


def test_a_view_is_changed_by_who_read_it_last_and_deleted(boss):
    made = saved(boss, arguments={"span": "last_quarter"})
    path = f"{VIEWS}/{made['id']}"
    assert boss.patch(path, json={"name": "Q"}).status_code == 428
    changed = boss.patch(path, json={"name": "Q", "shared": True, "arguments": {"span": "this_year"}}, if_match=1)
    assert (changed.json["name"], changed.json["shared"], changed.headers["ETag"]) == ("Q", True, '"2"')
    assert changed.json["arguments"] == {"span": "this_year"}
    assert boss.patch(path, json={"name": "R"}, if_match=1).status_code == 412
    assert boss.delete(path).status_code == 204
    assert boss.get(path).status_code == 404


def test_lists_are_by_name_and_paged(boss):
    for name in ("c", "a", "b"):
        saved(boss, name)
    first = boss.get(f"{VIEWS}?limit=2").json
    rest = boss.get(f"{VIEWS}?limit=2&cursor={first['next_cursor']}").json
    assert [one["name"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None


def test_a_name_is_ones_own_once_and_a_key_makes_one_view(boss, manager):
    body = {"name": "Board", "report": "summary"}
    twice = [boss.post(VIEWS, json=body, key="k").json["id"] for _ in range(2)]
    assert twice[0] == twice[1]
    refused = boss.post(VIEWS, json=body)
    assert (refused.status_code, refused.json["code"]) == (409, "name_taken")
    assert saved(manager)["name"] == "Board"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"report": "weather"}, "/report"),
        ({"arguments": {"span": "yesterday"}}, "/arguments/span"),
        ({"arguments": {"span": "this_year", "from": "2026-01-01"}}, "/arguments/span"),
        ({"arguments": {"from": "2026-02-01", "to": "2026-01-01"}}, "/arguments/from"),
        ({"arguments": {"from": "1st of May"}}, "/arguments/from"),
        ({"arguments": {"as_of": "2026-01-01T00:00"}}, "/arguments/as_of"),
        ({"arguments": {"accounts": [str(uuid4())]}}, "/arguments/accounts/0"),
        ({"arguments": {"account_id": str(uuid4())}}, "/arguments/account_id"),
        ({"arguments": {"colour": "red"}}, "/arguments/colour"),
        ({"shared": "perhaps"}, "/shared"),
    ],
)
def test_what_cannot_be_asked_is_named(boss, fields, pointer):
    answer = boss.post(VIEWS, json={"name": "Board", "report": "summary", **fields})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_who_may_only_read_reports_keeps_none(company, as_user):
    reader = as_user(company.boss, scopes=["reports:read"])
    assert reader.get(VIEWS).status_code == 200
    assert reader.post(VIEWS, json={"name": "Board", "report": "summary"}).status_code == 403
