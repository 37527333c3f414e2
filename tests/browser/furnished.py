"""A tenant in which every page has something to show: cases in every state, people, teams, rules and playbooks."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
RESOLUTION = {"summary": "It runs", "root_cause": "A small disk", "preventable": True}
WORD = {"accepted": True, "confirmed_by": "Jo", "channel": "call"}


def do(client: ApiClient, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST") -> Any:
    answer = client.open(method, f"/api/v1/{path}", json=dict(body or {}), if_match="*" if method != "POST" else None)
    assert answer.status_code < 300, (path, answer.text)
    return answer.json


def furnish(
    client: ApiClient, company: Company, raise_case: Raise, today: date, said: str = "It stops", *, adopt: bool = True
) -> list[str]:
    """As the admin; everything that is written by people says `said`. Answers the pages that no list leads to.

    `adopt` brings the built-in playbook, whose words are its own.
    """
    words = {"customer_statement": said, "impact": said, "desired_outcome": said, "title": said[:200]}
    if adopt:
        do(client, "built-in-playbooks/customer_success/adopt", {"publish": True})
    do(client, "outages", {"title": said[:200], "statement": said})
    furnish_people(client, company, today, said)
    furnish_around(client, said.replace('"', "'"))
    led_to = furnish_cases(client, raise_case, words, today, said)
    do(client, "ladders/apply-to-open", {"preview": False})
    return led_to


def furnish_reports(client: ApiClient, said: str) -> None:
    """A saved view, a report by mail, a link to one and a file that is being made; the facts are there."""
    asked = {"name": said[:100], "report": "summary"}
    do(client, "reports/views", asked)
    do(client, "reports/schedules", {**asked, "rhythm": "weekly", "weekday": "mon", "hour": 8,
                                     "recipients": ["admin@example.com"]})  # fmt: skip
    do(client, "reports/links", asked)
    do(client, "reports/exports", {"report": "summary", "format": "csv"})


def furnish_people(client: ApiClient, company: Company, today: date, said: str) -> None:
    team = do(client, "teams", {"name": said[:100], "lead_email": "admin@example.com"})
    do(client, "skills", {"name": said[:60]})
    for user in (company.owner.id, company.csm.id):
        do(client, f"teams/{team['id']}/members/{user}", method="PUT")


def furnish_around(client: ApiClient, said: str) -> None:
    """A service level, a webhook, a CRM, and a file of which one row was taken and one was not."""
    do(client, "service-levels", {"name": said[:100], "close_days": 20})
    hook = {"url": "https://hooks.example.com/in", "events": ["escalation.raise", "promise.breach"]}
    hook = do(client, "webhook-subscriptions", hook)
    do(client, f"webhook-subscriptions/{hook['id']}/test")
    portal = {"kind": "hubspot", "name": said[:100], "external_key": "62515", "secret": "hub-secret-9"}
    do(client, "embed-installations", portal)
    rows = f'external_id,name,health\nI-1,"{said}",50\nI-2,"{said}","{said}"\n'
    sent = client.post("/api/v1/imports/accounts", data=rows.encode(), content_type="text/csv")
    assert (sent.status_code, sent.json["rejected"]) == (202, 1), sent.text


def furnish_cases(client: ApiClient, raise_case: Raise, words: dict[str, Any], today: date, said: str) -> list[str]:
    """One in each state, the first with everything that may hang on a case."""
    whole, waiting, resolved, closed = (f"escalations/{raise_case(**words)['id']}" for _ in range(4))
    raise_case(**words)
    for case in (whole, waiting, resolved, closed):
        do(client, f"{case}/acknowledge", {"note": said})
    do(client, f"{whole}/attempts", {"what": said, "result": said})
    do(client, f"{whole}/comments", {"text": said})
    do(client, f"{whole}/messages", {"from": said[:100], "channel": "email", "text": said})
    do(client, f"{whole}/updates", {"audience": "customer", "channel": "email", "subject": said[:100], "text": said})
    task = do(client, f"{whole}/tasks", {"title": said[:200], "due_at": f"{today + timedelta(5)}T10:00:00Z"})
    later = {"due_at": f"{today + timedelta(6)}T10:00:00Z"}
    moved = client.post(f"/api/v1/{whole}/tasks/{task['id']}/move", json=later, if_match="*")
    assert moved.status_code == 200, moved.text
    do(client, f"{whole}/exit-criteria", {"text": said, "agreed_with": said[:100]})
    do(client, f"{whole}/links", {"system": "jira", "external_id": "OPS-1", "url": "https://jira.example/OPS-1"})
    do(client, f"{whole}/plan", {"plan": said, "forecast_close_on": f"{today + timedelta(9)}", "customer_agreed": True})
    do(client, f"{waiting}/wait", {"party": "customer", "reason": said, "resume_on": f"{today + timedelta(4)}"})
    prevention = {"action": said[:200], "owner_email": "admin@example.com", "due_on": f"{today + timedelta(30)}"}
    for case in (resolved, closed):
        for one in do(client, f"{case}/exit-criteria", method="GET")["items"]:
            do(client, f"{case}/exit-criteria/{one['key']}", {"state": "met"}, method="PATCH")
        tasks = do(client, f"{case}/tasks?limit=200", method="GET")["items"]
        waived = [{"task_id": one["id"], "reason": said} for one in tasks if one["required"] and one["state"] == "open"]
        do(client, f"{case}/resolve", {**RESOLUTION, "summary": said, "waived": waived, "prevention": prevention})
    do(client, f"{closed}/verify", WORD)
    return [f"/{whole}/moves/{moved.json['move_id']}"]
