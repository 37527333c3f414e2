"""What else is done from the page of a case: contracts, another playbook, prevention, moves undone, the dossier."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from app import clock
from app.accounts import service as accounts
from app.db import transaction
from app.escalations import service as escalations
from tests.escalations.conftest import company, raise_case
from tests.escalations.test_replacing import other, publish, tasks_of
from tests.panels.test_case_actions import days, faults, goes_to, read
from tests.panels.test_case_page import case, do, owner, path

__all__ = ["case", "company", "do", "other", "owner", "publish", "raise_case", "read"]


def hidden(answer, name):
    return re.search(rf'name="{name}" value="([^"]+)"', answer.text)[1]


@pytest.fixture
def second(company):
    """Another contract of Globex."""
    with transaction():
        contract = {"arr": "30000.00", "currency": "USD", "starts_on": "2026-01-01", "ends_on": "2027-12-31"}
        return str(accounts.upsert_contract("crm", "A-1", "K-2", contract, now=clock.now()).record.id)


def test_the_contracts_touched_are_chosen_and_what_is_at_stake_follows(second, case, owner, panel, company, read):
    shown = owner.get(path(case, "contracts"))
    both = re.findall(r'name="contract_ids" value="([^"]+)" checked', shown.text)
    assert (len(both), second in both) == (2, True)
    form = {"version": hidden(shown, "version"), "contract_ids": second}
    assert goes_to(owner.post(path(case, "contracts"), form)) == path(case, "value")
    assert "$30,000.00 at stake" in owner.get(path(case, "value")).text
    stale = panel(company.manager).post(path(case, "contracts"), {**form, "contract_ids": both})
    assert stale.status_code == 412
    assert re.findall(r'<td class="words">([^<]*)</td>', stale.text) == ["K-2", "K-1, K-2"]
    version = hidden(owner.get(path(case, "contracts")), "version")
    goes_to(owner.post(path(case, "contracts"), {"version": version}))  # none
    assert read().case["contract_ids"] == []
    assert "$0.00 at stake" in owner.get(path(case, "value")).text


def test_a_contract_of_somebody_else_is_refused_and_so_is_who_does_not_work_on_it(case, owner, panel, company):
    version = hidden(owner.get(path(case, "contracts")), "version")
    form = {"version": version, "contract_ids": "01900000-0000-7000-8000-000000000000"}
    assert owner.post(path(case, "contracts"), form).status_code == 422
    stranger = panel(company.csm)
    assert stranger.get(path(case, "contracts")).status_code == 409
    assert stranger.post(path(case, "contracts"), form).status_code == 403


def test_another_playbook_is_shown_first_and_done_exactly_so(client, raise_case, owner, other):
    case = raise_case(reason="billing")
    assert f"#{path(case, 'playbook')}" in owner.get(path(case)).text
    form = owner.get(path(case, "playbook")).text
    assert ("It goes by Old, version 1." in form, other in form) == (True, True)
    shown = owner.post(path(case, "playbook", "preview"), {"playbook_id": other})
    lines = dict(re.findall(r'<p>([^<]*) <span class="state \w+">([^<]*)</span></p>', shown.text))
    expected = {
        "Call them twice": "kept",
        "Check": "kept",
        "Page": "new",
        "Invoice": "ended",
        "Audit": "ended",
        "Moving up": "moved",
        "It works.": "new",
        "The bill is right.": "ended",
    }
    assert {name: said for name, said in lines.items() if name in expected} == {
        name: said for name, said in expected.items() if name in lines
    }
    assert {"Call them twice", "Invoice", "Page", "It works."} <= lines.keys()
    assert "Since when?" in shown.text
    assert tasks_of(client, case)["invoice"]["state"] == "open"  # only shown
    confirm = {name: hidden(shown, name) for name in ("playbook_id", "digest")}
    assert faults(owner.post(path(case, "playbook"), {**confirm, "reason": ""})) == ["reason"]
    assert goes_to(owner.post(path(case, "playbook"), {**confirm, "reason": "It is an outage"})) == path(case)
    assert tasks_of(client, case)["invoice"]["state"] == "waived"


def test_what_was_shown_is_not_done_once_the_ground_has_changed(client, raise_case, owner, other):
    case = raise_case(reason="billing")
    shown = owner.post(path(case, "playbook", "preview"), {"playbook_id": other})
    task = tasks_of(client, case)["invoice"]
    client.patch(
        f"/api/v1/escalations/{case['id']}/tasks/{task['id']}", json={"state": "done"}, if_match=task["version"]
    )
    confirm = {name: hidden(shown, name) for name in ("playbook_id", "digest")}
    refused = owner.post(path(case, "playbook"), {**confirm, "reason": "It is an outage"})
    assert (refused.status_code, "look at it again" in refused.text) == (409, True)


def test_a_stranger_neither_sees_nor_replaces_a_playbook(case, panel, company, other):
    stranger = panel(company.csm)
    assert stranger.get(path(case, "playbook")).status_code == 409
    assert stranger.post(path(case, "playbook", "preview"), {"playbook_id": other}).status_code == 403


@pytest.fixture
def action(case, do, company, read):
    """What the csm promised when the case was resolved."""
    do(escalations.acknowledge)
    prevention = {
        "action": "Watch the disks",
        "owner_email": company.csm.email,
        "due_on": clock.now().date() + timedelta(days=10),
    }
    solved = escalations.Resolution("Done", "Disk", preventable=True, prevention=prevention)
    do(escalations.resolve, resolution=solved)
    return f"/prevention/{read().case['prevention'][0]['id']}"


def test_a_prevention_action_is_moved_dropped_with_a_reason_opened_and_done(case, action, owner, panel, company):
    assert f"#{action}" in owner.get(path(case)).text
    theirs = panel(company.csm)  # whose action it is
    shown = theirs.get(action)
    assert "Watch the disks" in shown.text
    form = {"version": hidden(shown, "version"), "due_on": days(20), "owner_email": company.owner.email}
    assert goes_to(theirs.post(action, form)) == action
    stale = owner.post(action, {**form, "due_on": days(21)})
    assert (stale.status_code, days(20) in stale.text, days(21) in stale.text) == (412, True, True)
    version = hidden(owner.get(action), "version")
    refused = owner.post(action, {"version": version, "state": "dropped", "reason": ""})
    assert faults(refused) == ["reason"]
    goes_to(owner.post(action, {"version": version, "state": "dropped", "reason": "The disks are gone"}))
    shown = owner.get(action)
    assert ("dropped" in shown.text, "The disks are gone" in shown.text) == (True, True)
    goes_to(owner.post(action, {"version": hidden(shown, "version"), "state": "open"}))
    goes_to(owner.post(action, {"version": hidden(owner.get(action), "version"), "state": "done"}))
    assert "Open it again" in owner.get(action).text


def test_an_action_is_read_by_who_sees_the_case_and_changed_by_who_may(action, panel, make_user):
    stranger = panel(make_user("csm", "stranger@example.com"))
    shown = stranger.get(action)
    assert (shown.status_code, "<form" in shown.text) == (200, False)
    assert stranger.post(action, {"version": "1", "state": "done"}).status_code == 403


def test_a_move_is_shown_before_done_and_moved_back(case, owner, do, read):
    do(escalations.acknowledge)
    goes_to(owner.post(path(case, "tasks"), {"title": "Ask the supplier", "due_at": f"{days(3)}T10:00"}))
    task = next(one for one in read().case["tasks"] if one["title"] == "Ask the supplier")
    page = path(case, "tasks", task["id"])
    form = {"due_at": f"{days(5)}T10:00", "version": str(task["version"])}
    assert f'hx-post="/panel{page}/move/preview"' in owner.get(page).text
    shown = owner.post(f"{page}/move/preview", form)
    assert ("Ask the supplier" in shown.text, "→" in shown.text) == (True, True)
    due = lambda: next(one for one in read().case["tasks"] if one["id"] == task["id"])["due_at"]  # noqa: E731
    assert due() == task["due_at"]  # only shown
    moved = goes_to(owner.post(f"{page}/move", form))
    assert due() == task["due_at"] + timedelta(days=2)
    assert "Move them back" in owner.get(moved).text
    seq = next(one["seq"] for one in read().events if one["kind"] == "tasks_moved")
    assert f'href="#{moved}"' in owner.get(path(case, "timeline", seq)).text
    assert goes_to(owner.post(f"{moved}/undo")) == moved
    assert due() == task["due_at"]
    assert "Move them back" not in owner.get(moved).text
    assert owner.post(f"{moved}/undo").status_code == 409
    assert owner.get(path(case, "moves", UUID(int=7))).status_code == 404


def test_the_dossier_tells_management_what_may_be_decided_and_everything_done(
    case, owner, do, panel, company, statements
):
    do(escalations.acknowledge)
    do(escalations.add_attempt, what="Restart", result="No luck", at=None)
    boss = panel(company.boss)
    assert f"#{path(case, 'dossier')}" in boss.get(path(case)).text
    with statements() as sent:
        shown = boss.get(path(case, "dossier"))
    assert len(sent) <= 10
    for said in ("Give it more time", "Restart", "No luck", "Acknowledged", f"Given to {company.owner.name}", "Tier 1"):
        assert (said, said in shown.text) == (said, True)
    assert shown.text.index("Raised") < shown.text.index("Acknowledged") < shown.text.index("No luck")


def test_no_id_stands_twice_on_these_pages(case, owner, panel, company):
    for part in ("contracts", "playbook", "outage", "dossier"):
        ids = re.findall(r'\sid="([^"]+)"', panel(company.manager).get(path(case, part)).text)
        assert (part, sorted(ids)) == (part, sorted(set(ids)))
