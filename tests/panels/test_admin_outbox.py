"""The admin's page of messages: what did not arrive and why, what waits and why, promises that stand aside."""

from datetime import timedelta

from sqlalchemy import text

from app import clock
from app.db import db, transaction
from app.notifications.models import Intent
from tests.escalations.conftest import company, raise_case
from tests.notifications.conftest import outbox

__all__ = ["company", "outbox", "raise_case"]


def test_dead_letters_stand_with_what_the_server_said_and_one_is_sent_again(panel, tenant, outbox):
    dead = outbox.post(subject="Never arrived")
    outbox.set(dead, state="dead", attempts=9, last_error="550 no such mailbox")
    admin = panel(tenant.admin)
    told = admin.get("/admin/outbox").text
    assert "Never arrived" in told
    assert "550 no such mailbox" in told
    assert "given up after 9 tries" in told
    assert f'hx-post="/panel/admin/outbox/{dead.id}/redeliver"' in told
    assert 'data-confirm="Send “Never arrived” again?' in told
    assert admin.post(f"/admin/outbox/{dead.id}/redeliver").status_code == 200
    with transaction():
        assert (db.session.get(Intent, dead.id).state, db.session.get(Intent, dead.id).attempts) == ("pending", 0)
    again = admin.post(f"/admin/outbox/{dead.id}/redeliver")
    assert (again.status_code, "only a dead one" in again.text) == (409, True)


def test_what_waits_says_why(panel, tenant, outbox):
    now = clock.real_now()
    outbox.post(subject="At night", hold_until=now + timedelta(hours=3))
    outbox.post(subject="In the digest", channel="digest", hold_until=now + timedelta(hours=3))
    failing = outbox.post(subject="Server away")
    outbox.set(failing, retry_at=now + timedelta(minutes=5), attempts=2, last_error="timed out")
    told = panel(tenant.admin).get("/admin/outbox?state=pending").text
    for subject, why in (("At night", "held until its reader"), ("In the digest", "waits for its digest"),
                         ("Server away", "tried 2 times")):  # fmt: skip
        assert why in told.split(subject, 1)[1].split("</li>", 1)[0]


def test_promises_that_stand_aside_are_taken_up_again(panel, tenant, company, raise_case):
    case = raise_case()
    with transaction():
        db.session.execute(
            text("update clock set problem = 'KeyError: zone', next_step_at = null where kind = 'close'")
        )
    admin = panel(tenant.admin)
    told = admin.get("/admin/outbox").text
    assert "KeyError: zone" in told
    assert f"#/escalations/{case['id']}" in told
    assert admin.post("/admin/outbox/clocks/retry").status_code == 200
    assert "KeyError" not in admin.get("/admin/outbox").text


def test_lists_go_on_page_by_page_and_each_is_read_in_few_statements(panel, tenant, outbox, statements):
    for number in range(32):
        outbox.set(outbox.post(subject=f"Lost {number:02}"), state="dead")
    admin = panel(tenant.admin)
    with statements() as sent:
        first = admin.get("/admin/outbox").text
    assert len(sent) <= 10
    assert first.count("data-row") == 30
    assert "Lost 31" in first
    assert "Lost 01" not in first
    more = first.split('hx-get="/panel', 1)[1].split('"', 1)[0].replace("&amp;", "&")
    rest = admin.get(more).text
    assert rest.count("data-row") == 2
    assert "<h1>" not in rest


def test_only_admins_see_it(panel, make_user):
    for role in ("csm", "manager", "executive"):
        assert panel(make_user(role)).get("/admin/outbox").status_code == 403
