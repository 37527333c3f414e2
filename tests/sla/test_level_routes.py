"""The doors to service levels: status, shape, permission, versions that stay."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from app.auth.models import User
from app.db import db, transaction
from app.sla.models import ServiceLevelVersion
from tests.conftest import ApiClient

LEVELS = "/api/v1/service-levels"
GOLD = {"respond": {"business_hours": 2}, "close_days": 20}


def test_publishing_a_known_name_adds_a_version_and_the_first_stays(client: ApiClient) -> None:
    first = client.post(LEVELS, json={"name": "gold", **GOLD})
    second = client.post(LEVELS, json={"name": "gold", **GOLD, "close_days": 15})
    assert (first.status_code, second.status_code) == (201, 201)
    read = client.get(second.headers["Location"]).json
    assert (read["id"], read["name"], read["number"], read["retired_at"]) == (first.json["id"], "gold", 2, None)
    assert [(one["number"], one["definition"]) for one in read["versions"]] == [
        (1, GOLD),
        (2, {**GOLD, "close_days": 15}),
    ]


def test_levels_are_listed_by_name_and_page(client: ApiClient) -> None:
    for name in ("silver", "gold", "bronze"):
        client.post(LEVELS, json={"name": name, **GOLD})
    page = client.get(f"{LEVELS}?limit=2").json
    rest = client.get(f"{LEVELS}?limit=2&cursor={page['next_cursor']}").json
    assert [one["name"] for one in [*page["items"], *rest["items"]]] == ["bronze", "gold", "silver"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "gold"}, "/respond"),
        (GOLD, "/name"),
        ({"name": "gold", **GOLD, "colour": "red"}, "/colour"),
        ({"name": "gold", "respond": {"business_hours": 0}}, "/respond/business_hours"),
        ({"name": "gold", "tiers": {"tier_9": {"business_days": 1}}}, "/tiers/tier_9"),
        ({"name": "gold", **GOLD, "calendar": "nights"}, "/calendar"),
    ],
)
def test_a_level_that_cannot_be_meant_is_refused_by_field_and_nothing_is_kept(
    client: ApiClient, body: dict[str, Any], pointer: str
) -> None:
    answer = client.post(LEVELS, json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert client.get(LEVELS).json["items"] == []


def test_a_target_that_falls_due_beyond_2100_is_refused_by_field(client: ApiClient) -> None:
    """One minute a week is under an hour a year: 3,650 business days of 8 hours would take centuries."""
    weekly = {"mon": [["09:00", "09:01"]]}
    assert client.post("/api/v1/calendars", json={"name": "rare", "weekly": weekly}).status_code == 201
    body = {"name": "gold", "calendar": "rare", "executive_update": 3650}
    answer = client.post(LEVELS, json=body)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/executive_update")
    assert client.post(LEVELS, json={**body, "calendar": "default"}).status_code == 201


def test_a_version_cannot_be_deleted_and_a_level_is_retired_instead(client: ApiClient) -> None:
    path = client.post(LEVELS, json={"name": "gold", **GOLD}).headers["Location"]
    assert client.delete(path).status_code == 405
    with pytest.raises(DBAPIError, match="permission denied"), transaction():
        db.session.execute(delete(ServiceLevelVersion))
    retired = client.post(f"{path}/retire")
    assert (retired.status_code, retired.json["retired_at"] is not None) == (200, True)
    assert client.post(f"{path}/retire").json["retired_at"] == retired.json["retired_at"]
    with transaction():
        assert len(db.session.scalars(select(ServiceLevelVersion)).all()) == 1
    taken_up = client.post(LEVELS, json={"name": "gold", **GOLD})
    assert (taken_up.json["retired_at"], taken_up.json["number"]) == (None, 2)


def test_only_who_may_promise_publishes_and_everybody_reads(
    client: ApiClient, as_user: Callable[..., ApiClient], make_user: Callable[..., User]
) -> None:
    csm = as_user(make_user("csm"))
    assert csm.post(LEVELS, json={"name": "gold", **GOLD}).status_code == 403
    path = client.post(LEVELS, json={"name": "gold", **GOLD}).headers["Location"]
    assert csm.get(path).status_code == 200
    assert csm.post(f"{path}/retire").status_code == 403
