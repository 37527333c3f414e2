"""Reports read a streaming replica where one is set, and say how far it is behind."""

import os
from dataclasses import replace

import pytest

from app import create_app
from app.db import db
from tests.conftest import ApiClient
from tests.escalations.story import march
from tests.reports.replica import replica_of

OWN_SERVERS = pytest.mark.skipif("FIRSTHAND_TEST_DATABASE_URL" in os.environ, reason="copies the test's own server")


@OWN_SERVERS
def test_a_replica_that_stands_still_answers_for_the_moment_it_has_reached_and_says_how_late_that_is(
    settings, story, fold, client, rows_of, request
):
    story("2 10:00")
    fold("3 10:00")
    with replica_of(settings.database_url) as replica:
        app = create_app(replace(settings, replica_url=replica.url))
        request.addfinalizer(lambda: close(app))
        reader = ApiClient(app, client.token)
        asked = {"as_of": march("6 10:00").isoformat()}

        def told(caller):
            answer = caller.get("/api/v1/reports/summary", query_string=asked)
            assert answer.status_code == 200, answer.text
            return answer.json["as_of"], answer.json["lag_seconds"], answer.json["open"]["count"]

        assert told(reader) == told(client) == ("2026-03-03T09:59:58Z", 259202.0, 1)
        replica.stop_replaying()
        story("5 10:00")
        fold("7 10:00")
        assert told(client) == ("2026-03-06T10:00:00Z", 0.0, 2)
        assert told(reader) == ("2026-03-03T09:59:58Z", 259202.0, 1)
        assert len(rows_of(reader, **asked)) == 1
        replica.catch_up()
        assert told(reader) == told(client)
        assert len(rows_of(reader, **asked)) == 2


def close(app):
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def rows_of():
    """The rows behind the open ones."""

    def ask(caller, **query):
        answer = caller.get("/api/v1/reports/rows", query_string={"figure": "open", **query})
        return answer.json["items"]

    return ask
