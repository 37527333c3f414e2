"""What nobody should do and time should not: defined results all the same."""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.config import Settings
from app.db import transaction
from app.errors import AppError, Invalid
from app.escalations import service
from app.sla import service as sla
from app.sla.clocks import Clocks
from app.sla.ledger import LedgerError, Target
from app.sla.targets import make_target
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import NO, RESOLUTION, YES, Story, march


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    return Story(tenant, company).raised()


# -- time set back ----------------------------------------------------------------------------------------------------


def test_a_machine_whose_time_is_set_back_neither_takes_a_breach_back_nor_fires_twice(story: Story) -> None:
    story.open_clock("tier", "2 10:00", 4)
    fired = story.sweep("2 14:10")
    told = len(story.told("overdue"))
    assert (story.shown("acknowledge"), fired > 0) == ([("breached", "2 14:00")], True)
    assert story.sweep("2 13:10") == 0  # an hour back
    story.do(service.acknowledge, "2 13:15")
    [clock] = story.cycles("acknowledge")
    assert (clock.state, clock.breached_at, clock.ended_at) == ("missed", march("2 14:00"), march("2 14:10"))
    assert story.sweep("2 14:10") == 0
    assert len(story.told("overdue")) == told
    assert story.agrees()


def test_what_a_person_says_happened_earlier_keeps_its_moment_though_time_was_set_back(story: Story) -> None:
    story.sweep("2 14:10")
    story.do(service.acknowledge, "2 13:15", at=march("2 13:00"))
    [clock] = story.cycles("acknowledge")
    assert (clock.state, clock.flags, clock.ended_at) == ("met", ["logged_late"], march("2 13:00"))
    assert story.agrees()


def test_waiting_while_time_is_set_back_gives_no_budget_back(story: Story) -> None:
    story.do(service.acknowledge, "2 11:00")
    story.wait("3 12:00", 6)
    story.do(service.resume, "3 11:00")
    assert story.record().wait_used_seconds == 0
    assert story.cycles("still_on_it")[-1].state == "running"
    story.wait("3 11:30", 6)
    assert story.cycles("still_on_it")[-1].state == "paused"
    assert story.agrees()


# -- numbers out of bounds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, -1, -3600])
def test_a_promise_of_no_or_negative_time_is_refused(seconds: int) -> None:
    with pytest.raises(LedgerError, match="positive value"):
        Target("business_seconds", seconds)
    with pytest.raises(LedgerError, match="positive value"):
        make_target({"business_days": seconds}, day_seconds=8 * 3600)


@pytest.mark.parametrize("name", ["acknowledge_hours", "close_days", "respond_business_days", "verify_business_days"])
@pytest.mark.parametrize("number", [-1, 0, 100_000])
def test_a_setting_that_is_no_possible_promise_is_refused_by_field(client: ApiClient, name: str, number: int) -> None:
    etag = client.get("/api/v1/settings").headers["ETag"]
    refused = client.patch("/api/v1/settings", json={name: number}, if_match=etag)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, f"/{name}")


@pytest.mark.parametrize("until", ["2101-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_an_extension_beyond_the_calendars_years_is_refused_by_field(
    story: Story, client: ApiClient, until: str
) -> None:
    body = {"until": until, "reason": "Never", "customer_agreed": True}
    refused = client.post(f"/api/v1/escalations/{story.id}/extend", json=body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/until")


@pytest.mark.parametrize("raised_at", ["0001-01-01T00:00:00+14:00", "1901-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_a_raise_before_the_calendars_years_is_refused_by_field(
    company: Company, client: ApiClient, raised_at: str
) -> None:
    body = {"account_id": company.account_id, "title": "Old", "severity": 2, "raised_at": raised_at}
    refused = client.post("/api/v1/escalations", json=body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/raised_at")


def test_a_promise_whose_due_time_lies_beyond_the_calendars_years_says_so_instead_of_looping(story: Story) -> None:
    century = Target("business_seconds", 100 * 365 * 24 * 3600)
    with transaction(), pytest.raises(ValueError, match="2100"):
        sla.open_clock(
            "task",
            escalation_id=story.id,
            basis=sla.basis(now=march("2 10:00")),
            at=march("2 10:00"),
            now=march("2 10:00"),
            target=century,
        )


# -- at one instant ---------------------------------------------------------------------------------------------------


def test_of_two_retargets_at_one_instant_the_second_holds(story: Story) -> None:
    story.open_clock("tier", "2 10:00", 8)
    with transaction():
        clocks, at = Clocks.load(story.id), march("2 12:00")
        for hours in (3, 6):
            target = Target("business_seconds", hours * 3600)
            clocks.retarget("tier", target, at=at, now=at, because="severity")
        clocks.save()
    assert story.shown("tier") == [("running", "2 16:00")]
    assert story.agrees()


def test_a_fulfilment_at_the_instant_of_the_breach_is_in_time_whichever_is_written_first(story: Story) -> None:
    story.sweep("2 14:00")
    assert story.shown("acknowledge") == [("breached", "2 14:00")]
    story.do(service.acknowledge, "2 14:00")
    assert story.shown("acknowledge") == [("met", "2 14:00")]
    assert story.agrees()


def test_two_people_cannot_acknowledge_at_one_instant(story: Story) -> None:
    story.do(service.acknowledge, "2 11:00")
    with pytest.raises(AppError, match="not a step"):
        story.do(service.acknowledge, "2 11:00", by=story.company.manager)


# -- versions in use --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "refusal"),
    [("calendar_version", "append-only"), ("ladder_version", "append-only"), ("calendar", "fk_calendar_version")],
)
def test_a_calendar_or_ladder_in_use_cannot_be_deleted_even_by_the_databases_owner(
    story: Story, settings: Settings, table: str, refusal: str
) -> None:
    engine = create_engine(settings.migration_url)
    delete = text(f"set constraints all immediate; delete from {table} where tenant_id = '{story.tenant.id}'")
    with engine.connect() as connection:
        connection.execute(text(f"alter table {table} no force row level security"))
        with pytest.raises(DBAPIError, match=refusal):
            connection.execute(delete)
        connection.rollback()
    engine.dispose()


# -- resolved before it was taken up again ----------------------------------------------------------------------------


def test_a_resolution_is_not_said_to_be_older_than_the_refusal_of_the_last_one(story: Story) -> None:
    """Resolved on Tuesday, refused on Wednesday at 11; said on Thursday at 10 to have been resolved on Wednesday 10:30.

    What runs since the refusal would run on for ever.
    """
    story.do(service.acknowledge, "2 11:00")
    story.update("2 12:00")
    story.do(service.resolve, "3 10:00", resolution=RESOLUTION)
    story.do(service.verify, "4 11:00", word=NO)
    assert story.shown("customer_update")[-1][0] == "running"
    with pytest.raises(Invalid) as refused:
        story.do(service.resolve, "5 10:00", resolution=RESOLUTION, at=march("4 10:30"))
    assert [(error["pointer"], error["detail"]) for error in refused.value.errors] == [
        ("/at", f"expected not before the case was taken up again, {march('4 11:00').isoformat()}")
    ]
    story.do(service.resolve, "5 10:00", resolution=RESOLUTION, at=march("4 11:30"))
    ended = {kind: story.shown(kind)[-1][0] for kind in ("customer_update", "still_on_it", "plan")}
    assert set(ended.values()) == {"cancelled"}
    assert story.agrees()


def test_a_resolution_is_not_said_to_be_older_than_the_reopening_of_the_closed_case(story: Story) -> None:
    story.do(service.acknowledge, "2 11:00")
    story.update("2 12:00")
    story.do(service.resolve, "3 10:00", resolution=RESOLUTION)
    story.do(service.verify, "3 11:00", word=YES)
    story.do(service.reopen, "4 11:00", reason="It is back")
    with pytest.raises(Invalid):
        story.do(service.resolve, "5 10:00", resolution=RESOLUTION, at=march("4 10:30"))
    story.do(service.resolve, "5 10:00", resolution=RESOLUTION, at=march("4 11:00"))
    assert story.shown("customer_update")[-1][0] == "cancelled"
    assert story.agrees()
