"""Rate limits on a real Valkey, and what happens without it."""

from dataclasses import replace
from statistics import median
from time import monotonic
from urllib.parse import urlsplit

import pytest

from app import clock, create_app
from app.auth.limits import UNCOUNTED
from app.db import db
from tests.conftest import ApiClient

AWAY = "redis://127.0.0.1:1/0"
PATH = "/api/v1/users"


@pytest.fixture
def app_with(app, settings):
    """An application on the same database with other settings."""
    made = []

    def make(**changes):
        made.append(create_app(replace(settings, **changes)))
        return made[-1]

    yield make
    for other in made:
        with other.app_context():
            db.engine.dispose()


@pytest.fixture
def whole_minute():
    """Waits out the last seconds of a minute, so that a test's calls fall into one window."""
    left = 60 - clock.real_now().timestamp() % 60
    if left < 5:
        until = monotonic() + left
        while monotonic() < until:
            pass


@pytest.fixture
def valkey(settings):
    if settings.redis_url == AWAY:
        pytest.skip("no Valkey beside FIRSTHAND_TEST_DATABASE_URL")


def test_a_token_that_has_used_up_its_minute_is_told_when_to_come_back(
    app_with, tenant, token_for, whole_minute, valkey
):
    limited = app_with(token_rate=3)
    first, second = (ApiClient(limited, token_for(tenant.admin)) for _ in range(2))
    answers = [first.get(PATH) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"token";q=3;w=60'
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[3].json["code"] == "too_many_requests"
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert second.get(PATH).status_code == 200


def test_a_calendar_feed_is_counted_as_a_token_is(app_with, tenant, client, whole_minute, valkey):
    path = urlsplit(client.post("/api/v1/me/calendar-feed").json["url"]).path
    subscriber = ApiClient(app_with(token_rate=2), None)
    answers = [subscriber.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60


def test_a_tenants_limit_holds_over_all_its_tokens_and_no_other_tenants(
    app_with, tenant, new_tenant, token_for, whole_minute, valkey
):
    from app.auth import service
    from app.db import transaction

    limited = app_with(tenant_rate=2)
    tokens = [token_for(tenant.admin) for _ in range(3)]
    assert [ApiClient(limited, token).get(PATH).status_code for token in tokens] == [200, 200, 429]
    others = new_tenant("Others")
    with transaction(tenant=others.id):
        _, plain = service.create_token(service.get_user(others.admin.id), name="", now=clock.real_now())
    assert ApiClient(limited, plain).get(PATH).status_code == 200


def test_a_refused_request_changes_nothing(app_with, tenant, client, token_for, whole_minute, valkey):
    limited = ApiClient(app_with(token_rate=1), token_for(tenant.admin))
    assert limited.get(PATH).status_code == 200
    body = {"email": "bea@example.com", "name": "Bea"}
    assert limited.post(PATH, json=body).status_code == 429
    assert len(client.get(PATH).json["items"]) == 1


def test_without_redis_requests_go_through_uncounted_and_none_waits(app_with, tenant, token_for):
    lonely = ApiClient(app_with(token_rate=1, redis_url=AWAY), token_for(tenant.admin))
    uncounted = UNCOUNTED._value.get()
    took = []
    for _ in range(5):
        started = monotonic()
        assert lonely.get(PATH).status_code == 200
        took.append(monotonic() - started)
    assert median(took) < 0.5
    assert UNCOUNTED._value.get() == uncounted + 5


def test_a_redis_that_takes_calls_and_never_answers_holds_up_one_request_for_a_quarter_second(
    app_with, tenant, token_for
):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        lonely = ApiClient(app_with(redis_url=url), token_for(tenant.admin))
        times = []
        for _ in range(3):
            started = monotonic()
            assert lonely.get(PATH).status_code == 200
            times.append(monotonic() - started)
    assert max(times) < 1.0
    assert max(times[1:]) < 0.25
