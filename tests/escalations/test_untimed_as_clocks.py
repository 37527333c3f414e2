"""What is told of promises without a time is what their clocks would have in their ledgers: the same story twice."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from app.accounts import service as accounts
from app.db import transaction
from app.errors import AppError
from app.escalations import service
from app.escalations.climbing import Hop
from app.escalations.service import NewTask
from app.playbooks.models import Task
from app.sla import levels
from app.sla.level import TIERS
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import NO, RESOLUTION, YES, Story, march
from tests.escalations.test_clock_events import read

UPDATES = ("account_team_update", "executive_update")
FAR = march("30 16:00").replace(year=2035)
ASKED = {"account_team_update": 3_000, "executive_update": 3_000, "tiers": {t: {"business_days": 3_000} for t in TIERS}}


@pytest.fixture
def twins(tenant: TestTenant, company: Company) -> tuple[Story, Story]:
    """The same case without a time for anything but the answer and the end, and with a distant one for everything."""
    fields = {"arr": "1000.00", "currency": "USD", "starts_on": "2026-01-01", "service_level": "gold"}
    people = {"owner_email": company.owner.email, "csm_email": company.csm.email}
    with transaction():
        levels.publish_level("gold", ASKED, now=march("1 10:00"))
        other = accounts.upsert_account("crm", "A-2", {"name": "Initech", **people}, now=march("1 10:00")).record
        accounts.upsert_contract("crm", "A-2", "K-2", fields, now=march("1 10:00"))
    untimed = Story(tenant, company).raised()
    return untimed, Story(tenant, company).raised(account_id=other.id)


class Teller:
    """One case acted on; what the lifecycle refuses is left out."""

    def __init__(self, story: Story, due_at: datetime | None) -> None:
        self.story, self.due_at = story, due_at
        self.tasks: list[Task] = []

    def do(self, what: str, at: datetime, sent: datetime, pick: int) -> None:
        moment = f"{at.day} {at:%H:%M}"
        try:
            getattr(self, what)(moment, f"{sent.day} {sent:%H:%M}", pick)
        except AppError:
            return

    def update(self, at: str, sent: str, pick: int) -> None:
        self.story.update(at, to=("account_team", "executive", "customer")[pick % 3])

    def late_update(self, at: str, sent: str, pick: int) -> None:
        self.story.update(at, sent=sent, to=("account_team", "executive")[pick % 2])

    def wait(self, at: str, sent: str, pick: int) -> None:
        self.story.wait(at, until=int(at.split()[0]) + 3)

    def resume(self, at: str, sent: str, pick: int) -> None:
        self.story.do(service.resume, at)

    def hop(self, at: str, sent: str, pick: int) -> None:
        self.story.do(service.escalate, at, hop=Hop(reason="outside_expertise", brief="Restarted it"))

    def resolve(self, at: str, sent: str, pick: int) -> None:
        happened = march(sent) if pick % 3 == 0 else None
        self.story.do(service.resolve, at, resolution=RESOLUTION, at=happened)

    def verify(self, at: str, sent: str, pick: int) -> None:
        self.story.do(service.verify, at, word=YES if pick % 3 == 0 else NO)

    def reopen(self, at: str, sent: str, pick: int) -> None:
        self.story.do(service.reopen, at, reason="It is back")

    def withdraw(self, at: str, sent: str, pick: int) -> None:
        manager = self.story.company.manager
        self.story.do(service.close_unresolved, at, by=manager, outcome="withdrawn", reason="Not needed")

    def add_task(self, at: str, sent: str, pick: int) -> None:
        self.tasks.append(self.story.do(service.add_task, at, new=NewTask("Send the logs", due_at=self.due_at)))

    def task(self, at: str, sent: str, pick: int) -> None:
        if self.tasks:
            change = {"state": ("done", "waived", "open")[pick % 3], "reason": "No longer needed"}
            values = {"task_id": self.tasks[pick % len(self.tasks)].id, "changes": change, "check": lambda found: None}
            self.story.do(service.change_task, at, **values)

    def entries(self, client: ApiClient, kind: str) -> list[tuple[Any, ...]]:
        """By promise, tasks in order of their making; of a tier its name and cycle are left out."""
        items = read(client, kind=kind, escalation=str(self.story.id), limit=100)["items"]
        items = [item for item in items if not was_void(item, items) and not in_passing(item, items)]
        order = {str(task.id): number for number, task in enumerate(self.tasks)}
        if kind == "task":
            items = [item for item in items if item["subject"] in order]
        shown = [
            (
                order.get(item["subject"], 0),
                item["recorded_at"],
                item["type"],
                item["at"],
                0 if kind == "tier" else item["cycle"],
                item.get("because", "") if item["type"] in ("fulfil", "cancel") else "",
                bool(item["clock_id"]),
            )
            for item in items
            if item["type"] not in ("breach", "retarget")
        ]
        return sorted(shown)


def was_void(entry: dict[str, Any], entries: list[dict[str, Any]]) -> bool:
    """A ledger also keeps, to no effect, an update sent while nothing was promised and logged after work went on."""
    if entry["type"] != "fulfil" or entry["clock_id"] is None:
        return False
    before = [one for one in entries if one["clock_id"] == entry["clock_id"] and one["seq"] < entry["seq"]]
    reached = [one for one in before if one["type"] in ("activate", "cancel", "reopen") and one["at"] <= entry["at"]]
    reopened = any(one["type"] == "reopen" and one["at"] > entry["at"] for one in before)
    return reached[-1]["type"] == "cancel" and reopened


def in_passing(entry: dict[str, Any], entries: list[dict[str, Any]]) -> bool:
    """A clock that stood still is said to run on in the moment in which it ends, or stands still for another wait."""
    then = {one["type"] for one in entries if one["recorded_at"] == entry["recorded_at"]}
    ends = {"fulfil", "cancel"} & then
    return (entry["type"] == "resume" and bool(ends)) or (
        entry["type"] in ("pause", "resume") and {"pause", "resume"} <= then
    )


ACTS = (
    *("update",) * 4,
    *("late_update",) * 4,
    *("add_task",) * 2,
    *("task",) * 4,
    *("resolve",) * 3,
    *("verify",) * 2,
    *("reopen",) * 3,
    "wait",
    "resume",
    "hop",
    "withdraw",
)


@pytest.mark.parametrize("seed", [0, 5, 19])
def test_a_story_at_random_reads_the_same_with_clocks_and_without(
    twins: tuple[Story, Story], client: ApiClient, seed: int
) -> None:
    chosen = Random(seed)
    untimed, timed = Teller(twins[0], None), Teller(twins[1], FAR)
    at = turned = march("2 10:05")
    for one in (untimed, timed):
        one.story.do(service.acknowledge, "2 10:05")
    for _ in range(30):
        at += timedelta(minutes=chosen.randrange(1, 90))
        sent = max(at - timedelta(minutes=chosen.randrange(1, 240)), march("2 10:01"))
        what, pick = chosen.choice(ACTS), chosen.randrange(12)
        if what in ("verify", "reopen"):
            turned = at
        elif what == "resolve":  # said to be since work was last taken up
            sent = max(sent, turned)
        for one in (untimed, timed):
            one.do(what, at, sent, pick)
    for kind in (*UPDATES, "task", "tier"):
        told, kept = untimed.entries(client, kind), timed.entries(client, kind)
        [print("T", *one) for one in told]
        [print("K", *one) for one in kept]
        assert [one[-1] for one in told] == [False] * len(told)
        assert [one[-1] for one in kept] == [True] * len(kept)
        assert [one[:-1] for one in told] == [one[:-1] for one in kept], kind
