"""A tenant in which every page has something to show: cases in every state, people, teams, rules and playbooks."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
RESOLUTION = {"summary": "It runs", "root_cause": "A small disk", "preventable": False}
WORD = {"accepted": True, "confirmed_by": "Jo", "channel": "call"}


def do(client: ApiClient, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST") -> Any:
    answer = client.open(method, f"/api/v1/{path}", json=dict(body or {}), if_match="*" if method != "POST" else None)
    assert answer.status_code < 300, (path, answer.text)
    return answer.json


def furnish(client: ApiClient, company: Company, raise_case: Raise, today: date, said: str = "It stops") -> None:
    """As the admin; everything that is written by people says `said`."""
    words = {"customer_statement": said, "impact": said, "desired_outcome": said, "title": said[:200]}
    do(client, "built-in-playbooks/customer_success/adopt", {"publish": True})
    do(client, "outages", {"title": said[:200], "statement": said})
    furnish_people(client, company, today, said)
    furnish_cases(client, raise_case, words, today, said)


def furnish_people(client: ApiClient, company: Company, today: date, said: str) -> None:
    team = do(client, "teams", {"name": said[:100], "lead_email": "admin@example.com"})
    do(client, "skills", {"name": said[:60]})
    for user in (company.owner.id, company.csm.id):
        do(client, f"teams/{team['id']}/members/{user}", method="PUT")


def furnish_cases(client: ApiClient, raise_case: Raise, words: dict[str, Any], today: date, said: str) -> None:
    """One in each state, the first with everything that may hang on a case."""
    whole, waiting, resolved, closed = (f"escalations/{raise_case(**words)['id']}" for _ in range(4))
    raise_case(**words)
    for case in (whole, waiting, resolved, closed):
        do(client, f"{case}/acknowledge", {"note": said})
    do(client, f"{whole}/attempts", {"what": said, "result": said})
    do(client, f"{whole}/comments", {"text": said})
    do(client, f"{whole}/messages", {"from": said[:100], "channel": "email", "text": said})
    do(client, f"{whole}/updates", {"audience": "customer", "channel": "email", "subject": said[:100], "text": said})
    do(client, f"{whole}/tasks", {"title": said[:200]})
    do(client, f"{whole}/exit-criteria", {"text": said, "agreed_with": said[:100]})
    do(client, f"{whole}/links", {"system": "jira", "external_id": "OPS-1", "url": "https://jira.example/OPS-1"})
    do(client, f"{whole}/plan", {"plan": said, "forecast_close_on": f"{today + timedelta(9)}", "customer_agreed": True})
    do(client, f"{waiting}/wait", {"party": "customer", "reason": said, "resume_on": f"{today + timedelta(4)}"})
    for case in (resolved, closed):
        for one in do(client, f"{case}/exit-criteria", method="GET")["items"]:
            do(client, f"{case}/exit-criteria/{one['key']}", {"state": "met"}, method="PATCH")
        tasks = do(client, f"{case}/tasks?limit=200", method="GET")["items"]
        waived = [{"task_id": one["id"], "reason": said} for one in tasks if one["required"] and one["state"] == "open"]
        do(client, f"{case}/resolve", {**RESOLUTION, "summary": said, "waived": waived})
    do(client, f"{closed}/verify", WORD)
