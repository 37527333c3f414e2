"""A clock that cannot be swept stands aside with its error, is shown, and is taken up again once that is mended."""

from collections.abc import Callable
from contextvars import Context
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from app.config import Settings
from app.db import db, transaction
from app.escalations import service
from app.escalations.set_aside import take_up_again
from app.escalations.sweep import sweep_tenant
from app.operations.cli import cli
from app.rows import insert_all
from app.sla.errors import BasisUnreadable, ClockUnreadable
from app.sla.models import CalendarVersion
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.due_rows import DUE, TASKS_EACH, counts, expected, make_due
from tests.escalations.story import RESOLUTION, Story, march

PATH = "/api/v1/clocks/set-aside"
TOLD = text("select count(*), count(distinct (clock_id, step, repeat)) from step_log where outcome = 'sent'")


@pytest.fixture
def broken(tenant: TestTenant) -> TestTenant:
    """One case of five clocks that are due; the first of them stands in a zone that does not exist."""
    make_due(tenant, 1)
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing' where subject = '0'"))
    sweep_tenant(tenant.id, now=DUE)
    return tenant


def mend() -> None:
    with transaction():
        db.session.execute(text("update clock set zone = 'UTC' where problem is not null"))


def told() -> tuple[int, int]:
    with transaction():
        lines, steps = db.session.execute(TOLD).one()
        return lines, steps


def test_an_admin_sees_which_clock_stands_aside_and_why(broken: TestTenant, client: ApiClient) -> None:
    page = client.get(PATH).json
    assert [(one["number"], one["kind"], one["cycle"]) for one in page["items"]] == [("ESC-1", "task", 1)]
    assert "Nowhere/Nothing" in page["items"][0]["problem"]
    assert page["next_cursor"] is None
    assert told() == (TASKS_EACH - 1, TASKS_EACH - 1)  # the others went on


def test_the_admins_hear_of_it_once_a_day_and_not_of_which_case(
    broken: TestTenant, client: ApiClient, make_user: Callable[..., Any]
) -> None:
    make_user("manager")
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing'"))
    for later in (timedelta(hours=1), timedelta(days=1)):  # the other four fail at their next step
        sweep_tenant(broken.id, now=DUE + later)
        client.post(f"{PATH}/retry")
    with transaction():
        told = db.session.execute(
            text("select user_id, body, at from intent where kind = 'set_aside' order by at")
        ).all()
    assert [(one.user_id, one.at) for one in told] == [
        (broken.admin.id, DUE),
        (broken.admin.id, DUE + timedelta(days=1)),
    ]
    assert "Nowhere/Nothing" in told[0].body
    assert "ESC-" not in told[0].body


def test_whom_a_case_is_about_does_not_see_it_in_the_list(broken: TestTenant, client: ApiClient) -> None:
    with transaction():
        db.session.execute(text("update escalation set about_user_id = :id"), {"id": broken.admin.id})
    assert client.get(PATH).json["items"] == []


def test_who_reads_a_cases_clocks_sees_which_of_them_stands_aside(tenant: TestTenant, client: ApiClient) -> None:
    make_due(tenant, 1)
    with transaction():
        db.session.execute(text("update clock set problem = 'KeyError()', next_step_at = null where subject = '0'"))
    case = client.get(PATH).json["items"][0]["escalation_id"]
    clocks = client.get(f"/api/v1/escalations/{case}/clocks").json["items"]
    assert {one["subject"]: one["set_aside"] for one in clocks} == {str(n): n == 0 for n in range(TASKS_EACH)}


@pytest.mark.parametrize("swept", [True, False])
def test_a_clock_whose_zone_is_no_more_is_shown_as_stored_with_its_problem(
    tenant: TestTenant, client: ApiClient, swept: bool
) -> None:
    make_due(tenant, 1)
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing' where subject = '0'"))
        case, due_at = db.session.execute(text("select escalation_id, due_at from clock where subject = '0'")).one()
    if swept:
        sweep_tenant(tenant.id, now=DUE)
    answer = client.get(f"/api/v1/escalations/{case}/clocks")
    assert answer.status_code == 200, answer.text
    shown = {one["subject"]: one for one in answer.json["items"]}
    broken = shown.pop("0")
    assert (broken["set_aside"], datetime.fromisoformat(broken["due_at"])) == (swept, due_at)
    assert (broken["state"], broken["moves"]) == ("running", [])
    assert "Nowhere/Nothing" in broken["problem"]
    assert [entry["type"] for entry in broken["ledger"]] == ["activate"]
    assert [one["problem"] for one in shown.values()] == [None] * (TASKS_EACH - 1)


def test_an_action_on_a_clock_whose_zone_is_no_more_is_refused_by_name_until_it_is_mended(
    client: ApiClient, raise_case: Callable[..., dict[str, Any]]
) -> None:
    path = f"/api/v1/escalations/{raise_case()['id']}"
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing' where kind = 'acknowledge'"))
    refused = client.post(f"{path}/acknowledge", json={})
    assert (refused.status_code, refused.json["code"]) == (409, "clock_unreadable")
    assert "acknowledge" in refused.json["detail"]
    assert "Nowhere/Nothing" in refused.json["detail"]
    assert client.get(path).json["status"] == "open"
    with transaction():
        db.session.execute(text("update clock set zone = 'UTC' where kind = 'acknowledge'"))
    assert client.post(f"{path}/acknowledge", json={}).status_code == 200


def test_an_action_that_does_not_touch_a_clock_whose_zone_is_no_more_goes_on(
    client: ApiClient, raise_case: Callable[..., dict[str, Any]]
) -> None:
    path = f"/api/v1/escalations/{raise_case()['id']}"
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing' where kind = 'close'"))
    assert client.post(f"{path}/acknowledge", json={}).status_code == 200


@pytest.mark.parametrize(
    "act",
    [
        lambda story: story.wait("2 12:00", 6),
        lambda story: story.do(service.resolve, "2 12:00", resolution=RESOLUTION),
        lambda story: story.do(
            service.close_unresolved, "2 12:00", by=story.company.manager, outcome="withdrawn", reason="They left"
        ),
    ],
    ids=["wait", "resolve", "close_unresolved"],
)
def test_what_touches_many_clocks_is_refused_whole_when_one_cannot_be_counted(
    tenant: TestTenant, company: Company, act: Callable[[Story], object]
) -> None:
    story = Story(tenant, company).raised()
    story.do(service.acknowledge, "2 11:00")
    events = story.record().event_count
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing' where kind = 'still_on_it'"))
    with pytest.raises(ClockUnreadable, match="The still on it clock cannot be counted"):
        act(story)
    assert (story.record().status, story.record().event_count) == ("in_progress", events)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("zone = 'Nowhere/Nothing'", "Nowhere/Nothing"),
        ("calendar_version_id = (select id from calendar_version where number = 99)", "calendar"),
    ],
)
def test_a_case_whose_zone_or_calendar_cannot_be_read_is_refused_by_name_where_an_action_counts_by_it(
    tenant: TestTenant, company: Company, fault: str, named: str
) -> None:
    story = Story(tenant, company).raised()
    story.do(service.acknowledge, "2 11:00")
    with transaction():
        old = db.session.scalars(select(CalendarVersion)).one()
        unread = {"calendar_id": old.calendar_id, "number": 99, "definition": {"weekly": 7}}
        insert_all([CalendarVersion(created_at=old.created_at, **unread)])
    with transaction():
        db.session.execute(text(f"update escalation set {fault}"))
    with pytest.raises(BasisUnreadable, match=named):
        story.wait("2 12:00", 6)
    assert story.record().status == "in_progress"


def test_of_a_clock_whose_zone_is_no_more_nothing_is_to_come(tenant: TestTenant, client: ApiClient) -> None:
    make_due(tenant, 1)
    with transaction():
        db.session.execute(text("update clock set zone = 'Nowhere/Nothing' where subject <> '1'"))
        case = db.session.scalar(text("select escalation_id from clock where subject = '0'"))
    answer = client.get(f"/api/v1/escalations/{case}/schedule")
    assert answer.status_code == 200, answer.text
    assert [one["step"] for one in answer.json["upcoming"]][:2] == ["75%", "0"]  # of the one clock that is left


def test_the_list_is_paged(broken: TestTenant, client: ApiClient) -> None:
    with transaction():
        db.session.execute(text("update clock set problem = 'KeyError()', next_step_at = null"))
    first = client.get(f"{PATH}?limit=3").json
    second = client.get(f"{PATH}?limit=3&cursor={first['next_cursor']}").json
    found = [one["id"] for one in (*first["items"], *second["items"])]
    assert (len(found), len(set(found)), second["next_cursor"]) == (TASKS_EACH, TASKS_EACH, None)


def test_who_is_no_admin_sees_none_of_it(broken: TestTenant, as_user: Callable[..., ApiClient], make_user: Any) -> None:
    assert as_user(make_user("manager")).get(PATH).status_code == 403
    assert as_user(make_user("manager")).post(f"{PATH}/retry").status_code == 403


def test_mended_and_taken_up_again_it_does_what_it_missed_once(broken: TestTenant, client: ApiClient) -> None:
    mend()
    assert client.post(f"{PATH}/retry").json == {"taken_up": 1}
    sweep_tenant(broken.id, now=DUE)
    assert counts() == expected(1)
    assert client.post(f"{PATH}/retry").json == {"taken_up": 0}


def test_not_mended_it_stands_aside_again(broken: TestTenant, client: ApiClient) -> None:
    client.post(f"{PATH}/retry")
    sweep_tenant(broken.id, now=DUE)
    assert counts()["set_aside"] == 1


def test_what_was_done_before_it_stood_aside_is_not_done_again(tenant: TestTenant) -> None:
    """All five were told of 75 % at DUE; the next step is an hour later, when the time is up."""
    make_due(tenant, 1)
    sweep_tenant(tenant.id, now=DUE)
    with transaction():
        db.session.execute(text("update clock set problem = 'KeyError()', next_step_at = null, next_step = null"))
    with transaction():
        assert take_up_again() == TASKS_EACH
    assert sweep_tenant(tenant.id, now=DUE) == 0
    assert told() == (TASKS_EACH, TASKS_EACH)
    assert sweep_tenant(tenant.id, now=DUE + timedelta(hours=1)) == TASKS_EACH
    assert told() == (2 * TASKS_EACH, 2 * TASKS_EACH)


@pytest.mark.parametrize("breach_told", [False, True])
def test_a_broken_promise_that_stands_aside_stays_so_through_a_wait_and_is_then_taken_up_where_it_stood(
    tenant: TestTenant, company: Company, breach_told: bool
) -> None:
    """75 % of four hours is told at 13:00, the breach at 14:00 or not; then it fails, and waits from 14:30 to 15:30."""
    story = Story(tenant, company).raised()
    story.open_clock("customer_update", "2 10:00", 4)
    story.do(service.acknowledge, "2 11:00")
    story.sweep("2 14:00" if breach_told else "2 13:00")
    with transaction():
        db.session.execute(
            text("update clock set problem = 'KeyError()', next_step_at = null where kind = 'customer_update'")
        )
    stands = []
    for what in (lambda: story.wait("2 14:30", 6), lambda: story.do(service.resume, "2 15:30")):
        what()
        [promise] = story.cycles("customer_update")
        stands.append((promise.state, promise.next_step_at, promise.problem))
    assert stands == [("breached", None, "KeyError()")] * 2
    with transaction():
        assert take_up_again() == 1
    story.sweep("2 15:30")
    with transaction():
        sent = text(
            "select recipient, array_agg(step order by at) as steps from step_log"
            " where kind = 'customer_update' and outcome = 'sent' group by recipient"
        )
        told = {line.recipient: line.steps for line in db.session.execute(sent)}
    people = story.company
    owner_told = ["0"] if breach_told else ["75%", "0"]  # both at once are one message, of the latest
    assert told == {str(people.owner.id): owner_told, str(people.manager.id): ["0"]}
    assert story.agrees()


def test_what_a_broken_promise_was_told_before_it_stood_aside_is_not_counted_again_after_a_wait(
    tenant: TestTenant, company: Company
) -> None:
    """75 % of four hours is told at 13:00; the wait from 14:30 to 15:30 comes after the breach of 14:00."""
    story = Story(tenant, company).raised()
    story.open_clock("customer_update", "2 10:00", 4)
    story.do(service.acknowledge, "2 11:00")
    story.sweep("2 13:00")
    with transaction():
        db.session.execute(
            text("update clock set problem = 'KeyError()', next_step_at = null where kind = 'customer_update'")
        )
    story.wait("2 14:30", 6)
    story.do(service.resume, "2 15:30")
    with transaction():
        assert take_up_again() == 1
    story.sweep("2 15:30")
    with transaction():
        logged = db.session.execute(
            text(
                "select step, outcome, at from step_log"
                " where kind = 'customer_update' and recipient = :owner order by at"
            ),
            {"owner": str(company.owner.id)},
        ).all()
        bodies = db.session.scalars(text("select body from intent where kind = 'overdue'")).all()
    assert [tuple(line) for line in logged] == [("75%", "sent", march("2 13:00")), ("0", "sent", march("2 14:00"))]
    assert [body for body in bodies if "stands for" in body] == []


def test_a_promise_that_stands_aside_and_ends_stands_aside_no_more(tenant: TestTenant, company: Company) -> None:
    story = Story(tenant, company).raised()
    with transaction():
        db.session.execute(
            text("update clock set problem = 'KeyError()', next_step_at = null where kind = 'acknowledge'")
        )
    story.do(service.acknowledge, "2 11:00")
    assert [(clock.state, clock.problem) for clock in story.cycles("acknowledge")] == [("met", None)]


@pytest.fixture
def command(settings: Settings) -> Callable[..., Result]:
    environ: dict[str, Any] = {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
    }
    return lambda *words: Context().run(CliRunner().invoke, cli, ["sweep", *words], env=environ)


def test_at_a_terminal_they_are_taken_up_and_what_still_fails_ends_with_1(
    broken: TestTenant, command: Callable[..., Result]
) -> None:
    words = ("--tenant", str(broken.id), "--retry-set-aside")
    failed = command(*words)
    assert (failed.exit_code, "1 clocks taken up again, 1 set aside still" in failed.stderr) == (1, True)
    mend()
    done = command(*words)
    assert (done.exit_code, "1 clocks taken up again, 0 set aside still" in done.stderr) == (0, True)
    assert counts()["set_aside"] == 0
    assert command(*words, "--dry-run").exit_code == 2
