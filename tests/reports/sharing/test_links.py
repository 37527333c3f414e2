"""Links to one report: what they show, to whom, how long, and what a stranger learns."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.escalations.models import Escalation
from app.reports.sharing import links
from app.reports.sharing.models import ReportLink
from tests.conftest import ApiClient

LINKS = "/api/v1/reports/links"
ASKED = {"report": "summary", "arguments": {"as_of": "2026-03-02T12:00:00Z"}}


@pytest.fixture
def boss(company, as_user):
    return as_user(company.boss)


@pytest.fixture
def told(story, fold):
    """A case of 120,000 raised on Monday, another on Wednesday."""
    found = [story("2 10:00"), story("4 10:00")]
    fold("5 10:00")
    return found


@pytest.fixture
def stranger(app):
    return ApiClient(app, None)


def made(client, **fields):
    answer = client.post(LINKS, json={**ASKED, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json


def path_of(link):
    return "/reports/shared/" + link["url"].rpartition("/")[2]


def set_row(model, id_, **values):
    with transaction():
        db.session.execute(update(model).where(model.id == id_).values(**values))


def test_anybody_with_the_link_sees_the_report_as_of_its_moment(boss, told, stranger):
    link = made(boss, name="For the board")
    page = stranger.get(path_of(link))
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "<h1>For the board</h1>" in page.text
    assert "2 March 2026, 12:00 (UTC)" in page.text
    assert "120,000.00" in page.text
    assert "Shown to you by Boss" in page.text
    assert '<svg class="chart' in page.text
    assert (link["as_of"], link["opened"], link["works"]) == ("2026-03-02T12:00:00Z", 0, True)


def test_the_report_on_an_account_is_shown_as_every_other(boss, told, stranger, company):
    arguments = {**ASKED["arguments"], "account_id": company.account_id}
    page = stranger.get(path_of(made(boss, report="account", arguments=arguments)))
    assert page.status_code == 200
    assert "Globex" in page.text
    assert "120,000.00" in page.text


def test_its_page_is_kept_by_nobody_and_leads_nowhere_else(boss, told, stranger):
    page = stranger.get(path_of(made(boss)))
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert "<a " not in page.text
    assert "/api/" not in page.text


def test_whatever_ends_a_link_looks_like_one_that_never_was(boss, told, stranger, company, tenant):
    gone = [made(boss) for _ in range(3)]
    assert boss.delete(f"{LINKS}/{gone[0]['id']}").status_code == 204
    set_row(ReportLink, gone[1]["id"], expires_at=clock.real_now())
    pages = [stranger.get(path_of(link)) for link in gone[:2]]
    set_row(User, company.boss.id, role="csm")
    pages.append(stranger.get(path_of(gone[2])))
    set_row(User, company.boss.id, role="executive", active=False)
    pages.append(stranger.get(path_of(gone[2])))
    pages += [stranger.get(f"/reports/shared/{token}") for token in ("x", f"fhr_{tenant.id.hex}_x", "fhr_0_x")]
    pages.append(stranger.get(path_of(gone[2])[:-1]))
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert len({str([one for one in page.headers.items() if one[0] != "X-Request-Id"]) for page in pages}) == 1
    set_row(User, company.boss.id, active=True)
    assert stranger.get(path_of(gone[2])).status_code == 200


def test_it_shows_what_its_maker_may_see_when_it_is_opened(boss, told, stranger, company):
    path = path_of(made(boss, arguments={"as_of": "2026-03-04T12:00:00Z"}))
    assert open_cases(stranger.get(path)) == "2"
    set_row(Escalation, told[0].id, about_user_id=company.boss.id)
    assert open_cases(stranger.get(path)) == "1"


def open_cases(page):
    """The number of open escalations on the page."""
    row = page.text.partition("<td>Open escalations</td>")[2].partition("</tr>")[0]
    return re.search(r">([0-9]+)<", row)[1]


def test_each_opening_is_kept_and_a_look_at_its_head_is_none(boss, told, stranger):
    link = made(boss)
    stranger.open("HEAD", path_of(link))
    for _ in range(2):
        stranger.get(path_of(link))
    listed = boss.get(LINKS).json["items"][0]
    openings = boss.get(f"{LINKS}/{link['id']}/openings").json["items"]
    assert (listed["opened"], len(openings)) == (2, 2)
    assert listed["last_opened_at"] == openings[0]["at"]
    assert "url" not in listed


def test_only_its_hash_is_kept_and_a_replay_does_not_show_it_again(boss, told):
    first, again = (boss.post(LINKS, json=ASKED, key="once").json for _ in range(2))
    assert (first["id"], again["url"]) == (again["id"], None)
    with transaction():
        row = db.session.scalars(select(ReportLink)).one()
        assert row.secret_hash == links.read_link(first["url"].rpartition("/")[2])[1]
        left = row.expires_at - row.created_at
    assert left == timedelta(days=14)


def test_links_are_their_makers_and_admins_see_and_end_all(boss, told, company, as_user, client):
    link, manager = made(boss), as_user(company.manager)
    assert manager.get(LINKS).json["items"] == []
    assert manager.get(f"{LINKS}?of=all").status_code == 403
    assert [manager.open(method, f"{LINKS}/{link['id']}").status_code for method in ("GET", "DELETE")] == [404, 404]
    assert [one["id"] for one in client.get(f"{LINKS}?of=all").json["items"]] == [link["id"]]
    assert client.delete(f"{LINKS}/{link['id']}").status_code == 204
    revoked = boss.get(f"{LINKS}/{link['id']}").json["revoked_at"]
    assert client.delete(f"{LINKS}/{link['id']}").status_code == 204
    assert boss.get(f"{LINKS}/{link['id']}").json["revoked_at"] == revoked


def test_a_link_to_a_view_is_fixed_where_the_view_moves(boss, told):
    body = {"name": "Q", "report": "summary", "arguments": {"span": "last_month", "own_accounts": True}}
    view = boss.post("/api/v1/reports/views", json=body).json
    link = boss.post(LINKS, json={"view_id": view["id"]}).json
    asked = {name: view["address"].partition(f"{name}=")[2].partition("&")[0] for name in ("from", "to")}
    kept = link["arguments"]
    assert (link["name"], kept.pop("as_of")[:19]) == ("Q", link["as_of"][:19])
    assert kept == {**asked, "own_accounts": True}


def test_who_opens_a_link_over_and_over_waits_a_minute(boss, told, stranger, monkeypatch):
    monkeypatch.setattr(links, "A_MINUTE", 1)
    path = path_of(made(boss))
    answers = [stranger.get(path).status_code for _ in range(5)]
    assert answers[0] == 200
    assert answers.count(429) >= 3  # a new minute may begin in between


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"days": 91}, "/days"),
        ({"days": 0}, "/days"),
        ({"report": "weather"}, "/report"),
        ({"view_id": "01900000-0000-7000-8000-000000000000"}, "/report"),
    ],
)
def test_what_cannot_be_shown_is_named(boss, fields, pointer):
    answer = boss.post(LINKS, json={**ASKED, **fields})
    assert (answer.status_code, [error["pointer"] for error in answer.json["errors"]]) == (422, [pointer])


def test_a_moment_to_come_is_refused(boss, told):
    later = (clock.real_now() + timedelta(days=1)).isoformat()
    assert boss.post(LINKS, json={"report": "summary", "arguments": {"as_of": later}}).status_code == 422
