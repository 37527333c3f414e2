"""Every route of the application, whoever wrote it: guarded, strict and described."""

import json
import re
from dataclasses import dataclass

import pytest
import schemathesis

from app.auth.guards import OPEN, scope_of
from app.auth.roles import SCOPES, SCOPES_OF
from tests.conftest import ApiClient
from tests.panels.conftest import launch, panel

__all__ = ["launch", "panel"]

# Who is added here is open to anybody on the network.
PUBLIC = {
    "/api/docs": "the reading page of the API",
    "/api/docs/<path:name>": "its assets",
    "/api/v1/openapi.json": "the API's description",
    "/auth/<tenant>/sign-in": "leads to the tenant's identity provider",
    "/auth/<tenant>/sign-out": "says how to sign out there",
    "/auth/callback": "what the identity provider proves is its own key",
    "/healthz": "alive",
    "/readyz": "ready",
    "/metrics": "numbers for Prometheus",
    "/l/<token>": "a signed, expiring link is its own key",
    "/attachments/<token>": "a signed, expiring link is its own key",
    "/feeds/<token>.ics": "a secret, revocable address is its own key",
    "/panel/embed/hubspot/<place>": "each request carries HubSpot's signature",
    "/panel/embed/hubspot/<place>/launch": "each request carries HubSpot's signature",
    "/panel/embed/salesforce/<place>": "each request carries Salesforce's signature",
    "/panel/embed/zendesk/<place>": "each request carries Zendesk's signature",
    "/panel/session": "a launch of one use is its own key",
    "/panel/static/<name>": "scripts and styles of the pages",
    "/panel/t/<uuid:tenant_id>": "a page without content; a launch in its fragment opens it",
    "/panel/try/<token>": "the sample's own signed address",
    "/panel/try/<token>/launch": "the sample's own signed address",
    "/reports/sent/<token>": "a signed, expiring link is its own key",
    "/reports": "leads to the sign-in of the one tenant there is",
    "/reports/<path:rest>": "the same",
    "/reports/of/<uuid:tenant_id>": "leads to the tenant's sign-in",
    "/reports/of/<uuid:tenant_id>/<path:rest>": "the same",
    "/reports/shared/<token>": "a secret, expiring link is its own key",
    "/report-files/<token>": "a signed, expiring link is its own key",
    "/survey/<token>": "a signed, expiring link is its own key",
    "/unsubscribe/<token>": "a signed link is its own key",
}
ANY = {"uuid": "01900000-0000-7000-8000-000000000000", "int": "1", "path": "x", "default": "x", "string": "x"}


@dataclass(frozen=True)
class Route:
    method: str
    rule: str
    path: str
    endpoint: str
    takes_files: bool


def routes_of(app):
    for rule in app.url_map.iter_rules():
        named = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule.rule)
        path = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda found: ANY[found[1] or "default"], named)
        takes_files = hasattr(app.view_functions[rule.endpoint], "_uploaded")
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield Route(method, rule.rule, path, rule.endpoint, takes_files)


@pytest.fixture
def closed_routes(app):
    return [route for route in routes_of(app) if route.rule not in PUBLIC]


def in_panel(route):
    """Pages of the panel, which only a panel's own session opens."""
    return route.rule.startswith("/panel/")


def refusal_type(route):
    """Refusals are problem documents everywhere but where the callers know SCIM's, and in pages for people."""
    if in_panel(route):
        return "text/html"
    return "application/scim+json" if route.rule.startswith("/scim/") else "application/problem+json"


def is_missing(answer):
    """Whether an answer says in its own form that there is no such record."""
    if answer.mimetype == "text/html":
        return answer.status_code == 404
    said = answer.json
    named = said["code"] == "not_found" if answer.mimetype == "application/problem+json" else said["status"] == "404"
    return answer.status_code == 404 and named


def test_every_route_asks_for_a_scope_or_is_listed_as_public(app):
    with app.app_context():
        asked = {route.rule: scope_of(route.endpoint) for route in routes_of(app)}
    assert {rule for rule, scope in asked.items() if scope == OPEN} <= set(PUBLIC)
    assert {rule: scope for rule, scope in asked.items() if scope != OPEN and scope not in SCOPES} == {}


def test_a_route_without_a_mark_is_closed_even_to_an_admin(app, client):
    app.view_functions["static_probe"] = lambda: "open!"
    with app.app_context():
        assert scope_of("static_probe") is None
    del app.view_functions["static_probe"]


def test_no_closed_route_answers_without_a_token(app, closed_routes):
    anybody = ApiClient(app, None)
    for route in closed_routes:
        answer = anybody.open(route.method, route.path)
        assert (route, answer.status_code) == (route, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.mimetype == refusal_type(route)


def test_no_closed_route_answers_a_token_that_lacks_its_scope(app, closed_routes, as_user, tenant):
    with app.app_context():
        scopes = {route: scope_of(route.endpoint) for route in closed_routes}
    users, accounts = (as_user(tenant.admin, scopes=[scope]) for scope in ("users:read", "accounts:read"))
    for route, scope in scopes.items():
        caller = accounts if scope == "users:read" else users
        answer = caller.open(route.method, route.path)
        assert (route, answer.status_code) == (route, 401 if in_panel(route) else 403)


def test_no_page_of_the_panel_opens_for_a_role_that_lacks_its_scope(app, closed_routes, panel, make_user):
    with app.app_context():
        scopes = {route: scope_of(route.endpoint) for route in closed_routes if in_panel(route)}
    someone = panel(make_user("csm"))
    for route, scope in scopes.items():
        if scope not in SCOPES_OF["csm"]:
            answer = someone.client.open(route.method, route.path)
            assert (route, answer.status_code) == (route, 403)


def test_no_route_of_the_api_opens_for_a_panel(closed_routes, panel, tenant):
    someone = panel(tenant.admin)
    for route in closed_routes:
        if not in_panel(route):
            answer = someone.client.open(route.method, route.path)
            assert (route, answer.status_code) == (route, 401)


def test_no_route_takes_a_body_that_is_not_json(app, closed_routes):
    anybody = ApiClient(app, None)
    for route in closed_routes:
        if route.method in ("POST", "PUT", "PATCH"):
            kind = "application/x-www-form-urlencoded" if route.takes_files else "text/plain"
            answer = anybody.open(route.method, route.path, data=b"a=1", content_type=kind)
            assert (route, answer.status_code) == (route, 415)


def test_no_list_takes_an_unknown_query_parameter(closed_routes, client):
    for route in closed_routes:
        if route.method == "GET" and "<" not in route.rule and route.rule.startswith("/api/v1/"):
            answer = client.get(f"{route.path}?nonsense=1")
            assert (route, answer.status_code) == (route, 422)
            assert "nonsense" in [error["parameter"] for error in answer.json["errors"]]


def test_what_does_not_exist_looks_like_it_on_every_route_that_reads_one_record(closed_routes, client, panel, tenant):
    admins = panel(tenant.admin).client
    for route in closed_routes:
        if route.method == "GET" and "<uuid:" in route.rule:
            answer = (admins if in_panel(route) else client).get(route.path)
            assert (route, is_missing(answer)) == (route, True)


@pytest.fixture
def document(app):
    return ApiClient(app, None).get("/api/v1/openapi.json").json


def test_the_description_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    schema = schemathesis.openapi.from_dict(document)
    schema.validate()
    assert len(list(schema.get_all_operations())) == sum(len(methods(path)) for path in document["paths"].values())


def test_every_refusal_is_described_as_a_problem_document(document):
    responses = document["components"]["responses"]
    assert {"DEFAULT_ERROR", "UNPROCESSABLE_ENTITY", "TOO_MANY_REQUESTS"} <= set(responses)
    for response in responses.values():
        assert response["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert None not in document["components"]["schemas"]
    assert '"#/components/schemas/None"' not in json.dumps(document)


def test_changes_say_which_headers_they_read(document):
    for path, item in document["paths"].items():
        for method in methods(item):
            named = {entry["name"] for entry in item[method].get("parameters", []) if entry["in"] == "header"}
            expected = {"post": {"Idempotency-Key"}, "patch": {"If-Match"}}.get(method, named & {"If-Match"})
            assert (path, method, named) == (path, method, expected)


def methods(path):
    return [name for name in path if name in ("get", "post", "put", "patch", "delete")]


def test_every_route_is_described_with_a_sentence(app, document):
    described = {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in methods(item)
    }
    served = {
        (route.method, re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", route.rule))
        for route in routes_of(app)
        if route.rule.startswith("/api/v1/") and route.rule != "/api/v1/openapi.json"
    }
    assert set(described) == served
    assert [key for key, operation in described.items() if not operation.get("summary")] == []


def test_the_reading_page_needs_nothing_from_outside(app):
    anybody = ApiClient(app, None)
    page = anybody.get("/api/docs")
    assert page.status_code == 200
    assert "<script>" not in page.text
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(named) >= 3
    for path in named:
        assert re.match(r"/api/\w", path)
        assert anybody.get(path).status_code == 200
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_an_unknown_asset_or_path_is_a_problem_document(app):
    for path in ("/api/docs/../secret", "/api/docs/other.js", "/nowhere"):
        answer = ApiClient(app, None).get(path)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
