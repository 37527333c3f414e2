"""The page about what lies ahead: what will be missed and who may escalate next, in words, page by page."""

import re

import pytest

from app.accounts import service as accounts
from app.db import transaction
from app.reports import foresight_pages
from app.reports.forecast import store
from app.reports.forecast.hazard import Hazard
from app.reports.forecast.reading import forecast_of
from app.reports.foresight_words import tables_of_forecast, tables_of_warnings
from app.reports.money import money_of
from app.reports.noting import note_accounts
from app.reports.reading import reading
from app.reports.warning import warnings_of
from tests.escalations.story import actor_of, march

BIN = {"least": 0.2, "forecasts": 40, "said": 0.26, "missed": 0.25}
QUALITY = {"brier": 0.11, "auc": 0.8}
MEASURES = {"model": QUALITY, "age_only": {"brier": 0.14, "auc": 0.7}, "share_so_far": {"brier": 0.2, "auc": 0.5},
            "forecasts": 40, "missed": 0.25, "reliability": [BIN], "calibration_error": 0.01}  # fmt: skip


@pytest.fixture
def ahead(story, fold, tenant, company):
    """Three open cases, one past its target, and two accounts whose health fell."""
    for at in ("1 10:00", "20 10:00", "30 10:00"):
        story(at)
    with transaction():
        for name in ("Nimbus", "Stratus"):
            for at, health in (("1 9:00", 90), ("2 9:00", 30)):
                accounts.upsert_account("crm", name, {"name": name, "health": health}, now=march(at))
    fold("31 0:00")
    with transaction():
        note_accounts(march("31 1:00"))
    with transaction():
        number = store.want(march("31 1:00"), ended=300).number
        store.keep(number, Hazard(-3.0, {"severity=2": -1.0}, {}, 300), MEASURES, now=march("31 1:00"))
    fold("4-2 10:00")
    return march("4-2 9:00")


def test_it_says_in_one_sentence_what_will_be_missed_and_shows_why(panel, company, ahead):
    """By hand: 1/(1+e⁻⁴) for each day left, 17¼ and 27¼ of them: 73 % and 61 %."""
    shown = panel(company.boss).get("/reports/warnings?as_of=2026-04-02T09:00")
    assert shown.status_code == 200, shown.text
    assert "2 of 3 open escalations will miss their target as things stand." in shown.text
    assert "1 has missed it already" in shown.text
    assert re.findall(r"(\d\d)%<span class=\"sr\"> to miss the target", shown.text) == ["73", "61"]
    assert "severity 2" in shown.text
    for words in ("Nimbus", "Stratus", "health fell from 90 to 30 within 90 days", "35 of 100",
                  "Learnt from 300 of your own cases.", "What was said, and what came true", "0.1100"):  # fmt: skip
        assert words in shown.text, words


def test_the_lists_go_on_as_of_the_same_moment(panel, company, ahead, monkeypatch):
    monkeypatch.setattr(foresight_pages, "SHOWN", 1)
    boss = panel(company.boss)
    shown = boss.get("/reports/warnings")
    cases, names = re.findall(r"ESC-\d+", shown.text), re.findall(r"<strong>(Nimbus|Stratus)", shown.text)
    for _ in range(2):
        more = re.search(r'hx-get="/panel(/reports/warnings/cases[^"]+)"', shown.text)
        shown = boss.get(more[1].replace("&amp;", "&"))
        assert shown.status_code == 200, shown.text
        cases += re.findall(r"ESC-\d+", shown.text)
    assert len(set(cases)) == 3
    assert "hx-get" not in shown.text
    first = boss.get("/reports/warnings")
    more = re.search(r'hx-get="/panel(/reports/warnings/accounts[^"]+)"', first.text)
    names += re.findall(r"<strong>(Nimbus|Stratus)", boss.get(more[1].replace("&amp;", "&")).text)
    assert sorted(names) == ["Nimbus", "Stratus"]


def test_before_anything_is_known_the_page_says_so(panel, company, fold):
    fold("2 10:00")
    shown = panel(company.boss).get("/reports/warnings?as_of=2026-03-02T09:00")
    for words in ("Nothing is open, so no target can be missed.", "Nothing is known of accounts as of then",
                  "There is too little history of your own yet", "UCI Machine Learning Repository"):  # fmt: skip
        assert words in shown.text, words


def test_both_lists_are_tables_with_every_number_typed(ahead, company):
    with transaction(), reading(ahead, actor=actor_of(company.boss), now=ahead) as asked:
        forecast, warned = forecast_of(asked), warnings_of(asked, money_of(asked))
    cases, measures, reliability, accounts_ = (*tables_of_forecast(forecast), *tables_of_warnings(warned))
    rows = [dict(zip([c.key for c in cases.columns], cells, strict=True)) for cells in cases.cells()]
    assert [(row["chance"], row["days_left"]) for row in rows[:1]] == [(1.0, None)]
    assert rows[1]["why"].startswith("severity 2 (+")
    assert next(iter(measures.cells())) == ["This forecast", 0.11, 0.8]
    assert list(reliability.cells()) == [[0.2, 40, 0.26, 0.25]]
    shown = list(accounts_.cells())
    assert {row[0]: row[1] for row in shown} == {"Nimbus": 35.0, "Stratus": 35.0}
    assert all(sum(row[2:8]) == row[1] for row in shown)
