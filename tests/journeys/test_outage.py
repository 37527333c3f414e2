"""One cause, three accounts: told of at once, sent by people to two, over, and verified by each customer for itself."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import ApiClient
from tests.escalations.conftest import Company
from tests.escalations.outage import case_path, do, draft, events, hit, offers, open_offer, path_of, send
from tests.journeys.test_month import advance

__all__ = ["hit"]

SUMMARY = "The certificate is renewed."
CAUSE = "Nobody watched its end."


def finish(client: ApiClient, case: dict[str, Any]) -> None:
    """What the book of major outages asks of every case, done or met; the report follows in its own time."""
    tasks = client.get(case_path(case, "tasks?limit=200")).json["items"]
    for key in ("tell_at_once", "check_with_them"):
        (one,) = [one for one in tasks if one["key"] == key]
        done = client.patch(case_path(case, "tasks", one["id"]), json={"state": "done"}, if_match=one["version"])
        assert done.status_code == 200, done.text


def waived(client: ApiClient, case: dict[str, Any]) -> list[dict[str, str]]:
    tasks = client.get(case_path(case, "tasks?limit=200")).json["items"]
    (report,) = [one for one in tasks if one["key"] == "report"]
    reason = "One report goes to all, on Friday"
    return [{"task_id": report["id"], "reason": reason}, {"criterion": "report_sent", "reason": reason}]


@pytest.fixture
def book(client: ApiClient) -> None:
    adopted = client.post("/api/v1/built-in-playbooks/major_outage/adopt", json={"publish": True})
    assert adopted.status_code == 201, adopted.text


def test_an_outage_of_three_accounts(
    book: None, client: ApiClient, company: Company, hit: list[str], as_user: Callable[..., ApiClient]
) -> None:
    lead, owner = as_user(company.csm), as_user(company.owner)

    # It is opened by who answers for it, and every account that is hit gets a case of its own.
    opened = lead.post("/api/v1/outages", json={"title": "Login is down", "statement": "The certificate ran out."})
    outage = opened.json
    rows = [{"account_id": one} for one in hit]
    made = lead.post(path_of(outage, "escalations"), json={"severity": 1, "accounts": rows}).json
    assert made["raised"] == 3
    cases = [{"id": one["escalation_id"]} for one in made["items"]]
    first, second, third = cases
    for case in cases:
        assert do(owner, case, "acknowledge")["outage"]["id"] == outage["id"]

    # Word of it goes to nobody by itself: two owners' customers are told, the third has heard by phone.
    told = lead.post(path_of(outage, "updates"), json={"text": "We renew the certificate; 14:00 UTC at the latest."})
    assert told.json["escalations"] == {"open": 3, "resolved": 0, "closed": 0, "requested": 0}
    assert [events(owner, case_path(case), "update") for case in cases] == [[], [], []]
    for case in (first, second):
        assert "14:00 UTC at the latest" in draft(owner, case)["message"]["text"]
        send(owner, case)
    assert [offers(owner, case) for case in cases] == [[("update", "done")]] * 2 + [[("update", "open")]]
    task = open_offer(owner, third)
    reason = {"state": "waived", "reason": "Told by phone"}
    path = case_path(third, "tasks", task["id"])
    assert owner.patch(path, json=reason, if_match=task["version"]).status_code == 200

    # An hour later there is newer word; nobody has sent it when the cause is gone.
    advance(client, "PT1H")
    lead.post(path_of(outage, "updates"), json={"text": "The new certificate is being rolled out."})
    advance(client, "PT1H")
    body = {"summary": SUMMARY, "root_cause": CAUSE, "preventable": True, "text": "You can sign in again."}
    ended = lead.post(path_of(outage, "resolve"), json=body)
    assert ended.json["state"] == "resolved"
    assert [offers(owner, case)[-2:] for case in cases] == [[("update", "waived"), ("resolution", "open")]] * 3
    assert {owner.get(case_path(case)).json["status"] for case in cases} == {"in_progress"}

    # Each is told, checked with its customer and resolved for itself, with what the outage knows of the cause.
    for case in cases:
        assert "You can sign in again." in draft(owner, case)["message"]["text"]
        send(owner, case)
        finish(owner, case)
        resolution = draft(owner, case)["resolution"]
        assert resolution == {"summary": SUMMARY, "root_cause": CAUSE, "preventable": True}
        done = do(owner, case, "resolve", **resolution, waived=waived(owner, case), met=["works_again"])
        assert (done["status"], offers(owner, case)[-1]) == ("resolved", ("resolution", "done"))

    # Two customers confirm; the third still has trouble, and only its case goes on.
    word = {"confirmed_by": "Jo", "channel": "call"}
    for case in (first, second):
        assert do(owner, case, "verify", accepted=True, **word)["status"] == "closed"
    again = do(owner, third, "verify", accepted=False, comment="The app still fails", **word)
    assert (again["status"], again["reopens"]) == ("in_progress", 1)
    assert lead.get(path_of(outage)).json["escalations"] == {"open": 1, "resolved": 0, "closed": 2, "requested": 0}
    advance(client, "PT2H")
    assert offers(owner, third)[-1] == ("resolution", "done")
    words = {"summary": "The app trusts the new one", "root_cause": "It kept the old one", "preventable": True}
    do(owner, third, "resolve", **words, met=["works_again"], waived=waived(owner, third)[1:])
    assert do(owner, third, "verify", accepted=True, **word)["verification"] == "confirmed"

    # The outage has its own story, every case its own, and no count knows the outage.
    assert [one["kind"] for one in lead.get(path_of(outage, "timeline")).json["items"]] == [
        "open",
        "update",
        "update",
        "resolve",
    ]
    assert lead.get(path_of(outage, "timeline", "verify")).json["intact"]
    for case in cases:
        assert owner.get(case_path(case, "timeline", "verify")).json["intact"]
    assert len(client.get("/api/v1/escalations?limit=200").json["items"]) == 3
