"""Simulations through their doors: asked for, replayed over real raises, read, cancelled, taken up again."""

from collections.abc import Callable
from datetime import timedelta
from time import sleep
from typing import Any
from uuid import UUID

import pytest

from app import clock, queue
from app.accounts import service as accounts
from app.auth.models import User
from app.db import transaction
from app.operations.rq_worker import TimeLimit
from app.routing import jobs, simulation_work, simulations
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.routing.past import SIMULATE, closed, raised, simulated

OWNER = {"kind": "role", "role": "owner"}
CSM = {"kind": "role", "role": "csm"}
REST: dict[str, Any] = {"name": "rest", "when": {"all": []}, "target": OWNER}
TO_CSM: dict[str, Any] = {"name": "csm", "when": {"all": []}, "target": CSM}
Make = Callable[..., User]


@pytest.fixture
def people(tenant: TestTenant, make_user: Make) -> dict[str, User]:
    """The owner and the CSM of account A1; A2 has an owner only."""
    found = {"owner": make_user("specialist"), "csm": make_user("csm")}
    with transaction():
        fields = {"name": "Acme", "owner_email": found["owner"].email, "csm_email": found["csm"].email}
        accounts.upsert_account("crm", "A1", {**fields, "segment": "small"}, now=NOW)
        accounts.upsert_account("crm", "A2", {"name": "Bolt", "owner_email": found["owner"].email}, now=NOW)
    return found


def test_a_draft_is_replayed_over_what_was_raised(
    client: ApiClient, tenant: TestTenant, people: dict[str, User]
) -> None:
    """Two cases of A1 and one of A2 went to the account owner. A draft that asks the CSM changes the first two; A2 has
    none, so its case would stay without an owner by the rules. One case is closed: by the owner, not by the CSM."""
    first, second, third = raised(client), raised(client, severity=1), raised(client, "A2")
    closed(first)
    done = simulated(client, tenant, rules=[TO_CSM])
    assert (done["state"], done["done"], done["total"], done["number"]) == ("done", 3, 3, None)
    assert done["result"] == {
        "cases": 3,
        "changed": 3,
        "unrouted": {"cases": 1, "codes": {"no_csm": 1}},
        "real_unrouted": {"cases": 0, "codes": {}},
        "first_owner_right": {"closed": 1, "predicted": 0.0, "real": 1.0},
        "rules": [{"rule": "csm", "cases": 2}],
        "todays_facts": {"cases": 0, "fields": {}},
    }
    path = f"/api/v1/routing/simulations/{done['id']}/cases"
    cases = client.get(path).json["items"]
    assert [case["number"] for case in cases] == [first["number"], second["number"], third["number"]]
    assert [case["real_owner"]["email"] for case in cases] == [people["owner"].email] * 3
    assert [case["owner"]["email"] for case in cases] == [people["csm"].email] * 2 + ["admin@example.com"]
    assert [case["closer"] and case["closer"]["email"] for case in cases] == [people["owner"].email, None, None]
    assert cases[2]["failure"] == "no_csm"
    assert [c["number"] for c in client.get(f"{path}?unrouted=true").json["items"]] == [third["number"]]
    paged = client.get(f"{path}?limit=2").json
    assert len(client.get(f"{path}?limit=2&cursor={paged['next_cursor']}").json["items"]) == 1
    owned = client.get(f"{path}?owner={people['csm'].id}").json["items"]
    assert [c["number"] for c in owned] == [first["number"], second["number"]]
    assert client.get(f"{path}?changed=false").json["items"] == []


def test_loads_stand_side_by_side(client: ApiClient, tenant: TestTenant, people: dict[str, User]) -> None:
    """Severity 2 weighs 3, severity 1 weighs 4: the owner really held 7, by the draft the CSM would."""
    raised(client)
    raised(client, severity=1)
    done = simulated(client, tenant, rules=[TO_CSM])
    loads = client.get(f"/api/v1/routing/simulations/{done['id']}/loads").json["items"]
    shown = {load["owner"]["email"]: load for load in loads}
    owner, csm = shown[people["owner"].email], shown[people["csm"].email]
    assert (owner["real_cases"], owner["cases"], owner["real_peak"], owner["peak"]) == (2, 0, 7.0, 0.0)
    assert (csm["real_cases"], csm["cases"], csm["real_peak"], csm["peak"]) == (0, 2, 0.0, 7.0)
    assert csm["capacity"] == 24
    assert len(csm["days"]) == 91
    assert csm["days"][-1]["simulated"]["peak"] == 7.0
    assert csm["days"][-2]["simulated"] == {"mean": 0.0, "peak": 0.0}


def test_the_simulated_load_fills_up_and_is_given_back(
    client: ApiClient, tenant: TestTenant, make_user: Make, people: dict[str, User]
) -> None:
    """The team's one member has room for one case of weight 3: while that one is open the next finds nobody; after it
    ended the one after that fits again."""
    helper = make_user("specialist")
    team = client.post("/api/v1/teams", json={"name": "Desk"}).json
    client.put(f"/api/v1/teams/{team['id']}/members/{helper.id}", json={"capacity": 4})
    first = raised(client)
    raised(client)
    closed(first)
    raised(client)
    rules = [{**REST, "target": {"kind": "team", "team": "Desk"}}]
    done = simulated(client, tenant, rules=rules)
    cases = client.get(f"/api/v1/routing/simulations/{done['id']}/cases").json["items"]
    assert [case["failure"] for case in cases] == [None, "at_capacity", None]
    assert [case["owner"]["email"] for case in cases] == [helper.email, "admin@example.com", helper.email]


def test_an_empty_period_gives_a_clear_answer(client: ApiClient, tenant: TestTenant) -> None:
    done = simulated(client, tenant, **{"from": "2020-01-01", "to": "2020-03-31"})
    assert (done["state"], done["done"], done["total"], done["number"]) == ("done", 0, 0, 1)
    assert done["result"]["cases"] == 0
    assert done["result"]["first_owner_right"] == {"closed": 0, "predicted": None, "real": None}
    assert client.get(f"/api/v1/routing/simulations/{done['id']}/loads").json["items"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"number": 7}, "/number"),
        ({"number": 1, "rules": [REST]}, "/number"),
        ({"weights": {"rest": 1}}, "/weights"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "/from"),
        ({"from": "2020-01-01", "to": "2022-01-01"}, "/from"),
        ({"to": "2099-01-01"}, "/to"),
        ({"from": "yesterday"}, "/from"),
        ({"rules": [{**REST, "when": {"field": "colour"}}]}, "/rules/0/when/field"),
    ],
)
def test_a_faulty_question_is_refused_with_its_place(client: ApiClient, body: dict[str, Any], pointer: str) -> None:
    answer = client.post(SIMULATE, json=body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert client.get("/api/v1/routing/simulations").json["items"] == []


def test_one_at_a_time_and_cancelled_when_asked(client: ApiClient, tenant: TestTenant) -> None:
    first = client.post(SIMULATE, json={"number": 1}).json
    assert (first["state"], first["done"]) == ("waiting", 0)
    refused = client.post(SIMULATE, json={})
    assert (refused.status_code, refused.json["code"]) == (409, "simulation_running")
    assert refused.json["simulation_id"] == first["id"]
    path = f"/api/v1/routing/simulations/{first['id']}/cancel"
    assert client.post(path).json["state"] == "cancelled"
    assert client.post(path).json["code"] == "simulation_over"
    assert jobs.simulate_tenant(tenant.id) is False
    second = simulated(client, tenant)
    listed = client.get("/api/v1/routing/simulations?limit=1").json
    assert [s["id"] for s in listed["items"]] == [second["id"]]
    rest = client.get(f"/api/v1/routing/simulations?limit=1&cursor={listed['next_cursor']}").json
    assert [(s["id"], s["state"]) for s in rest["items"]] == [(first["id"], "cancelled")]


def test_a_simulation_whose_process_died_goes_on_where_it_was(
    client: ApiClient, tenant: TestTenant, people: dict[str, User], make_user: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of two: after the first the work is forgotten, as by a kill. The member with room for two cases has them
    from before the kill, so that the third and fourth find nobody, as they do in one go."""
    team = client.post("/api/v1/teams", json={"name": "Desk"}).json
    client.put(f"/api/v1/teams/{team['id']}/members/{make_user('specialist').id}", json={"capacity": 6})
    for _ in range(5):
        raised(client)
    rules = [{**REST, "target": {"kind": "team", "team": "Desk"}}]
    whole = simulated(client, tenant, rules=rules)
    monkeypatch.setattr(simulation_work, "BATCH", 2)
    started = client.post(SIMULATE, json={"rules": rules}).json
    seen = []
    while True:
        with transaction():
            worked = simulation_work.run_batch(UUID(started["id"]), None, now=clock.now())
        state = client.get(f"/api/v1/routing/simulations/{started['id']}").json
        seen.append((state["state"], state["done"], state["total"]))
        if not worked.more:
            break
    assert seen == [("running", 2, 5), ("running", 4, 5), ("measuring", 5, 5), ("measuring", 5, 5), ("done", 5, 5)]
    pages = [client.get(f"/api/v1/routing/simulations/{s['id']}/cases").json["items"] for s in (whole, started)]
    assert pages[0] == pages[1]
    assert [case["failure"] for case in pages[1]] == [None, None, *["at_capacity"] * 3]
    assert state["result"] == whole["result"]


def test_work_kept_from_before_another_process_went_on_is_taken_up_anew(
    client: ApiClient, tenant: TestTenant, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        raised(client)
    monkeypatch.setattr(simulation_work, "BATCH", 1)
    started = UUID(client.post(SIMULATE, json={"rules": [TO_CSM]}).json["id"])

    def batch(work: Any) -> Any:
        with transaction():
            return simulation_work.run_batch(started, work, now=clock.now()).work

    mine = batch(None)
    batch(None)
    again = batch(mine)
    assert again is not mine
    with transaction():
        assert simulations.get_simulation(started).done == 3


def test_a_simulation_that_cannot_be_done_says_so(
    client: ApiClient, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = client.post(SIMULATE, json={"number": 1}).json

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ArithmeticError("as a fault in the rules would")

    monkeypatch.setattr("app.routing.simulation_reading.read_cases", broken)
    jobs.simulate_tenant(tenant.id)
    failed = client.get(f"/api/v1/routing/simulations/{started['id']}").json
    assert (failed["state"], failed["problem"], failed["result"]) == ("failed", "ArithmeticError", None)


def test_facts_the_record_did_not_keep_are_todays_and_said(
    client: ApiClient, tenant: TestTenant, people: dict[str, User]
) -> None:
    """Short facts are kept as they were: the account was small. Its title was not kept: today's is asked."""
    case = raised(client, title="Export is broken")
    with transaction():
        accounts.upsert_account("crm", "A1", {"name": "Acme", "segment": "strategic"}, now=NOW)
    client.patch(f"/api/v1/escalations/{case['id']}", json={"title": "Import is broken"}, if_match="*")
    small = {"field": "account.segment", "op": "=", "value": "small"}
    title = {"field": "escalation.title", "op": "contains", "value": "import"}
    rules = [{**TO_CSM, "name": "small", "when": small}, REST]
    done = simulated(client, tenant, rules=rules)
    assert done["result"]["rules"] == [{"rule": "small", "cases": 1}]
    assert done["result"]["todays_facts"] == {"cases": 0, "fields": {}}
    done = simulated(client, tenant, rules=[{**TO_CSM, "name": "import", "when": title}, REST])
    assert done["result"]["rules"] == [{"rule": "import", "cases": 1}]
    assert done["result"]["todays_facts"] == {"cases": 1, "fields": {"escalation.title": 1}}


def test_only_admins_simulate(as_user: Callable[..., ApiClient], make_user: Make) -> None:
    manager = as_user(make_user("manager"))
    assert manager.post(SIMULATE, json={}).status_code == 403
    assert manager.get("/api/v1/routing/simulations").status_code == 403


def test_a_case_about_the_reader_is_not_shown_to_them(
    client: ApiClient, tenant: TestTenant, people: dict[str, User], make_user: Make, as_user: Callable[..., ApiClient]
) -> None:
    subject = make_user("admin", "bea@example.com")
    seen = raised(client)
    raised(client, about_user=subject.email)
    done = simulated(client, tenant, rules=[TO_CSM])
    path = f"/api/v1/routing/simulations/{done['id']}/cases"
    assert [c["number"] for c in as_user(subject).get(path).json["items"]] == [seen["number"]]
    assert len(client.get(path).json["items"]) == 2


def test_what_was_in_hand_before_the_period_weighs_on_its_owner(
    client: ApiClient, tenant: TestTenant, people: dict[str, User]
) -> None:
    """The first case was raised before the period and is open still: in the owner's hands it leaves no room for two."""
    client.patch("/api/v1/settings", json={"capacity": 4}, if_match=client.get("/api/v1/settings").headers["ETag"])
    raised(client)
    with transaction():
        between = clock.now() + timedelta(microseconds=1)
    raised(client)
    with transaction():
        until = clock.now()
        policy = simulations.policies.compiled(1)
        assert [c.failure for c in simulation_work.list_unrouted(policy, between, until)] == ["at_capacity"]
        assert simulation_work.list_unrouted(policy, until, until + timedelta(days=1)) == []


def test_a_simulation_whose_job_ran_out_of_time_goes_on_at_the_next_run(
    client: ApiClient, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = client.post(SIMULATE, json={"number": 1}).json
    with monkeypatch.context() as slow:
        slow.setattr("app.routing.simulation_reading.read_cases", lambda *args, **kwargs: sleep(30))
        with pytest.raises(queue.OutOfTime), TimeLimit(1):
            jobs.simulate()
    path = f"/api/v1/routing/simulations/{started['id']}"
    assert client.get(path).json["ended_at"] is None
    jobs.simulate()
    assert client.get(path).json["state"] == "done"


def test_when_the_time_of_a_run_is_up_the_other_tenants_are_left_to_the_next(
    client: ApiClient, tenant: TestTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = client.post(SIMULATE, json={"number": 1}).json
    with monkeypatch.context() as short:
        short.setattr("app.routing.simulation_jobs.RUN_SECONDS", 0.0)
        jobs.simulate()
    path = f"/api/v1/routing/simulations/{started['id']}"
    assert client.get(path).json["state"] == "waiting"
    jobs.simulate()
    assert client.get(path).json["state"] == "done"
