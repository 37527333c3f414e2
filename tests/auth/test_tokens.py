"""Tokens: shown once, kept as a hash, narrowed by scopes, ended by revocation or time."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app import clock
from app.auth import service
from app.db import transaction
from tests.conftest import ApiClient


def create(client, **body):
    return client.post("/api/v1/tokens", json=body)


def test_a_token_is_shown_once_and_nowhere_kept_in_the_clear(app, client, tenant):
    made = client.post("/api/v1/tokens", json={"name": "sync"}, key="once")
    assert made.status_code == 201
    plain = made.json["token"]
    assert ApiClient(app, plain).get("/api/v1/users").status_code == 200
    listed = client.get("/api/v1/tokens").json["items"]
    assert [token["name"] for token in listed] == ["sync", "test"]
    assert all("token" not in token for token in listed)
    secret = plain.rpartition("_")[2] if plain.count("_") == 2 else plain.split("_", 2)[2]
    with transaction() as session:
        for table in ("api_token", "idempotency_key"):
            rows = session.scalars(text(f"select to_jsonb(t)::text from {table} t")).all()
            assert rows
            assert not any(secret in row for row in rows)


def test_the_same_request_again_makes_no_second_token_and_shows_none(client):
    first = client.post("/api/v1/tokens", json={"name": "sync"}, key="again")
    again = client.post("/api/v1/tokens", json={"name": "sync"}, key="again")
    assert again.status_code == 201
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.json["id"], again.json["token"]) == (first.json["id"], None)
    assert len(client.get("/api/v1/tokens").json["items"]) == 2


def test_a_revoked_token_is_refused_from_the_next_request_on(app, client):
    made = create(client).json
    theirs = ApiClient(app, made["token"])
    assert theirs.get("/api/v1/users").status_code == 200
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    refused = theirs.get("/api/v1/users")
    assert (refused.status_code, refused.json["code"]) == (401, "unauthenticated")
    assert client.delete(f"/api/v1/tokens/{made['id']}").status_code == 204


def test_an_expired_token_is_refused(app, tenant):
    now = clock.real_now()
    with transaction():
        user = service.get_user(tenant.admin.id)
        _, plain = service.create_token(
            user, name="", expires_at=now - timedelta(seconds=1), now=now - timedelta(days=1)
        )
        _, valid = service.create_token(user, name="", expires_at=now + timedelta(minutes=1), now=now)
    assert ApiClient(app, plain).get("/api/v1/users").status_code == 401
    assert ApiClient(app, valid).get("/api/v1/users").status_code == 200


def test_an_expiry_must_lie_ahead_and_have_an_offset(client):
    past = create(client, expires_at="2020-01-01T00:00:00Z")
    assert (past.status_code, past.json["errors"][0]["pointer"]) == (422, "/expires_at")
    naive = create(client, expires_at="2030-01-01T00:00:00")
    assert naive.status_code == 422
    assert naive.json["errors"] == [
        {
            "pointer": "/expires_at",
            "detail": "expected an offset, such as Z or +02:00: a time without one is ambiguous",
        }
    ]


def test_a_scope_that_the_role_does_not_have_is_named(client, make_user):
    bea = make_user("csm")
    answer = create(client, user_email=bea.email, scopes=["escalations:read", "routing:write"])
    assert answer.status_code == 422
    assert answer.json["errors"] == [{"pointer": "/scopes/1", "detail": "routing:write is not a scope of the role csm"}]
    unknown = create(client, scopes=["everything"])
    assert (unknown.status_code, unknown.json["errors"][0]["pointer"]) == (422, "/scopes/0")


def test_a_role_that_shrinks_takes_its_scopes_from_the_token(client, make_user, as_user):
    bea = make_user("manager")
    hers = as_user(bea, scopes=["users:read", "routing:read"])
    assert hers.get("/api/v1/users").status_code == 200
    client.patch(f"/api/v1/users/{bea.id}", json={"role": "integration"}, if_match=1)
    assert hers.get("/api/v1/users").status_code == 403


def test_nobody_hands_out_more_than_their_own_token_holds(as_user, tenant):
    narrow = as_user(tenant.admin, scopes=["tokens:write", "users:read"])
    refused = create(narrow, scopes=["settings:write"])
    assert (refused.status_code, refused.json["detail"]) == (403, "Your own token does not hold settings:write")
    assert create(narrow).status_code == 403
    assert create(narrow, scopes=["users:read"]).status_code == 201


def test_an_integration_token_feeds_and_reads_nothing(client, make_user, as_user):
    feed = make_user("integration")
    assert create(client, user_email=feed.email).status_code == 201
    theirs = as_user(feed)
    assert theirs.get("/api/v1/users").status_code == 403
    assert theirs.get("/api/v1/settings").status_code == 403


def test_last_use_is_noted_at_most_once_a_minute(app, client, tenant, statements):
    made = create(client).json
    theirs = ApiClient(app, made["token"])
    before = clock.real_now()

    def last_use():
        tokens = client.get("/api/v1/tokens").json["items"]
        return next(token["last_used_at"] for token in tokens if token["id"] == made["id"])

    assert last_use() is None
    theirs.get("/api/v1/users")
    noted = last_use()
    assert noted >= before.isoformat()[:19]
    with statements() as sent:
        theirs.get("/api/v1/users")
    assert not any(statement.startswith("update api_token") for statement in sent)
    assert last_use() == noted


def test_a_list_costs_three_statements(client, statements):
    client.get("/api/v1/users")
    with statements() as sent:
        assert client.get("/api/v1/users").status_code == 200
    assert len(sent) <= 3


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer fh_",
        "Bearer fh_x_y",
        "Basic YTpi",
        "Bearer fh_{tenant}_wrong",
        "Bearer fh_00000000000000000000000000000000_{secret}",
        "Bearer \u00e4",
    ],
)
def test_a_token_that_is_none_of_ours_is_refused(app, tenant, token_for, header):
    secret = token_for(tenant.admin).split("_", 2)[2]
    value = header.format(tenant=tenant.id.hex, secret=secret)
    answer = ApiClient(app, None).get("/api/v1/users", headers={"Authorization": value})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_another_tenants_token_and_user_look_like_missing_ones(app, client, new_tenant):
    others = new_tenant("Others")
    with transaction(tenant=others.id):
        token, _ = service.create_token(service.get_user(others.admin.id), name="", now=clock.real_now())
    assert client.delete(f"/api/v1/tokens/{token.id}").status_code == 404
    missing = client.get("/api/v1/users/01900000-0000-7000-8000-000000000000")
    theirs = client.get(f"/api/v1/users/{others.admin.id}")
    unlike = ("request_id",)
    assert {k: v for k, v in theirs.json.items() if k not in unlike} == {
        k: v for k, v in missing.json.items() if k not in unlike
    }
    with transaction(tenant=others.id) as session:
        assert session.scalar(text("select revoked_at from api_token")) is None
