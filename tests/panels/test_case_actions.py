"""Each action of a case through its form: what it does, and what a refused form says."""

import json
import re
from datetime import timedelta
from html import unescape
from io import BytesIO
from uuid import UUID

import pytest

from app import clock
from app.db import transaction
from app.escalations import jobs, overview
from app.escalations import service as escalations
from app.escalations.case import Act
from tests.conftest import actor_of
from tests.escalations.conftest import company, raise_case
from tests.panels.test_case_page import case, do, owner, path

__all__ = ["case", "company", "do", "owner", "raise_case"]


@pytest.fixture
def read(case, company):
    """The record as it is now, read as the admin would."""

    def now(of=None):
        with transaction():
            return overview.get_overview(UUID((of or case)["id"]), actor=actor_of(company.manager), now=clock.now())

    return now


def goes_to(answer):
    """Where the panel goes after a form was taken."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.headers["HX-Trigger"])["fh-go"]["path"]


def faults(answer):
    """The fields that a refusal names."""
    return re.findall(r'data-field="([^"]*)"', answer.text)


def days(number):
    return (clock.now() + timedelta(days=number)).date().isoformat()


BEFORE = {
    "wait": ["acknowledge"],
    "resume": ["acknowledge", "wait"],
    "resolve": ["acknowledge"],
    "verify": ["acknowledge", "resolve"],
    "reopen": ["acknowledge", "resolve", "verify"],
}
FORMS = {
    "acknowledge": {"note": "On it", "at": ""},
    "wait": {"party": "customer", "reason": "Logs", "resume_on": days(4)},
    "resume": {},
    "resolve": {
        "summary": "Disk replaced",
        "root_cause": "Old disk",
        "preventable": "true",
        "prevention.action": "Watch the disks",
        "prevention.owner_email": "csm@example.com",
        "prevention.due_on": days(10),
        "at": "",
    },
    "verify": {"accepted": "true", "confirmed_by": "Jo", "channel": "call", "comment": ""},
    "reopen": {"reason": "Again"},
    "escalate": {"to_tier": "tier_2", "reason": "time", "brief": "Tried all", "vendor.name": "", "vendor.contact": ""},
    "qualify": {"resolvable": "false", "reason": "time", "brief": "Tried all", "to_tier": "tier_3"},
    "plan": {"plan": "Fix it", "forecast_close_on": days(9), "customer_agreed": "true"},
    "extend": {"until": f"{days(60)}T17:00", "reason": "Parts", "customer_agreed": "false"},
    "assign": {"owner_email": "csm@example.com", "reason": "Shift", "team_id": "", "misroute": "wrong_person"},
    "attempts": {"what": "Restart", "result": "No"},
    "comments": {"text": "Hm"},
    "messages": {"from": "Jo", "channel": "call", "text": "And?"},
    "links": {"system": "jira", "external_id": "OPS-1", "url": "https://jira.example/OPS-1"},
    "updates": {"audience": "customer", "channel": "email", "subject": "News", "text": "It is fixed"},
    "watch": {"watching": "true"},
}
DOES = {
    "acknowledge": lambda found: found.case["status"] == "in_progress",
    "wait": lambda found: found.case["waiting"]["party"] == "customer",
    "resume": lambda found: found.case["status"] == "in_progress",
    "resolve": lambda found: found.case["status"] == "resolved" and len(found.case["prevention"]) == 1,
    "verify": lambda found: found.case["verification"] == "confirmed",
    "reopen": lambda found: found.case["status"] == "in_progress",
    "escalate": lambda found: found.case["tier"] == "tier_2" and not found.case["brief_missing"],
    "qualify": lambda found: found.case["tier"] == "tier_3",
    "plan": lambda found: found.case["forecast_close_on"].isoformat() == days(9),
    "extend": lambda found: [one["kind"] for one in found.case["pending"]] == ["extension"],
    "assign": lambda found: found.case["owner"]["email"] == "csm@example.com",
    "attempts": lambda found: found.way.stages[0].attempts[0].what == "Restart",
    "comments": lambda found: found.events[0]["texts"]["text"] == "Hm",
    "messages": lambda found: found.events[0]["texts"]["from"] == "Jo",
    "links": lambda found: found.case["external_refs"][0]["url"] == "https://jira.example/OPS-1",
    "updates": lambda found: found.events[0]["facts"]["audiences"] == ["customer"],
    "watch": lambda found: found.case["watchers"] == ["owner@example.com"],
}


@pytest.mark.parametrize("action", FORMS)
def test_each_action_is_done_by_its_form(action, case, owner, read):
    for step in BEFORE.get(action, ()):
        goes_to(owner.post(path(case, step), FORMS[step]))
    assert goes_to(owner.post(path(case, action), FORMS[action])) == path(case)
    assert DOES[action](read())


def test_the_line_decides_closes_and_answers_requests(case, panel, company, owner, read):
    owner.post(path(case, "extend"), FORMS["extend"])
    boss = panel(company.manager)
    assert "Parts" in boss.get(path(case, "approve")).text
    goes_to(boss.post(path(case, "approve"), {}))
    assert read().case["due_at"].date().isoformat() == days(60)
    goes_to(boss.post(path(case, "decision"), {"choice": "close_unresolved", "reason": "Too old"}))
    goes_to(boss.post(path(case, "close-unresolved"), {"outcome": "unresolved", "reason": "Too old"}))
    assert (read().case["status"], read().case["outcome"]) == ("closed", "unresolved")


def test_a_request_is_declined_with_its_reason(case, panel, company, owner, read):
    owner.post(path(case, "extend"), FORMS["extend"])
    boss = panel(company.manager)
    assert faults(boss.post(path(case, "decline"), {"reason": " "})) == ["reason"]
    goes_to(boss.post(path(case, "decline"), {"reason": "No parts needed"}))
    assert read().case["pending"] == []


def test_a_case_merges_into_an_older_one_by_its_number(case, raise_case, owner, read):
    other = raise_case(title="The same again")
    assert faults(owner.post(path(other, "merge"), {"number": "ESC-999", "reason": "Same"})) == ["number"]
    assert faults(owner.post(path(other, "merge"), {"reason": "Same"})) == ["into_id"]
    assert goes_to(owner.post(path(other, "merge"), {"number": case["number"].lower(), "reason": "Same"})) == path(case)
    assert read(other).case["survivor"]["id"] == case["id"]


@pytest.mark.parametrize(
    ("action", "form", "named"),
    [
        ("escalate", {"reason": "time"}, ["brief"]),
        ("escalate", {"brief": "Tried all"}, ["reason"]),
        ("assign", {"owner_email": "nobody@example.com", "reason": "Shift"}, ["owner_email"]),
        ("extend", {"until": f"{days(1)}T17:00", "reason": "x", "customer_agreed": "true"}, ["until"]),
        ("plan", {"plan": "x", "forecast_close_on": days(-2), "customer_agreed": "true"}, ["forecast_close_on"]),
        ("updates", {"audience": "customer", "channel": "email"}, ["text"]),
        ("links", {"system": "jira", "external_id": "1", "url": "javascript:alert(1)"}, ["url"]),
        ("comments", {"text": ""}, ["text"]),
        ("qualify", {"resolvable": "false", "reason": "because"}, ["reason"]),
    ],
)
def test_a_refused_form_names_its_field_and_changes_nothing(action, form, named, case, owner, read):
    before = read().case["version"]
    answer = owner.post(path(case, action), form)
    assert (answer.status_code, faults(answer)) == (422, named)
    assert read().case["version"] == before


def test_what_still_stands_before_resolving_is_said_by_name(case, owner, do, read):
    do(escalations.acknowledge)
    do(escalations.agree_criterion, content="All reports run", agreed_with="Jo")
    do(escalations.add_task, new=escalations.NewTask("Tell legal", required=True))
    form = owner.get(path(case, "resolve")).text
    key = re.search(r'name="met" value="([^"]+)"', form)[1]
    task_id = re.search(r'name="waived.1.task_id" value="([^"]+)"', form)[1]
    refused = owner.post(path(case, "resolve"), FORMS["resolve"])
    assert refused.status_code == 409
    assert "All reports run" in refused.text
    assert "Tell legal" in refused.text
    half = {**FORMS["resolve"], "met": key, "waived.1.task_id": task_id}
    assert faults(owner.post(path(case, "resolve"), half)) == ["waived.1.reason"]
    goes_to(owner.post(path(case, "resolve"), {**half, "waived.1.reason": "No law in it"}))
    assert read().case["status"] == "resolved"


def test_a_criterion_is_agreed_met_and_opened_again(case, owner, read):
    form = {"text": "All reports run", "agreed_with": "Jo"}
    assert goes_to(owner.post(path(case, "exit-criteria"), form)) == path(case, "exit-criteria")
    [one] = read().criteria
    settle = path(case, "exit-criteria", one.key)
    goes_to(owner.post(settle, {"state": "met", "version": str(one.version)}))
    stale = owner.post(settle, {"state": "open", "version": str(one.version)})
    assert stale.status_code == 412
    assert [one.state for one in read().criteria] == ["met"]


def test_a_task_is_added_done_with_its_proof_and_moved(case, owner, read):
    goes_to(owner.post(path(case, "tasks"), {"title": "Call Jo", "due_at": f"{days(3)}T10:00", "required": "true"}))
    task = next(task for task in read().case["tasks"] if task["title"] == "Call Jo")
    assert (task["required"], task["due_at"].date().isoformat()) == (True, days(3))
    page = path(case, "tasks", task["id"])
    assert "Call Jo" in owner.get(page).text
    moved = goes_to(owner.post(f"{page}/move", {"due_at": f"{days(5)}T10:00", "version": str(task["version"])}))
    assert moved.startswith(path(case, "moves"))
    done = {"state": "done", "evidence.text": "Spoke with her", "version": str(task["version"])}
    assert owner.post(page, done).status_code == 412
    goes_to(owner.post(page, {**done, "version": str(task["version"] + 1)}))
    task = next(task for task in read().case["tasks"] if task["title"] == "Call Jo")
    assert (task["state"], task["due_at"].date().isoformat()) == ("done", days(5))


def test_a_task_of_somebody_else_is_shown_without_its_forms(case, owner, panel, make_user, read):
    goes_to(owner.post(path(case, "tasks"), {"title": "Call Jo"}))
    [task] = read().case["tasks"]
    page = path(case, "tasks", task["id"])
    stranger = panel(make_user("specialist"))
    assert "<form" not in stranger.get(page).text
    assert stranger.post(page, {"state": "done", "version": str(task["version"])}).status_code == 403


def edit_form(shown, **changes):
    """The form as the browser would send it back, with what was changed."""
    form = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', shown))
    form |= dict(re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', shown, re.DOTALL))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', shown, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        form[name] = chosen[1] if chosen else ""
    return {name: unescape(said) for name, said in form.items()} | changes


def test_editing_keeps_what_was_not_touched(case, owner, read):
    form = edit_form(owner.get(path(case, "edit")).text, title="Exports fail at night", severity="1")
    goes_to(owner.post(path(case, "edit"), form))
    found = read().case
    assert (found["title"], found["severity"], found["impact"]) == ("Exports fail at night", 1, "No reports")
    assert found["customer_statement"] == "It stops <b>every</b> night"


def test_an_edit_over_somebody_elses_shows_both_and_can_be_kept(case, owner, do, read):
    form = edit_form(owner.get(path(case, "edit")).text, title="Mine")
    do(escalations.add_comment, content="That changes no field of the form")
    do(escalations.edit, changes={"title": "Theirs"})
    refused = owner.post(path(case, "edit"), form)
    assert refused.status_code == 412
    row = re.search(r'<th scope="row">Title</th><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>', refused.text)
    assert row.groups() == ("Theirs", "Mine")
    version = re.search(r'data-version="(\d+)"', refused.text)[1]
    goes_to(owner.post(path(case, "edit"), {**form, "version": version}))
    assert read().case["title"] == "Mine"


def test_a_note_by_somebody_else_does_not_hold_up_an_edit(case, owner, do, read):
    form = edit_form(owner.get(path(case, "edit")).text, title="Mine")
    do(escalations.add_comment, content="That changes no field of the form")
    goes_to(owner.post(path(case, "edit"), form))
    assert read().case["title"] == "Mine"


def test_a_lower_severity_asks_for_its_reason(case, owner):
    form = edit_form(owner.get(path(case, "edit")).text, severity="4")
    assert faults(owner.post(path(case, "edit"), form)) == ["severity_reason"]


def test_a_file_is_added_opened_and_removed(case, owner, read):
    file = {"file": (BytesIO(b"2026-03-02 export failed\n"), "export.log", "text/plain")}
    answer = owner.client.post(f"/panel{path(case, 'attachments')}", data=file)
    assert goes_to(answer) == path(case, "attachments")
    [found] = read().case["files"]
    assert found["name"] == "export.log"
    link = re.search(r'href="([^"]+)"', owner.get(path(case, "attachments", found["id"], "link")).text)[1]
    assert "/attachments/" in link
    remove = path(case, "attachments", found["id"], "remove")
    assert faults(owner.post(remove, {"reason": ""})) == ["reason"]
    goes_to(owner.post(remove, {"reason": "Wrong case"}))
    assert [file["state"] for file in read().case["files"]] == ["removed"]
    assert owner.post(path(case, "attachments"), {}).status_code == 422


def test_an_update_is_previewed_with_what_is_still_to_be_filled(case, owner, read):
    typed = {"subject": "News", "text": "Dear ⟦name⟧, <i>done</i>"}
    before = read().case["version"]
    shown = owner.post(path(case, "updates", "preview"), typed).text
    assert "<mark>⟦name⟧</mark>, &lt;i&gt;done&lt;/i&gt;" in shown
    assert "1 place is still to be filled" in shown
    assert read().case["version"] == before


def test_the_composer_says_which_promises_it_keeps(case, owner, do):
    do(escalations.add_message, sender="Jo", channel="call", content="And?", at=None, external_id=None)
    shown = owner.get(path(case, "updates")).text
    assert "Keeps: Answer the customer" in shown
    assert "Then: Tell the customer" in shown
    assert "No promise waits for it." in owner.get(path(case, "updates?audience=executive")).text
    assert owner.get(path(case, "updates?audience=nonsense")).status_code == 404


def test_what_an_outage_offers_is_sent_from_its_task(case, client, owner, read, tenant):
    outage = client.post("/api/v1/outages", json={"title": "Login is down", "statement": "A certificate ran out"}).json
    body = {"severity": 2, "accounts": [{"escalation_id": case["id"]}]}
    assert client.post(f"/api/v1/outages/{outage['id']}/escalations", json=body).status_code == 200
    assert client.post(f"/api/v1/outages/{outage['id']}/updates", json={"text": "We renew it"}).status_code == 200
    jobs.offer_outages_tenant(tenant.id)
    assert f'<a href="#/outages/{outage["id"]}">Login is down</a>' in owner.get(path(case)).text
    task = next(task for task in read().case["tasks"] if task["kind"] == "outage_update")
    form = path(case, f"updates?task={task['id']}")
    assert f"#{form}" in owner.get(path(case, "tasks", task["id"])).text
    goes_to(owner.post(path(case, "updates"), edit_form(owner.get(form).text)))
    told = next(event for event in read().events if event["kind"] == "update")
    assert "We renew it" in told["texts"]["text"]
    assert next(one for one in read().case["tasks"] if one["id"] == task["id"])["state"] == "done"


def test_the_link_of_a_survey_is_shown_once(case, owner):
    for step in ("acknowledge", "resolve", "verify"):
        goes_to(owner.post(path(case, step), FORMS[step]))
    made = owner.post(path(case, "survey"))
    assert re.search(r"/survey/[\w.-]+", made.text)


OTHERS = {"edit": {"title": "x", "version": "1"}, "merge": {"number": "ESC-1", "reason": "x"}}


def test_who_may_not_is_refused_as_at_the_api(case, panel, make_user):
    stranger = panel(make_user("specialist"))
    for action in ("acknowledge", "resolve", "edit", "assign", "merge"):
        answer = stranger.post(
            path(case, action), {**FORMS.get(action, {}), "title": "x", "version": "1", "reason": "x"}
        )
        assert (action, answer.status_code in (403, 422)) == (action, True)
    assert stranger.post(path(case, "acknowledge"), {}).status_code == 403


def test_a_form_sent_twice_is_done_once(case, owner, read):
    for _ in range(2):
        assert owner.client.post(f"/panel{path(case, 'comments')}", data={"text": "Hm"}, key="one").status_code == 200
    assert [event["kind"] for event in read().events].count("comment") == 1


def test_reopening_after_the_time_for_it_leads_to_the_new_case(case, owner, do, read, tenant):
    for step in ("acknowledge", "resolve", "verify"):
        goes_to(owner.post(path(case, step), FORMS[step]))
    with transaction():
        act = Act(actor_of(tenant.admin), clock.now() + timedelta(days=40))
        raised = escalations.reopen(UUID(case["id"]), act=act, reason="Again")
    assert f"#{path(case)}" in owner.get(f"/escalations/{raised.record.id}").text
