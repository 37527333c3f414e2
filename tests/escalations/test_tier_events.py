"""A tier that nobody gave a time: entered, paused, left and taken up again, told from the timeline."""

from collections.abc import Callable
from contextvars import Context
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from app.accounts import service as accounts
from app.auth import changes as settings
from app.auth import queries as users
from app.auth.models import User
from app.db import transaction
from app.escalations import engine, service
from app.escalations.case import Act
from app.escalations.climbing import Hop
from app.sla import levels
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.story import NO, RESOLUTION, Story, march
from tests.escalations.test_clock_events import read

HOP = Hop(reason="outside_expertise", brief="Restarted it")


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    return Story(tenant, company)


@pytest.fixture
def level(company: Company) -> None:
    fields = {"arr": "1000.00", "currency": "USD", "starts_on": "2026-01-01", "service_level": "gold"}
    with transaction():
        levels.publish_level("gold", {"tiers": {"tier_1": {"business_hours": 4}}}, now=march("1 10:00"))
        accounts.upsert_contract("crm", "A-1", "K-1", fields, now=march("1 10:00"))


def tiers(client: ApiClient, **asked: Any) -> list[tuple[str, str, str]]:
    """(tier, type, at) of every entry of the kind."""
    items = read(client, kind="tier", **asked)["items"]
    return [(item["subject"], item["type"], item["at"][8:16].lstrip("0").replace("T", " ")) for item in items]


def test_a_tier_without_a_time_can_be_measured_all_the_same(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    story.wait("2 12:00", until=4)
    story.do(service.resume, "3 09:00")
    story.do(service.escalate, "3 10:00", hop=HOP)
    story.do(service.resolve, "3 15:00", resolution=RESOLUTION)
    story.do(service.verify, "4 10:00", word=NO)
    assert tiers(client) == [
        ("tier_1", "activate", "2 10:00"),
        ("tier_1", "pause", "2 12:00"),
        ("tier_1", "resume", "3 09:00"),
        ("tier_1", "fulfil", "3 10:00"),
        ("tier_2", "activate", "3 10:00"),
        ("tier_2", "fulfil", "3 15:00"),
        ("tier_2", "reopen", "4 10:00"),
    ]
    items = read(client, kind="tier")["items"]
    assert {(item["clock_id"], item["target"], item["cycle"]) for item in items} == {(None, None, 1)}
    assert (items[5]["because"], items[5]["number"]) == ("resolve", "ESC-1")
    assert len({item["id"] for item in items}) == 7
    assert [item["id"] for item in read(client, kind="tier")["items"]] == [item["id"] for item in items]


def test_closing_cancels_what_is_not_ended_and_reopening_takes_it_up(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    manager = story.company.manager
    story.do(service.close_unresolved, "2 12:00", by=manager, outcome="withdrawn", reason="Not needed")
    story.do(service.reopen, "3 09:00", reason="It is back")
    story.do(service.close_unresolved, "3 11:00", by=manager, outcome="withdrawn", reason="Truly")
    assert tiers(client) == [
        ("tier_1", "activate", "2 10:00"),
        ("tier_1", "cancel", "2 12:00"),
        ("tier_1", "reopen", "3 09:00"),
        ("tier_1", "cancel", "3 11:00"),
    ]


def test_merging_cancels_the_merged_and_leaves_the_survivor(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    other = Story(story.tenant, story.company).raised("2 11:00", title="Again")
    other.do(service.merge, "2 12:00", into_id=story.id, reason="The same")
    assert tiers(client, escalation=str(story.id)) == [("tier_1", "activate", "2 10:00")]
    assert tiers(client, escalation=str(other.id)) == [
        ("tier_1", "activate", "2 11:00"),
        ("tier_1", "cancel", "2 12:00"),
    ]


def test_a_tier_entered_while_waiting_stands_still_until_the_budget_is_used_up(story: Story, client: ApiClient) -> None:
    """Ten business days from Monday the 2nd at 12:00 are used up on Monday the 16th at 12:00; prolonging the wait
    changes nothing for the tier, nor does waiting on without a budget."""
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    story.wait("2 12:00", until=13)
    story.do(service.escalate, "3 10:00", hop=HOP)
    story.wait("11 10:00", until=20)
    story.wake("16 12:00")
    story.wait("16 13:00", until=20)
    assert tiers(client) == [
        ("tier_1", "activate", "2 10:00"),
        ("tier_1", "pause", "2 12:00"),
        ("tier_1", "fulfil", "3 10:00"),
        ("tier_2", "activate", "3 10:00"),
        ("tier_2", "pause", "3 10:00"),
        ("tier_2", "resume", "16 12:00"),
    ]


def test_work_moved_up_by_another_promise_ends_the_tier_unmet(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    with transaction():
        engine.hop(story.id, now=march("3 10:00"), from_tier="tier_1")
    _, left, entered = read(client, kind="tier")["items"]
    assert (left["subject"], left["type"], left["because"]) == ("tier_1", "cancel", "automatic_hop")
    assert (entered["subject"], entered["type"]) == ("tier_2", "activate")


def test_a_tier_is_entered_when_the_raise_is_approved(story: Story, client: ApiClient) -> None:
    manager = story.company.manager
    with transaction():
        approval = {"approval": {"asked": True, "approvers": [manager.email]}}
        settings.update_settings(users.get_tenant(lock=True), approval)
    story.raised("2 10:00")
    assert tiers(client) == []
    story.do(service.answer_raise, "2 12:00", by=manager, approved=True)
    assert tiers(client) == [("tier_1", "activate", "2 12:00")]


def test_of_a_tier_that_has_a_time_only_the_ledger_tells(story: Story, client: ApiClient, level: None) -> None:
    """The level gives tier 1 four business hours and tier 2 none."""
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    story.wait("2 12:00", until=4)
    story.do(service.resume, "3 09:00")
    first = read(client, kind="tier")["items"]
    assert [(item["subject"], item["type"]) for item in first] == [("-", "activate"), ("-", "pause"), ("-", "resume")]
    assert all(item["clock_id"] for item in first)
    assert first[0]["target"] == {"kind": "business_seconds", "value": 4 * 3600}
    story.do(service.escalate, "3 10:00", hop=HOP)
    story.do(service.resolve, "3 15:00", resolution=RESOLUTION)
    later = read(client, kind="tier")["items"][3:]
    assert [(item["subject"], item["type"]) for item in later] == [
        ("-", "fulfil"),
        ("tier_2", "activate"),
        ("tier_2", "fulfil"),
    ]


def test_from_when_a_tier_is_given_a_time_its_clock_tells(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    story.open_clock("tier", "2 12:00", hours=4)
    before = read(client, kind="tier")["items"]
    story.do(service.escalate, "2 13:00", hop=HOP)
    assert tiers(client) == [
        ("tier_1", "activate", "2 10:00"),
        ("-", "activate", "2 12:00"),
        ("-", "fulfil", "2 13:00"),
        ("tier_2", "activate", "2 13:00"),
    ]
    assert read(client, kind="tier")["items"][:2] == before


def test_pages_of_one_give_each_entry_once_and_in_the_order_of_one_long_page(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    story.do(service.escalate, "2 12:00", hop=HOP)
    story.do(service.acknowledge, "2 13:00")
    long = [item["id"] for item in read(client, limit=100)["items"]]
    one_by_one, page = [], read(client, limit=1)
    while page["items"]:
        one_by_one += [item["id"] for item in page["items"]]
        page = read(client, limit=1, cursor=page["next_cursor"])
    assert one_by_one == long
    # close, acknowledge, two updates, what to ask; tier 1 left for tier 2, its question; acknowledged, plan, signs
    assert len(long) == 12


def test_it_is_asked_by_type_and_moment_of_recording(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    story.do(service.escalate, "3 12:00", hop=HOP)
    assert tiers(client, type="fulfil") == [("tier_1", "fulfil", "3 12:00")]
    assert tiers(client, type="breach") == []
    assert tiers(client, since=march("3 11:00").isoformat()) == [
        ("tier_1", "fulfil", "3 12:00"),
        ("tier_2", "activate", "3 12:00"),
    ]
    assert {item["kind"] for item in read(client, kind="close")["items"]} == {"close"}


def test_what_commits_late_is_not_skipped(app: Flask, story: Story, client: ApiClient) -> None:
    """One hop has begun before another and commits after it: a poller in between sees neither, then both."""
    story.raised("2 10:00")
    other = Story(story.tenant, story.company).raised("2 11:00", title="Another")
    start = read(client, kind="tier")["next_cursor"]
    written, go_on = Event(), Event()

    def slow() -> None:
        with app.app_context(), transaction(tenant=story.tenant.id):
            act = Act(actor_of(story.company.owner), march("2 13:00"))
            service.escalate(story.id, act=act, hop=HOP)
            written.set()
            assert go_on.wait(20)

    writer = Thread(target=Context().run, args=(slow,))
    writer.start()
    assert written.wait(20)
    other.do(service.escalate, "2 13:30", hop=HOP)
    between = read(client, kind="tier", cursor=start)
    go_on.set()
    writer.join()
    assert between["items"] == []
    found = read(client, kind="tier", cursor=between["next_cursor"])["items"]
    mine, others = [str(story.id)] * 2, [str(other.id)] * 2
    assert [item["escalation_id"] for item in found] == [*mine, *others]
    assert [item["type"] for item in found] == ["fulfil", "activate"] * 2


def test_what_the_caller_may_not_see_is_not_shown(
    story: Story, as_user: Callable[[User], ApiClient], make_user: Callable[..., User]
) -> None:
    story.raised("2 10:00")
    stranger = make_user("specialist")
    Story(story.tenant, story.company).raised("2 12:00", title="Quiet", restricted=True)
    Story(story.tenant, story.company).raised("2 13:00", title="About them", about_user=stranger.email)
    assert tiers(as_user(stranger)) == [("tier_1", "activate", "2 10:00")]
    assert len(tiers(as_user(story.company.manager))) == 3
