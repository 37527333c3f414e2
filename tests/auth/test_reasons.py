"""Kinds of grievance: the product's and a tenant's own, named, retired, and mostly preventable or not."""

from collections.abc import Callable
from typing import Any

import pytest

from app.auth.settings import REASONS
from tests.conftest import ApiClient

PATH = "/api/v1/settings"
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def change(client: ApiClient) -> Change:
    return lambda body: client.patch(PATH, json=body, if_match=client.get(PATH).headers["ETag"])


def reasons(client: ApiClient) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in client.get("/api/v1/reasons").json["items"]}


def test_the_products_reasons_say_whether_they_can_mostly_be_prevented(client: ApiClient) -> None:
    found = reasons(client)
    assert list(found) == list(REASONS)
    assert {name for name, one in found.items() if one["preventable_by_default"] is None} == {"security", "other"}
    assert {name for name, one in found.items() if one["preventable_by_default"] is False} == {"product_limit"}
    assert (found["slow_response"]["label"], found["slow_response"]["built_in"]) == ("Slow response", True)


def test_a_tenant_adds_words_and_retires_reasons(client: ApiClient, change: Change) -> None:
    change({"reasons": ["data_loss", "pricing"]})
    loss = {"label": "Loss of data", "preventable_by_default": True}
    assert change({"reason_details": {"data_loss": loss, "security": {"retired": True}}}).status_code == 200
    answer = change({"reason_details": {"data_loss": {"preventable_by_default": False}}})

    assert answer.json["reason_details"]["data_loss"] == {"label": "Loss of data", "preventable_by_default": False}
    found = reasons(client)
    assert list(found)[-2:] == ["data_loss", "pricing"]
    assert (found["data_loss"]["label"], found["data_loss"]["preventable_by_default"]) == ("Loss of data", False)
    assert (found["pricing"]["label"], found["pricing"]["preventable_by_default"]) == ("Pricing", None)
    assert [name for name, one in found.items() if one["retired"]] == ["security"]


def test_a_reason_taken_away_takes_its_words_with_it(client: ApiClient, change: Change) -> None:
    change({"reasons": ["data_loss"], "reason_details": {"data_loss": {"label": "Loss"}}})
    assert change({"reasons": []}).json["reason_details"] == {}
    assert change({"reasons": ["data_loss"]}).status_code == 200
    assert reasons(client)["data_loss"]["label"] == "Data loss"


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"nonsense": {"label": "x"}}, "/reason_details/nonsense"),
        ({"other": {"retired": True}}, "/reason_details/other/retired"),
        ({"billing": {"label": ""}}, "/reason_details/billing"),
        ({"billing": {"retired": "yes"}}, "/reason_details/billing"),
        ({"billing": {"color": "red"}}, "/reason_details/billing"),
    ],
)
def test_details_that_cannot_be_meant_are_refused(change: Change, details: dict[str, Any], pointer: str) -> None:
    answer = change({"reason_details": details})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"].startswith(pointer)


def test_a_retired_reason_is_refused_for_new_cases_and_kept_by_old_ones(client: ApiClient, change: Change) -> None:
    account = client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"}).json
    body = {"account_id": account["id"], "title": "Leak", "severity": 2, "reason": "security"}
    case = client.post("/api/v1/escalations", json=body).json
    change({"reason_details": {"security": {"retired": True, "preventable_by_default": True}}})

    refused = client.post("/api/v1/escalations", json=body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/reason")
    path = f"/api/v1/escalations/{case['id']}"
    kept = client.patch(path, json={"reason": "security", "title": "A leak"}, if_match=case["version"])
    assert (kept.status_code, kept.json["reason"], kept.json["preventable_by_default"]) == (200, "security", True)


def test_a_case_offers_what_its_reason_suggests(client: ApiClient) -> None:
    account = client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"}).json
    body = {"account_id": account["id"], "title": "Late", "severity": 2}
    offered = [client.post("/api/v1/escalations", json={**body, "reason": reason}).json["preventable_by_default"]
               for reason in ("slow_response", "product_limit", "other")]  # fmt: skip
    assert offered == [True, False, None]
