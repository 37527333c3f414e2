"""The policy tried: on a made-up case, and on the past with progress, loads and what would have changed."""

import re

import pytest

from app.accounts import service as accounts
from app.db import transaction
from app.routing import jobs
from app.routing.load_curves import curves_of
from tests import NOW
from tests.routing.past import closed, raised


@pytest.fixture
def people(make_user):
    found = {"owner": make_user("specialist"), "csm": make_user("csm")}
    with transaction():
        given = {"name": "Acme", "owner_email": found["owner"].email, "csm_email": found["csm"].email}
        accounts.upsert_account("crm", "A1", given, now=NOW)
        accounts.upsert_account("crm", "A2", {"name": "Bolt", "owner_email": found["owner"].email}, now=NOW)
    return found


@pytest.fixture
def draft(client):
    rules = [{"name": "csm", "when": {"all": []}, "target": {"kind": "role", "role": "csm"}}]
    return client.put("/api/v1/routing/policy", json={"rules": rules}, if_match="*").json["draft"]["number"]


def test_a_made_up_case_says_who_would_get_it_by_the_draft_and_now(panel, tenant, people, draft):
    admin = panel(tenant.admin)
    account = re.findall('name="account_id" value="([^"]+)"', admin.get("/admin/rules/accounts?q=acm").text)
    assert len(account) == 1
    assert f'<option value="{draft}" selected>' in admin.get("/admin/rules/try").text
    form = {"account_id": account[0], "severity": 2, "reason": "billing", "q": "acm"}
    by_draft = admin.post("/admin/rules/explain", {**form, "policy_number": draft})
    assert f"Goes to {people['csm'].name}" in by_draft.text
    assert "is the account&#39;s CSM" in by_draft.text
    assert f"Goes to {people['owner'].name}" in admin.post("/admin/rules/explain", {**form, "policy_number": 1}).text
    refused = admin.post("/admin/rules/explain", {"severity": 2})
    assert (refused.status_code, 'data-field="account_id"' in refused.text) == (422, True)


def test_the_past_is_tried_with_progress_and_what_came_of_it(panel, tenant, client, people, draft, statements):
    """Two cases of A1 and one of A2 went to the owner; by the draft the CSM has two, and A2's finds nobody."""
    first, _, third = raised(client), raised(client, severity=1), raised(client, "A2")
    closed(first)
    admin = panel(tenant.admin)
    moved = admin.post("/admin/rules/simulations", {"number": draft})
    path = re.findall(r'"path": ?"([^"]+)"', moved.headers["HX-Trigger"])[0]
    running = admin.get(path).text
    assert 'hx-trigger="every 2s"' in running
    assert "About to begin" in admin.get(f"{path}/progress").text
    again = admin.post("/admin/rules/simulations", {"number": draft})
    assert again.status_code == 409
    jobs.simulate_tenant(tenant.id)
    assert "fh-go" in admin.get(f"{path}/progress").headers["HX-Trigger"]
    with statements() as sent:
        told = admin.get(path).text
    assert len(sent) <= 10
    strip = re.findall(r"<dt>([^<]+)</dt><dd>\s*(\d+)", told)
    assert strip == [("Cases looked at", "3"), ("With another owner", "3"), ("Without an owner by rule", "1"),
                     ("Closed by the first owner", "0")]  # fmt: skip
    assert "really 100 % of 1 closed" in told
    nobody = told.split("Nobody would own these", 1)[1].split("</section>", 1)[0]
    assert third["number"] in nobody
    assert told.count("<polyline") == 2 * told.count('class="load"') > 0
    assert "every 2s" not in told


def test_curves_reach_to_the_highest_mean_of_both():
    days = [{"real": {"mean": 0}, "simulated": {"mean": 4}}, {"real": {"mean": 2}, "simulated": {"mean": 1}}]
    curves = curves_of({"days": days, "capacity": 3})
    assert (curves.real, curves.simulated) == ("0.0,48.0 240.0,24.0", "0.0,0.0 240.0,36.0")
    assert (curves.capacity, curves.top) == (12.0, 4.0)
    assert curves_of({"days": days, "capacity": 24}).capacity is None


def test_only_who_publishes_tries_on_the_past(panel, make_user):
    manager = panel(make_user("manager"))
    assert manager.get("/admin/rules/simulations").status_code == 403
    assert manager.get("/admin/rules/try").status_code == 200
