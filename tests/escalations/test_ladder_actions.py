"""What ladders do beside telling: new owners, tasks, decisions asked for; each once, and only while it is called for.

Raised Mon 2 March 10:00 with four business hours to acknowledge: due 14:00. Acknowledged 11:00, the plan is due five
business days later, Mon 9 March 11:00; half of it is over Wed 4 March 15:00 (6 h on Monday, 8 on Tuesday, 6 here).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.auth.models import User
from app.db import db, tenant_scope, transaction
from app.escalations import service
from app.escalations.service import Hop, NewOwner, Resolution
from app.escalations.sweep import sweep_tenant
from app.escalations.timeline_models import Event, EventText
from app.notifications.models import Intent
from app.playbooks.models import Task
from app.routing import service as routing
from app.routing.models import Decision
from app.sla import ladders
from app.sla.models import StepLog
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.test_sweep import Watched, april, march

Start = Callable[..., Watched]


@pytest.fixture
def start(tenant: TestTenant, company: Company) -> Start:
    """`start("plan", step, …)`: a case raised while this is the ladder of that kind of clock."""

    def publish(kind: str, *steps: dict[str, Any]) -> Watched:
        with transaction():
            ladders.publish_ladder(kind, list(steps), now=NOW)
        return Watched(tenant, company)

    return publish


def step(action: str, offset: str = "0", **more: Any) -> dict[str, Any]:
    return {"offset": offset, "audience": [], "action": action, **more}


def daily(action: str, times: int) -> dict[str, Any]:
    return step(action, "+P1D", repeat={"every": "P1D", "times": times})


def tasks(watched: Watched, kind: str) -> list[Task]:
    with transaction():
        asked = (Task.escalation_id == watched.id, Task.kind == kind)
        return list(db.session.scalars(select(Task).where(*asked).order_by(Task.id)))


def events(watched: Watched, kind: str) -> list[Event]:
    with transaction():
        asked = (Event.escalation_id == watched.id, Event.kind == kind)
        return list(db.session.scalars(select(Event).where(*asked).order_by(Event.seq)))


def texts(event: Event) -> dict[str, str | None]:
    with transaction():
        return {row.field: row.text for row in db.session.scalars(select(EventText).filter_by(event_id=event.id))}


def told(watched: Watched, kind: str) -> dict[str, str]:
    """Who got a message of this kind, and what it said."""
    with transaction():
        asked = (Intent.escalation_id == watched.id, Intent.kind == kind)
        return {watched.names[one.user_id]: one.body for one in db.session.scalars(select(Intent).where(*asked))}


def owner(watched: Watched) -> str:
    owner_id = watched.record().owner_id
    assert owner_id is not None
    return watched.names[owner_id]


def log(watched: Watched, kind: str, outcome: str) -> list[tuple[Any, str]]:
    return [(at, step) for at, step, _ in watched.log(kind, outcome)]


def test_unacknowledged_the_case_is_routed_afresh_without_its_owner(start: Start) -> None:
    watched = start("acknowledge", step("reassign"))
    watched.sweep(march(2, 14))
    assert owner(watched) == "admin"  # the account owner is left out, nobody else is named: the duty owner stands in
    assert watched.log("acknowledge", "done") == [(march(2, 14), "0", "-")]
    clock = watched.clock("acknowledge")
    assert (clock.cycle, clock.state, clock.started_at) == (2, "running", march(2, 14))
    [_, assigned] = events(watched, "assign")
    reason = "The acknowledge clock, due Mon 02 Mar 2026 14:00 (UTC): The time is up."
    assert (assigned.actor_id, assigned.acting_for_id, texts(assigned)) == (None, None, {"reason": reason})
    assert told(watched, "reassigned") == {"owner": reason}
    assert set(told(watched, "assigned")) == {"owner", "admin"}
    with transaction():
        decision = db.session.scalars(select(Decision).where(Decision.cause == "assign")).one()
    assert decision.excluded == {"left_out": [str(watched.company.owner.id)]}
    assert watched.sweep(march(2, 14)) == 0


def test_the_new_owner_has_the_whole_time_again_and_loses_it_in_turn(start: Start) -> None:
    """Given at 14:00, four business hours to acknowledge: Tue 3 March 10:00."""
    watched = start("acknowledge", step("reassign"))
    watched.sweep(march(2, 14))
    watched.sweep(march(3, 10) - (march(3, 10) - march(3, 9)) / 3600)
    assert owner(watched) == "admin"
    watched.sweep(march(3, 10))
    assert len(events(watched, "assign")) == 3
    assert owner(watched) == "owner"  # routed by the rules again: now only the duty owner is left out


@pytest.mark.parametrize(("given_at", "kept_by"), [(march(17, 9, 30), "owner"), (march(17, 10, 30), "csm")])
def test_who_was_given_the_case_after_the_step_fell_due_keeps_it(start: Start, given_at: Any, kept_by: str) -> None:
    """Due Wed 1 April 10:00, fifteen days before is Tue 17 March 10:00; the rules name the account owner."""
    watched = start("close", step("reassign", "-P15D"))
    act = watched.act(given_at, watched.company.manager)
    with transaction():
        service.assign(watched.id, act=act, to=NewOwner(owner_email="csm@example.com"), reason="Knows it")
    watched.sweep(march(17, 15))
    assert owner(watched) == kept_by
    assert bool(log(watched, "close", "suppressed")) == (kept_by == "csm")


def test_a_task_names_the_clock_and_is_made_once_for_the_owner(start: Start) -> None:
    watched = start("plan", step("task", "50%"))
    watched.do(service.acknowledge, march(2, 11))
    watched.sweep(march(4, 14))
    assert tasks(watched, "ladder") == []
    for _ in range(2):
        watched.sweep(march(4, 15))
    [task] = tasks(watched, "ladder")
    assert task.title == (
        "The plan clock, due Mon 09 Mar 2026 11:00 (UTC): 50 % of the time has passed. "
        "Agree the plan with the customer."
    )
    assert (task.assignee_id, task.role, task.state, task.required) == (
        watched.company.owner.id,
        "owner",
        "open",
        False,
    )
    assert told(watched, "task") == {"owner": task.title}
    [noted] = events(watched, "task")
    assert noted.facts == {"task": str(task.id), "state": "open", "clock": "plan", "step": "50%"}
    assert noted.actor_id is None


def test_what_the_engine_does_is_no_sign_of_work(start: Start) -> None:
    watched = start("plan", step("task", "50%"), step("decision", "50%"))
    watched.do(service.acknowledge, march(2, 11))
    watched.sweep(march(4, 15))
    assert len(tasks(watched, "ladder")) == 1
    clock = watched.clock("still_on_it")
    assert (clock.cycle, clock.state, clock.started_at) == (1, "running", march(2, 11))
    watched.sweep(march(9, 11))
    assert not watched.record().acknowledged


def test_of_actions_missed_while_we_were_down_only_the_latest_is_done(start: Start) -> None:
    """Due Mon 9 March 11:00, then one business day after and each one after that: Tue, Wed, Thu."""
    watched = start("plan", daily("task", 3))
    watched.do(service.acknowledge, march(2, 11))
    watched.sweep(march(13))
    assert len(tasks(watched, "ladder")) == 1
    assert log(watched, "plan", "folded") == [(march(10, 11), "+P1D"), (march(11, 11), "+P1D")]
    assert log(watched, "plan", "done") == [(march(12, 11), "+P1D")]
    with transaction():
        asked = (StepLog.kind == "plan", StepLog.outcome == "done")
        assert db.session.scalars(select(StepLog.folded).where(*asked)).all() == [2]


def test_swept_in_time_each_repeat_is_done(start: Start) -> None:
    watched = start("plan", daily("task", 3))
    watched.do(service.acknowledge, march(2, 11))
    for day in (10, 11, 12, 13):
        watched.sweep(march(day, 11))
    assert len(tasks(watched, "ladder")) == 3


def test_managements_decision_is_asked_of_the_owners_manager(start: Start) -> None:
    watched = start("plan", step("decision"))
    watched.do(service.acknowledge, march(2, 11))
    watched.sweep(march(9, 11))
    [task] = tasks(watched, "decision")
    assert (task.assignee_id, task.state, task.role) == (watched.company.manager.id, "open", "owner_manager")
    [asked] = events(watched, "decision_asked")
    assert (asked.facts, asked.actor_id) == (
        {"task": str(task.id), "of": str(watched.company.manager.id)},
        None,
    )
    assert texts(asked) == {"reason": "The plan clock, due Mon 09 Mar 2026 11:00 (UTC): The time is up."}
    messages = told(watched, "decision_asked")
    assert set(messages) == {"manager", "owner"}
    assert "Decide what is done: extend, vendor, concession, close unresolved or go on." in messages["manager"]
    assert watched.record().status == "in_progress"


def decide(watched: Watched, at: Any) -> None:
    act = watched.act(at, watched.company.manager)
    with transaction():
        service.record_decision(watched.id, act=act, choice="go_on", reason="Nearly there")


def test_a_decision_is_asked_for_once_until_it_is_given(start: Start) -> None:
    watched = start("plan", step("decision"), daily("decision", 5))
    watched.do(service.acknowledge, march(2, 11))
    for day in (9, 10):
        watched.sweep(march(day, 11))
    assert [task.state for task in tasks(watched, "decision")] == ["open"]
    assert log(watched, "plan", "suppressed") == [(march(10, 11), "+P1D")]
    decide(watched, march(10, 12))
    assert [task.state for task in tasks(watched, "decision")] == ["done"]
    watched.sweep(march(11, 11))
    assert [task.state for task in tasks(watched, "decision")] == ["done", "open"]
    assert len(events(watched, "decision_asked")) == 2


def test_a_decision_given_since_the_step_fell_due_need_not_be_asked_for(start: Start) -> None:
    watched = start("plan", step("decision"))
    watched.do(service.acknowledge, march(2, 11))
    decide(watched, march(9, 12))
    watched.sweep(march(9, 13))
    assert tasks(watched, "decision") == []
    assert log(watched, "plan", "suppressed") == [(march(9, 11), "0")]


@pytest.mark.parametrize(("delegate", "decider", "hearing"), [(True, "manager", "boss"), (False, "admin", "admin")])
def test_with_the_manager_away_their_delegate_hears_it_and_without_one_who_is_on_duty_decides(
    tenant: TestTenant, start: Start, delegate: bool, decider: str, hearing: str
) -> None:
    watched = start("plan", step("decision"))
    watched.do(service.acknowledge, march(2, 11))
    company = watched.company
    with transaction():
        span = {"starts_at": march(5), "ends_at": march(20)}
        email = company.boss.email if delegate else None
        routing.add_absence(company.manager.id, **span, delegate_email=email, actor=tenant.actor, now=march(4))
    watched.sweep(march(9, 11))
    [task] = tasks(watched, "decision")
    assert task.assignee_id is not None
    assert watched.names[task.assignee_id] == decider
    assert hearing in told(watched, "decision_asked")


def test_at_the_end_of_the_path_management_is_asked_to_decide(start: Start) -> None:
    watched = start("plan", step("decision"))
    watched.do(service.acknowledge, march(2, 11))
    hop = Hop(reason="options_exhausted", brief="Everything was tried", to_tier="management")
    watched.do(service.escalate, march(3), hop=hop)
    [task] = tasks(watched, "decision")
    assert (task.assignee_id, tasks(watched, "qualification")) == (watched.company.manager.id, [])
    assert "The work has come to the end of its path." in told(watched, "decision_asked")["manager"]
    watched.sweep(march(9, 11))
    assert len(tasks(watched, "decision")) == 1  # asked for already


def test_whom_the_case_is_about_is_not_asked_to_decide(start: Start) -> None:
    watched = start("acknowledge", step("decision"))
    watched.id = watched.raise_case(about_user=watched.company.manager.email)
    watched.sweep(march(2, 14))
    assert "manager" not in told(watched, "decision_asked")
    [task] = tasks(watched, "decision")
    assert task.assignee_id == watched.tenant.admin.id


def test_while_the_customers_word_is_awaited_the_close_clock_asks_for_nothing(start: Start) -> None:
    watched = start("close", *(step(action, "-P7D") for action in ("reassign", "task", "decision", "escalate")))
    watched.do(service.acknowledge, march(2, 11))
    resolution = Resolution(summary="Fixed", root_cause="A bug", preventable=True)
    watched.do(service.resolve, march(24, 9), resolution=resolution)
    watched.sweep(march(25))
    assert log(watched, "close", "suppressed") == [(march(25), "-P7D")] * 4
    assert (owner(watched), tasks(watched, "ladder"), tasks(watched, "decision")) == ("owner", [], [])


def test_a_closed_case_is_left_alone(start: Start) -> None:
    watched = start("close", step("task", "-P7D"))
    act = watched.act(march(3), watched.company.manager)
    with transaction():
        service.close_unresolved(watched.id, act=act, outcome="mistaken", reason="Not ours")
    assert watched.sweep(april(1)) == 0
    assert tasks(watched, "ladder") == []


def test_a_hop_is_dropped_when_the_tier_changed_since_its_step_fell_due(start: Start) -> None:
    watched = start("acknowledge", step("escalate"))
    hop = Hop(reason="options_exhausted", brief="Tried everything")
    watched.do(service.escalate, march(2, 14, 30), hop=hop)
    watched.sweep(march(2, 15))
    assert watched.record().tier == "tier_2"
    assert log(watched, "acknowledge", "suppressed") == [(march(2, 14), "0")]


def test_several_actions_of_one_moment_are_all_done_each_finding_what_the_one_before_left(start: Start) -> None:
    actions = ("escalate", "reassign", "task", "decision")
    watched = start("plan", {"offset": "0", "audience": ["owner"]}, *(step(action) for action in actions))
    watched.do(service.acknowledge, march(2, 11))
    watched.sweep(march(9, 11))
    assert log(watched, "plan", "done") == [(march(9, 11), "0")] * 4
    assert (watched.record().tier, owner(watched)) == ("tier_2", "admin")
    [task] = tasks(watched, "ladder")
    assert task.assignee_id == watched.tenant.admin.id  # the new owner's
    assert [who for _, _, who in watched.log("plan")] == ["owner"]


def test_an_owner_is_never_asked_to_decide_on_their_own_case(start: Start) -> None:
    """The admin, who is on duty, owns it, with nobody above and no other admin: they know that nobody else is there."""
    watched = start("close", step("decision", "-P15D"))
    to = NewOwner(owner_id=watched.tenant.admin.id)
    with transaction():
        service.assign(watched.id, act=watched.act(march(2, 11), watched.company.manager), to=to, reason="On duty")
    watched.sweep(march(17))
    [task] = tasks(watched, "decision")
    assert (task.assignee_id, set(told(watched, "decision_asked"))) == (None, {"admin"})


def test_two_sweepers_at_once_do_each_action_once(app: Flask, start: Start) -> None:
    watched = start("acknowledge", step("task"), step("reassign"), step("decision"))
    cases = [watched.id, *(watched.raise_case() for _ in range(7))]
    barrier = Barrier(2)

    def sweep(_: int) -> int:
        with app.app_context(), tenant_scope(watched.tenant.id):
            barrier.wait(timeout=30)
            return sweep_tenant(watched.tenant.id, now=march(2, 14))

    with ThreadPoolExecutor(2) as pool:
        fired = list(pool.map(sweep, range(2)))
    assert sum(fired) == 3 * len(cases)
    for case in cases:
        watched.id = case
        assert [len(tasks(watched, kind)) for kind in ("ladder", "decision")] == [1, 1]
        assert len(events(watched, "assign")) == 2
        assert len(log(watched, "acknowledge", "done")) == 3


def test_a_case_whose_owner_left_is_still_given_on_and_nobody_who_left_is_told(start: Start) -> None:
    watched = start("acknowledge", step("reassign"))
    with transaction():
        db.session.execute(update(User).where(User.id == watched.company.owner.id).values(active=False))
    watched.sweep(march(2, 14))
    assert owner(watched) == "admin"
    assert told(watched, "reassigned") == {}


def test_a_ladder_published_by_the_api_acts_and_stands_in_tasks_schedule_and_timeline(
    client: ApiClient, tenant: TestTenant, raise_case: Callable[..., dict[str, Any]]
) -> None:
    body = {"kind": "acknowledge", "steps": [step("task"), step("reassign", "+PT1H")]}
    assert client.post("/api/v1/ladders", json=body).status_code == 201
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}"
    coming = [one for one in client.get(f"{path}/schedule").json["upcoming"] if one["clock"] == "acknowledge"]
    assert [(one["step"], one["action"], one["recipients"]) for one in coming] == [
        ("0", "task", ["-"]),
        ("+PT1H", "reassign", ["-"]),
    ]
    for one in coming:
        sweep_tenant(tenant.id, now=datetime.fromisoformat(one["at"]))
    sent = [one for one in client.get(f"{path}/schedule").json["sent"] if one["clock"] == "acknowledge"]
    assert [(one["action"], one["recipient"], one["outcome"]) for one in sent] == [
        ("task", "-", "done"),
        ("reassign", "-", "done"),
    ]
    made = [one for one in client.get(f"{path}/tasks").json["items"] if one["kind"] == "ladder"]
    record = client.get(path).json
    assert [one["assignee_id"] for one in made] == [record["owner"]["id"]]  # it follows the new owner
    assert record["owner"]["email"] == tenant.admin.email
    kinds = [event["kind"] for event in client.get(f"{path}/timeline").json["items"]]
    assert kinds == ["raise", "assign", "task", "assign"]
    assert client.get(f"{path}/timeline/verify").json["intact"] is True
