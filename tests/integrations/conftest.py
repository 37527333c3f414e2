"""A directory that calls SCIM with a token of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import ApiClient, TestTenant

MEDIA = "application/scim+json"


class Directory:
    """An identity provider: every body in SCIM's media type, every path below its base."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": MEDIA}
        return self.api.open(method, f"/scim/v2{path}", **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> TestResponse:
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, *operations: dict[str, Any], **options: Any) -> TestResponse:
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    def found(self, kind: str, filter: str, **more: str) -> list[dict[str, Any]]:
        answer = self.get(f"/{kind}", query_string={"filter": filter, **more})
        assert answer.status_code == 200, answer.text
        resources: list[dict[str, Any]] = answer.json["Resources"]
        return resources


@pytest.fixture
def directory(
    app: Flask, tenant: TestTenant, make_user: Callable[..., Any], as_user: Callable[..., ApiClient]
) -> Directory:
    """The tenant's identity provider, whose token names the scope and nothing else."""
    feed = make_user("integration", "directory@example.com")
    return Directory(as_user(feed, scopes=["scim"]))


@pytest.fixture
def person(directory: Directory) -> Callable[..., dict[str, Any]]:
    """`person("bea@example.com", title=…)`: a user whom the directory has made."""

    def make(address: str, **more: Any) -> dict[str, Any]:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": address, **more}
        made = directory.post("/Users", body)
        assert made.status_code == 201, made.text
        return dict(made.json)

    return make


@pytest.fixture
def group(directory: Directory) -> Callable[..., dict[str, Any]]:
    """`group("Support", [bea, cid])`: a group of these users."""

    def make(name: str, members: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
        body = {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": [{"value": member["id"]} for member in members or []],
            **more,
        }
        made = directory.post("/Groups", body)
        assert made.status_code == 201, made.text
        return dict(made.json)

    return make
