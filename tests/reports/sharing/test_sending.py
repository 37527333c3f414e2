"""What goes out when it is due: to each with their own rights, once, and why somebody is sent nothing."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app import clock
from app.accounts import service as accounts
from app.auth.models import User
from app.db import db, transaction
from app.escalations.models import Escalation
from app.notifications.jobs import deliver_tenant
from app.notifications.models import Intent
from app.operations.checkup import check_tenant
from app.reports.jobs import send_reports_tenant
from app.reports.sharing import sending
from app.reports.sharing.models import ReportDelivery, ReportSchedule
from tests.conftest import ApiClient, actor_of
from tests.escalations.story import march
from tests.notifications.conftest import receiver

__all__ = ["receiver"]

SCHEDULES = "/api/v1/reports/schedules"


@pytest.fixture
def schedule(tenant, company, as_user):
    """`schedule("9 08:00")`: of the boss, each Monday at eight, UTC, next due then, to boss and manager."""

    def make(due, **fields):
        body = {"name": "Board", "report": "summary", "rhythm": "weekly", "weekday": "mon", "hour": 8}
        body |= {"recipients": ["boss@example.com", "manager@example.com"], **fields}
        made = as_user(company.boss).post(SCHEDULES, json=body)
        assert made.status_code == 201, made.text
        set_rows(ReportSchedule, next_at=march(due))
        return made.json

    return make


@pytest.fixture
def send(tenant):
    """The worker's run at a moment; the outbox's messages afterwards, by address."""

    def run(at):
        send_reports_tenant(tenant.id, march(at))
        with transaction():
            return list(
                db.session.scalars(select(Intent).where(Intent.kind == "report").order_by(Intent.address, Intent.id))
            )

    return run


def set_rows(model, *where, **values):
    with transaction():
        db.session.execute(update(model).where(*where).values(**values))


def deliveries(client, schedule):
    return client.get(f"{SCHEDULES}/{schedule['id']}/deliveries").json["items"]


def of(messages, name):
    return next(one for one in messages if one.address == f"{name}@example.com")


def test_each_reader_is_sent_what_they_may_see_as_of_the_hour_it_was_due(
    app, tenant, company, story, fold, schedule, send, receiver
):
    story("2 10:00")
    hidden = story("3 10:00")
    story("9 08:00")  # at the very moment
    story("9 08:01")
    set_rows(Escalation, Escalation.id == hidden.id, about_user_id=company.manager.id)
    fold("9 08:05")
    schedule("9 08:00")
    assert send("9 07:59") == []
    messages = send("9 08:05")
    assert [one.address for one in messages] == ["boss@example.com", "manager@example.com"]
    assert "Open escalations: 3" in of(messages, "boss").body
    assert "Open escalations: 2" in of(messages, "manager").body
    assert "as of 9 March 2026, 08:00 (UTC)" in of(messages, "manager").body
    assert of(messages, "boss").subject == "$120K at stake in 1 account · Board"
    assert of(messages, "boss").why.startswith(
        "You get this because you have “Board” sent to you every Monday at 08:00 (UTC)."
    )
    assert of(messages, "manager").why.startswith("You get this because Boss has “Board” sent to you")
    set_rows(Intent, hold_until=clock.real_now())
    deliver_tenant(tenant.id)
    mail = next(mail for mail in receiver.mails if mail["To"] == "manager@example.com")
    (enclosed,) = mail.iter_attachments()
    assert (enclosed.get_filename(), enclosed.get_content()[:5]) == ("Board 2026-03-09.pdf", b"%PDF-")
    link = re.search(r"https?://\S+", mail.get_body(("plain",)).get_content())[0]
    page = ApiClient(app, None).get(link.replace(app.config["BASE_URL"], ""))
    assert (page.status_code, "9 March 2026, 08:00" in page.text) == (200, True)


def test_one_report_a_period_and_person_whoever_runs_and_however_often(story, fold, schedule, send, tenant):
    fold("16 09:00")
    made = schedule("9 08:00")
    assert len(send("9 08:05")) == 2
    set_rows(ReportSchedule, next_at=march("9 08:00"))
    assert len(send("9 08:06")) == 2
    assert len(send("16 07:59")) == 2
    assert len(send("16 08:00")) == 4
    assert made["id"]


def test_after_downtime_the_latest_goes_out_once_and_says_so(story, fold, schedule, send):
    fold("24 12:00")
    schedule("2 08:00")
    messages = send("24 12:00")
    assert len(messages) == 2
    assert "It was due on 23 March 2026, 08:00 (UTC), while Firsthand was down. 3 earlier ones were not sent." in (
        messages[0].body
    )
    assert "as of 23 March 2026, 08:00" in messages[0].body
    assert len(send("30 08:00")) == 4
    assert "while Firsthand was down" not in send("30 08:00")[-1].body


def test_who_asks_for_their_own_accounts_is_sent_those_alone(story, fold, schedule, send, buy, company):
    ours = buy("O", "K-O", 1000)
    with transaction():
        accounts.upsert_account("crm", "O", {"name": "O", "csm_email": "manager@example.com"}, now=march("1 10:00"))
    story("2 10:00")
    story("2 11:00", account_id=ours)
    fold("9 08:05")
    schedule("9 08:00", own_accounts=True)
    messages = send("9 08:05")
    assert of(messages, "boss").subject == "$120K at stake in 1 account · Board"  # its executive sponsor
    assert of(messages, "manager").subject == "$1K at stake in 1 account · Board"
    assert "about the accounts you stand for" in of(messages, "manager").body


def test_who_left_or_may_not_any_more_is_sent_nothing_and_the_outbox_says_why(fold, schedule, send, company, as_user):
    fold("16 08:05")
    made, boss = schedule("9 08:00"), as_user(company.boss)
    set_rows(User, User.id == company.manager.id, role="csm")
    states = {one.address: (one.state, one.reason) for one in send("9 08:05")}
    assert states == {"boss@example.com": ("pending", None), "manager@example.com": ("suppressed", "no_right")}
    set_rows(User, User.id == company.manager.id, role="manager", active=False)
    send("16 08:05")
    shown = [(one["recipient"]["name"], one["state"], one["reason"]) for one in deliveries(boss, made)]
    assert sorted(shown) == [
        ("Boss", "pending", None),
        ("Boss", "pending", None),
        ("Manager", "suppressed", "left"),
        ("Manager", "suppressed", "no_right"),
    ]
    people = boss.get(f"{SCHEDULES}/{made['id']}").json["recipients"]
    assert {one["name"]: one["reads"] for one in people} == {"Boss": True, "Manager": False}


def test_one_now_comes_to_who_asks_alone_and_not_twice_at_once(fold, schedule, send, company, as_user):
    fold("9 08:05")
    made, manager = schedule("16 08:00"), as_user(company.manager)
    path = f"{SCHEDULES}/{made['id']}/send"
    asked = manager.post(path)
    assert (asked.status_code, asked.json["state"], asked.json["asked_for"]) == (202, "waiting", True)
    again = manager.post(path)
    assert (again.status_code, again.json["code"]) == (409, "already_waiting")
    set_rows(ReportDelivery, due_at=march("9 08:00"), asked={"as_of": march("9 08:00").isoformat()})
    messages = send("9 08:05")
    assert [(one.address, one.why) for one in messages] == [
        ("manager@example.com", "You get this because you asked for “Board” to be sent to you now.")
    ]


def test_a_report_that_cannot_be_made_ends_as_a_dead_letter(fold, schedule, send, monkeypatch, company, as_user):
    fold("9 08:05")
    made, boss = schedule("9 08:00", recipients=["boss@example.com"]), as_user(company.boss)

    def broken(answered, *, paper):
        raise RuntimeError("no ink")

    monkeypatch.setattr(sending, "pdf_of", broken)
    for _ in range(2):
        assert send("9 08:05") == []
        set_rows(ReportDelivery, retry_at=None)
    (message,) = send("9 08:05")
    assert (message.state, message.last_error) == ("dead", "The report could not be made: RuntimeError: no ink")
    assert [(one["state"], one["last_error"]) for one in deliveries(boss, made)] == [("failed", "RuntimeError: no ink")]


def test_a_pdf_too_large_for_a_mail_stays_behind_and_the_mail_says_so(fold, schedule, send, monkeypatch):
    fold("9 08:05")
    schedule("9 08:00", recipients=["boss@example.com"])
    monkeypatch.setattr(sending, "pdf_of", lambda answered, *, paper: b"x" * 7_340_032)
    (message,) = send("9 08:05")
    assert "The PDF has 7.0 MB, too much for a mail: open the report instead." in message.body


def test_it_waits_for_facts_that_are_behind_but_not_for_ever(fold, schedule, tenant, send, story):
    story("9 07:00")
    fold("9 07:30")
    schedule("9 08:00", recipients=["boss@example.com"])
    sending.send_tenant(tenant.id, march("9 08:01"))
    with transaction():
        row = db.session.scalars(select(ReportDelivery)).one()
    assert (row.state, row.attempts, row.retry_at is not None) == ("waiting", 0, True)
    set_rows(ReportDelivery, retry_at=None, recorded_at=clock.real_now() - timedelta(minutes=11))
    sending.send_tenant(tenant.id, march("9 08:01"))
    with transaction():
        assert "as of 9 March 2026, 07:29" in db.session.scalar(select(Intent.body).where(Intent.kind == "report"))


def test_a_delivery_cut_off_is_made_by_another_after_its_lease(fold, schedule, tenant, send):
    fold("9 08:05")
    schedule("9 08:00", recipients=["boss@example.com"])
    with transaction():
        sending.deliveries.begin_due(march("9 08:01"), clock.real_now())
    with transaction():
        assert sending.deliveries.claim(clock.real_now()) is not None
    assert send("9 08:05") == []
    set_rows(ReportDelivery, leased_until=clock.real_now())
    assert len(send("9 08:05")) == 1


def test_the_actor_of_a_reader_has_what_their_role_may(company):
    assert sending.reader_of(company.owner) is None
    assert sending.reader_of(company.boss) == actor_of(company.boss)


def test_the_doctor_names_what_is_an_hour_late(fold, schedule, tenant, company, as_user):
    def said():
        return [str(found) for found in check_tenant(tenant.id) if "by mail" in found.text]

    made = schedule("9 08:00")
    assert "reports by mail are more than an hour late: Board" in said()[0]
    set_rows(ReportSchedule, next_at=clock.now() + timedelta(days=1))
    assert said() == []
    as_user(company.boss).post(f"{SCHEDULES}/{made['id']}/send")
    set_rows(ReportDelivery, recorded_at=clock.real_now() - timedelta(hours=2), last_error="no ink")
    assert "1 reports by mail wait for more than an hour: no ink" in said()[0]
