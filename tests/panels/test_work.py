"""My work and the inbox as pages: what presses first, whose it is, and the one thing to do about it."""

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app import clock
from app.db import db, transaction
from app.escalations.models import Escalation
from app.notifications import service as notifications
from app.notifications.models import Intent
from app.rows import insert_all
from app.sla.models import Clock
from tests.escalations.conftest import company, raise_case
from tests.escalations.test_moving import away

__all__ = ["away", "company", "raise_case"]


def titles(answer):
    """Of the cases; each also asks its owner to complete what the raise left out, as a task."""
    rows = re.findall(r"<li data-row.*?</li>", answer.text, re.S)
    return [re.search(r"<strong>([^<]*)</strong>", row)[1] for row in rows if '<p class="muted">Task' not in row]


def groups(answer):
    return re.findall(r"<h2>(\w[\w ]*) <span", answer.text)


def due_in(case, kind, **distance):
    with transaction():
        one = (Clock.escalation_id == UUID(case["id"]), Clock.kind == kind)
        db.session.execute(update(Clock).where(*one).values(due_at=clock.now() + timedelta(**distance)))


def test_what_presses_first_stands_first_and_what_is_missed_says_so(panel, company, raise_case):
    late, soon = raise_case(title="Late"), raise_case(title="Soon")
    due_in(soon, "acknowledge", minutes=90)
    due_in(late, "acknowledge", hours=-1)
    with transaction():
        db.session.execute(update(Clock).where(Clock.kind == "respond").values(due_at=None))
    answer = panel(company.owner).get("/mine")
    assert answer.status_code == 200
    assert titles(answer) == ["Late", "Soon"]
    assert groups(answer)[0] == "Now"
    assert (answer.text.count(">missed<"), answer.text.count("Acknowledge</b>")) == (1, 2)


def test_only_open_work_of_mine_stands_there(client, panel, company, raise_case):
    mine, closed = raise_case(title="Mine"), raise_case(title="Closed")
    others = raise_case(title="Others")
    end = {"outcome": "withdrawn", "reason": "No longer needed"}
    assert client.post(f"/api/v1/escalations/{closed['id']}/close-unresolved", json=end).status_code == 200
    give = {"owner_email": company.csm.email, "reason": "Knows them"}
    assert client.post(f"/api/v1/escalations/{others['id']}/assign", json=give).status_code == 200
    assert titles(panel(company.owner).get("/mine")) == [mine["title"]]


def test_whoever_covers_an_absent_colleague_has_their_work_and_is_told_whose_it_is(panel, company, raise_case, away):
    raise_case(title="Covered")
    away(company.owner, company.csm, mode="cover")
    answer = panel(company.csm).get("/mine")
    assert titles(answer) == ["Covered"]
    assert f"for {company.owner.name}" in answer.text
    assert titles(panel(company.csm).get("/mine?show=covered")) == ["Covered"]
    assert titles(panel(company.owner).get("/mine?show=covered")) == []


@pytest.mark.parametrize(("show", "shown"), [("severe", ["One"]), ("overdue", []), ("waiting", ["Three"]), ("x", 2)])
def test_a_filter_keeps_a_part(client, panel, company, raise_case, show, shown):
    raise_case(title="One", severity=1)
    three = raise_case(title="Three", severity=3)
    path = f"/api/v1/escalations/{three['id']}"
    assert client.post(f"{path}/acknowledge", json={}).status_code == 200
    day = (clock.real_now() + timedelta(days=5)).date().isoformat()
    wait = {"party": "customer", "reason": "Their logs", "resume_on": day}
    assert client.post(f"{path}/wait", json=wait).status_code == 200
    found = titles(panel(company.owner).get(f"/mine?show={show}"))
    assert (len(found) if isinstance(shown, int) else found) == shown


def test_acknowledging_from_the_list_meets_the_clock_once(client, panel, company, raise_case):
    case = raise_case()
    someone = panel(company.owner)
    first, second = (
        someone.post(f"/mine/{case['id']}/acknowledge", headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert [json.loads(one.headers["HX-Trigger"]) for one in (first, second)] == [{"fh-go": {"path": None}}] * 2
    assert client.get(f"/api/v1/escalations/{case['id']}").json["status"] == "in_progress"
    assert "Acknowledge</button>" not in someone.get("/mine").text


def test_a_refusal_is_said_in_a_part_of_a_page(panel, company, raise_case, make_user):
    case = raise_case()
    refused = panel(make_user()).post(f"/mine/{case['id']}/acknowledge")
    assert (refused.status_code, refused.mimetype) == (403, "text/html")
    assert 'role="alert"' in refused.text


def test_my_work_and_the_inbox_take_few_statements(panel, company, raise_case, statements):
    for _ in range(3):
        raise_case()
    someone = panel(company.owner)
    for path in ("/mine", "/inbox"):
        with statements() as sent:
            assert someone.get(path).status_code == 200
        assert len(sent) <= 6, sent


def test_nothing_to_do_says_what_would_stand_there(panel, make_user):
    assert "Nothing to do" in panel(make_user()).get("/mine").text


def test_the_inbox_is_ones_own_a_page_at_a_time(panel, company):
    with transaction():
        now = clock.now()
        told = [
            notifications.intent(
                user=company.owner, kind="test", subject=f"No. {n}", body="", dedupe_key=f"{n}", at=now, now=now
            )
            for n in range(32)
        ]
        insert_all(told)
    someone = panel(company.owner)
    first = someone.get("/inbox")
    assert first.text.count("<li data-row") == 30
    more = re.search(r'hx-get="/panel(/inbox[^"]+)"', first.text)[1].replace("&amp;", "&")
    rest = someone.get(more)
    assert rest.text.count("<li data-row") == 2
    assert "<h1>" not in rest.text
    assert panel(company.csm).get("/inbox").text.count("<li data-row") == 0


def test_reading_a_message_takes_it_from_the_unread(panel, company, raise_case):
    raise_case()
    someone = panel(company.owner)
    unread = someone.get("/inbox?show=unread").text
    message = re.search(r"/panel(/inbox/[0-9a-f-]+/read)", unread)[1]
    assert panel(company.csm).post(message).status_code == 404
    assert someone.post(message).status_code == 200
    assert someone.get("/inbox?show=unread").text.count("<li data-row") == unread.count("<li data-row") - 1


def test_what_people_wrote_is_text_and_never_markup(panel, company, raise_case):
    raise_case(title="<script>alert(1)</script>")
    with transaction():
        db.session.execute(update(Intent).values(body="<img src=x onerror=alert(1)>"))
        assert db.session.query(Escalation).count() == 1
    for path in ("/mine", "/inbox"):
        said = panel(company.owner).get(path).text
        assert ("<script>" in said, "<img" in said) == (False, False)


def test_what_i_promised_so_that_it_does_not_happen_again_stands_below_my_work(panel, company, raise_case, as_user):
    case = raise_case()
    owner = as_user(company.owner)
    path = f"/api/v1/escalations/{case['id']}"
    assert owner.post(f"{path}/acknowledge", json={}).status_code == 200
    promised = {"action": "Watch the disks", "owner_email": company.owner.email, "due_on": "2099-05-04"}
    solved = {"summary": "It runs", "root_cause": "Disk", "preventable": True, "prevention": promised}
    assert owner.post(f"{path}/resolve", json=solved).status_code == 200
    mine = panel(company.owner).get("/mine").text
    assert mine.index("Promised prevention") < mine.index("Watch the disks") < mine.index("Mon 4 May 2099")
    assert "Promised prevention" not in panel(company.owner).get("/mine?show=overdue").text
    assert "Promised prevention" not in panel(company.csm).get("/mine").text
