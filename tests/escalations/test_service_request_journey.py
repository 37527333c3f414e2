"""The service-request path through HTTP, as the built-in playbook has it: 1 → 2 → 3 → onsite → vendor → management,
qualified at each tier, and quality control at its end accepted, rejected and unanswered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from app.auth.models import User
from app.db import tenant_scope
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.moved_up import do, put_team, read, tasks

Raise = Callable[..., dict[str, Any]]
HOUR, DAY = 3600, 86_400
ACME = {"name": "Acme", "contact": "Jo at Acme", "reference": "C-7"}
TIERS = ("tier_1", "tier_2", "tier_3", "onsite", "vendor", "management")
RESOLUTION = {"summary": "Acme's patch", "root_cause": "A race in the exporter", "preventable": False}
REFUSED = {"accepted": False, "confirmed_by": "Jo", "channel": "call", "comment": "Still dead."}
CRITERIA = ["works_for_them", "attempts_logged", "cause_known"]


@pytest.fixture
def tenant(new_tenant: Callable[..., TestTenant]) -> Iterator[TestTenant]:
    made = new_tenant("Sandbox", sandbox=True)
    with tenant_scope(made.id):
        yield made


@dataclass
class Desk:
    """Everybody who has a hand in the path, and the case."""

    admin: ApiClient
    owner: ApiClient
    manager: ApiClient
    specialist: ApiClient
    engineer: ApiClient
    technician: ApiClient
    case: dict[str, Any]

    def later(self, by: str) -> None:
        answer = self.admin.post("/api/v1/sandbox/clock", json={"advance": by})
        assert answer.status_code == 200, answer.text

    def try_(self, who: ApiClient, what: str) -> None:
        do(who, self.case, "attempts", what=what, result="No change")

    def draft(self, who: ApiClient) -> str:
        brief: str = read(who, self.case, "handover")["brief"]
        return brief

    def stages(self) -> dict[str, dict[str, Any]]:
        return {one["tier"]: one for one in read(self.owner, self.case, "path")["items"]}

    def settle(self) -> None:
        """Do every required task that is open."""
        for task in read(self.owner, self.case, "tasks?limit=200")["items"]:
            if task["required"] and task["state"] == "open":
                path = f"/api/v1/escalations/{self.case['id']}/tasks/{task['id']}"
                done = self.owner.patch(path, json={"state": "done"}, if_match=task["version"])
                assert done.status_code == 200, done.text

    def resolve(self) -> None:
        self.settle()
        assert do(self.owner, self.case, "resolve", **RESOLUTION, met=CRITERIA)["status"] == "resolved"


@pytest.fixture
def desk(
    client: ApiClient,
    company: Company,
    raise_case: Raise,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
) -> Desk:
    """A case raised by the customer on a calendar without closing hours, under the built-in playbook."""
    always = {"name": "always", "timezone": "UTC", "always_open": True}
    assert client.post("/api/v1/calendars", json=always).status_code == 201
    settings = client.get("/api/v1/settings")
    changed = client.patch("/api/v1/settings", json={"calendar": "always"}, if_match=settings.headers["ETag"])
    assert changed.status_code == 200, changed.text
    adopted = client.post("/api/v1/built-in-playbooks/service_request/adopt", json={"publish": True})
    assert adopted.status_code == 201, adopted.text
    team = {tier: make_user("specialist", f"{tier}@example.com") for tier in ("tier_2", "tier_3", "onsite")}
    for tier, member in team.items():
        put_team(client, tier, member)
    case = raise_case(
        reason="product_limit",
        raised_by={"kind": "customer", "email": "jo@globex.example"},
        customer_statement="Nothing has come out since Monday.",
        impact="Payroll stands still.",
        desired_outcome="Files by Friday.",
    )
    people = (company.owner, company.manager, *team.values())
    owner, manager, specialist, engineer, technician = (as_user(user) for user in people)
    return Desk(client, owner, manager, specialist, engineer, technician, case)


def climb(desk: Desk) -> None:
    """From the raise to management, each tier qualified within its time, each with its own attempt."""
    case = desk.case
    do(desk.owner, case, "acknowledge")
    desk.try_(desk.owner, "Restarted the exporter")
    desk.later("PT6H")
    no = {"resolvable": False, "reason": "outside_expertise"}
    assert do(desk.owner, case, "qualify", **no, brief=desk.draft(desk.owner))["tier"] == "tier_2"

    desk.later("PT20H")
    do(desk.specialist, case, "qualify", **no, note="Not in our part.")
    desk.try_(desk.specialist, "Cleared the queue")
    desk.later("PT4H")
    up = {"reason": "outside_expertise"}
    assert do(desk.specialist, case, "escalate", **up, brief=desk.draft(desk.specialist))["tier"] == "tier_3"

    do(desk.engineer, case, "qualify", resolvable=True, reason="We have seen this race before.")
    desk.later("P1D")
    desk.try_(desk.engineer, "Patched the scheduler")
    do(desk.engineer, case, "qualify", resolvable=False, reason="options_exhausted")
    assert do(desk.engineer, case, "escalate", reason="options_exhausted", brief=desk.draft(desk.engineer))["tier"] == (
        "onsite"
    )

    desk.later("P2D")
    desk.try_(desk.technician, "Changed the controller")
    up = {**no, "brief": desk.draft(desk.technician), "vendor": ACME}
    assert do(desk.technician, case, "qualify", **up)["vendor"]["reference"] == "C-7"

    desk.later("P3D")
    desk.try_(desk.owner, "Acme's first patch")
    assert do(desk.owner, case, "qualify", resolvable=False, reason="time", brief=desk.draft(desk.owner))["tier"] == (
        "management"
    )


def decide(desk: Desk) -> None:
    """Management reads everything done and decides to go on."""
    dossier = read(desk.manager, desk.case, "dossier?limit=200")
    assert [one["of"]["email"] for one in dossier["asked"]] == ["manager@example.com"]
    assert [one["texts"]["what"] for one in dossier["items"] if one["kind"] == "attempt"] == [
        "Restarted the exporter",
        "Cleared the queue",
        "Patched the scheduler",
        "Changed the controller",
        "Acme's first patch",
    ]
    assert [one["facts"]["tier"] for one in dossier["items"] if one["kind"] == "escalate"] == list(TIERS[1:])
    do(desk.manager, desk.case, "decision", choice="go_on", reason="Acme promised the second patch for tomorrow.")
    assert tasks(desk.owner, desk.case, "decision")[0][2] == "done"


def test_the_whole_path_is_climbed_with_each_tiers_answer_and_time_and_accepted_it_is_closed(desk: Desk) -> None:
    climb(desk)
    decide(desk)
    stages = desk.stages()

    assert list(stages) == list(TIERS)
    answers = {tier: stage["qualification"] for tier, stage in stages.items()}
    assert {tier: answer and (answer["word"], answer["by"]["email"]) for tier, answer in answers.items()} == {
        "tier_1": ("no", "owner@example.com"),
        "tier_2": ("no", "tier_2@example.com"),
        "tier_3": ("no", "tier_3@example.com"),
        "onsite": ("no", "onsite@example.com"),
        "vendor": ("no", "owner@example.com"),
        "management": None,
    }
    took = {tier: answer["after_seconds"] for tier, answer in answers.items() if answer}
    said = {"tier_1": 6 * HOUR, "tier_2": 20 * HOUR, "tier_3": DAY, "onsite": 2 * DAY, "vendor": 3 * DAY}
    assert {tier: round(seconds / 60) for tier, seconds in took.items()} == {
        tier: seconds // 60 for tier, seconds in said.items()
    }
    assert [reply["word"] for reply in stages["tier_3"]["replies"]] == ["yes", "no"]
    clocks = {
        tier: (stage["clock"]["state"], stage["clock"]["target_seconds"] // DAY) for tier, stage in stages.items()
    }
    assert clocks == {
        "tier_1": ("met", 1),
        "tier_2": ("met", 2),
        "tier_3": ("met", 3),
        "onsite": ("met", 5),
        "vendor": ("met", 5),
        "management": ("running", 2),
    }
    assert stages["vendor"]["vendors"][0]["contact"] == "Jo at Acme"
    assert "Nothing has come out since Monday." in stages["tier_1"]["brief"]
    assert "tier 3: Patched the scheduler → No change" in stages["vendor"]["brief"]
    assert len(read(desk.owner, desk.case, "path")["not_again"]) == 5

    desk.resolve()
    closed = do(desk.owner, desk.case, "verify", accepted=True, confirmed_by="Jo", channel="call")
    assert (closed["status"], closed["outcome"], closed["verification"]) == ("closed", "resolved", "confirmed")
    assert desk.stages()["management"]["state"] == "ended"
    left = [one for one in read(desk.owner, desk.case, "tasks?limit=200")["items"] if one["state"] == "open"]
    assert [one for one in left if one["kind"] in ("qualification", "handover", "decision")] == []
    assert read(desk.owner, desk.case, "timeline/verify")["intact"] is True


def test_rejected_at_the_end_of_the_path_management_closes_it_unresolved(desk: Desk) -> None:
    climb(desk)
    decide(desk)
    desk.resolve()
    again = do(desk.owner, desk.case, "verify", **REFUSED)
    assert (again["status"], again["reopens"], again["tier"]) == ("in_progress", 1, "management")

    why = "No patch is in sight; the contract is refunded."
    do(desk.manager, desk.case, "decision", choice="close_unresolved", reason=why)
    closed = do(desk.manager, desk.case, "close-unresolved", outcome="unresolved", reason=why)
    assert (closed["status"], closed["outcome"], closed["verification"]) == ("closed", "unresolved", None)
    made = [one for one in read(desk.manager, desk.case, "dossier?limit=200")["items"] if one["kind"] == "decision"]
    assert [one["facts"]["choice"] for one in made] == ["go_on", "close_unresolved"]


def test_rejected_in_quality_control_the_next_tier_is_asked(desk: Desk) -> None:
    """Resolved at tier 1, refused by the customer, then up: what the refusal says is not lost."""
    do(desk.owner, desk.case, "acknowledge")
    do(desk.owner, desk.case, "qualify", resolvable=True, reason="A known fault.")
    desk.try_(desk.owner, "Restarted the exporter")
    desk.resolve()
    desk.later("P1D")
    again = do(
        desk.owner, desk.case, "verify", accepted=False, confirmed_by="Jo", channel="call", comment="Still dead."
    )
    assert (again["status"], again["reopens"], again["tier"]) == ("in_progress", 1, "tier_1")

    no = {"resolvable": False, "reason": "customer_demand", "brief": desk.draft(desk.owner)}
    assert do(desk.owner, desk.case, "qualify", **no)["tier"] == "tier_2"
    do(desk.specialist, desk.case, "qualify", resolvable=True, reason="The queue is full.")
    desk.try_(desk.specialist, "Cleared the queue")
    desk.resolve()
    closed = do(desk.owner, desk.case, "verify", accepted=True, confirmed_by="Jo", channel="email")
    assert (closed["outcome"], closed["verification"], closed["reopens"]) == ("resolved", "confirmed", 1)
    words = {tier: [reply["word"] for reply in stage["replies"]] for tier, stage in desk.stages().items()}
    assert words == {"tier_1": ["yes", "no"], "tier_2": ["yes"]}


def test_unanswered_in_quality_control_it_closes_and_is_never_called_confirmed(desk: Desk) -> None:
    climb(desk)
    decide(desk)
    desk.resolve()
    desk.later("P6D")
    closed = read(desk.owner, desk.case)

    assert (closed["status"], closed["outcome"], closed["verification"]) == ("closed", "resolved", "unanswered")


def test_tiers_that_answer_nothing_in_time_pass_it_on_by_themselves_as_far_as_the_path_says(desk: Desk) -> None:
    """One, two and three days for tiers 1 to 3, which move on by themselves; onsite stays, whatever time it takes."""
    raised_at = datetime.fromisoformat(desk.case["raised_at"])
    desk.later("P20D")
    stages = desk.stages()

    entered = {tier: stage["entered_at"] for tier, stage in stages.items() if stage["entered_at"]}
    days = {tier: round((datetime.fromisoformat(at) - raised_at).total_seconds() / DAY) for tier, at in entered.items()}
    assert days == {"tier_1": 0, "tier_2": 1, "tier_3": 3, "onsite": 6}
    words = {tier: stages[tier]["qualification"]["word"] for tier in TIERS[:3]}
    assert words == dict.fromkeys(TIERS[:3], "unanswered")
    assert [stages[tier]["clock"]["state"] for tier in TIERS[:4]] == ["missed", "missed", "missed", "breached"]
    assert [stages[tier]["automatic"] for tier in TIERS[:3]] == [True] * 3
    record = read(desk.owner, desk.case)
    assert (record["tier"], record["brief_missing"]) == ("onsite", True)
    states = [state for _, _, state in tasks(desk.owner, desk.case, "qualification")]
    assert states == ["waived", "waived", "waived", "open"]

    path = f"/api/v1/escalations/{desk.case['id']}"
    written = desk.owner.patch(path, json={"handover_brief": "Nothing was tried."}, if_match=record["version"])
    assert written.json["brief_missing"] is False
    assert desk.stages()["tier_3"]["brief"] == "Nothing was tried."


def test_whom_a_tier_asks_is_reminded_of_its_time_with_the_owner(desk: Desk) -> None:
    """Two days for tier 2: at three quarters of them the specialist hears as well as the owner."""
    do(desk.owner, desk.case, "escalate", reason="time", brief="Nothing was tried.")
    desk.later("PT37H")
    heard = [
        (one["step"], one["recipient"])
        for one in read(desk.owner, desk.case, "schedule")["sent"]
        if one["clock"] == "tier" and one["outcome"] == "sent"
    ]
    assert sorted(heard) == [("75%", "owner@example.com"), ("75%", "tier_2@example.com")]
    inbox = desk.specialist.get("/api/v1/notifications").json["items"]
    assert "You get this because you are whom the tier asks." in [one["why"] for one in inbox]

    do(desk.specialist, desk.case, "qualify", resolvable=True, reason="The queue is full.")
    coming = read(desk.owner, desk.case, "schedule")["upcoming"]
    assert "tier_2@example.com" not in [one for step in coming if step["clock"] == "tier" for one in step["recipients"]]
