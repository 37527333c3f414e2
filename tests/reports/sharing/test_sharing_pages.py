"""Views, mails and links on pages: made from the report one comes from, changed, sent, revoked."""

import re

import pytest

from tests.conftest import ApiClient

CAME_FROM = "report=summary&from=2026-01-01&to=2026-01-31&own_accounts=true"


@pytest.fixture
def page(panel, company):
    return panel(company.boss)


@pytest.fixture
def boss(company, as_user):
    return as_user(company.boss)


def sent_to(answer):
    """Where the panel goes after a form."""
    assert answer.status_code == 200, answer.text
    return re.search(r'"path": ?"([^"]*)"', answer.headers["HX-Trigger"])[1]


def test_a_view_is_saved_from_the_report_one_reads_renamed_and_deleted(page, boss):
    new = page.get(f"/reports/views/new?{CAME_FROM}")
    assert 'value="2026-01-31"' in new.text
    form = {"name": "January", "report": "summary", "arguments.from": "2026-01-01", "arguments.to": "2026-01-31",
            "arguments.span": "", "shared": "true"}  # fmt: skip
    assert sent_to(page.post("/reports/views", form)) == "/reports/views"
    (view,) = boss.get("/api/v1/reports/views").json["items"]
    assert (view["arguments"], view["shared"]) == ({"from": "2026-01-01", "to": "2026-01-31"}, True)
    assert '#/reports?from=2026-01-01&amp;to=2026-01-31"' in page.get("/reports/views").text
    path = f"/reports/views/{view['id']}"
    page.post(path, {"name": "Year", "version": 1, "arguments.span": "this_year"})
    changed = boss.get(f"/api/v1{path}").json
    assert (changed["name"], changed["arguments"], changed["shared"]) == ("Year", {"span": "this_year"}, False)
    assert page.post(path, {"name": "Older", "version": 1}).status_code == 412
    sent_to(page.post(f"{path}/delete"))
    assert "No view is saved yet" in page.get("/reports/views").text


def test_a_report_is_mailed_paused_sent_now_and_left(page, boss):
    assert "Boss" in page.get(f"/reports/schedules/new?{CAME_FROM}").text
    form = {"name": "Board", "report": "summary", "rhythm": "weekly", "weekday": "fri", "day": "", "hour": "7",
            "timezone": "", "paper": "letter", "recipients": "boss@example.com", "own_accounts": "true"}  # fmt: skip
    path = sent_to(page.post("/reports/schedules", form))
    assert "Every Friday at 07:00 (UTC)" in page.get(path).text
    assert page.post(f"{path}/send").status_code == 200
    assert "being made" in page.get(path).text
    page.post(f"{path}/active", {"active": "false", "version": 1})
    assert "paused" in page.get(path).text
    changed = {**form, "hour": "9", "version": 2}
    del changed["report"], changed["own_accounts"]
    page.post(path, changed)
    shown = boss.get(f"/api/v1{path}").json
    assert (shown["hour"], shown["own_accounts"], shown["active"], shown["paper"]) == (9, False, False, "letter")
    sent_to(page.post(f"{path}/leave"))
    assert "Nobody any more" in page.get(path).text
    sent_to(page.post(f"{path}/end"))
    assert page.get(path).status_code == 404


def test_a_link_is_shown_once_and_revoked(page, boss, fold, app):
    fold("20 10:00")
    form = {"report": "summary", "name": "For the board", "days": "3", "arguments.as_of": "2026-03-20T09:00:00+00:00"}
    made = page.post("/reports/links", form)
    url = re.search(r"/reports/shared/[\w-]+", made.text)[0]
    assert ApiClient(app, None).get(url).status_code == 200
    listed = page.get("/reports/links").text
    assert (url in listed, "opened 1 time" in listed) == (False, True)
    link = boss.get("/api/v1/reports/links").json["items"][0]
    assert page.get(f"/reports/links/{link['id']}").status_code == 200
    page.post(f"/reports/links/{link['id']}/revoke")
    assert ApiClient(app, None).get(url).status_code == 404
    assert "revoked" in page.get("/reports/links").text


def test_a_report_offers_to_be_kept_with_its_question(page, fold):
    fold("20 10:00")
    shown = page.get("/reports?as_of=2026-03-20T09:00&from=2026-01-01").text
    kept = re.search(r"#/reports/views/new\?([^\"]+)", shown)[1]
    assert kept.replace("&amp;", "&") == "report=summary&as_of=2026-03-20T09%3A00&from=2026-01-01"
    assert "/views/new" not in page.get("/reports/definitions").text
