"""Another tenant's ids, tried on every route that takes one."""

import re

import pytest
from sqlalchemy import text

from app import clock
from app.auth import service as auth
from app.db import transaction
from app.notifications import service as notifications
from app.reports.jobs import fold_tenant
from app.rows import insert_all
from tests import NOW
from tests.app.test_routes import PUBLIC, in_panel, is_missing, routes_of
from tests.conftest import ApiClient
from tests.panels.conftest import launch, panel

__all__ = ["launch", "panel"]

# Where a path's id is not named after its table.
TABLES = {
    "notification_id": "intent",
    "token_id": "api_token",
    "calendar_id": "calendar",
    "move_id": "event",
    "installation_id": "embed_installation",
    "export_id": "report_export",
}
UNSAID = ("request_id",)


@pytest.fixture
def others(app, new_tenant):
    """Another tenant with a record of every kind, and its admin's client."""
    made = new_tenant("Others")
    with transaction(tenant=made.id):
        plain = auth.create_token(auth.get_user(made.admin.id), name="", now=clock.real_now())[1]
        message = notifications.intent(
            user=made.admin, kind="test", subject="Hello", body="", dedupe_key="hello", at=NOW, now=NOW
        )
        insert_all([message])
    client = ApiClient(app, plain)
    client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"})
    body = {"account": {"source": "crm", "external_id": "A-1"}, "title": "Exports fail", "severity": 1}
    assert client.post("/api/v1/escalations", json=body).status_code == 201
    resolve(client, made.admin.email)
    assert client.post("/api/v1/teams", json={"name": "Support"}).status_code == 201
    client.put("/api/v1/identity-provider", json={"issuer": "https://login.example.com", "client_id": "us"})
    known = {"subject": "1", "user_email": made.admin.email}
    assert client.post("/api/v1/identity-provider/identities", json=known).status_code == 201
    assert client.post("/api/v1/skills", json={"name": "billing"}).status_code == 201
    away = {"starts_at": "2026-03-02T09:00:00Z", "ends_at": "2100-01-01T00:00:00Z"}
    assert client.post(f"/api/v1/users/{made.admin.id}/absences", json=away).status_code == 201
    book = {"definition": {"name": "Renewals", "about": "For renewals."}}
    assert client.post("/api/v1/playbooks", json=book).status_code == 201
    level = {"name": "gold", "close_days": 20}
    assert client.post("/api/v1/service-levels", json=level).status_code == 201
    assert client.post("/api/v1/ladders/apply-to-open", json={}).status_code == 202
    assert client.post("/api/v1/routing/simulate", json={}).status_code == 202
    case = client.get("/api/v1/escalations").json["items"][0]["id"]
    log = {"data": b"a line", "content_type": "text/plain"}
    assert client.post(f"/api/v1/escalations/{case}/attachments?filename=a.log", **log).status_code == 201
    assert client.post("/api/v1/outages", json={"title": "Login is down"}).status_code == 201
    crm = {"kind": "generic", "name": "Dynamics", "external_key": "dynamics"}
    assert client.post("/api/v1/embed-installations", json=crm).status_code == 201
    view = {"name": "Board", "report": "summary"}
    assert client.post("/api/v1/reports/views", json=view).status_code == 201
    assert fold_tenant(made.id) is False
    assert client.post("/api/v1/reports/links", json={"report": "summary"}).status_code == 201
    mail = {"name": "Board", "report": "summary", "rhythm": "monthly", "day": 1, "hour": 8}
    people = {"recipients": [made.admin.email]}
    assert client.post("/api/v1/reports/schedules", json={**mail, **people}).status_code == 201
    export = {"report": "summary", "format": "csv"}
    assert client.post("/api/v1/reports/exports", json=export).status_code == 202
    hook = {"url": "https://example.com/in", "events": ["escalation.raise"]}
    hook = client.post("/api/v1/webhook-subscriptions", json=hook).json["id"]
    assert client.post(f"/api/v1/webhook-subscriptions/{hook}/test").status_code == 202
    rows = {"data": "external_id,name\nA-2,Hooli\n", "headers": {"Content-Type": "text/csv"}}
    assert client.post("/api/v1/imports/accounts", **rows).status_code == 202
    return made


def resolve(client, email):
    """The case is resolved, with somebody who keeps it from happening again."""
    path = f"/api/v1/escalations/{client.get('/api/v1/escalations').json['items'][0]['id']}"
    assert client.post(f"{path}/acknowledge", json={}).status_code == 200
    prevention = {"action": "Watch the disk", "owner_email": email, "due_on": "2100-01-01"}
    words = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True, "prevention": prevention}
    assert client.post(f"{path}/resolve", json=words).status_code == 200


def id_of(session, name):
    table = TABLES.get(name, name.removesuffix("_id"))
    return session.scalar(text(f'select id from "{table}" order by id limit 1'))


def paths_with_ids(app, tenant_id):
    """(method, path) of every route that takes an id, filled with ids of this tenant; and the names not found."""
    with transaction(tenant=tenant_id) as session:
        for route in routes_of(app):
            names = re.findall(r"<uuid:(\w+)>", route.rule)
            if names and route.rule not in PUBLIC:
                ids = {name: id_of(session, name) for name in names}
                path = re.sub(r"<uuid:(\w+)>", lambda found, ids=ids: str(ids[found[1]]), route.rule)
                path = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", path)
                yield route, re.sub(r"<int:\w+>", "1", path), ids


def body_of(app, route):
    """A body of the type that the route takes."""
    taken = getattr(app.view_functions[route.endpoint], "_takes", ())
    return {"data": b"", "content_type": taken[0]} if taken else {"json": {}}


def test_another_tenants_ids_look_like_missing_ones_on_every_route(app, client, others, panel, tenant):
    admins = panel(tenant.admin).client
    paths = list(paths_with_ids(app, others.id))
    assert len(paths) > 30
    assert [route for route, _, ids in paths if None in ids.values()] == []
    for route, path, _ in paths:
        body = {} if route.method in ("GET", "DELETE") else body_of(app, route)
        if in_panel(route):
            told = [admins.open(route.method, one, **({"data": {}} if body else {})) for one in (path, route.path)]
            assert (route, told[0].status_code in (404, 422)) == (route, True)
            assert (route, told[0].status_code, told[0].text) == (route, told[1].status_code, told[1].text)
            continue
        answer = client.open(route.method, path, if_match=1, **body)
        assert (route, is_missing(answer)) == (route, True)
        missing = client.open(route.method, route.path, if_match=1, **body)
        said, expected = ({k: v for k, v in a.json.items() if k not in UNSAID} for a in (answer, missing))
        assert (route, said) == (route, expected)


def test_another_tenants_ids_inside_a_body_look_like_missing_ones(client, others):
    with transaction(tenant=others.id) as session:
        account_id, user_id = id_of(session, "account_id"), id_of(session, "user_id")
    body = {"account_id": str(account_id), "title": "Exports fail", "severity": 1}
    refused = client.post("/api/v1/escalations", json=body)
    missing = client.post("/api/v1/escalations", json={**body, "account_id": "01900000-0000-7000-8000-000000000000"})
    assert refused.status_code in (404, 422)
    assert {k: v for k, v in refused.json.items() if k not in UNSAID} == {
        k: v for k, v in missing.json.items() if k not in UNSAID
    }
    assert client.get(f"/api/v1/tokens?user_id={user_id}").json["items"] == []
