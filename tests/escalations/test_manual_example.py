"""The example that the manual tells managers, played."""

from datetime import date

from app.escalations import service
from tests.conftest import TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import RESOLUTION, YES, Story, march


def test_pausing_as_the_manual_tells_it(tenant: TestTenant, company: Company) -> None:
    story = Story(tenant, company).raised("2 10:00")
    story.open_clock("tier", "2 10:00", 16)
    story.do(service.acknowledge, "2 11:00")
    assert (story.shown("tier"), story.shown("close")) == ([("running", "4 10:00")], [("running", "4-1 10:00")])
    story.wait("2 14:00", 5)
    assert story.shown("tier") == [("paused", None)]
    story.wake("5 09:00")
    assert (story.shown("tier"), story.shown("close")) == ([("running", "6 13:00")], [("running", "4-1 10:00")])
    assert story.record().wait_used_seconds == 19 * 3600
    story.do(service.escalate, "6 13:00", hop=service.Hop(reason="time", brief="Tried"))
    assert [(clock.state, clock.flags) for clock in story.cycles("tier")] == [("met", ["long_pause"])]


def reminders_before_due(story: Story, *days: str) -> list[str]:
    """When reminders of close before it is due go out, looking at 10:00 and at 17:00 of these days."""
    seen: list[str] = []
    for at in (f"{day} {time}" for day in days for time in ("10:00", "17:00")):
        before = len([subject for subject in story.told("reminder") if ": close by" in subject])
        story.sweep(at)
        if len([subject for subject in story.told("reminder") if ": close by" in subject]) > before:
            seen.append(at)
    return seen


def test_extending_as_the_manual_tells_it(tenant: TestTenant, company: Company) -> None:
    story, until = Story(tenant, company).raised("2 10:00"), march("4-10 10:00")
    assert (story.record().due_at, story.record().resolve_by_at) == (march("4-1 10:00"), march("25 10:00"))
    extension = service.Extension(until=until, reason="A release", customer_agreed=True)
    story.do(service.acknowledge, "2 11:00")
    story.do(service.extend, "27 10:00", extension=extension)
    assert story.record().due_at == march("4-1 10:00")
    story.sweep("30 11:00")
    story.do(service.answer_extension, "30 12:00", by=company.manager, approved=True)
    record = story.record()
    assert (record.due_at, record.resolve_by_at, record.close_target_at) == (
        until,
        march("4-3 10:00"),
        march("4-1 10:00"),
    )
    days = ("31", "4-1", "4-2", "4-3", "4-6", "4-7", "4-8", "4-9")
    assert reminders_before_due(story, *days) == ["4-3 10:00", "4-7 10:00", "4-9 10:00"]
    assert ("breach", "4-1 10:00") in story.ledger("close")


def test_before_the_extension_the_reminders_lie_where_the_manual_says(tenant: TestTenant, company: Company) -> None:
    story = Story(tenant, company).raised("2 10:00")
    story.sweep("24 17:00")
    seen = reminders_before_due(story, "25", "26", "27", "30", "31")
    assert seen == ["25 10:00", "27 17:00", "31 10:00"]  # the 29th is a Sunday: the last closing before


def test_closed_between_original_and_extended_target_it_is_met_and_late(tenant: TestTenant, company: Company) -> None:
    story = Story(tenant, company).raised("2 10:00")
    extension = service.Extension(until=march("4-10 10:00"), reason="A release", customer_agreed=True)
    story.do(service.acknowledge, "2 11:00")
    story.do(service.extend, "30 12:00", by=company.manager, extension=extension)
    story.do(service.resolve, "4-2 10:00", resolution=RESOLUTION)
    story.do(service.verify, "4-8 10:00", word=YES)
    assert [(clock.state, clock.flags) for clock in story.cycles("close")] == [("met", ["late_by_original"])]


def test_the_forecast_moves_nothing_and_keeps_its_slips(tenant: TestTenant, company: Company) -> None:
    story = Story(tenant, company).raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    plan = {"content": "Hotfix", "customer_agreed": True, "forecast_close_on": date(2026, 3, 20)}
    story.do(service.plan, "5 10:00", **plan)
    story.do(service.edit, "18 10:00", changes={"forecast_close_on": date(2026, 3, 27)})
    slips = [(event.facts["was"], event.facts["is"]) for event in story.events("forecast")]
    assert slips == [(None, "2026-03-20"), ("2026-03-20", "2026-03-27")]
    assert story.shown("close") == [("running", "4-1 10:00")]
