"""What a raise is measured against: a Flask application with nothing of ours in it, on tables of its own.

`POST /row` validates a body of five fields with marshmallow, inserts one row through SQLAlchemy and commits.
`POST /shape` validates the same body and does the database work of a raise, without a thought in between: as many
SELECTs by an indexed key of one row each, as many single-row UPDATEs, and as many rows into as many tables (each with
a key, an indexed reference, a text and a JSON document) by one INSERT per table, in one transaction with one commit.
`GET /row/<key>` reads one row by its key.
FLOOR_SHAPE holds the numbers: `{"selects": 8, "updates": 1, "rows": [1, 4, …]}`, one entry of `rows` per table.
"""

import json
import os
from typing import Any
from uuid import UUID

from flask import Flask, Response, jsonify, request
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    create_engine,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Engine
from uuid_utils.compat import uuid7

FACTORY = "bench.floors:create_app()"
SCHEMA = "bench"
PARENTS = 1000
MAX_TABLES = 20

metadata = MetaData(schema=SCHEMA)
parents = Table(
    "parent", metadata, Column("id", Integer, primary_key=True), Column("name", Text), Column("count", Integer)
)


def _child(number: int) -> Table:
    name = f"child_{number}"
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("parent_id", Integer, ForeignKey(parents.c.id), nullable=False),
        Column("title", Text, nullable=False),
        Column("document", JSONB, nullable=False),
        Index(f"ix_{name}_parent_id", "parent_id"),
    )


children = [_child(number) for number in range(MAX_TABLES)]


class RowBody(Schema):
    title = fields.String(required=True, validate=validate.Length(1, 300))
    statement = fields.String(required=True, validate=validate.Length(1, 20_000))
    severity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 4))
    reason = fields.String(load_default="other")
    parent = fields.Integer(required=True)


BODY = RowBody()


def shaped(shape: dict[str, Any]) -> dict[str, str]:
    """The setting that tells the server what a raise does."""
    return {"FLOOR_SHAPE": json.dumps(shape)}


def install(engine: Engine) -> None:
    """Make schema and tables, and a thousand rows to read."""
    with engine.begin() as connection:
        connection.execute(text(f"create schema if not exists {SCHEMA}"))
        metadata.create_all(connection)
        if not connection.scalar(select(func.count()).select_from(parents)):
            rows = [{"id": id_, "name": f"Parent {id_}", "count": 0} for id_ in range(PARENTS)]
            connection.execute(insert(parents), rows)


def create_app() -> Flask:
    app = Flask(__name__)
    engine = app.extensions["engine"] = create_engine(
        os.environ["FIRSTHAND_DATABASE_URL"], pool_size=10, max_overflow=20
    )
    shape = json.loads(os.environ.get("FLOOR_SHAPE", "{}"))
    app.add_url_rule("/row/<int:key>", view_func=lambda key: _read_row(engine, key), endpoint="read")
    app.add_url_rule("/row", view_func=lambda: _answer(engine, _insert_row), endpoint="row", methods=["POST"])
    app.add_url_rule("/shape", view_func=lambda: _answer(engine, _do_shape, shape), endpoint="shape", methods=["POST"])
    return app


def _answer(engine: Engine, work: Any, *arguments: Any) -> tuple[Response, int]:
    try:
        body = BODY.load(request.get_json())
    except ValidationError as error:
        return jsonify(error.messages), 422
    with engine.begin() as connection:
        id_ = work(connection, body, *arguments)
    return jsonify(id=str(id_), title=body["title"]), 201


def _read_row(engine: Engine, key: int) -> Response:
    with engine.connect() as connection:
        row = connection.execute(select(parents.c.id, parents.c.name).where(parents.c.id == key)).one()
    return jsonify(id=row.id, name=row.name)


def _new_row(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": uuid7(), "parent_id": body["parent"], "title": body["title"], "document": body}


def _insert_row(connection: Any, body: dict[str, Any]) -> UUID:
    row = _new_row(body)
    connection.execute(insert(children[0]), row)
    id_: UUID = row["id"]
    return id_


def _do_shape(connection: Any, body: dict[str, Any], shape: dict[str, Any]) -> UUID:
    for step in range(shape["selects"]):
        connection.execute(select(parents).where(parents.c.id == (body["parent"] + step) % PARENTS)).one()
    id_ = uuid7()
    for table, count in zip(children, shape["rows"], strict=False):
        connection.execute(insert(table), [_new_row(body) for _ in range(count)])
    for step in range(shape["updates"]):
        wanted = (body["parent"] + step) % PARENTS
        connection.execute(update(parents).where(parents.c.id == wanted).values(count=parents.c.count + 1))
    return id_
