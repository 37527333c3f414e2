"""A task's due time moved with what hangs on it, shown before, and moved back; office hours are 9 to 17."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from app.db import db, transaction
from app.errors import Conflict, NotFound
from app.escalations import cascading, service
from app.escalations.lifecycle import StepNotAllowed
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.rows import insert_all
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import Story, day_of, march


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    """A case of severity 2 raised on Monday the 2nd at 10, acknowledged at 11."""
    story = Story(tenant, company).raised()
    story.do(service.acknowledge, "2 11:00")
    return story


@pytest.fixture
def chain(story: Story) -> dict[str, Task]:
    """`call` is due on the 3rd at 12; on it hang `check`, on that `report`, and `later`, which has no due time yet."""
    waits_for: dict[str, list[str]] = {"call": [], "check": ["call"], "report": ["check"], "later": ["call"]}
    tasks = {}
    with transaction():
        for key, after in waits_for.items():
            task = playbooks.new_task(
                "playbook", key.capitalize(), escalation_id=story.id, assignee_id=None, now=march("2 11:00")
            )
            task.key, task.after, task.ready_at = key, after, None if after else march("2 11:00")
            tasks[key] = task
        insert_all(tasks.values())
    for key, due in {"call": "3 12:00", "check": "4 16:00", "report": "6 10:00"}.items():
        values = {"task_id": tasks[key].id, "changes": {"due_at": march(due)}, "check": lambda found: None}
        story.do(service.change_task, "2 11:30", **values)
    return tasks


def move(story: Story, task: Task, at: str, to: str, **more: Any) -> cascading.Move:
    options = {"cascade": True, "preview": False, "check": lambda found: None, **more}
    moved: cascading.Move = story.do(cascading.move, at, task_id=task.id, due_at=march(to), **options)
    return moved


def dues(story: Story) -> dict[str, str | None]:
    with transaction():
        rows = db.session.query(Task).filter_by(escalation_id=story.id).filter(Task.key.is_not(None))
        return {str(task.key): day_of(task.due_at) for task in rows}


def shown(moved: cascading.Move) -> dict[str, tuple[str | None, str | None]]:
    return {str(step.task.key): (day_of(step.was), day_of(step.becomes)) for step in moved.steps}


BEFORE = {"call": "3 12:00", "check": "4 16:00", "report": "6 10:00", "later": None}
# Six business hours later: 12 + 5 hours is the 3rd at 17, one more the 4th at 10. From the 4th at 16: one hour, then
# five from the 5th at 9. From Friday the 6th at 10 it is still that day, at 16.
MOVED = {"call": "4 10:00", "check": "5 14:00", "report": "6 16:00", "later": None}


def test_what_hangs_on_a_task_moves_by_the_same_business_time(story: Story, chain: dict[str, Task]) -> None:
    moved = move(story, chain["call"], "2 12:00", "4 10:00")
    assert dues(story) == MOVED
    assert shown(moved) == {key: (BEFORE[key], MOVED[key]) for key in BEFORE}
    assert [step.task.key for step in moved.steps if not step.moves] == ["later"]
    assert sorted(story.shown("task")) == [("running", "4 10:00"), ("running", "5 14:00"), ("running", "6 16:00")]
    assert story.agrees()


def test_earlier_works_alike_and_may_say_that_it_will_be_overdue(story: Story, chain: dict[str, Task]) -> None:
    move(story, chain["call"], "2 12:00", "4 10:00")
    back = move(story, chain["call"], "4 09:30", "3 12:00", preview=True)
    assert shown(back) == {key: (MOVED[key], BEFORE[key]) for key in BEFORE}
    assert [line["key"] for line in back.view()["tasks"] if line["overdue"]] == ["call"]


def test_a_preview_shows_the_same_and_changes_nothing(story: Story, chain: dict[str, Task]) -> None:
    preview = move(story, chain["call"], "2 12:00", "4 10:00", preview=True)
    assert (preview.id, dues(story), story.events("tasks_moved")) == (None, BEFORE, [])
    assert shown(preview) == shown(move(story, chain["call"], "2 12:00", "4 10:00"))


def test_without_cascade_the_rest_is_offered_and_stays(story: Story, chain: dict[str, Task]) -> None:
    moved = move(story, chain["call"], "2 12:00", "4 10:00", cascade=False)
    assert dues(story) == {**BEFORE, "call": "4 10:00"}
    assert [(step.task.key, step.why) for step in moved.steps] == [
        ("call", None),
        ("check", cascading.NOT_ASKED),
        ("later", cascading.NOT_READY),
        ("report", cascading.NOT_ASKED),
    ]


def test_undo_brings_every_task_back_with_its_promise(story: Story, chain: dict[str, Task]) -> None:
    moved = move(story, chain["call"], "2 12:00", "4 10:00")
    story.do(cascading.undo, "2 13:00", move_id=moved.id)
    assert dues(story) == BEFORE
    assert sorted(story.shown("task")) == [("running", "3 12:00"), ("running", "4 16:00"), ("running", "6 10:00")]
    assert story.agrees()
    with pytest.raises(Conflict, match="back already"):
        story.do(cascading.undo, "2 13:00", move_id=moved.id)


def test_undo_is_refused_once_one_of_them_was_changed(story: Story, chain: dict[str, Task]) -> None:
    moved = move(story, chain["call"], "2 12:00", "4 10:00")
    values = {"changes": {"due_at": march("9 12:00")}, "check": lambda found: None}
    story.do(service.change_task, "2 12:30", task_id=chain["check"].id, **values)
    with pytest.raises(cascading.MovedSince) as refused:
        story.do(cascading.undo, "2 13:00", move_id=moved.id)
    assert refused.value.extra["changed"] == [str(chain["check"].id)]
    assert dues(story) == {**MOVED, "check": "9 12:00"}


def test_undo_is_refused_once_one_of_them_is_done(story: Story, chain: dict[str, Task]) -> None:
    moved = move(story, chain["call"], "2 12:00", "4 10:00")
    values = {"changes": {"state": "done"}, "check": lambda found: None}
    story.do(service.change_task, "2 12:30", task_id=chain["call"].id, **values)
    with pytest.raises(cascading.MovedSince):
        story.do(cascading.undo, "2 13:00", move_id=moved.id)


def test_a_due_time_that_was_none_is_none_again(story: Story, chain: dict[str, Task]) -> None:
    moved = move(story, chain["later"], "2 12:00", "4 10:00")
    assert dues(story)["later"] == "4 10:00"
    story.do(cascading.undo, "2 13:00", move_id=moved.id)
    assert dues(story) == BEFORE


def test_a_move_of_another_case_is_not_found_and_a_case_that_ended_moves_nothing(
    story: Story, chain: dict[str, Task], tenant: TestTenant, company: Company
) -> None:
    moved = move(story, chain["call"], "2 12:00", "4 10:00")
    other = Story(tenant, company).raised(title="Something else")
    with pytest.raises(NotFound):
        other.do(cascading.undo, "2 13:00", move_id=moved.id)
    values = {"outcome": "withdrawn", "reason": "They took it back"}
    story.do(service.close_unresolved, "2 13:00", by=company.manager, **values)
    with pytest.raises(StepNotAllowed):
        story.do(cascading.undo, "2 14:00", move_id=moved.id)


def test_over_http_with_the_tasks_etag(client: ApiClient, raise_case: Callable[..., dict[str, Any]]) -> None:
    case = raise_case()
    tasks = f"/api/v1/escalations/{case['id']}/tasks"
    task = client.post(tasks, json={"title": "Call", "due_at": "2035-03-01T12:00:00Z"}).json
    stale = client.post(f"{tasks}/{task['id']}/move", json={"due_at": "2035-04-01T12:00:00Z"}, if_match=99)
    assert stale.status_code == 412
    faulty = client.post(f"{tasks}/{task['id']}/move", json={})
    assert (faulty.status_code, faulty.json["errors"][0]["pointer"]) == (422, "/due_at")
    moved = client.post(f"{tasks}/{task['id']}/move", json={"due_at": "2035-04-03T12:00:00Z"}, if_match=1)
    assert moved.status_code == 200, moved.text
    [line] = moved.json["tasks"]
    assert (line["was"], line["is"]) == ("2035-03-01T12:00:00Z", "2035-04-03T12:00:00Z")
    undone = client.post(f"{tasks}/moves/{moved.json['move_id']}/undo", json={})
    assert undone.json["tasks"][0]["is"] == "2035-03-01T12:00:00Z"
    again = client.post(f"{tasks}/moves/{moved.json['move_id']}/undo", json={})
    assert (again.status_code, again.json["code"]) == (409, "moved_since")
    assert client.post(f"{tasks}/moves/{UUID(int=7)}/undo", json={}).status_code == 404


def test_business_time_is_restored_as_business_time(
    client: ApiClient, raise_case: Callable[..., dict[str, Any]], story: Story
) -> None:
    """The promise of a playbook's task counts in business time again after the undo, as a calendar may change it."""
    book = {"name": "B", "about": "B.", "tasks": [{"key": "call", "title": "Call", "due": {"business_hours": 4}}]}
    made = client.post("/api/v1/playbooks", json={"definition": book}).json
    client.post(f"/api/v1/playbooks/{made['id']}/publish", json={})
    case = raise_case(title="Another")
    tasks = f"/api/v1/escalations/{case['id']}/tasks"
    task = next(one for one in client.get(tasks).json["items"] if one["key"] == "call")
    moved = client.post(f"{tasks}/{task['id']}/move", json={"due_at": "2035-04-03T12:00:00Z"}).json
    client.post(f"{tasks}/moves/{moved['move_id']}/undo", json={})

    clocks = client.get(f"/api/v1/escalations/{case['id']}/clocks").json["items"]
    [clock] = [one for one in clocks if one["kind"] == "task"]
    assert clock["ledger"][-1]["target"] == {"kind": "business_seconds", "value": 4 * 3600}
    assert datetime.fromisoformat(clock["due_at"]) == datetime.fromisoformat(task["due_at"])
