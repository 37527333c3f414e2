"""The executive's pages: figures worked out by hand, doors to their rows, and calm answers where there are none."""

import html
import re
from datetime import date

import pytest
from sqlalchemy import text

from app import clock
from app.db import db, transaction
from app.escalations import service
from app.reports.figures import FIGURES
from tests.escalations.story import RESOLUTION, YES, march


@pytest.fixture
def three_open(story, buy, fold, tenant):
    """Globex ($120k) has one closed on time and one open, Pasadena ($50k, renews on 15 May) one from the 16th, Jupiter
    (¥700 without a rate) one from the 17th."""
    closed = story("2 10:00")
    closed.do(service.acknowledge, "2 11:00")
    closed.do(service.resolve, "4 12:00", resolution=RESOLUTION)
    closed.do(service.verify, "5 12:00", word=YES)
    story("3 10:00", severity=1, title="Payments <stop>")
    pasadena = buy("Pasadena", "K-P", 50000, ends_on="2026-05-14")
    waiting = story("16 10:00", account_id=pasadena)
    waiting.do(service.acknowledge, "16 11:00", by=tenant.admin)
    waiting.do(service.wait, "17 10:00", by=tenant.admin, on=service.Wait("customer", "logs", date(2026, 3, 27)))
    story("17 10:00", account_id=buy("Jupiter", "K-J", 700, "JPY"))
    fold("4-8 10:00")


@pytest.fixture
def boss(panel, company):
    """`boss("/reports", "20 12:00", since=…)`: what the page shows the executive, as words."""
    asking = panel(company.boss)

    def ask(path, at=None, status=200, **more):
        query = {"as_of": march(at).isoformat()} if at else {}
        shown = asking.get(path, query_string={**query, **{k.strip("_"): v for k, v in more.items()}})
        assert shown.status_code == status, shown.text
        return said(shown.text)

    return ask


def said(markup):
    """Words as a reader meets them, without what is drawn."""
    drawn = re.sub(r"<svg.*?</svg>", "", markup, flags=re.S)
    words = html.unescape(re.sub(r"<(?!/?(?:stop)\b)[^>]+>", " ", drawn))
    return re.sub(r"\s+", " ", words)


def test_what_the_figures_mean_stands_on_a_page(panel, company):
    shown = panel(company.boss).get("/reports/definitions")
    assert shown.status_code == 200
    assert "never 0, never guessed" in shown.text
    assert "two readers&#39; totals can differ" in shown.text
    assert set(re.findall(r'id="d-([a-z_0-9]+)"', shown.text)) == set(FIGURES)


def test_the_summary_says_in_one_sentence_what_is_at_stake_and_how_it_moved(three_open, boss):
    assert "$170k at stake in 2 accounts, $50k more than on 9 Mar; " in boss("/reports", "16 12:00")
    assert "$120k at stake in 1 account, as much as on 3 Mar; " in boss("/reports", "4 13:00", since="2026-03-03T12:00")
    assert "$120k at stake in 1 account, as much as at 09:00; " in boss("/reports", "4 13:00", since="2026-03-04T09:00")
    assert "Nothing is open, so no value is at stake." in boss("/reports", "2 9:00")
    missing = boss("/reports", "20 12:00")
    assert "At least $170k at stake in 3 accounts; " in missing
    assert "¥700 of 1 contract or deal is not in the total: no exchange rate that day." in missing


def test_the_four_figures_are_those_of_the_cases(three_open, boss):
    shown = boss("/reports", "20 12:00")
    for words in (
        "Value at stake at least $170k",
        "Open escalations 3 in 3 accounts 2 more than on 13 Mar",
        "Promises kept 100% closed on time, of what was due",  # one closed, three not due yet
        "Renewals at risk $50k within 90 days, in 1 account",
    ):
        assert words in shown
    overdue = boss("/reports", "4-3 12:00")  # the case of 3 March was due on 2 April
    assert "Promises kept 50% closed on time" in overdue
    assert (
        "Of 4 raised from 1 May 2025 to 3 Apr 2026: 1 closed on time, 0 late, 0 unresolved or silent, 1 open past"
        in overdue
    )
    assert "First owner right 100% 1 of 1 closed by their first owner" in overdue
    assert "Tier 1 1 2 days" in overdue  # from the raise to the resolution


def test_accounts_are_told_in_a_line_the_most_at_stake_after_what_has_no_rate(three_open, boss):
    shown = boss("/reports", "20 12:00")
    stories = (
        "Jupiter no exchange rate 1 open · due in 26 days",
        "Globex $120k 1 open · due in 12 days · health 40 ESC-2 Payments <stop> · Severity 1",
        "Pasadena $50k 1 open · due in 25 days · 1 waiting · renews in 56 days",
    )
    places = [shown.index(story) for story in stories]
    assert places == sorted(places)
    assert "Globex $120k 1 open · 1 past its target · health 40" in boss("/reports", "4-3 12:00")


def test_what_changed_is_told_with_why(three_open, boss):
    shown = boss("/reports", "20 12:00")
    assert (
        "since Fri 13 Mar 2026 12:00 2 raised ESC-3 Exports fail ( Pasadena ) was raised at severity 2: Other" in shown
    )
    assert "ESC-4 Exports fail ( Jupiter ) was raised at severity 2: Other" in shown
    closed = boss("/reports", "6 12:00", since="2026-03-04T09:00")
    assert "1 closed ESC-1 Exports fail ( Globex ) was closed on time: A full disk" in closed
    missed = boss("/reports", "4-3 12:00", since="2026-04-01T09:00")
    assert "ESC-2 Payments <stop> ( Globex ) missed its target and is still open." in missed
    assert "Nothing became known since then." in boss("/reports", "4 13:00", since="2026-03-04T12:30")


def test_value_over_time_is_as_it_was_known_then_in_one_statement(three_open, boss, statements):
    with statements() as sent:
        shown = boss("/reports/value", "20 12:00")
    assert "6 Mar $120k 13 Mar $120k 20 Mar at least $170k" in shown  # none before the first case
    assert "Value at stake: at least $170k, after $120k on 6 Mar 2026" in shown
    assert "Pasadena $50k renews Fri 15 May 2026 · 1 open" in shown
    assert len([one for one in sent if "case_fact" in one]) == 2  # the series, and the renewals
    months = boss("/reports/value", "4-3 12:00", by="months")
    assert "1 Apr at least $170k 3 Apr at least $170k" in months


def test_every_figure_leads_to_its_rows(three_open, boss, panel, company):
    shown = panel(company.boss).get("/reports?as_of=2026-03-20T12:00").text
    doors = {html.unescape(one) for one in re.findall(r'href="#(/reports/rows\?[^"]+)"', shown)}
    figures = {re.search("figure=([a-z_0-9]+)", door)[1] for door in doors}
    assert figures >= {"value_at_stake", "open", "raised", "renewals_at_risk", "extended", "unanswered", "left_tier_1"}
    for door in doors:
        assert panel(company.boss).get(door).status_code == 200, door
    lines = boss("/reports/rows", "20 12:00", figure="value_at_stake")
    assert "Jupiter no exchange rate Contract K-J · ¥700.00" in lines or "Contract K-J · ¥700 · 1 open" in lines
    assert "$120,000.00" in lines
    assert "$50,000.00" in lines
    cases = boss("/reports/rows", "20 12:00", figure="raised", from_="2026-03-01", to="2026-03-10")
    assert "ESC-1 Exports fail closed on time" in cases
    assert "ESC-2 Payments <stop> open" in cases
    assert "ESC-3" not in cases  # raised on the 16th


def test_rows_go_on_where_they_stopped(three_open, panel, company, monkeypatch):
    monkeypatch.setattr("app.reports.summary_pages.SHOWN", 2)
    asked, found = "/reports/rows?figure=open&as_of=2026-03-20T12:00", []
    while asked:
        shown = panel(company.boss).get(asked).text
        found += re.findall(r"<strong>(ESC-\d)", shown)
        more = re.search(r'hx-get="/panel(/reports/rows[^"]+cursor[^"]+)"', shown)
        asked = html.unescape(more[1]) if more else None
    assert found == ["ESC-2", "ESC-3", "ESC-4"]


@pytest.mark.parametrize(
    ("asked", "field", "told"),
    [
        ("as_of=2999-01-01T10:00", "as_of", "expected a moment not later than now"),
        ("as_of=2999-01-01T10:00%2B00:00", "as_of", "expected a moment not later than now"),
        ("as_of=yesterday", "as_of", "expected a moment in ISO 8601"),
        ("from=2026-03-02&to=2026-03-01", "from", "expected a day up to 2026-03-01"),
        ("as_of=2026-03-20T12:00&since=2026-03-21T12:00", "since", "expected a moment not later than"),
        ("from=2026-02-30", "from", "Not a valid date"),
    ],
)
def test_a_question_without_an_answer_is_marked_where_it_is_wrong(fold, panel, company, asked, field, told):
    fold("20 10:00")
    shown = panel(company.boss).get(f"/reports?{asked}")
    assert shown.status_code == 422
    assert re.search(rf'name="{field}"[^>]+aria-invalid="true" aria-describedby="x-{field}"', shown.text)
    assert re.search(rf'id="x-{field}">[^<]*{told}', shown.text)
    assert not re.search(r'type="datetime-local" value="[^"]*(\+|yesterday)', shown.text)  # no browser shows such


def test_while_facts_are_made_and_before_there_is_anything_the_page_is_calm(fold, boss):
    assert "The figures are being made" in boss("/reports", status=503)
    fold("20 10:00")
    empty = boss("/reports", "20 09:00")
    assert "Nothing is open, so no value is at stake." in empty
    assert "Nothing was raised in these days" in empty
    assert "No account has an open escalation" in empty
    assert "Nothing is known of it before this moment." in boss("/reports/value", "20 09:00")
    assert "No row" in boss("/reports/rows", "20 09:00", figure="open")


def test_the_summary_takes_the_same_few_statements_however_much_is_open(story, fold, boss, statements):
    counts = []
    for _ in range(2):
        story("2 10:00")
        fold("3 10:00")
        with statements() as sent:
            boss("/reports", "2 12:00")
        counts.append(len(sent))
    assert counts[1] <= counts[0]
    assert counts[1] <= 20


def test_the_summary_speaks_german_and_only_to_who_reads_reports(three_open, panel, company):
    german = panel(company.boss).get("/reports?as_of=2026-03-16T12:00", headers={"Accept-Language": "de"}).text
    assert "auf dem Spiel bei 2 Kunden" in german
    assert "wurde mit Schweregrad 2 gemeldet" in german
    assert panel(company.csm).get("/reports").status_code == 403


def test_where_much_is_open_what_is_to_come_is_told_in_its_place(three_open, boss, monkeypatch, as_user, company):
    monkeypatch.setattr("app.reports.summary_pages.AT_ONCE", 2)
    assert "How many will miss their target is being worked out" in boss("/reports", "20 12:00")
    asked = {"as_of": march("20 12:00").isoformat()}
    foretold = as_user(company.boss).get("/api/v1/reports/forecast", query_string=asked).json
    told = f"{round(foretold['expected'])} of 3 will miss their target as things stand"
    assert boss("/reports/outlook", "20 12:00").strip() == f"{told} ."
    monkeypatch.setattr("app.reports.summary_pages.AT_ONCE", 3)
    assert f"accounts; {told}. As of Fri 20 Mar" in boss("/reports", "20 12:00")


def test_how_far_the_facts_lag_is_said(story, fold, boss):
    story("2 10:00")
    fold("2 10:30")
    with transaction():
        db.session.execute(text("update report_cursor set known_until = :at"), {"at": march("2 11:00")})
    assert re.search(r"As of Mon 2 Mar 2026 11:00 , your time · [^·]+ behind what is recorded", boss("/reports"))
    assert clock.now() > march("2 11:00")
