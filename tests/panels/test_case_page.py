"""The page of one case: what it shows in which state, and to whom."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app import clock
from app.db import transaction
from app.escalations import service as escalations
from app.escalations.case import Act
from tests.conftest import actor_of
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


@pytest.fixture
def case(raise_case):
    return raise_case(customer_statement="It stops <b>every</b> night", impact="No reports", desired_outcome="A fix")


@pytest.fixture
def owner(panel, company):
    return panel(company.owner)


@pytest.fixture
def do(case, company):
    """`do(service.acknowledge)` as the owner, in a transaction."""

    def act(use_case, *, by=None, **values):
        with transaction():
            return use_case(UUID(case["id"]), act=Act(actor_of(by or company.owner), clock.now()), **values)

    return act


def path(case, *more):
    return "/".join(["/escalations", case["id"], *map(str, more)])


def offered(answer, case):
    """The forms that the page leads to."""
    return set(re.findall(rf'#/escalations/{case["id"]}/([a-z-]+)(?:\?[^"]*)?"', answer.text))


def next_of(answer):
    """The sentence on top."""
    return re.search(r'class="next-step">([^<]*?)\s*<', answer.text)[1]


def test_the_page_is_read_in_at_most_ten_statements(case, owner, statements):
    owner.get(path(case))
    with statements() as sent:
        answer = owner.get(path(case))
    assert answer.status_code == 200
    assert len(sent) <= 10


def test_nothing_new_costs_two_statements_and_sends_nothing(case, owner, statements):
    asked = re.search(r'hx-get="/panel([^"]*/live[^"]*)"', owner.get(path(case)).text)[1].replace("&amp;", "&")
    with statements() as sent:
        answer = owner.get(asked)
    assert (answer.status_code, answer.text, len(sent) <= 3) == (204, "", True)


def test_only_what_changed_is_sent_and_no_form_with_fields_in_it(case, owner, do):
    asked = re.search(r'hx-get="/panel([^"]*/live[^"]*)"', owner.get(path(case)).text)[1].replace("&amp;", "&")
    do(escalations.add_comment, content="Just so you know")
    answer = owner.get(asked)
    assert re.findall(r'id="(part-\w+)"', answer.text) == []  # a note changes none of the parts
    assert 'id="newer"' in answer.text
    do(escalations.acknowledge)
    answer = owner.get(asked)
    changed = re.findall(r'id="(part-\w+)" hx-swap-oob="innerHTML"', answer.text)
    assert {"part-head", "part-next", "part-clocks"} <= set(changed)
    assert "part-tried" not in changed
    assert "<textarea" not in answer.text


def test_what_people_wrote_is_text(case, owner):
    shown = owner.get(path(case)).text
    assert "It stops &lt;b&gt;every&lt;/b&gt; night" in shown
    assert "<b>every" not in shown


def test_no_id_stands_twice_and_nothing_is_styled_or_scripted_in_line(case, owner, do):
    do(escalations.acknowledge)
    for part in ("", "resolve", "exit-criteria", "edit", "updates", "escalate", "attachments", "print"):
        shown = owner.get(path(case, part).rstrip("/")).text
        ids = re.findall(r'\sid="([^"]+)"', shown)
        assert (part, sorted(ids)) == (part, sorted(set(ids)))
        assert re.search(r"<script|\sstyle=|\son[a-z]+=", shown) is None


def test_the_owner_acknowledges_first_then_works_then_asks_for_the_customers_word(case, owner, do):
    assert next_of(owner.get(path(case))) == "Acknowledge: take the case in hand"
    do(escalations.acknowledge)
    do(escalations.add_message, sender="Jo", channel="call", content="And?", at=None, external_id=None)
    shown = owner.get(path(case))
    assert next_of(shown) == "Answer the customer"
    assert f"#{path(case, 'updates')}" in shown.text
    do(escalations.resolve, resolution=escalations.Resolution("Done", "Disk", preventable=True))
    assert next_of(owner.get(path(case))) == "Get the customer&#39;s word"
    do(escalations.verify, word=escalations.Word(accepted=True, confirmed_by="Jo", channel="call"))
    shown = owner.get(path(case))
    assert next_of(shown) == "It is closed"
    assert "confirmed by the customer" in shown.text
    assert {"reopen", "survey"} <= offered(shown, case)
    assert "resolve" not in offered(shown, case)


def test_each_is_offered_what_is_theirs_and_nothing_else(case, panel, company, make_user, do):
    of_work = {"acknowledge", "escalate", "qualify", "plan", "assign", "edit", "merge", "extend"}
    of_the_line = {"decision", "close-unresolved"}
    shown = {
        "owner": offered(panel(company.owner).get(path(case)), case),
        "manager": offered(panel(company.manager).get(path(case)), case),
        "stranger": offered(panel(make_user("specialist")).get(path(case)), case),
    }
    assert of_work <= shown["owner"]
    assert not of_the_line & shown["owner"]
    assert of_work | of_the_line <= shown["manager"]
    assert not (of_work | of_the_line) & shown["stranger"]
    assert {"updates", "messages"} <= shown["stranger"]


def test_a_form_that_is_not_offered_does_not_open(case, panel, make_user):
    stranger = panel(make_user("specialist"))
    answers = {form: stranger.get(path(case, form)).status_code for form in ("acknowledge", "resolve", "nonsense")}
    assert answers == {"acknowledge": 409, "resolve": 409, "nonsense": 404}


def test_every_form_that_is_offered_opens(case, owner, do):
    forms = offered(owner.get(path(case)), case)
    do(escalations.acknowledge)
    forms |= offered(owner.get(path(case)), case)
    assert {"updates", "escalate", "edit", "assign", "resolve", "wait", "extend", "exit-criteria"} <= forms
    for form in sorted(forms - {"acknowledge"}):
        answer = owner.get(path(case, form))
        assert (form, answer.status_code) == (form, 200), answer.text


def test_what_was_tried_stands_above_moving_up(case, owner, do):
    do(escalations.add_attempt, what="Restarted it", result="Stopped again", at=None)
    shown, form = owner.get(path(case)).text, owner.get(path(case, "escalate")).text
    assert shown.index("Restarted it") < shown.index("Move up</a>")
    assert form.index("Restarted it") < form.index('name="brief"')


def test_a_handover_is_drafted_from_the_case(case, owner, do):
    do(escalations.add_attempt, what="Restarted it", result="Stopped again", at=None)
    brief = re.search(r'name="brief"[^>]*>(.*?)</textarea>', owner.get(path(case, "escalate")).text, re.DOTALL)[1]
    assert "Restarted it" in brief
    assert "No reports" in brief


def test_a_promise_is_a_bar_with_its_reminders_and_what_comes_next(case, owner):
    shown = owner.get(path(case)).text
    assert 'aria-label="Acknowledge, running' in shown
    # Of acknowledge 75 % and due, of close half, -7, -3 and -1 days, due. Three days and one day before fall on the
    # same Friday's end when the thirty days end on a Tuesday before work begins.
    assert shown.count('class="tick coming"') in (6, 7)
    assert "the owner is told" in shown


def test_why_this_owner_is_a_sentence_and_then_the_whole_decision(case, owner):
    assert "Owns the account" in owner.get(path(case)).text
    whole = owner.get(path(case, "routing")).text
    assert "account owner, else duty owner" in whole
    assert "Owner" in whole


def test_the_value_opens_its_lines(case, owner):
    shown = owner.get(path(case, "value")).text
    assert "$120,000.00 at stake" in shown
    assert "Contract K-1" in shown


def test_the_schedule_names_who_would_be_told(case, owner, company):
    assert company.owner.email in owner.get(path(case, "schedule")).text


def test_the_timeline_is_filtered_and_each_line_has_its_own_address(case, owner, do):
    do(escalations.acknowledge)
    do(escalations.add_comment, content="A note")
    words = owner.get(path(case, "timeline?show=words")).text
    assert "A note" in words
    assert "Acknowledged" not in words
    assert "Given to Owner" in owner.get(path(case, "timeline?show=decisions")).text
    number = re.search(rf'#{path(case, "timeline")}/(\d+)"', words)[1]
    one = owner.get(path(case, "timeline", number)).text
    assert "A note" in one
    assert re.search(r"[0-9a-f]{64}", one)
    assert owner.get(path(case, "timeline", 99)).status_code == 404
    assert owner.get(path(case, "timeline?show=nonsense")).status_code == 404


def test_a_long_timeline_goes_on_page_by_page(case, owner, do):
    for number in range(25):
        do(escalations.add_comment, content=f"Note {number}")
    shown = owner.get(path(case)).text
    assert "Note 24" in shown
    assert "Note 1<" not in shown
    earlier = re.search(r'hx-get="/panel([^"]*before=\d+)"', shown)[1].replace("&amp;", "&")
    assert "Note 1<" in owner.get(earlier).text


def test_a_merged_case_does_not_name_a_survivor_that_its_reader_may_not_see(raise_case, panel, make_user, client):
    kept, other = raise_case(title="Board matter", restricted=True), raise_case(title="Plain")
    body = {"into_id": kept["id"], "reason": "Same"}
    assert client.post(f"/api/v1/escalations/{other['id']}/merge", json=body).status_code == 200
    someone = panel(make_user())
    assert someone.get(path(kept)).status_code == 404
    answer = someone.get(path(other))
    assert (answer.status_code, "Plain" in answer.text, "Board matter" in answer.text) == (200, True, False)
    assert kept["id"] not in answer.text


def test_a_merged_case_leads_to_its_survivor(case, raise_case, panel, company, do):
    other = raise_case(title="The same again")
    with transaction():
        act = Act(actor_of(company.manager), clock.now())
        escalations.merge(UUID(other["id"]), act=act, into_id=UUID(case["id"]), reason="Same")
    shown = panel(company.owner).get(path(other))
    assert shown.status_code == 200
    assert f'href="#{path(case)}"' in shown.text
    assert 'class="actions"' not in shown.text


def test_a_case_that_one_may_not_see_looks_like_none(raise_case, panel, make_user, company):
    hidden = raise_case(restricted=True)
    stranger, boss = panel(make_user("specialist")), panel(company.manager)
    for part in ("", "/live", "/timeline", "/resolve", "/value", "/print", "/attachments"):
        assert (part, stranger.get(path(hidden) + part).status_code) == (part, 404)
        assert (part, boss.get(path(hidden) + part).status_code) in ((part, 200), ("/resolve", 409))
    assert stranger.post(path(hidden, "comments"), {}).status_code == 404
    assert stranger.post(path(hidden, "comments"), {"text": "Hm"}).status_code == 404


def test_the_print_view_holds_the_whole_record_unfolded(case, owner, do):
    do(escalations.add_attempt, what="Restarted it", result="Stopped again", at=None)
    for number in range(30):
        do(escalations.add_comment, content=f"Note {number}")
    shown = owner.get(path(case, "print")).text
    for said in ("Restarted it", "No reports", "Note 0<", "Note 29<", "Raised", "Acknowledge"):
        assert said in shown
    assert "<details" not in shown


def test_times_stand_in_the_viewers_zone_with_the_accounts_beside(case, panel, make_user):
    shown = panel(make_user("csm", timezone="Asia/Tokyo")).get(path(case)).text
    close = clock.now() + timedelta(days=30)
    assert re.search(rf'datetime="{close:%Y-%m-%d}[^"]*" title="[^"]*, your time · [^"]*\d\d:\d\d theirs"', shown)


def test_a_task_is_done_with_a_text_alone(case, owner, client):
    task = client.post(f"/api/v1/escalations/{case['id']}/tasks", json={"title": "Listen"}).json
    form = {"version": task["version"], "state": "done", "evidence.text": "An hour with Jo", "evidence.links": ""}
    answer = owner.post(path(case, "tasks", task["id"]), form)
    assert answer.status_code == 200, answer.text
    shown = client.get(f"/api/v1/escalations/{case['id']}/tasks").json["items"]
    assert [(one["state"], one["evidence"]["text"]) for one in shown if one["id"] == task["id"]] == [
        ("done", "An hour with Jo")
    ]
