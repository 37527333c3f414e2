"""Playbooks as pages: adopted, written with faults by line, previewed as people meet them, published and retired."""

import re
from html import unescape

import pytest

from app.playbooks.booklet import book_of, span
from app.playbooks.compiling import compile_playbook
from app.playbooks.pages import NEW

BOOK = """\
name: Payment trouble
about: When money went wrong.
questions:
  - {key: invoice, ask: "Which invoice?", reasons: [billing]}
tasks:
  - {key: refund, title: Pay it back, after: [look], due: {business_days: 2}}
  - {key: look, title: Look at the invoice, role: csm, due: {business_hours: 1}, required: true}
"""


@pytest.fixture
def admin(panel, tenant):
    return panel(tenant.admin)


def path_of(answer):
    assert answer.status_code == 200, answer.text
    return re.findall(r'"path": ?"([^"]+)"', answer.headers["HX-Trigger"])[0]


def test_a_book_reads_as_people_meet_it():
    """Tasks in the order they can be done; questions by the reasons that get them."""
    definition = {
        "name": "n", "about": "a",
        "questions": [{"key": "which", "ask": "Which?", "reasons": ["billing"]}, {"key": "since", "ask": "When?"}],
        "tasks": [{"key": "refund", "title": "Pay", "after": ["look"]},
                  {"key": "look", "title": "Look", "role": "csm"}],
    }  # fmt: skip
    book = book_of(compile_playbook(definition), [("billing", "Billing"), ("security", "Security"), ("other", "Other")])
    assert [todo.plan.key for todo in book.tasks] == ["look", "refund"]
    assert (book.tasks[0].who, book.tasks[1].after) == ("the CSM", ("Look",))
    assert [(one.reasons, [q.key for q in one.questions]) for one in book.asked] == [
        (("Billing",), ["which", "since"]), (("Security", "Other"), ["since"])
    ]  # fmt: skip
    assert (span({"business_days": 1}), span({"business_seconds": 7200})) == ("1 working day", "2 working hours")


def test_a_built_in_book_is_looked_at_taken_over_published_and_retired(admin, client, statements):
    assert "To take over" in admin.get("/admin/playbooks").text
    shown = admin.get("/admin/playbooks/built-in/renewal_at_risk").text
    assert "Let the executive sponsor call theirs" in shown
    assert "within 2 working days" in shown
    path = path_of(admin.post("/admin/playbooks/built-in/renewal_at_risk/adopt"))
    told = admin.get(path).text
    assert "No case gets it until it is published" in told
    assert admin.post(f"{path}/publish", {"newest": 1, "number": 1}).status_code == 200
    assert client.get("/api/v1/playbooks").json["items"][0]["state"] == "published"
    for page in ("/admin/playbooks", path, f"{path}/edit", f"{path}/text/1"):
        with statements() as sent:
            assert admin.get(page).status_code == 200
        assert len(sent) <= 10
    assert admin.post(f"{path}/retire").status_code == 200
    assert client.get("/api/v1/playbooks").json["items"][0]["state"] == "retired"


def test_faults_are_told_by_line_while_writing_and_when_saving(admin, client):
    bad = BOOK.replace("role: csm", "role: king").replace("business_days: 2", "business_days: 0")
    told = unescape(admin.post("/admin/playbooks/check", {"text": bad}).text)
    assert re.findall(r'<li value="(\d+)">', told) == ["6", "7"]
    assert "tasks › 1 › role: expected one of owner, csm" in told
    assert re.findall(r'<li value="(\d+)">', admin.post("/admin/playbooks/check", {"text": "name: [\n"}).text) == ["2"]
    refused = admin.post("/admin/playbooks", {"text": bad, "version": 0})
    assert (refused.status_code, set(re.findall('data-field="([^"]+)"', refused.text))) == (422, {"text"})
    assert "Line 7: tasks › 1 › role" in unescape(refused.text)
    assert client.get("/api/v1/playbooks").json["items"] == []
    good = admin.post("/admin/playbooks/check", {"text": BOOK}).text
    assert good.index("Look at the invoice") < good.index("Pay it back")
    assert "Billing" in good


def test_a_book_is_written_and_its_next_version_is_refused_when_another_came_between(admin, client):
    path = path_of(admin.post("/admin/playbooks", {"text": BOOK, "version": 0}))
    form = admin.get(f"{path}/edit").text
    assert 'name="version" value="1"' in form
    assert "Which invoice?" in form
    path_of(admin.post("/admin/playbooks", {"text": BOOK.replace("went", "goes"), "version": 1}))
    mine = BOOK.replace("went", "has gone")
    refused = admin.post("/admin/playbooks", {"text": mine, "version": 1})
    assert refused.status_code == 412
    assert "When money goes wrong." in refused.text
    assert "When money has gone wrong." in refused.text
    assert client.get("/api/v1/playbooks").json["items"][0]["newest"] == 2
    assert 'data-version="2"' in refused.text
    kept = admin.post("/admin/playbooks", {"text": mine, "version": 2})
    assert path_of(kept) == path
    late = admin.post(f"{path}/publish", {"newest": 2, "number": 2})
    assert late.status_code == 412


def test_what_a_new_book_begins_with_can_be_saved(admin):
    assert "It can be saved" in admin.get("/admin/playbooks/new").text
    assert admin.post("/admin/playbooks", {"text": NEW}).status_code == 200


def test_who_may_not_write_reads(panel, make_user, client):
    someone = panel(make_user("manager"))
    assert "Write one" not in someone.get("/admin/playbooks").text
    assert someone.get("/admin/playbooks/new").status_code == 403
    assert someone.post("/admin/playbooks", {"text": BOOK}).status_code == 403
