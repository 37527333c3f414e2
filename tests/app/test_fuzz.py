"""Whatever the API's description allows or forbids: no request makes the server fail or answers otherwise."""

import json
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET

from app.db import transaction
from tests.app.test_tenancy import id_of
from tests.conftest import ApiClient

CALM = settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def ids(client, tenant):
    """The id of one record of every kind that the routes name; each request meets a real one."""
    away = {"starts_at": "2026-03-02T09:00:00Z", "ends_at": "2100-01-01T00:00:00Z"}
    client.post(f"/api/v1/users/{tenant.admin.id}/absences", json=away)
    client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"})
    client.post("/api/v1/teams", json={"name": "Support"})
    client.post("/api/v1/routing/simulate", json={})
    client.post("/api/v1/skills", json={"name": "billing"})
    client.post("/api/v1/outages", json={"title": "Login is down"})
    crm = {"kind": "generic", "name": "Dynamics", "external_key": "dynamics"}
    client.post("/api/v1/embed-installations", json=crm)
    body = {"account": {"source": "crm", "external_id": "A-1"}, "title": "Exports fail", "severity": 2}
    made = {"escalation_id": client.post("/api/v1/escalations", json=body).json["id"]}

    def find(name):
        if name not in made:
            with transaction() as session:
                made[name] = str(id_of(session, name))
        return made[name]

    return find


def path_of(case, ids):
    filled = {
        name: ids(name) if name.endswith("_id") and "external" not in name else quote(str(value) or "x", safe="")
        for name, value in (case.path_parameters or {}).items()
    }
    return case.path.format(**filled) + (f"?{urlencode(case.query, doseq=True)}" if case.query else "")


def send(client: ApiClient, case, ids):
    """A body that JSON cannot say travels as its bytes, under the same name of being JSON."""
    options = {}
    if case.body is not NOT_SET:
        data = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=repr)
        options = {"data": data, "content_type": "application/json"}
    return client.open(case.method.upper(), path_of(case, ids), if_match="*", **options)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_generated_request_makes_the_server_fail(app, client, ids, mode):
    document = ApiClient(app, None).get("/api/v1/openapi.json").json
    seen = set()
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()

        @CALM
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers(case):
            answer = send(client, case, ids)
            said = f"{case.method} {path_of(case, ids)} {case.body!r} → {answer.status_code} {answer.text[:300]}"
            assert answer.status_code < 500, said
            if answer.status_code >= 400:
                assert answer.mimetype == "application/problem+json", said
                assert answer.json["code"], said
            else:
                case.operation.validate_response(answer, case=case)
            seen.add((case.operation.label, answer.status_code // 100))

        answers()
    assert len(seen) > 50
