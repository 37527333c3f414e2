"""The floors do what they say: one row, or exactly the database work they are told."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select, text

from app.db import db
from bench import floors
from bench.load import percentile

BODY = {"title": "Exports fail", "statement": "Every night.", "severity": 2, "parent": 998}


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    with app.app_context():
        engine = db.engine
    floors.install(engine)
    yield engine
    with engine.begin() as connection:
        connection.execute(text(f"drop schema {floors.SCHEMA} cascade"))


@pytest.fixture
def client(app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setenv("FIRSTHAND_DATABASE_URL", app.config["DATABASE_URL"])
    monkeypatch.setenv("FLOOR_SHAPE", json.dumps({"selects": 3, "updates": 1, "rows": [1, 4]}))
    floor = floors.create_app()
    yield floor.test_client()
    floor.extensions["engine"].dispose()


def rows_of(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in floors.children[:3]]


def test_the_bare_endpoint_checks_the_body_and_writes_one_row(client: FlaskClient, engine: Engine) -> None:
    assert client.post("/row", json={**BODY, "severity": 9}).status_code == 422
    assert client.post("/row", json=BODY).status_code == 201
    assert rows_of(engine) == [1, 0, 0]


def test_the_shape_reads_and_writes_as_often_as_it_is_told(client: FlaskClient, engine: Engine) -> None:
    sent: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement.split()[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert client.post("/shape", json=BODY).status_code == 201
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert [word for word in sent if word != "select"] == ["SELECT"] * 3 + ["INSERT"] * 2 + ["UPDATE"]
    assert rows_of(engine) == [1, 4, 0]


def test_a_percentile_is_a_latency_that_was_measured() -> None:
    assert percentile([float(ms) for ms in range(1, 101)], 0.95) == 96.0
    assert percentile([7.0], 0.99) == 7.0
