"""The order of answers, and answers to bodies that cannot be meant, on real routes."""

import pytest

from tests.conftest import ApiClient

MISSING = "/api/v1/users/01900000-0000-7000-8000-000000000000"


@pytest.fixture
def bea(make_user):
    return make_user(email="bea@example.com")


@pytest.fixture
def path(bea):
    return f"/api/v1/users/{bea.id}"


def test_each_fault_is_answered_in_its_turn(app, client, as_user, tenant, bea, path):
    """415, 401, 403, 404, 428, 422, 412, 409: each request has every later fault too."""
    anybody, colleague = ApiClient(app, None), as_user(bea)
    bad, good = {"role": "king"}, {"email": "admin@example.com"}
    seen = [
        anybody.patch(MISSING, data=b"<x/>", content_type="text/xml").status_code,
        anybody.patch(MISSING, json=bad).status_code,
        colleague.patch(MISSING, json=bad).status_code,
        client.patch(MISSING, json=bad).status_code,
        client.patch(path, json=bad).status_code,
        client.patch(path, json=bad, if_match=99).status_code,
        client.patch(path, json=good, if_match=99).status_code,
        client.patch(path, json=good, if_match=1).status_code,
    ]
    assert seen == [415, 401, 403, 404, 428, 422, 412, 409]


def test_a_missing_record_comes_before_an_unknown_parameter(client, path):
    assert client.get(f"{MISSING}?nonsense=1").status_code == 404
    answer = client.get(f"{path}?nonsense=1")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "nonsense")


@pytest.mark.parametrize("body", [b"{", b'{"name": }', b"\xff\xfe", b"nonsense"])
def test_a_body_that_is_no_json_is_a_problem_of_the_request(client, body):
    answer = client.post("/api/v1/users", data=body, content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"7"])
def test_a_body_of_another_shape_is_refused_by_name(client, body):
    answer = client.post("/api/v1/users", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json["errors"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no address"),
        ("email", None),
        ("email", 7),
        ("email", "a@" + "b" * 260 + ".example"),
        ("name", ""),
        ("name", "x" * 201),
        ("name", {"first": "Bea"}),
        ("role", "king"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("shoe_size", 40),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(client, field, value):
    body = {"email": "cid@example.com", "name": "Cid", field: value}
    answer = client.post("/api/v1/users", json=body)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {f"/{field}"}
    assert len(client.get("/api/v1/users").json["items"]) == 1


def test_a_text_with_a_nul_is_refused_and_not_stored(client):
    answer = client.post("/api/v1/users", json={"email": "cid@example.com", "name": "C\x00d"})
    assert answer.status_code == 422
    assert len(client.get("/api/v1/users").json["items"]) == 1


def test_every_error_has_a_code_and_the_requests_id(client):
    answer = client.get(MISSING, headers={"X-Request-Id": "from-the-proxy"})
    assert answer.json["code"] == "not_found"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"] == "from-the-proxy"
    odd = client.get(MISSING, headers={"X-Request-Id": "x\ty"})
    assert odd.json["request_id"] != "x\ty"


def test_a_body_that_is_too_large_is_refused(app, client):
    body = b'{"name": "' + b"x" * app.config["MAX_CONTENT_LENGTH"] + b'"}'
    answer = client.post("/api/v1/users", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


class TestIdempotencyKey:
    BODY = {"email": "cid@example.com", "name": "Cid"}

    def test_the_same_request_twice_is_done_once_and_answered_the_same(self, client):
        first, again = (client.post("/api/v1/users", json=self.BODY, key="k") for _ in range(2))
        assert (again.status_code, again.json) == (201, first.json)
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Location"] == first.headers["Location"]
        assert "Idempotency-Replayed" not in first.headers
        assert len(client.get("/api/v1/users").json["items"]) == 2

    def test_the_same_key_with_another_body_is_refused(self, client):
        client.post("/api/v1/users", json=self.BODY, key="k")
        answer = client.post("/api/v1/users", json={**self.BODY, "email": "dan@example.com"}, key="k")
        assert answer.status_code == 422
        assert len(client.get("/api/v1/users").json["items"]) == 2

    def test_a_refusal_is_not_kept(self, client, bea):
        body = {"email": bea.email, "name": "Cid"}
        assert client.post("/api/v1/users", json=body, key="k").status_code == 409
        assert client.post("/api/v1/users", json=self.BODY, key="k").status_code == 201

    def test_a_key_belongs_to_one_token_and_one_path(self, client, as_user, tenant):
        client.post("/api/v1/users", json=self.BODY, key="k")
        assert client.post("/api/v1/tokens", json={}, key="k").status_code == 201
        other = as_user(tenant.admin).post("/api/v1/users", json={**self.BODY, "email": "dan@example.com"}, key="k")
        assert other.status_code == 201

    @pytest.mark.parametrize("key", ["", " ", "x" * 256])
    def test_a_key_without_meaning_is_refused(self, client, key):
        assert client.post("/api/v1/users", json=self.BODY, key=key).status_code == 422

    def test_twins_at_the_same_moment_make_one_record(self, app, client):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.post("/api/v1/users", json=self.BODY, key="k"), range(8)))
        statuses = [answer.status_code for answer in answers]
        assert 201 in statuses
        assert set(statuses) <= {201, 409}
        assert len({answer.json["id"] for answer in answers if answer.status_code == 201}) == 1
        assert len(client.get("/api/v1/users").json["items"]) == 2
