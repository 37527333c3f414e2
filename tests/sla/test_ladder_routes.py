"""The doors to ladders: what is published, what is refused, and what open cases keep."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.models import User
from app.db import transaction
from app.sla import service
from app.sla.ladder import DEFAULT_LADDERS
from app.sla.targets import CLOCK_KINDS
from app.sla.versions import find_ladders
from tests import NOW
from tests.conftest import ApiClient, TestTenant

LADDERS = "/api/v1/ladders"
HALF = {"offset": "50%", "audience": ["owner"]}
CLOSES = {"offset": "0", "audience": [], "action": "close"}


def test_a_new_tenant_has_the_printed_ladders_as_its_first(client: ApiClient) -> None:
    items = client.get(LADDERS).json["items"]
    assert [(one["kind"], one["number"], len(one["versions"])) for one in items] == [(k, 1, 1) for k in CLOCK_KINDS]
    [verify] = [one["steps"] for one in items if one["kind"] == "verify"]
    assert [(step["offset"], step["action"]) for step in verify] == [
        ("50%", "notify"),
        ("80%", "notify"),
        ("0", "close"),
    ]


def test_each_publication_has_the_next_number_and_leaves_the_other_kinds_as_they_are(
    tenant: TestTenant, client: ApiClient
) -> None:
    first = client.post(LADDERS, json={"kind": "plan", "steps": [HALF]})
    second = client.post(LADDERS, json={"kind": "reply", "steps": []})
    assert (first.status_code, first.json["number"], second.json["number"]) == (201, 2, 3)
    assert [version["number"] for version in client.get(first.headers["Location"]).json["versions"]] == [1, 2]
    with transaction():
        now, before = find_ladders(3), find_ladders(1)
        assert service.basis(now=NOW).ladder_number == 3
    assert [step.offset for step in now["plan"]] == ["50%"]
    assert now["reply"] == ()
    assert before["plan"] == DEFAULT_LADDERS["plan"]
    assert now["close"] == before["close"] == DEFAULT_LADDERS["close"]


@pytest.mark.parametrize(
    ("kind", "steps", "pointer"),
    [
        ("sleep", [HALF], "/kind"),
        ("plan", "soon", "/steps"),
        ("plan", [HALF, HALF], "/steps/1/offset"),
        (
            "plan",
            [{"offset": "+PT1H", "audience": ["owner"]}, {"offset": "+PT60M", "audience": ["csm"]}],
            "/steps/1/offset",
        ),
        ("plan", [{"offset": "-P0D", "audience": ["owner"]}], "/steps/0/offset"),
        ("plan", [{"offset": "--P1D", "audience": ["owner"]}], "/steps/0/offset"),
        ("plan", [{"offset": "0", "audience": ["boss"]}], "/steps/0/audience"),
        ("plan", [{"offset": "0", "audience": []}], "/steps/0/audience"),
        ("plan", [{"offset": "0", "audience": ["owner"], "action": "shout"}], "/steps/0/action"),
        ("plan", [{**HALF, "repeat": {"every": "P1D"}}], "/steps/0/repeat"),
        ("plan", [{"offset": "-P1D", "audience": ["owner"], "repeat": {"every": "PT1H"}}], "/steps/0/repeat"),
        ("plan", [{"offset": "0", "audience": ["owner"], "repeat": {"every": "P0D"}}], "/steps/0/repeat/every"),
        ("plan", [{"offset": "0", "audience": ["owner"], "repeat": {"every": "PT59M"}}], "/steps/0/repeat/every"),
        (
            "plan",
            [{"offset": "0", "audience": ["owner"], "repeat": {"every": "PT59M", "times": 3}}],
            "/steps/0/repeat/every",
        ),
        ("plan", [{"offset": "٣%", "audience": ["owner"]}], "/steps/0/offset"),
        ("plan", [{"offset": "+P٣D", "audience": ["owner"]}], "/steps/0/offset"),
        (
            "plan",
            [{"offset": "0", "audience": ["owner"], "repeat": {"every": "P1D", "times": 0}}],
            "/steps/0/repeat/times",
        ),
        ("plan", [{"offset": f"{n}%", "audience": ["owner"]} for n in range(1, 52)], "/steps/50"),
        ("plan", [CLOSES], "/steps/0/action"),
        ("verify", [HALF], "/steps"),
    ],
)
def test_a_ladder_that_cannot_be_climbed_is_refused_by_field(
    client: ApiClient, kind: str, steps: Any, pointer: str
) -> None:
    answer = client.post(LADDERS, json={"kind": kind, "steps": steps})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert {one["number"] for one in client.get(LADDERS).json["items"]} == {1}


@pytest.mark.parametrize("times", [3, None])
def test_a_repeat_every_hour_is_accepted(client: ApiClient, times: int | None) -> None:
    step = {"offset": "0", "audience": ["owner"], "repeat": {"every": "PT1H", "times": times}}
    assert client.post(LADDERS, json={"kind": "plan", "steps": [step]}).status_code == 201


def test_only_who_may_promise_publishes_and_an_unknown_kind_is_not_found(
    client: ApiClient, as_user: Callable[..., ApiClient], make_user: Callable[..., User]
) -> None:
    csm = as_user(make_user("csm"))
    assert csm.post(LADDERS, json={"kind": "plan", "steps": [HALF]}).status_code == 403
    assert csm.get(f"{LADDERS}/plan").status_code == 200
    assert csm.get(f"{LADDERS}/sleep").status_code == 404
