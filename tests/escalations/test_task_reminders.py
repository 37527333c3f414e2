"""Who hears of a task's due time and what they are told; 2 March 2026 is a Monday, office hours are 9 to 17 UTC."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from sqlalchemy import select, text

from app.auth.models import User
from app.db import db, transaction
from app.escalations import schedule, service
from app.escalations.sweep import sweep_batch
from app.notifications.models import Intent
from app.playbooks.models import Task
from app.routing import service as routing
from tests.conftest import TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import Story, march

# A task given at 12 on the 2nd, due at 12 on the 4th, has 16 business hours: three quarters are used on the 3rd at 16.
SOON, DUE = "3 16:00", "4 12:00"


@dataclass
class Given:
    """A case of the company's owner, with a task for `doer`, who reports to `lead`."""

    story: Story
    doer: User
    lead: User
    task: Task

    def told(self) -> list[tuple[str, str]]:
        """(to whom, the message's subject) of the task's reminders, in order of addresses."""
        return sorted((one.address or "", one.subject) for one in self.messages())

    def messages(self) -> list[Intent]:
        clocks = [clock.id for clock in self.story.cycles("task")]
        with transaction():
            return list(db.session.scalars(select(Intent).where(Intent.clock_id.in_(clocks)).order_by(Intent.id)))

    def upcoming(self, at: str) -> list[tuple[str, list[str]]]:
        """(step, who would hear it) of the task's clock, the first two."""
        record = self.story.record()
        with transaction():
            steps = schedule.schedule_of(record, march(at))["upcoming"]
        return [(one["step"], one["recipients"]) for one in steps if one["clock"] == "task"][:2]


@pytest.fixture
def give(tenant: TestTenant, company: Company, make_user: Callable[..., User]) -> Callable[..., Given]:
    def make(title: str = "Send the logs", **fields: object) -> Given:
        story = Story(tenant, company).raised(by=tenant.admin, **fields)
        story.do(service.acknowledge, "2 11:00")
        lead = make_user("manager", "lead@example.com")
        doer = make_user("specialist", "doer@example.com", manager=lead)
        new = service.NewTask(title, assignee_email=doer.email, due_at=march(DUE))
        return Given(story, doer, lead, story.do(service.add_task, "2 12:00", new=new))

    return make


def test_the_assignee_hears_at_three_quarters_and_with_their_own_manager_when_it_is_due(
    give: Callable[..., Given],
) -> None:
    given = give()
    assert given.upcoming("2 13:00") == [("75%", ["doer@example.com"]), ("0", ["doer@example.com", "lead@example.com"])]
    given.story.sweep(SOON)
    subject = f'Globex: do the task "Send the logs" by Wed 04 Mar 12:00 · ESC-{given.story.record().number}'
    assert given.told() == [("doer@example.com", subject)]
    given.story.sweep(DUE)
    overdue = subject.replace(" by ", " was due ")
    assert given.told() == [("doer@example.com", subject), ("doer@example.com", overdue), ("lead@example.com", overdue)]


def test_the_message_names_the_case_the_task_and_why_one_hears_it(give: Callable[..., Given]) -> None:
    given = give()
    given.story.sweep(DUE)
    told = {one.address: one for one in given.messages()}
    lines = told["doer@example.com"].body.splitlines()
    assert lines[:3] == [
        "Exports fail (severity 2, in progress)",
        "Task: Send the logs",
        "Due Wed 04 Mar 2026 12:00 (UTC).",
    ]
    assert told["doer@example.com"].why == "You get this because you are the task's assignee."
    assert told["lead@example.com"].why == "You get this because you are the manager of the task's assignee."


def test_a_long_title_is_cut_in_the_subject_and_whole_in_the_text(give: Callable[..., Given]) -> None:
    title = "Send the logs " * 10
    given = give(title.strip())
    given.story.sweep(SOON)
    (message,) = given.messages()
    assert f'"{title[:79].rstrip()}…" by Wed 04 Mar' in message.subject
    assert f"Task: {title.strip()}" in message.body


def test_an_absent_assignees_delegate_hears_it_in_their_place(give: Callable[..., Given], tenant: TestTenant) -> None:
    given = give()
    with transaction():
        away = {"starts_at": march("3 09:00"), "ends_at": march("9 09:00")}
        delegate = given.story.company.csm.email
        routing.add_absence(given.doer.id, **away, delegate_email=delegate, actor=tenant.actor, now=march("2 13:00"))
    given.story.sweep(SOON)
    assert [(one.address, one.why) for one in given.messages()] == [
        (delegate, f"You get this in place of {given.doer.name}, who is absent and is the task's assignee.")
    ]


def test_with_the_assignee_gone_their_manager_hears_it(give: Callable[..., Given]) -> None:
    given = give()
    with transaction():
        db.session.execute(text('update "user" set active = false where id = :id'), {"id": given.doer.id})
    given.story.sweep(SOON)
    assert [address for address, _ in given.told()] == ["lead@example.com"]


def test_of_a_restricted_case_the_owner_hears_since_the_assignee_may_not_see_it(give: Callable[..., Given]) -> None:
    """It became restricted after the task was given."""
    given = give()
    with transaction():
        db.session.execute(text("update escalation set restricted = true where id = :id"), {"id": given.story.id})
    assert given.upcoming("2 13:00")[0] == ("75%", ["owner@example.com"])
    given.story.sweep(SOON)
    assert [address for address, _ in given.told()] == ["owner@example.com"]


def test_of_a_task_without_assignee_the_owner_and_their_manager_hear(give: Callable[..., Given]) -> None:
    given = give()
    with transaction():
        db.session.execute(text("update task set assignee_id = null where id = :id"), {"id": given.task.id})
    given.story.sweep(DUE)
    assert [address for address, _ in given.told()] == ["manager@example.com", "owner@example.com"]
    assert all('"Send the logs"' in subject for _, subject in given.told())


def test_tasks_cost_a_batch_no_statement(
    give: Callable[..., Given], tenant: TestTenant, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    given = give()
    with statements() as sent:
        assert sweep_batch(tenant.id, march(SOON)).fired == 1
    assert len([one for one in sent if "task" in one and "from escalation e" in one]) == 1
    assert len(sent) <= 9, sent
    assert len(given.messages()) == 1
