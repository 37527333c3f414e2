"""The panel opens to a role what the API opens to it, and nothing else: page by page, form by form."""

import re

import pytest

from app.auth.guards import scope_of
from app.auth.roles import ROLES, SCOPES_OF
from app.escalations.action_routes import USE_CASES
from app.http.panels import PanelBlueprint
from app.panels.case_forms import FORMS
from tests.panels.doors import OWN, read_doors

PEOPLE = tuple(role for role in ROLES if role != "integration")
ACTION = "POST /escalations/<>/<>"
FORM = "GET /escalations/<>/<>"
ANY = "01900000-0000-7000-8000-000000000000"


def named(method, rule):
    """A route without the names in its path."""
    return f"{method} {re.sub('<[^>]*>', '<>', rule)}"


@pytest.fixture(scope="module")
def scopes(app):
    """What each route asks for: of the panel's pages without `/panel`, of the API's without `/api/v1`."""
    pages, routes = {}, {}
    with app.app_context():
        for rule in app.url_map.iter_rules():
            in_panel = isinstance(app.blueprints.get(rule.endpoint.rpartition(".")[0]), PanelBlueprint)
            found, prefix = (pages, "/panel") if in_panel else (routes, "/api/v1")
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                for path in spelt_out(rule.rule):
                    found[named(method, path.removeprefix(prefix))] = scope_of(rule.endpoint)
    return pages, routes


def spelt_out(rule):
    """Each of the addresses of a rule that takes one of several words."""
    words = re.search(r"<any\(([^)]*)\):\w+>", rule)
    return [rule.replace(words[0], word) for word in words[1].split(", ")] if words else [rule]


@pytest.fixture(scope="module")
def doors(scopes):
    """The API's routes by the panel's; an action on a case is the route of the same name."""
    actions = {f"POST /escalations/<>/{name}": [f"POST /escalations/<>/{name}"] for name in USE_CASES}
    return {**actions, ACTION: ["PATCH /escalations/<>"], FORM: ["GET /escalations/<>"], **read_doors()}


def asked_by(pages, page):
    """The scope of a page; an action without a rule of its own has that of all actions."""
    return pages.get(page) or pages[ACTION]


def test_every_page_and_form_has_its_doors_of_the_api_and_each_is_there(scopes, doors):
    pages, routes = scopes
    assert set(pages) - set(doors) - set(OWN) == set(), "say in tests/panels/doors.py what they are in the API"
    assert (set(doors) | set(OWN)) - set(pages) - {f"POST /escalations/<>/{name}" for name in USE_CASES} == set()
    assert {route for ways in doors.values() for route in ways} - set(routes) == set()
    assert FORMS - {route.rpartition("/")[2] for route in routes} - {"edit"} == set()


def test_a_form_asks_for_the_scope_of_the_route_that_does_the_same(scopes, doors):
    pages, routes = scopes
    forms = {page: asked_by(pages, page) for page in doors if page.startswith("POST")}
    assert forms == {page: scope for page in forms for scope in {routes[route] for route in doors[page]}}


def test_a_page_is_open_to_the_roles_that_may_call_all_that_it_stands_for(scopes, doors):
    pages, routes = scopes
    for page, ways in doors.items():
        asked = {routes[route] for route in ways}
        assert asked_by(pages, page) in asked, page
        allowed = [role for role in PEOPLE if asked <= SCOPES_OF[role]]
        assert [role for role in PEOPLE if asked_by(pages, page) in SCOPES_OF[role]] == allowed, page
    assert {page: pages[page] for page in OWN} == {page: scope for page, (scope, _) in OWN.items()}


def call(client, page, prefix, **options):
    method, _, path = page.partition(" ")
    path = path.replace("/versions/<>", "/versions/1").replace("<>", ANY)
    return client.open(method, f"{prefix}{path}", **options)


@pytest.mark.parametrize("role", ["csm", "manager"])
def test_whom_the_api_refuses_gets_the_page_that_says_so(role, scopes, doors, panel, as_user, make_user):
    _, routes = scopes
    user = make_user(role)
    someone, program = panel(user).client, as_user(user)
    closed = {route for ways in doors.values() for route in ways if routes[route] not in SCOPES_OF[role]}
    told = {route: call(program, route, "/api/v1").status_code for route in closed}
    assert set(told.values()) == {403}
    refused = [page for page, ways in doors.items() if closed & set(ways)]
    assert len(refused) > 90
    for page in refused:
        answer = call(someone, page, "/panel", headers={"HX-Target": "page"})
        assert (page, answer.status_code) == (page, 403)
        assert "This is not open to you" in answer.text
        assert answer.text.count("<h1>") == (page.startswith("GET"))
        assert "<form" not in answer.text
