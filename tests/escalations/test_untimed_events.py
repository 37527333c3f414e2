"""Promises that nobody gave a time: updates to colleagues, and tasks, told from the timeline."""

from collections.abc import Callable
from contextvars import Context
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.accounts import service as accounts
from app.auth import changes as settings
from app.auth import queries as users
from app.auth.models import User
from app.db import db, transaction
from app.escalations import engine, service, timeline
from app.escalations.case import Act
from app.escalations.climbing import Hop
from app.playbooks.models import Task
from app.sla import levels
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.story import NO, RESOLUTION, YES, Story, march
from tests.escalations.test_clock_events import read
from tests.escalations.test_tasks import add, change

HOP = Hop(reason="outside_expertise", brief="Restarted it")
TOLD = {"customer_statement": "It fails", "desired_outcome": "It works", "impact": "No invoices"}
TEAM, EXECUTIVES = "account_team_update", "executive_update"


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    return Story(tenant, company)


def moment(item: dict[str, Any]) -> str:
    return str(item["at"][8:16].lstrip("0").replace("T", " "))


def told(client: ApiClient, kind: str, **asked: Any) -> list[tuple[int, str, str]]:
    """(cycle, type, at) of every entry of the kind."""
    return [(item["cycle"], item["type"], moment(item)) for item in read(client, kind=kind, **asked)["items"]]


def of_task(client: ApiClient, task_id: Any, story: Story) -> list[tuple[str, str]]:
    """(type, at) of every entry of one task in one case."""
    items = read(client, kind="task", escalation=str(story.id), limit=100)["items"]
    return [(item["type"], moment(item)) for item in items if item["subject"] == str(task_id)]


def tasks(kind: str) -> list[Any]:
    with transaction():
        found = db.session.execute(text("select id from task where kind = :kind order by created_at"), {"kind": kind})
        return [row.id for row in found]


def test_each_update_keeps_the_promise_and_begins_the_next_until_the_case_ends(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    story.update("2 12:00", to="account_team")
    story.wait("2 13:00", until=4)  # colleagues hear while the customer is waited on
    story.do(service.resume, "3 09:00")
    story.update("3 10:00", to="account_team")
    story.do(service.resolve, "3 11:00", resolution=RESOLUTION)
    story.do(service.verify, "3 12:00", word=NO)
    story.update("3 13:00", to="account_team")
    story.do(service.resolve, "3 14:00", resolution=RESOLUTION)
    story.do(service.verify, "3 15:00", word=YES)
    story.do(service.reopen, "4 09:00", reason="It is back")
    story.do(service.close_unresolved, "4 10:00", by=story.company.manager, outcome="withdrawn", reason="Not needed")
    assert told(client, TEAM) == [
        (1, "activate", "2 10:00"),
        (1, "fulfil", "2 12:00"),
        (2, "activate", "2 12:00"),
        (2, "fulfil", "3 10:00"),
        (3, "activate", "3 10:00"),
        (3, "cancel", "3 11:00"),
        (3, "reopen", "3 12:00"),
        (3, "fulfil", "3 13:00"),
        (4, "activate", "3 13:00"),
        (4, "cancel", "3 14:00"),
        (4, "reopen", "4 09:00"),
        (4, "cancel", "4 10:00"),
    ]
    items = read(client, kind=TEAM)["items"]
    assert {(item["clock_id"], item["target"], item["subject"]) for item in items} == {(None, None, "-")}
    assert [item["because"] for item in items if item["type"] == "cancel"] == ["resolve", "resolve", "close"]
    assert len({item["id"] for item in items}) == len(items)
    assert [item["seq"] for item in items] == sorted({item["seq"] for item in items})
    assert told(client, EXECUTIVES) == [
        (1, "activate", "2 10:00"),
        (1, "cancel", "3 11:00"),
        (1, "reopen", "3 12:00"),
        (1, "cancel", "3 14:00"),
        (1, "reopen", "4 09:00"),
        (1, "cancel", "4 10:00"),
    ]


def test_an_update_logged_late_counts_where_it_belongs(story: Story, client: ApiClient) -> None:
    """That of 11 kept the first promise before the one of 12 did; that of 13 came before the resolution of 14."""
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 10:30")
    story.update("2 12:00", to="executive")
    story.update("2 12:30", sent="2 11:00", to="executive")
    story.update("2 12:40", sent="2 11:30", to="executive")  # the first was kept before
    story.do(service.resolve, "2 14:00", resolution=RESOLUTION)
    story.update("2 15:00", sent="2 14:30", to="executive")  # nothing was promised then
    story.update("2 15:30", sent="2 13:00", to="executive")
    story.do(service.verify, "2 16:00", word=NO)  # what was kept is not taken up again
    story.update("2 16:30", to="executive")
    assert told(client, EXECUTIVES) == [
        (1, "activate", "2 10:00"),
        (1, "fulfil", "2 12:00"),
        (2, "activate", "2 12:00"),
        (1, "fulfil", "2 11:00"),
        (2, "cancel", "2 14:00"),
        (2, "fulfil", "2 13:00"),
        (3, "activate", "2 16:30"),
    ]


def test_one_update_may_serve_both_and_one_to_the_customer_neither(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    values = {"audiences": ["account_team", "executive"], "channel": "email", "content": "News", "at": None}
    story.do(service.add_update, "2 12:00", **values)
    story.update("2 13:00")
    both = [(1, "activate", "2 10:00"), (1, "fulfil", "2 12:00"), (2, "activate", "2 12:00")]
    assert (told(client, TEAM), told(client, EXECUTIVES)) == (both, both)


def test_of_a_raise_that_waits_for_approval_nothing_is_told_before_it(story: Story, client: ApiClient) -> None:
    manager = story.company.manager
    with transaction():
        approval = {"approval": {"asked": True, "approvers": [manager.email]}}
        settings.update_settings(users.get_tenant(lock=True), approval)
    story.raised("2 10:00")
    story.update("2 11:00", to="account_team")
    assert (told(client, TEAM), told(client, "task")) == ([], [])
    story.do(service.answer_raise, "2 12:00", by=manager, approved=True)
    story.update("2 12:30", sent="2 11:30", to="account_team")  # before anything was promised
    assert told(client, TEAM) == [(1, "activate", "2 12:00")]
    assert of_task(client, tasks("intake")[0], story) == [("activate", "2 12:00")]


def test_a_merge_ends_the_promises_of_the_merged_and_carries_its_open_tasks_over(
    story: Story, client: ApiClient, tenant: TestTenant
) -> None:
    """What to ask the customer is asked in the survivor already; the merged one's update keeps no promise there."""
    story.raised("2 10:00")
    other = Story(tenant, story.company).raised("2 11:00", title="Again")
    other.update("2 11:30", to="account_team")
    moved, done = add(other, "2 12:00"), add(other, "2 12:00", title="Call them")
    change(other, done, "2 12:10", state="done")
    other.do(service.merge, "2 13:00", by=tenant.admin, into_id=story.id, reason="The same")
    change(story, moved, "2 14:00", state="waived", reason="Not needed")
    assert told(client, TEAM, escalation=str(story.id)) == [(1, "activate", "2 10:00")]
    assert told(client, TEAM, escalation=str(other.id)) == [
        (1, "activate", "2 11:00"),
        (1, "fulfil", "2 11:30"),
        (2, "activate", "2 11:30"),
        (2, "cancel", "2 13:00"),
    ]
    kept, asked = tasks("intake")
    assert of_task(client, kept, story) == [("activate", "2 10:00")]
    assert of_task(client, asked, other) == [("activate", "2 11:00"), ("cancel", "2 13:00")]
    assert of_task(client, asked, story) == []
    assert of_task(client, done.id, other) == [("activate", "2 12:00"), ("fulfil", "2 12:10")]
    assert of_task(client, moved.id, other) == [("activate", "2 12:00"), ("cancel", "2 13:00")]
    assert of_task(client, moved.id, story) == [("activate", "2 13:00"), ("fulfil", "2 14:00")]


def test_a_task_by_hand_is_begun_ended_opened_again_and_ends_with_its_case(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00", **TOLD)
    story.do(service.acknowledge, "2 11:00")
    first, second = add(story, "2 12:00"), add(story, "2 12:30", title="Call them", required=True)
    change(story, first, "2 13:00", state="done")
    change(story, first, "2 13:30", state="waived", reason="It was not")  # ended already
    change(story, first, "2 14:00", state="open")
    waived = ({"task_id": second.id, "reason": "Solved without"},)
    resolution = service.Resolution("Fixed", "A full disk", preventable=False, waived=waived)
    story.do(service.resolve, "2 15:00", resolution=resolution)
    story.do(service.verify, "2 16:00", word=YES)
    change(story, first, "2 16:10", state="done")
    change(story, first, "2 16:20", state="open")  # while its case is closed nothing runs
    story.do(service.reopen, "3 09:00", reason="It is back")
    change(story, first, "3 10:00", state="done")
    items = read(client, kind="task")["items"]
    assert [(item["subject"] == str(first.id), item["type"], moment(item), item.get("because")) for item in items] == [
        (True, "activate", "2 12:00", None),
        (False, "activate", "2 12:30", None),
        (True, "fulfil", "2 13:00", "done"),
        (True, "reopen", "2 14:00", None),
        (False, "fulfil", "2 15:00", "waived"),
        (True, "cancel", "2 16:00", "close"),
        (True, "reopen", "3 09:00", None),
        (True, "fulfil", "3 10:00", "done"),
    ]
    assert {(item["clock_id"], item["target"], item["cycle"]) for item in items} == {(None, None, 1)}


def test_whatever_made_a_task_its_making_is_told(story: Story, client: ApiClient) -> None:
    """Missing answers at the raise, a hop, a ladder, a decision asked for, a message on a closed case."""
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    story.do(service.escalate, "2 12:00", hop=HOP)
    with transaction():
        engine.add_task(story.id, now=march("2 13:00"), title="Look into it", clock="close", step="50%")
    with transaction():
        engine.ask_decision(story.id, now=march("2 14:00"), reason="It takes long")
    manager = story.company.manager
    story.do(service.record_decision, "2 15:00", by=manager, choice="go_on", reason="We are near")
    story.do(service.close_unresolved, "2 16:00", by=manager, outcome="withdrawn", reason="Not needed")
    story.message("3 10:00", sent="3 09:00")
    [answer] = tasks("customer_message")
    with transaction():
        task = db.session.scalars(select(Task).where(Task.id == answer)).one()
    change(story, task, "3 11:00", state="done")
    expected = {
        "intake": [("activate", "2 10:00"), ("cancel", "2 16:00")],
        "qualification": [("activate", "2 12:00"), ("cancel", "2 16:00")],
        "ladder": [("activate", "2 13:00"), ("cancel", "2 16:00")],
        "decision": [("activate", "2 14:00"), ("fulfil", "2 15:00")],
        "customer_message": [("activate", "3 10:00"), ("fulfil", "3 11:00")],
    }
    assert {kind: of_task(client, tasks(kind)[0], story) for kind in expected} == expected
    record = story.record()
    with transaction():
        assert timeline.verify(record)["intact"]


def test_from_when_a_task_is_due_only_its_clock_tells(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00", **TOLD)
    due, later = add(story, "2 12:00", due="4 12:00"), add(story, "2 12:30", title="Call them")
    change(story, later, "2 13:00", due_at=march("4 12:00"))
    for task in (due, later):
        change(story, task, "2 14:00", state="done")
    items = read(client, kind="task")["items"]
    assert [(item["subject"], item["type"], bool(item["clock_id"])) for item in items] == [
        (str(due.id), "activate", True),
        (str(later.id), "activate", False),
        (str(later.id), "activate", True),
        (str(due.id), "fulfil", True),
        (str(later.id), "fulfil", True),
    ]


def test_of_a_task_whose_making_the_timeline_does_not_name_nothing_is_told(story: Story, client: ApiClient) -> None:
    """As of cases from before makings were noted: neither its end nor that of its case makes up a beginning."""
    story.raised("2 10:00", **TOLD)
    with transaction():
        row = {"tenant": story.tenant.id, "case": story.id, "at": march("2 10:00")}
        db.session.execute(
            text(
                "insert into task (tenant_id, id, escalation_id, kind, title, role, required, customer_visible, after,"
                " state, version, ready_at, created_at) values (:tenant, gen_random_uuid(), :case, 'intake', 'Ask',"
                " 'owner', false, false, '[]', 'open', 1, :at, :at)"
            ),
            row,
        )
        task = db.session.scalars(select(Task)).one()
    change(story, task, "2 12:00", state="done")
    change(story, task, "2 13:00", state="open")
    story.do(service.close_unresolved, "2 14:00", by=story.company.manager, outcome="withdrawn", reason="Truly")
    assert told(client, "task") == []


def test_of_updates_that_a_service_level_asks_for_only_the_ledger_tells(story: Story, client: ApiClient) -> None:
    with transaction():
        levels.publish_level("gold", {TEAM: 5}, now=march("1 10:00"))
        fields = {"arr": "1000.00", "currency": "USD", "starts_on": "2026-01-01", "service_level": "gold"}
        accounts.upsert_contract("crm", "A-1", "K-1", fields, now=march("1 10:00"))
    story.raised("2 10:00")
    story.update("2 12:00", to="account_team")
    entries = read(client, kind=TEAM)["items"]
    assert sorted((item["cycle"], item["type"], bool(item["clock_id"])) for item in entries) == [
        (1, "activate", True),
        (1, "fulfil", True),
        (2, "activate", True),
    ]
    assert told(client, EXECUTIVES) == [(1, "activate", "2 10:00")]


def test_pages_of_one_give_each_entry_once_and_in_the_order_of_one_long_page(story: Story, client: ApiClient) -> None:
    story.raised("2 10:00")
    story.do(service.acknowledge, "2 11:00")
    add(story, "2 12:00")
    story.update("2 13:00", to="account_team")
    story.do(service.escalate, "2 14:00", hop=HOP)
    story.do(service.close_unresolved, "2 15:00", by=story.company.manager, outcome="withdrawn", reason="Truly")
    for asked in ({}, {"kind": "task"}, {"kind": TEAM}, {"type": "cancel"}, {"since": march("2 12:30").isoformat()}):
        long = [item["id"] for item in read(client, limit=100, **asked)["items"]]
        one_by_one, page = [], read(client, limit=1, **asked)
        while page["items"]:
            one_by_one += [item["id"] for item in page["items"]]
            page = read(client, limit=1, cursor=page["next_cursor"], **asked)
        assert one_by_one == long
        assert len(set(long)) == len(long) > 2


def test_what_commits_late_is_not_skipped(app: Flask, story: Story, client: ApiClient) -> None:
    """One update has begun before another and commits after it: who reads in between, page by page, misses neither."""
    story.raised("2 10:00", **TOLD)
    other = Story(story.tenant, story.company).raised("2 11:00", title="Another", **TOLD)
    start = read(client)["next_cursor"]
    written, go_on = Event(), Event()

    def slow() -> None:
        with app.app_context(), transaction(tenant=story.tenant.id):
            act = Act(actor_of(story.company.owner), march("2 13:00"))
            values = {"audiences": ["account_team"], "channel": "email", "content": "News", "at": None}
            service.add_update(story.id, act=act, **values)
            service.add_task(story.id, act=act, new=service.NewTask("Send the logs"))
            written.set()
            assert go_on.wait(20)

    writer = Thread(target=Context().run, args=(slow,))
    writer.start()
    assert written.wait(20)
    other.update("2 13:30", to="account_team")
    between = read(client, cursor=start)
    go_on.set()
    writer.join()
    assert between["items"] == []
    found, page = [], read(client, limit=1, cursor=between["next_cursor"])
    while page["items"]:
        found += page["items"]
        page = read(client, limit=1, cursor=page["next_cursor"])
    derived = [item for item in found if item["clock_id"] is None]
    assert [item["escalation_id"] for item in derived] == [str(story.id)] * 3 + [str(other.id)] * 2
    assert sorted((item["kind"], item["type"]) for item in derived[:3]) == [
        (TEAM, "activate"),
        (TEAM, "fulfil"),
        ("task", "activate"),
    ]


def test_what_the_caller_may_not_see_is_not_shown(
    story: Story, as_user: Callable[[User], ApiClient], make_user: Callable[..., User]
) -> None:
    story.raised("2 10:00")
    stranger = make_user("specialist")
    Story(story.tenant, story.company).raised("2 12:00", title="Quiet", restricted=True)
    Story(story.tenant, story.company).raised("2 13:00", title="About them", about_user=stranger.email)
    for kind in (TEAM, "task"):
        assert {item["escalation_id"] for item in read(as_user(stranger), kind=kind)["items"]} == {str(story.id)}
        assert len(read(as_user(story.company.manager), kind=kind)["items"]) == 3
