"""Playbooks through their doors: saved, published, replaced, kept as YAML, taken from what comes with the product."""

from pathlib import Path
from typing import Any

import pytest

from app.playbooks.built_in import KEYS, definition_of
from app.playbooks.compiling import compile_playbook
from app.playbooks.written import read_yaml
from tests.conftest import ApiClient

BOOK: dict[str, Any] = {"name": "Disputes", "about": "For disputes.", "tasks": [{"key": "call", "title": "Call"}]}
YAML = "application/yaml"


@pytest.mark.parametrize("key", KEYS)
def test_every_built_in_playbook_can_be_meant(key: str) -> None:
    playbook = compile_playbook(definition_of(key))

    assert playbook.tasks
    assert playbook.questions
    assert playbook.criteria
    assert playbook.path[-1] == "management"


def test_a_playbook_is_a_draft_until_it_is_published(client: ApiClient) -> None:
    saved = client.post("/api/v1/playbooks", json={"definition": BOOK})
    assert (saved.status_code, saved.json["state"], saved.json["number"]) == (201, "draft", None)

    published = client.post(f"/api/v1/playbooks/{saved.json['id']}/publish", json={})
    assert (published.json["state"], published.json["number"], published.json["draft"]) == ("published", 1, None)


def test_saving_again_drafts_the_next_version_beside_the_published_one(client: ApiClient) -> None:
    first = client.post("/api/v1/playbooks", json={"definition": BOOK}).json
    client.post(f"/api/v1/playbooks/{first['id']}/publish", json={})
    again = client.post("/api/v1/playbooks", json={"definition": {**BOOK, "about": "Better."}}).json

    assert (again["id"], again["number"], again["newest"]) == (first["id"], 1, 2)
    assert (again["definition"]["about"], again["draft"]["about"]) == ("For disputes.", "Better.")
    numbers = [v["number"] for v in client.get(f"/api/v1/playbooks/{first['id']}/versions").json["items"]]
    assert numbers == [2, 1]


def test_an_older_version_can_be_taken_up_again(client: ApiClient) -> None:
    book = client.post("/api/v1/playbooks", json={"definition": BOOK}).json
    client.post("/api/v1/playbooks", json={"definition": {**BOOK, "about": "Worse."}})
    client.post(f"/api/v1/playbooks/{book['id']}/publish", json={})
    back = client.post(f"/api/v1/playbooks/{book['id']}/publish", json={"number": 1})

    assert (back.json["number"], back.json["definition"]["about"]) == (1, "For disputes.")
    assert client.post(f"/api/v1/playbooks/{book['id']}/publish", json={"number": 7}).status_code == 409


def test_faults_are_named_with_their_places(client: ApiClient) -> None:
    faulty = {**BOOK, "tasks": [{"key": "call", "title": "Call", "after": ["call"]}], "rank": "first"}
    refused = client.post("/api/v1/playbooks", json={"definition": faulty})

    assert (refused.status_code, refused.json["code"]) == (422, "playbook_refused")
    assert {e["pointer"] for e in refused.json["errors"]} == {"/rank", "/tasks/0/after/0"}
    assert client.get("/api/v1/playbooks").json["items"] == []


def test_yaml_is_taken_and_given_back(client: ApiClient) -> None:
    text = "name: Disputes\nabout: For disputes.\ntasks:\n  - {key: call, title: Call}\n"
    saved = client.post("/api/v1/playbook-files", data=text.encode(), content_type=YAML)
    assert saved.status_code == 201
    exported = client.get(f"/api/v1/playbooks/{saved.json['id']}/versions/1.yaml")

    assert exported.mimetype == YAML
    assert read_yaml(exported.text).content == BOOK


def test_a_fault_in_yaml_comes_with_its_line(client: ApiClient) -> None:
    text = "name: Disputes\nabout: For disputes.\ntasks:\n  - key: call\n    title: Call\n    role: boss\n"
    refused = client.post("/api/v1/playbook-files/check", data=text.encode(), content_type=YAML)
    broken = client.post("/api/v1/playbook-files", data=b"name: [", content_type=YAML)

    assert [(e["line"], e["pointer"]) for e in refused.json["errors"]] == [(6, "/tasks/0/role")]
    assert (broken.status_code, broken.json["errors"][0]["line"]) == (422, 1)


def test_a_yaml_file_can_be_checked_without_being_kept(client: ApiClient) -> None:
    text = "name: Disputes\nabout: For disputes.\n"
    checked = client.post("/api/v1/playbook-files/check", data=text.encode(), content_type=YAML)

    assert (checked.status_code, checked.json["name"], checked.json["tasks"]) == (200, "Disputes", 0)
    assert client.get("/api/v1/playbooks").json["items"] == []


def test_a_built_in_playbook_is_adopted_and_published_in_one_call(client: ApiClient) -> None:
    listed = client.get("/api/v1/built-in-playbooks").json["items"]
    adopted = client.post("/api/v1/built-in-playbooks/billing_dispute/adopt", json={"publish": True})

    assert [found["key"] for found in listed] == list(KEYS)
    assert (adopted.status_code, adopted.json["name"], adopted.json["state"]) == (201, "Billing dispute", "published")
    assert client.post("/api/v1/built-in-playbooks/nonsense/adopt", json={}).status_code == 404


def test_only_admins_change_playbooks(as_user: Any, make_user: Any, client: ApiClient) -> None:
    book = client.post("/api/v1/playbooks", json={"definition": BOOK}).json
    manager = as_user(make_user("manager"))

    assert manager.get("/api/v1/playbooks").status_code == 200
    assert manager.post("/api/v1/playbooks", json={"definition": BOOK}).status_code == 403
    assert manager.post(f"/api/v1/playbooks/{book['id']}/publish", json={}).status_code == 403


def test_the_playbook_of_the_manual_can_be_meant(client: ApiClient) -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
    example = manual.partition("<<'YAML'\n")[2].partition("YAML\n")[0]
    checked = client.post("/api/v1/playbook-files/check", data=example.encode(), content_type=YAML)

    assert (checked.status_code, checked.json["tasks"], checked.json["drafts"]) == (200, 3, 1)
    assert checked.json["ladders"] == ["respond"]


def test_the_ladders_of_the_manual_can_be_meant() -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
    example = read_yaml(manual.partition("```yaml\n")[2].partition("```")[0]).content
    understood = compile_playbook({"name": "A", "about": "B.", **example})
    assert set(understood.ladders) == {"close", "tier"}


@pytest.mark.parametrize(
    ("key", "kind", "first"),
    [
        ("renewal_at_risk", "close", "-P14D"),  # before: not until it is due
        ("major_outage", "close", "25%"),
        ("major_outage", "acknowledge", "0"),  # before: never
        ("major_outage", "customer_update", "0"),
        ("major_outage", "tier", "0"),
    ],
)
def test_the_sponsor_hears_earlier_under_these_built_in_playbooks(key: str, kind: str, first: str) -> None:
    ladder = compile_playbook(definition_of(key)).ladders[kind]
    assert next(step.offset for step in ladder if "sponsor" in step.audience) == first
