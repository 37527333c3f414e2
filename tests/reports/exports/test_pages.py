"""Pages of files: from a report to a file saved, in the reader's language, by its owner alone."""

import re
from urllib.parse import urlsplit

import pytest

from app.reports.exports.making import make_next
from app.reports.exports.pages import paper
from tests.conftest import ApiClient
from tests.escalations.story import march
from tests.panels.conftest import launch, panel

__all__ = ["launch", "panel"]

AT = {"as_of": march("6 12:00").isoformat()}
GERMAN = {"Accept-Language": "de-DE,de;q=0.9"}


def moved_to(answer):
    assert answer.status_code == 200, answer.text
    return re.search(r'"path": ?"([^"]+)"', answer.headers["HX-Trigger"])[1]


def test_a_reader_takes_the_summary_with_them(story, fold, panel, company, make_user, app):
    story("2 10:00", title="=1+1")
    fold("20 10:00")
    boss = panel(company.boss)
    shown = boss.get("/reports", query_string=AT).text
    form = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', shown.split('id="h-files"')[1]))
    assert (form["report"], form["as_of"]) == ("summary", "2026-03-06T12:00:00+00:00")
    path = moved_to(boss.post("/reports/exports", form={**form, "format": "pdf"}, headers=GERMAN))
    page = boss.get(path).text
    assert "waits for its turn" in page
    assert f'hx-get="/panel{path}/progress"' in page
    assert make_next()
    assert "Download it" in boss.get(f"{path}/progress").text
    link = re.search(r'href="([^"]+)"', boss.get(f"{path}/link").text)[1]
    saved = ApiClient(app, None).get(urlsplit(link).path)
    assert (saved.status_code, saved.data[:5]) == (200, b"%PDF-")
    assert "/Lang(de)" in saved.data.decode("latin-1").replace(" ", "")
    assert "Executive summary" in boss.get("/reports/exports").text
    assert "Übersicht" in boss.get("/reports/exports", headers=GERMAN).text
    other = panel(make_user("executive"))
    assert [other.get(f"{path}{part}").status_code for part in ("", "/progress", "/link")] == [404] * 3
    assert "No file yet" in other.get("/reports/exports").text

    cancelled = moved_to(boss.post("/reports/exports", form={**form, "format": "csv"}))
    assert moved_to(boss.post(f"{cancelled}/cancel")) == cancelled
    assert "It was cancelled" in boss.get(cancelled).text


@pytest.mark.parametrize(("languages", "width"), [("en-US", "612"), ("en-GB", "595"), ("de", "595")])
def test_paper_is_of_the_readers_country(app, languages, width):
    with app.test_request_context(headers={"Accept-Language": languages}):
        assert {"letter": "612", "a4": "595"}[paper()] == width
