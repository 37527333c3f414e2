"""Tasks made by hand: who gets them, and the promise of one that is due."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app import clock
from app.auth.models import User
from app.db import transaction
from app.escalations import service, tasking
from app.escalations.case import Act, begin
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.sla.ledger import Target
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company
from tests.escalations.story import RESOLUTION, Story, march

AsUser = Callable[[User], ApiClient]


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    """A case of severity 2 raised on Monday the 2nd at 10, acknowledged at 11, in office hours of 9 to 17."""
    story = Story(tenant, company).raised()
    story.do(service.acknowledge, "2 11:00")
    return story


def add(story: Story, at: str, *, due: str | None = None, title: str = "Send the logs", **more: Any) -> Task:
    new = service.NewTask(title, due_at=march(due) if due else None, **more)
    task: Task = story.do(service.add_task, at, new=new)
    return task


def change(story: Story, task: Task, at: str, **changes: Any) -> Task:
    values = {"task_id": task.id, "changes": changes, "check": lambda found: None}
    changed: Task = story.do(service.change_task, at, **values)
    return changed


def test_a_task_that_is_due_has_a_clock_of_its_own_and_one_that_is_not_has_none(story: Story) -> None:
    add(story, "2 12:00", title="Some day")
    first, second = add(story, "2 12:00", due="4 12:00"), add(story, "2 13:00", due="3 09:00", title="Call them")
    assert sorted(story.shown("task")) == [("running", "3 09:00"), ("running", "4 12:00")]
    assert {clock.subject for clock in story.cycles("task")} == {str(first.id), str(second.id)}


@pytest.mark.parametrize("state", ["done", "waived"])
@pytest.mark.parametrize(("ended", "expected"), [("4 12:00", "met"), ("4 12:01", "missed")])
def test_done_or_waived_meets_it_up_to_its_due_moment(story: Story, state: str, ended: str, expected: str) -> None:
    task = add(story, "2 12:00", due="4 12:00")
    change(story, task, ended, state=state, reason="No longer needed")
    assert story.shown("task") == [(expected, "4 12:00")]
    assert story.agrees()


def test_the_owner_hears_at_three_quarters_and_with_their_manager_when_it_is_due(story: Story) -> None:
    add(story, "2 12:00", due="4 12:00")  # 16 business hours: three quarters are used on the 3rd at 16
    story.sweep("3 15:59")
    assert [subject for subject in story.told("reminder") if "do the task" in subject] == []
    story.sweep("3 16:00")
    assert len([subject for subject in story.told("reminder") if "do the task" in subject]) == 1
    story.sweep("4 12:00")
    assert len([subject for subject in story.told("overdue") if "do the task" in subject]) == 2
    assert story.shown("task") == [("breached", "4 12:00")]


def test_another_due_time_moves_the_promise_and_says_why(story: Story) -> None:
    task = add(story, "2 12:00", due="4 12:00")
    change(story, task, "3 12:00", due_at=march("6 12:00"))
    assert story.shown("task") == [("running", "6 12:00")]
    assert story.ledger("task") == [("activate", "2 12:00"), ("retarget", "3 12:00")]
    change(story, task, "5 12:00", due_at=march("4 12:00"))  # it lies behind us: due and broken at its own moment
    assert story.shown("task") == [("breached", "5 12:00")]
    assert story.agrees()


def test_without_its_due_time_it_is_no_promise_and_with_one_again_a_new_one(story: Story) -> None:
    task = add(story, "2 12:00", due="4 12:00")
    change(story, task, "3 12:00", due_at=None)
    assert story.shown("task") == [("cancelled", "4 12:00")]
    change(story, task, "3 13:00", due_at=march("6 12:00"))
    assert story.shown("task") == [("cancelled", "4 12:00"), ("running", "6 12:00")]


def test_a_task_opened_again_runs_on_and_one_that_fell_due_meanwhile_breaches_then(story: Story) -> None:
    task = add(story, "2 12:00", due="4 12:00")
    change(story, task, "3 12:00", state="done")
    change(story, task, "3 13:00", state="open")
    assert story.shown("task") == [("running", "4 12:00")]
    change(story, task, "3 14:00", state="done")
    change(story, task, "5 12:00", state="open")
    assert story.shown("task") == [("breached", "4 12:00")]
    assert story.cycles("task")[0].breached_at == march("5 12:00")
    assert story.agrees()


@pytest.mark.parametrize(("closed", "expected"), [("4 11:00", "cancelled"), ("4 13:00", "missed")])
def test_closing_cancels_what_runs_and_misses_what_was_breached(story: Story, closed: str, expected: str) -> None:
    add(story, "2 12:00", due="4 12:00")
    values = {"outcome": "withdrawn", "reason": "They took it back"}
    story.do(service.close_unresolved, closed, by=story.company.manager, **values)
    assert story.shown("task") == [(expected, "4 12:00")]


def test_reopening_goes_on_with_the_tasks_that_are_still_open(story: Story) -> None:
    left, done = add(story, "2 12:00", due="6 12:00"), add(story, "2 12:00", due="6 13:00", title="Call them")
    values = {"outcome": "withdrawn", "reason": "They took it back"}
    story.do(service.close_unresolved, "3 12:00", by=story.company.manager, **values)
    change(story, done, "3 13:00", state="done")
    story.do(service.reopen, "4 12:00", reason="Not after all")
    states = {clock.subject: clock.state for clock in story.cycles("task")}
    assert states == {str(left.id): "running", str(done.id): "cancelled"}
    assert story.agrees()


def test_waiving_on_resolve_meets_the_promise(story: Story) -> None:
    task = add(story, "2 12:00", due="4 12:00", required=True)
    waived = ({"task_id": task.id, "reason": "Solved without"},)
    resolution = service.Resolution(RESOLUTION.summary, RESOLUTION.root_cause, preventable=False, waived=waived)
    story.do(service.resolve, "3 12:00", resolution=resolution)
    assert story.shown("task") == [("met", "4 12:00")]


def test_a_task_of_a_merged_case_is_due_in_its_survivor_as_it_was(tenant: TestTenant, company: Company) -> None:
    kept, loser = Story(tenant, company).raised(), Story(tenant, company).raised("2 10:30", title="Again")
    task = add(loser, "2 12:00", due="4 12:00")
    loser.do(service.merge, "2 13:00", by=tenant.admin, into_id=kept.id, reason="Same")
    assert (loser.shown("task"), kept.shown("task")) == ([("cancelled", "4 12:00")], [("running", "4 12:00")])
    assert kept.cycles("task")[0].subject == str(task.id)
    assert kept.agrees()


def test_a_target_in_business_time_sets_the_tasks_due_time(story: Story) -> None:
    with transaction():
        doing = Act(actor_of(story.company.owner), march("2 16:00"))
        opened = begin(story.id, "add_task", doing)
        task = playbooks.new_task("manual", "Call", escalation_id=story.id, assignee_id=None, now=march("2 16:00"))
        opened.rows.append(task)
        tasking.promise(opened, task, Target("business_seconds", 3 * 3600))
        opened.save()
    assert task.due_at == march("3 11:00")
    assert story.shown("task") == [("running", "3 11:00")]


# -- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def tasks(company: Company, client: ApiClient) -> str:
    body = {"account_id": company.account_id, "title": "Exports fail", "severity": 2}
    return f"/api/v1/escalations/{client.post('/api/v1/escalations', json=body).json['id']}/tasks"


def test_anybody_asks_the_owner_or_a_colleague(
    tasks: str, as_user: AsUser, company: Company, make_user: Callable[..., User]
) -> None:
    specialist = as_user(make_user("specialist"))
    due_at = (clock.now() + timedelta(days=3)).replace(microsecond=0).isoformat()
    body = {"title": "Send the logs", "due_at": due_at, "required": True}
    made = specialist.post(tasks, json={**body, "assignee_email": company.csm.email})
    assert made.status_code == 201, made.text
    expected = {"kind": "manual", "state": "open", "assignee_id": str(company.csm.id), "required": True}
    assert {name: made.json[name] for name in expected} == expected
    assert specialist.post(tasks, json=body).json["assignee_id"] == str(company.owner.id)
    subjects = [item["subject"] for item in as_user(company.csm).get("/api/v1/notifications").json["items"]]
    assert [subject for subject in subjects if "a task for you" in subject]
    moved = as_user(company.owner).patch(
        f"{tasks}/{made.json['id']}", json={"state": "done"}, if_match=made.headers["ETag"]
    )
    assert (moved.status_code, moved.json["state"]) == (200, "done")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x", "assignee_email": "nobody@example.com"}, "assignee_email"),
        ({"title": "x", "due_at": "2020-01-01T00:00:00Z"}, "due_at"),
        ({"title": "x", "due_at": "2101-01-01T00:00:00Z"}, "due_at"),
        ({"title": "x", "due_at": "2027-01-01T00:00:00"}, "due_at"),
        ({"title": "x", "role": "nobody"}, "role"),
        ({"title": "x", "surprise": 1}, "surprise"),
    ],
)
def test_a_task_that_cannot_be_meant_is_refused_by_field(
    tasks: str, client: ApiClient, body: dict[str, Any], field: str
) -> None:
    refused = client.post(tasks, json=body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, f"/{field}")


def test_an_ended_task_keeps_its_due_time(tasks: str, client: ApiClient) -> None:
    made = client.post(tasks, json={"title": "Call"})
    later = (clock.now() + timedelta(days=1)).isoformat()
    body = {"state": "done", "due_at": later}
    refused = client.patch(f"{tasks}/{made.json['id']}", json=body, if_match=made.headers["ETag"])
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/due_at")


def test_a_closed_case_takes_no_task(tasks: str, client: ApiClient) -> None:
    case = UUID(tasks.split("/")[4])
    body = {"outcome": "mistaken", "reason": "Wrong account"}
    client.post(f"/api/v1/escalations/{case}/close-unresolved", json=body)
    refused = client.post(tasks, json={"title": "Call"})
    assert (refused.status_code, refused.json["code"]) == (409, "step_not_allowed")
