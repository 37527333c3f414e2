"""The panel in a browser that asks for German: words, dates and amounts are German on every page that is opened."""

import re
from datetime import timedelta

from app import clock
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]
MONTHS = ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.")
DAY = re.compile(r"\b(Mo|Di|Mi|Do|Fr|Sa|So)\. \d{1,2}\. (\S+) \d{4}")
AHEAD = re.compile(r"\bin \d+ (Minuten?|Stunden?|Tag|Tagen|Wochen?)\b")
ENGLISH = re.compile(r"\b(Acknowledge|Accounts|Inbox|Severity|Tier|Next|Promises|Raise|at stake|in \d+ \w+s)\b")


def test_work_an_account_and_a_case_speak_german(open_panel, company, raise_case):
    case = raise_case()
    closes = clock.now().date() + timedelta(days=30)
    panel = open_panel(company.owner, language="de-DE")
    page = panel.frame.locator("#page")
    work = page.inner_text()
    assert panel.frame.locator("html").get_attribute("lang") == "de"
    assert panel.frame.locator("h1").inner_text() == "Meine Arbeit"
    assert "Posteingang" in work
    assert AHEAD.search(work), work

    panel.go(f"/accounts/{company.account_id}")
    account = page.inner_text()
    assert "Eskalation melden" in account
    assert re.search(r"\b120\sTsd\.\s\$", account), account

    panel.go(f"/escalations/{case['id']}")
    shown = page.inner_text()
    assert "Wartet auf Annahme" in shown
    assert "Schweregrad" in shown
    assert MONTHS[closes.month - 1] in [month for _, month in DAY.findall(shown)], shown

    assert [ENGLISH.findall(text) for text in (work, account, shown)] == [[], [], []]
