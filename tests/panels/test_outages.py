"""Outages in the panel: who reads them, what their owner does from there, and how a case joins and leaves."""

import json
import re

import pytest

from app.db import transaction
from app.escalations.outages import reading
from tests.escalations.conftest import company, raise_case
from tests.escalations.outage import end, hit, opened, outage, tell
from tests.panels.test_case_actions import faults, goes_to
from tests.panels.test_case_page import path

__all__ = ["company", "hit", "outage", "raise_case"]


@pytest.fixture
def own(client, company):
    """An outage of the company's owner."""
    return opened(client, owner_email=company.owner.email)


@pytest.fixture
def owner(panel, company):
    return panel(company.owner)


def of(outage, *more):
    return "/".join(["/outages", str(outage["id"]), *more])


def titles(answer):
    return re.findall(r'<p class="title"><a href="[^"]*">(?:<span[^>]*>[^<]*</span> )?([^<]*)</a>', answer.text)


def test_the_board_shows_open_ones_first_with_owner_cases_and_the_last_word(client, owner, raise_case):
    old = opened(client, title="Mail is late")
    ended = opened(client, title="Old fire")
    end(client, ended)
    new = opened(client, title="Login is down", owner_email="owner@example.com")
    raise_case(outage_id=new["id"])
    tell(client, old, "The queue <b>drains</b>")

    shown = owner.get("/outages")

    assert titles(shown) == ["Login is down", "Mail is late", "Old fire"]
    assert "1 case you may see" in shown.text
    assert "0 cases you may see" in shown.text
    assert "The queue &lt;b&gt;drains&lt;/b&gt;" in shown.text
    assert "The certificate is renewed" in shown.text


def test_the_board_is_paged_by_state_and_age(client, owner):
    for number in range(22):
        opened(client, title=f"Fire {number}")
    end(client, opened(client, title="Over"))
    first = owner.get("/outages")
    more = owner.get(re.search(r'hx-get="/panel(/outages\?cursor=[^"]*)"', first.text)[1])
    assert titles(first) == [f"Fire {number}" for number in range(21, 1, -1)]
    assert titles(more) == ["Fire 1", "Fire 0", "Over"]
    assert "<nav" not in more.text


def test_pages_of_outages_are_read_in_at_most_ten_statements(client, owner, own, raise_case, statements):
    raise_case(outage_id=own["id"])
    tell(client, own)
    for where in ("/outages", of(own)):
        owner.get(where)
        with statements() as sent:
            assert owner.get(where).status_code == 200
        assert (where, len(sent) <= 10) == (where, True)


def test_the_way_there_stands_in_the_navigation_after_accounts(owner):
    assert re.findall(r'<a href="#(/[a-z]+)"', owner.get("/outages").text)[:3] == ["/mine", "/accounts", "/outages"]


def test_its_owner_may_act_and_a_colleague_only_reads(owner, panel, company, own):
    assert f"#{of(own, 'update')}" in owner.get(of(own)).text
    reader = panel(company.csm)
    shown = reader.get(of(own))
    assert shown.status_code == 200
    assert f"#{of(own, 'update')}" not in shown.text
    for form in ("update", "resolve", "edit", "accounts"):
        assert reader.get(of(own, form)).status_code == 403
        assert reader.post(of(own, form), {}).status_code == 403  # not a word on the form's faults


def test_a_restricted_case_of_it_is_neither_shown_nor_counted_for_who_may_not_see_it(panel, company, own, raise_case):
    raise_case(outage_id=own["id"], title="Secret matter", restricted=True)
    shown = panel(company.csm).get(of(own))
    assert "Secret matter" not in shown.text
    assert "0 at work" in shown.text
    assert "Secret matter" in panel(company.owner).get(of(own)).text


def test_cases_that_wait_for_approval_are_counted_apart(client, owner, own, raise_case):
    etag = client.get("/api/v1/settings").headers["ETag"].strip('"')
    asked = {"approval": {"asked": True, "approvers": []}}
    assert client.patch("/api/v1/settings", json=asked, if_match=etag).status_code == 200
    raise_case(outage_id=own["id"])
    shown = owner.get(of(own)).text
    assert ("0 at work" in shown, "1 waits for approval" in shown) == (True, True)


def test_one_is_opened_told_and_ended_from_its_pages(owner, own, raise_case):
    made = goes_to(owner.post("/outages/new", {"title": "Login is down", "statement": "", "owner_email": ""}))
    case = raise_case(outage_id=made.rpartition("/")[2])
    said = {
        "audience": ["customer", "executive"],
        "text": "We renew it",
        "texts.executive": "Costly",
        "channel": "email",
    }
    assert goes_to(owner.post(f"{made}/update", said)) == made
    shown = owner.get(made)
    assert "We renew it" in shown.text
    assert "What is known was offered to its cases, for customer and executives" in shown.text
    assert "news is offered, not sent yet" in shown.text
    task = re.search(rf'#/escalations/{case["id"]}/tasks/([0-9a-f-]+)"', shown.text)[1]
    sent = {"task_id": task, "audience": ["customer", "executive"], "channel": "email", "text": "Soon well"}
    assert goes_to(owner.post(path(case, "updates"), {**sent, "texts.executive": "Costly"})) == path(case)
    assert "the news was sent" in owner.get(made).text
    done = {"summary": "Renewed", "root_cause": "Nobody watched", "preventable": "true", "audience": "customer"}
    assert goes_to(owner.post(f"{made}/resolve", done)) == made
    shown = owner.get(made)
    assert "the end is offered, not told yet" in shown.text
    assert f"#{made}/update" not in shown.text
    refused = owner.post(f"{made}/update", {"audience": "customer", "text": "More"})
    assert (refused.status_code, "The outage is resolved" in refused.text) == (409, True)


def test_what_is_told_needs_words_for_each_reader(owner, own):
    refused = owner.post(of(own, "update"), {"audience": "customer", "text": " "})
    assert (refused.status_code, faults(refused)) == (422, ["text"])


def test_owner_and_title_are_changed_and_both_versions_shown_where_two_did(owner, panel, company, own):
    version = re.search(r'name="version" value="(\d+)"', owner.get(of(own, "edit")).text)[1]
    form = {"version": version, "title": "Sign-in is down", "statement": "", "owner_email": company.owner.email}
    assert goes_to(owner.post(of(own, "edit"), form)) == of(own)
    assert "Changed the statement and the title" in owner.get(of(own)).text
    stale = panel(company.manager).post(of(own, "edit"), {**form, "title": "All is down", "statement": "Fuse"})
    assert stale.status_code == 412
    assert re.findall(r'<td class="words">([^<]*)</td>', stale.text) == ["Sign-in is down", "All is down", "–", "Fuse"]
    newer = re.search(r'data-version="(\d+)"', stale.text)[1]
    moved = {**form, "version": newer, "title": "All is down", "owner_email": company.manager.email}
    assert goes_to(owner.post(of(own, "edit"), moved)) == of(own)
    assert f"Changed the title and the owner: {company.manager.name}" in owner.get(of(own)).text


def test_accounts_and_cases_are_added_by_line_and_those_not_taken_come_back(owner, own, hit, raise_case):
    case = raise_case()  # of Globex
    lines = f"Hooli\nA-3\n{case['number'].lower()}\nNobody Ltd\nESC-999999\nhooli\n\nHooli"
    answer = owner.post(of(own, "accounts"), {"lines": lines, "severity": "2", "title": "", "impact": "No login"})
    assert answer.status_code == 200, answer.text
    became = re.findall(r'<strong>([^<]*)</strong> <span class="state \w+">([^<]*)</span>', answer.text)
    assert became == [
        ("Hooli", "raised"),
        ("A-3", "raised"),
        (case["number"].lower(), "joined"),
        ("Nobody Ltd", "not taken"),
        ("ESC-999999", "not taken"),
        ("hooli", "was there already"),
    ]
    assert "there is no such account" in answer.text
    assert re.search(r'<textarea id="f-lines"[^>]*>([^<]*)</textarea>', answer.text)[1] == "Nobody Ltd\nESC-999999"
    with transaction():
        assert len(titles(owner.get(of(own)))) == 3
        assert reading.list_open(limit=5)[0]["title"] == "Login is down"


def test_accounts_sent_twice_under_one_key_get_one_case_each(owner, own, hit):
    form, key = {"lines": "Hooli", "severity": "2"}, {"Idempotency-Key": "once"}
    for _ in range(2):
        assert owner.post(of(own, "accounts"), form, headers=key).status_code == 200
    assert len(titles(owner.get(of(own)))) == 1


def test_a_name_of_two_accounts_is_refused_with_what_would_tell_them_apart(owner, own, client, company):
    for key in ("B-1", "B-2"):
        client.put(f"/api/v1/accounts/crm/{key}", json={"name": "Twin", "owner_email": company.owner.email})
    answer = owner.post(of(own, "accounts"), {"lines": "Twin\nB-2", "severity": "3"})
    assert "several accounts are called so" in answer.text
    assert titles(owner.get(of(own))) == ["Login is down"]


def test_long_lists_of_cases_and_what_happened_go_on_in_parts(client, owner, own, hit, raise_case):
    for number in range(21):
        raise_case(outage_id=own["id"], title=f"Case {number}")
    for number in range(21):
        tell(client, own, f"News {number}.")
    shown = owner.get(of(own))
    assert len(titles(shown)) == 20
    more = owner.get(re.search(r'hx-get="/panel(/outages/[^"]*\?cursor=[^"]*)"', shown.text)[1])
    assert len(titles(more)) == 1
    earlier = owner.get(re.search(r'hx-get="/panel([^"]*/timeline\?before=[^"]*)"', shown.text)[1])
    assert ("News 0." in earlier.text, "Opened;" in earlier.text, "News 20." in earlier.text) == (True, True, False)


def test_no_more_than_the_limit_is_taken_at_once(owner, own):
    refused = owner.post(of(own, "accounts"), {"lines": "\n".join(f"A-{n}" for n in range(201)), "severity": "3"})
    assert (refused.status_code, faults(refused)) == (422, ["lines"])


def test_a_case_joins_an_outage_from_its_page_and_leaves_it(owner, own, outage, raise_case, panel, company):
    case = raise_case()
    assert f"#{path(case, 'outage')}" in owner.get(path(case)).text
    assert own["title"] in owner.get(path(case, "outage")).text
    assert faults(owner.post(path(case, "outage"), {"outage_id": ""})) == ["outage_id"]
    assert goes_to(owner.post(path(case, "outage"), {"outage_id": own["id"]})) == path(case)
    assert f'<a href="#{of(own)}">Login is down</a>' in owner.get(path(case)).text
    assert json.dumps(own["id"])[1:-1] not in re.findall(
        r'<option value="([^"]*)"', owner.get(path(case, "outage")).text
    )
    assert goes_to(owner.post(path(case, "outage"), {"leave": "true"})) == path(case)
    assert "Part of an outage" not in owner.get(path(case)).text
    stranger = panel(company.csm)
    assert stranger.get(path(case, "outage")).status_code == 409
    assert stranger.post(path(case, "outage"), {"outage_id": own["id"]}).status_code == 403


def test_no_id_stands_twice_on_its_pages(owner, own):
    for part in ("", "update", "resolve", "edit", "accounts"):
        ids = re.findall(r'\sid="([^"]+)"', owner.get(of(own, part).rstrip("/")).text)
        assert (part, sorted(ids)) == (part, sorted(set(ids)))
    ids = re.findall(r'\sid="([^"]+)"', owner.get("/outages/new").text)
    assert sorted(ids) == sorted(set(ids))
