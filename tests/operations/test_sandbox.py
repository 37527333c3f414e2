"""The sandbox clock: a month in seconds, at the very moments at which a month would have done it."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app import clock
from app.accounts import service as accounts
from app.db import new_id, tenant_scope, transaction
from app.escalations.models import Escalation
from app.escalations.timeline_models import TimelineSeal
from app.notifications.models import Intent
from app.operations import sandbox
from app.operations.models import Advance
from app.rows import insert_all
from app.sla.models import Clock, StepLog
from tests import NOW
from tests.notifications.conftest import receiver

__all__ = ["receiver"]

CLOCK = "/api/v1/sandbox/clock"


def utc(month, day, hour=10, minute=0):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def tenant(new_tenant):
    """A sandbox whose time is NOW, a Monday morning."""
    made = new_tenant(sandbox=True)
    with tenant_scope(made.id):
        with transaction() as session:
            session.execute(text("update tenant set clock_offset = :o"), {"o": NOW - clock.real_now()})
        yield made


@pytest.fixture
def ordinary(new_tenant):
    return new_tenant()


@pytest.fixture
def case(tenant, client, make_user):
    """An escalation raised at NOW by a colleague; `owner` owns it."""
    owner = make_user("csm", "owner@example.com")
    with transaction():
        account = accounts.upsert_account(
            "crm", "A-1", {"name": "Globex", "owner_email": owner.email}, now=clock.now()
        ).record
    body = {"account_id": str(account.id), "title": "Exports fail", "severity": 2}
    answer = client.post("/api/v1/escalations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json


def advance(client, duration, **options):
    return client.post(CLOCK, json={"advance": duration}, **options)


def rows(*columns, **where):
    with transaction() as session:
        found = select(*columns).filter_by(**where) if where else select(*columns)
        return session.execute(found).all()


def to_minute(moment):
    return moment.replace(second=0, microsecond=0)


def test_time_moves_by_exactly_what_was_asked_for(tenant, client):
    with transaction():
        before = clock.now() - clock.real_now()
    for duration in ("P1D", "PT36H", "P1W"):
        assert advance(client, duration).status_code == 200
    with transaction():
        moved = clock.now() - clock.real_now() - before
    assert abs(moved - timedelta(days=9, hours=12)) < timedelta(milliseconds=50)


def test_each_reminder_of_a_month_is_fired_at_its_own_moment(case, client):
    answer = advance(client, "P30D")
    assert answer.status_code == 200, answer.text
    found = rows(StepLog.at, StepLog.fired_at, StepLog.step, StepLog.kind)
    assert all(row.at == row.fired_at for row in found)
    # due on 1 April at 10:00: 50 %, 7 days, 3 days (a Sunday, so at Friday's closing) and 1 day before, at due
    moments = {to_minute(row.at) for row in found if row.kind == "close"}
    assert moments == {utc(3, 17), utc(3, 25), utc(3, 27, 17), utc(3, 31), utc(4, 1)}
    assert answer.json["fired"] == len({(row.kind, row.step, row.at) for row in found})
    assert datetime.fromisoformat(answer.json["now"]) - utc(4, 1) < timedelta(minutes=1)


def test_a_month_at_once_gives_what_thirty_single_days_give(case, client):
    """The moments printed above, by another way."""
    for _ in range(30):
        assert advance(client, "P1D").status_code == 200
    found = rows(StepLog.at, StepLog.fired_at, kind="close")
    assert all(row.at == row.fired_at for row in found)
    assert {to_minute(row.at) for row in found} == {utc(3, 17), utc(3, 25), utc(3, 27, 17), utc(3, 31), utc(4, 1)}


def test_a_wait_ends_at_the_first_opening_of_its_day(case, client):
    path = f"/api/v1/escalations/{case['id']}"
    assert client.post(f"{path}/acknowledge", json={}).status_code == 200
    wait = {"party": "customer", "reason": "their logs", "resume_on": "2026-03-05"}
    assert client.post(f"{path}/wait", json=wait).status_code == 200
    assert advance(client, "P4D").status_code == 200
    timeline = client.get(f"{path}/timeline").json["items"]
    assert [event["at"] for event in timeline if event["kind"] == "resume"] == ["2026-03-05T09:00:00Z"]
    assert rows(Escalation.status) == [("in_progress",)]


def test_daily_jobs_run_on_each_day_passed(tenant, client):
    assert advance(client, "P10D").status_code == 200
    sealed = [row.sealed_on.day for row in rows(TimelineSeal.sealed_on)]
    assert sorted(sealed) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]


def test_priorities_are_measured_anew_on_each_day(case, client):
    assert advance(client, "P10D").status_code == 200
    assert rows(Escalation.priority_on) == [(date(2026, 3, 12),)]


def test_a_held_message_is_told_when_its_time_comes(tenant, client):
    with transaction():
        fields = {"kind": "t", "subject": "s", "body": "b", "channel": "inbox", "at": NOW, "recorded_at": NOW}
        held = {"user_id": tenant.admin.id, "dedupe_key": "held", "hold_until": NOW + timedelta(days=2)}
        insert_all([Intent(**fields, **held)])
    advance(client, "P1D")
    assert rows(Intent.state, dedupe_key="held") == [("pending",)]
    advance(client, "P1D")
    assert rows(Intent.state, dedupe_key="held") == [("sent",)]


def test_time_stops_where_quiet_hours_end_and_where_a_digest_is_due(tenant, client, case, receiver):
    """Of the owner's four hours 75 % are used up at 13:00, in quiet hours; the breach at 14:00 passes them; the day
    after the breach falls on Tuesday 14:00, for the digest of Wednesday 08:00, and the next on Wednesday 14:00."""
    theirs = f"/api/v1/users/{case['owner']['id']}/preferences"
    wishes = {"quiet_hours": {"mon": [["12:00", "15:30"]]}}
    assert client.patch(theirs, json=wishes, if_match='"1"').status_code == 200
    assert advance(client, "PT5H").status_code == 200
    assert rows(Intent.state, Intent.hold_until, kind="reminder") == [("pending", utc(3, 2, 15, 30))]
    assert [to_minute(row.hold_until) for row in rows(Intent.hold_until, kind="overdue")] == [utc(3, 2, 14)]
    assert advance(client, "PT1H").status_code == 200
    assert rows(Intent.state, kind="reminder") == [("sent",)]
    assert client.patch(theirs, json={"digest": {"at": "08:00"}}, if_match='"2"').status_code == 200
    assert advance(client, "P2D").status_code == 200
    assert rows(Intent.state, Intent.hold_until, kind="digest") == [("sent", utc(3, 4, 8))]
    collected = set(rows(Intent.state, Intent.hold_until, channel="digest"))
    assert collected == {("sent", utc(3, 4, 8)), ("pending", utc(3, 5, 8))}
    assert "Your digest: 1 message" in receiver.subjects()


def test_an_ordinary_tenants_time_is_not_moved(ordinary, app):
    with tenant_scope(ordinary.id), pytest.raises(sandbox.NotASandbox), transaction():
        sandbox.take(real_now=clock.real_now())


def test_one_advance_at_a_time(tenant, client):
    with transaction():
        insert_all([Advance(id=new_id(), leased_until=clock.real_now() + timedelta(minutes=1))])
    refused = advance(client, "P1D")
    assert (refused.status_code, refused.json["code"]) == (409, "advance_running")


def test_an_advance_that_was_killed_frees_the_clock_when_its_lease_ends(tenant, client):
    with transaction():
        insert_all([Advance(id=new_id(), leased_until=clock.real_now() - timedelta(seconds=1))])
    assert advance(client, "P1D").status_code == 200


def test_one_that_lost_its_lease_moves_nothing_more(tenant):
    with transaction():
        lost = sandbox.take(real_now=clock.real_now())
    with transaction():
        sandbox.take(real_now=clock.real_now() + 2 * sandbox.LEASE)
    with pytest.raises(sandbox.AdvanceRunning):
        sandbox.advance(lost, timedelta(days=1))
    with transaction():
        assert clock.now() - NOW < timedelta(hours=1)


def test_the_same_request_twice_moves_the_time_once(tenant, client):
    first, second = (advance(client, "P1D", key="once") for _ in range(2))
    assert (first.status_code, second.json) == (200, first.json)
    with transaction():
        assert clock.now() - NOW < timedelta(days=1, minutes=5)


@pytest.mark.parametrize(
    "wrong", ["P", "PT", "7D", "P1Y", "P1M", "-P1D", "P-1D", "PT0S", "P367D", "P1.5D", "", 7, None]
)
def test_a_duration_that_cannot_be_is_named(tenant, client, wrong):
    refused = client.post(CLOCK, json={"advance": wrong})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/advance"


def test_only_an_admin_moves_time(tenant, make_user, as_user):
    assert advance(as_user(make_user("executive")), "P1D").status_code == 403


def test_what_is_applied_over_an_hour_has_its_turns_at_their_very_moments(tenant, client):
    """Three first answers, two hours old at noon and due within one: the first breaks now, the last in an hour."""
    level = client.post("/api/v1/service-levels", json={"name": "gold", "respond": {"business_hours": 6}})
    client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"})
    contract = {"arr": "1000", "currency": "USD", "starts_on": "2026-01-01", "service_level": "gold"}
    assert client.put("/api/v1/accounts/crm/A-1/contracts/K-1", json=contract).status_code == 201
    body = {"account": {"source": "crm", "external_id": "A-1"}, "title": "Exports fail", "severity": 2}
    for _ in range(3):
        said = {**body, "raised_by": {"kind": "customer", "email": "jo@globex.example"}}
        assert client.post("/api/v1/escalations", json=said).status_code == 201
    advance(client, "PT2H")
    client.post("/api/v1/service-levels", json={"name": "gold", "respond": {"business_hours": 1}})
    begun = client.post(f"{level.headers['Location']}/apply-to-open", json={"spread_minutes": 60})
    advance(client, "PT1H")
    broken = rows(Clock.breached_at, kind="respond")
    assert sorted(to_minute(row.breached_at) for row in broken) == [utc(3, 2, 12), utc(3, 2, 12, 30), utc(3, 2, 13)]
    done = client.get(begun.headers["Location"]).json
    assert (done["phase"], done["firing"], done["breached"]) == ("done", 3, 3)


@pytest.mark.parametrize("steps", [["P10D"], ["PT1H"] * 30 + ["P1D"] * 8 + ["PT18H"]])
def test_work_moves_at_the_start_of_an_absence_and_is_offered_at_its_end_however_time_is_moved(
    case, client, make_user, steps
):
    helper = make_user("csm", "helper@example.com")
    absence = {"starts_at": "2026-03-03T09:30:00Z", "ends_at": "2026-03-09T08:00:00Z", "mode": "move"}
    path = f"/api/v1/users/{case['owner']['id']}/absences"
    made = client.post(path, json={**absence, "delegate_email": helper.email})
    assert made.status_code == 201, made.text
    for step in steps:
        assert advance(client, step).status_code == 200
    timeline = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    given = [(event["facts"]["cause"], event["at"]) for event in timeline if event["kind"] == "assign"]
    assert given[1:] == [("absence", "2026-03-03T09:30:00Z")]
    assert rows(Intent.at, Intent.user_id, kind="hand_back") == [(utc(3, 9, 8), UUID(case["owner"]["id"]))]
    # the helper's four hours to acknowledge count from the move
    told = rows(StepLog.at, StepLog.step, recipient=str(helper.id), kind="acknowledge")
    assert (utc(3, 3, 13, 30), "0") in {(row.at, row.step) for row in told}
