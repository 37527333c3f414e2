"""The customer-success path whole: raised by the customer, listened to, told, planned, solved, and their word on it."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.auth.models import User
from app.db import tenant_scope
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

RESOLUTION = {
    "summary": "Exports run again; the quota is raised and watched.",
    "root_cause": "The disk of the exporter filled up, and nobody watched it.",
    "preventable": True,
}
AGREED = "Three nightly exports in a row arrive before 6:00."
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def tenant(new_tenant: Callable[..., TestTenant]) -> Iterator[TestTenant]:
    made = new_tenant("Sandbox", sandbox=True)
    with tenant_scope(made.id):
        yield made


def advance(client: ApiClient, by: str) -> None:
    moved = client.post("/api/v1/sandbox/clock", json={"advance": by})
    assert moved.status_code == 200, moved.text


class Path:
    """One case through HTTP, acted by its owner unless another client is named."""

    def __init__(self, admin: ApiClient, owner: ApiClient, case: dict[str, Any]) -> None:
        self.admin, self.owner, self.case = admin, owner, case
        self.url = f"/api/v1/escalations/{case['id']}"

    def do(self, action: str, **body: Any) -> dict[str, Any]:
        done = self.owner.post(f"{self.url}/{action}", json=body)
        assert done.status_code in (200, 201), done.text
        return dict(done.json)

    def record(self) -> dict[str, Any]:
        return dict(self.owner.get(self.url).json)

    def today(self) -> date:
        """The tenant's day, as the newest event tells."""
        self.do("comments", text="What day is it?")
        events = self.owner.get(f"{self.url}/timeline?limit=200").json["items"]
        return datetime.fromisoformat(events[-1]["recorded_at"]).date()

    def clocks(self) -> dict[str, str]:
        return {clock["kind"]: clock["state"] for clock in self.record()["clocks"] if clock["kind"] != "task"}

    def events(self, kind: str) -> list[dict[str, Any]]:
        items = self.owner.get(f"{self.url}/timeline?limit=200").json["items"]
        return [one for one in items if one["kind"] == kind]

    def tasks(self) -> dict[str, dict[str, Any]]:
        items = self.owner.get(f"{self.url}/tasks?limit=200").json["items"]
        return {one["key"]: one for one in items if one["key"]}

    def finish(self, key: str) -> None:
        task = self.tasks()[key]
        ended = self.owner.patch(f"{self.url}/tasks/{task['id']}", json={"state": "done"}, if_match=task["version"])
        assert ended.status_code == 200, ended.text

    def criteria(self) -> dict[str, dict[str, Any]]:
        return {one["key"]: one for one in self.owner.get(f"{self.url}/exit-criteria").json["items"]}

    def meet(self, key: str) -> None:
        one = self.criteria()[key]
        met = self.owner.patch(f"{self.url}/exit-criteria/{key}", json={"state": "met"}, if_match=one["version"])
        assert met.status_code == 200, met.text

    def resolve(self, **body: Any) -> dict[str, Any]:
        return self.do("resolve", **RESOLUTION, **body)

    def word(self, *, accepted: bool, **body: Any) -> dict[str, Any]:
        return self.do("verify", accepted=accepted, confirmed_by="Jo Weber", channel="call", **body)


@pytest.fixture
def path(
    client: ApiClient, as_user: Callable[[User], ApiClient], company: Company, raise_case: Callable[..., dict[str, Any]]
) -> Path:
    """A customer's case under the built-in playbook, listened to, told, planned and with its end agreed."""
    adopted = client.post("/api/v1/built-in-playbooks/customer_success/adopt", json={"publish": True})
    assert adopted.status_code == 201, adopted.text
    case = raise_case(
        raised_by={"kind": "customer", "email": "jo@globex.example"},
        customer_statement="Every morning the export is missing and I look like a fool.",
        reason="slow_response",
    )
    path = Path(client, as_user(company.owner), case)
    path.do("acknowledge")
    path.do("updates", audience=["customer"], channel="call", text="We heard you, we look into it today.")
    path.finish("listen")
    path.finish("their_shoes")
    path.do(
        "plan", plan="Raise the quota", forecast_close_on=str(path.today() + timedelta(days=9)), customer_agreed=True
    )
    path.do("exit-criteria", text=AGREED, agreed_with="Jo Weber, head of data")
    path.finish("agree_the_end")
    return path


def solve(path: Path) -> None:
    """Days pass, something is tried, the customer is told, and what was agreed comes true one by one."""
    advance(path.admin, "P2D")
    path.do("attempts", what="Restarted the exporter", result="Better for a night")
    path.do("attempts", what="Raised the quota", result="Three exports in a row arrived")
    path.do("updates", audience=["customer", "account_team"], channel="email", text="The quota is raised.")
    path.meet("agreed-1")
    path.meet("told_what_changed")


def test_listened_told_planned_solved_and_confirmed(
    path: Path, company: Company, client: ApiClient, as_user: Callable[[User], ApiClient]
) -> None:
    csm = as_user(company.csm)
    assert path.case["owner"]["email"] == company.owner.email
    met = {kind for kind, state in path.clocks().items() if state == "met"}
    assert {"acknowledge", "respond", "plan"} <= met
    assert list(path.criteria()) == ["outcome_reached", "told_what_changed", "agreed-1"]
    solve(path)

    early = path.owner.post(f"{path.url}/resolve", json=RESOLUTION)
    assert (early.status_code, early.json["code"]) == (409, "not_ready")
    assert [one["criterion"] for one in early.json["missing"]] == ["outcome_reached"]
    assert early.json["missing"][0]["text"].startswith("What the customer asked for is reached")
    due = path.today() + timedelta(days=20)
    prevention = {"action": "Alert on the quota", "owner_email": company.csm.email, "due_on": str(due)}
    resolved = path.resolve(met=["outcome_reached"], prevention=prevention)
    assert resolved["status"] == "resolved"
    assert path.events("resolve")[0]["facts"]["met"] == ["agreed-1", "outcome_reached", "told_what_changed"]
    closed = path.word(accepted=True, comment="Thank you, this time you stayed with it.")

    assert (closed["status"], closed["outcome"], closed["verification"]) == ("closed", "resolved", "confirmed")
    assert path.clocks()["close"] == "met"
    assert {path.clocks()[kind] for kind in ("tier", "verify")} == {"met"}
    states = {key: task["state"] for key, task in path.tasks().items()}
    assert {key for key, state in states.items() if state == "done"} == {"listen", "their_shoes", "agree_the_end"}
    link = path.do("survey")["url"]
    answered = ApiClient(client.app, None).post(link[link.index("/survey/") :], data={"score": "5"})
    assert answered.status_code == 200
    assert path.record()["survey"]["score"] == 5
    (lesson,) = csm.get("/api/v1/lessons?reason=slow_response&q=quota").json["items"]
    assert [one["what"] for one in lesson["tried"]] == ["Restarted the exporter", "Raised the quota"]
    advance(client, "P40D")
    assert path.owner.get(f"{path.url}/schedule").json["upcoming"] == []
    assert path.record()["status"] == "closed"
    reminded = [one for one in csm.get("/api/v1/notifications").json["items"] if one["kind"] == "prevention_due"]
    assert (
        len(reminded) == 3
    )  # on its day, and one and two weeks after: forty days have passed, it was due after twenty
    (action,) = client.get("/api/v1/prevention-actions?overdue=true").json["items"]
    assert (action["owner"]["email"], action["due_on"]) == (company.csm.email, str(due))


def test_a_refusal_takes_the_work_up_again_and_asks_what_was_met_anew(path: Path) -> None:
    solve(path)
    path.resolve(waived=[{"criterion": "outcome_reached", "reason": "They agreed to six o'clock instead."}])
    back = path.word(accepted=False, comment="Last night it was missing again.")

    assert (back["status"], back["verification"], back["reopens"]) == ("in_progress", None, 1)
    assert {key: one["state"] for key, one in path.criteria().items()} == {
        "outcome_reached": "waived",
        "told_what_changed": "open",
        "agreed-1": "open",
    }
    assert path.tasks()["listen"]["state"] == "done"
    refused = path.owner.post(f"{path.url}/resolve", json=RESOLUTION)
    assert {one["criterion"] for one in refused.json["missing"]} == {"told_what_changed", "agreed-1"}
    assert path.clocks()["close"] == "running"

    path.resolve(met=["told_what_changed", "agreed-1"])
    closed = path.word(accepted=True)
    assert (closed["status"], closed["verification"], closed["reopens"]) == ("closed", "confirmed", 1)
    assert [one["facts"].get("accepted") for one in path.events("verify")] == [False, True]


def test_silence_closes_it_and_is_never_called_a_confirmation(path: Path) -> None:
    solve(path)
    path.resolve(met=["outcome_reached"])
    advance(path.admin, "P9D")
    record = path.record()

    assert (record["status"], record["outcome"], record["verification"]) == ("closed", "resolved", "unanswered")
    (verify,) = path.events("verify")
    assert (verify["facts"], verify["actor"]) == ({"unanswered": True}, None)
    assert path.clocks()["verify"] == "missed"
    assert path.clocks()["close"] == "met"
    late = path.owner.post(f"{path.url}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})
    assert (late.status_code, late.json["code"]) == (409, "step_not_allowed")
    assert path.record()["verification"] == "unanswered"
