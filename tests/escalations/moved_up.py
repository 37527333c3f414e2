"""Calls by which a case is worked up its path, each checked to be answered as expected."""

from typing import Any

from app.auth.models import User
from tests.conftest import ApiClient

Case = dict[str, Any]


def publish(client: ApiClient, **members: Any) -> None:
    """A playbook for every case raised from now on."""
    book = client.post("/api/v1/playbooks", json={"definition": {"name": "Book", "about": "A book.", **members}})
    assert book.status_code == 201, book.text
    assert client.post(f"/api/v1/playbooks/{book.json['id']}/publish", json={}).status_code == 200


def put_team(client: ApiClient, tier: str, *members: User) -> None:
    """The team of a tier; without members nobody is there."""
    team = client.post("/api/v1/teams", json={"name": tier.title(), "tier": tier})
    assert team.status_code == 201, team.text
    for member in members:
        added = client.put(f"/api/v1/teams/{team.json['id']}/members/{member.id}", json={})
        assert added.status_code in (200, 201), added.text


def do(client: ApiClient, case: Case, action: str, *, status: int = 200, **body: Any) -> Case:
    answer = client.post(f"/api/v1/escalations/{case['id']}/{action}", json=body)
    assert answer.status_code == status, answer.text
    found: Case = answer.json
    return found


def read(client: ApiClient, case: Case, what: str = "", *, status: int = 200) -> Case:
    """The record, or what hangs on it."""
    answer = client.get(f"/api/v1/escalations/{case['id']}{what and f'/{what}'}")
    assert answer.status_code == status, answer.text
    found: Case = answer.json
    return found


def tasks(client: ApiClient, case: Case, kind: str) -> list[tuple[str, str, str]]:
    """(title, assignee, state) of the case's tasks of a kind."""
    items = read(client, case, "tasks?limit=200")["items"]
    return [(one["title"], one["assignee_id"], one["state"]) for one in items if one["kind"] == kind]


def events(client: ApiClient, case: Case, kind: str) -> list[dict[str, Any]]:
    return [event for event in read(client, case, "timeline?limit=200")["items"] if event["kind"] == kind]
