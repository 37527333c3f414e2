"""What somebody who reads German sees: every word of the pages is German, a name or what people wrote themselves.

Codes of the engine, its sentences and our English are none of these.
"""

import re
from collections import Counter, deque
from html import unescape

import pytest
from babel import Locale

from app import clock, texts
from app.panels.told import told
from tests.app.texts import read_catalogue
from tests.browser.furnished import furnish
from tests.escalations.conftest import company, raise_case
from tests.panels.test_team import away, returned

__all__ = ["away", "company", "raise_case", "returned"]

TAG = re.compile(r"<[^>]*>")
SAID_ASIDE = re.compile(r'(?:title|aria-label|placeholder|data-confirm)="([^"]*)"')
UNSEEN = re.compile(r"<(textarea|datalist)[^>]*>.*?</\1>", re.DOTALL)
LINK = re.compile(r'href="#(/[^"]*)"')
NUMBERED = re.compile(r"\b\w*\d[\w-]*\b|\S+@\S+")
WORD = re.compile(r"[^\W\d_](?:[\w’'-]*\w)?")
# What is written in the furnished company, its people and what stands for them; and currencies, zones and products.
OWN = (
    "Zzz A small disk Globex Exports fail First Second Ada Admin Boss Manager Owner Csm Jo C O "
    "ESC jira OPS Firsthand CRM USD UTC h K I A null"
)
# Messages stand as they were sent, in English; lines in full show what the record holds; reports have facts of their
# own, made by a job.
SENT = ("panel_work.list_inbox", "panel_cases.event")
REPORTS = "reports_"
OFTEN = {"panel_cases.show": 8}


def words_of(text):
    return set(WORD.findall(NUMBERED.sub(" ", text)))


@pytest.fixture(scope="module")
def german():
    """Each word of the catalogue and of the calendar."""
    said = []
    for message in read_catalogue("de"):
        said += [message.string] if isinstance(message.string, str) else message.string
    of_calendar = Locale("de")
    for names in (*of_calendar.months["format"].values(), *of_calendar.days["format"].values()):
        said += names.values()
    said.append("vor in Sekunde Sekunden Minute Minuten Stunde Stunden Tag Tage Tagen Woche Wochen Monat Monaten Tsd")
    known = words_of(re.sub(r"%\(\w+\)s", " ", " ".join(said)))
    return known | {word.lower() for word in known} | {word.capitalize() for word in known}


@pytest.fixture
def endpoint_of(app):
    adapter = app.url_map.bind("")
    return lambda path: adapter.match("/panel" + path.split("?")[0])


def read(panel, endpoint_of, first):
    """The text of each page that links lead to, by its path, a few of each kind."""
    waiting, often = deque(first), Counter()
    pages, seen = {}, set()
    while waiting:
        path = waiting.popleft()
        endpoint, values = endpoint_of(path)
        kind = (endpoint, values.get("action"), values.get("form"))
        if endpoint.startswith(REPORTS) or path in seen or often[kind] >= OFTEN.get(endpoint, 1):
            continue
        seen.add(path)
        often[kind] += 1
        answer = panel.get(path, headers={"Accept-Language": "de"})
        assert answer.status_code == 200, path
        waiting.extend(LINK.findall(answer.text))
        shown = UNSEEN.sub(" ", answer.text)
        if endpoint not in SENT:
            pages[path] = unescape(f"{TAG.sub(' ', shown)} {' '.join(SAID_ASIDE.findall(shown))}")
    return pages


def test_pages_hold_no_word_that_is_not_german_or_somebodys_own(
    panel, client, company, raise_case, returned, german, endpoint_of
):
    led_to = furnish(client, company, raise_case, clock.real_now().date(), "Zzz", adopt=False)
    first = ["/mine", "/inbox", "/outages", "/accounts", f"/accounts/{company.account_id}", returned[1], *led_to]
    known, faults = german | words_of(OWN), {}
    for person, more in ((company.owner, []), (company.manager, ["/team"])):
        pages = read(panel(person), endpoint_of, [*more, *first])
        assert len(pages) > 30
        for path, said in pages.items():
            if unknown := words_of(said) - known:
                faults[path] = {word: " ".join(said[max(said.find(word) - 30, 0) :][:80].split()) for word in unknown}
    assert faults == {}, "\n".join(f"{path} {words}" for path, words in faults.items())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("owns the account, at work from 23 November 09:00, 4 of 8 places free",
         "ist für den Kunden zuständig, arbeitet ab 23. November 09:00, 4 von 8 Plätzen frei"),
        ("is the account's CSM, in working hours until 17:00, 3 of 8 places free; "
         "the account's owner was absent until 2 December",
         "ist CSM des Kunden, arbeitet bis 17:00, 3 von 8 Plätzen frei; "
         "die für den Kunden zuständige Person war bis 2. Dezember abwesend"),
        ("is the duty owner and stands in: nobody in Berlin could take it: 2 absent and 1 full",
         "hat Bereitschaft und springt ein: niemand aus Berlin konnte übernehmen: 2 abwesend und 1 ausgelastet"),
        ("Missing data for required field.", "Das muss ausgefüllt werden."),
        ("Length must be between 1 and 200.", "Es müssen 1 bis 200 Zeichen oder Stück sein."),
        ("Nobody knows, and nobody asked", "Nobody knows, and nobody asked"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_the_engine_says_is_told_in_german_and_what_it_does_not_say_stays(said, shown):
    texts.set_language("de")
    try:
        assert told(said) == shown
    finally:
        texts.set_language("en")
    assert told(said) == said


def test_a_form_that_is_refused_says_so_in_german(panel, company, raise_case):
    case = raise_case()
    german = {"headers": {"Accept-Language": "de"}}
    answer = panel(company.owner).post(f"/escalations/{case['id']}/attempts", {"what": "", "result": "x"}, **german)
    assert answer.status_code == 422
    assert "Das muss ausgefüllt werden." in answer.text
    again = panel(company.csm).post(f"/escalations/{case['id']}/verify", {"accepted": "true"}, **german)
    assert again.status_code in (403, 409, 422)
    assert not re.search(r"\b(the|this|is|not|expected)\b", TAG.sub(" ", again.text)), again.text
