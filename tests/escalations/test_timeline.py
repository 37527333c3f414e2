"""The timeline cannot be changed; what a person wrote can be erased, and the chain still verifies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from app.db import db, transaction
from app.escalations import timeline
from app.escalations.timeline_models import Event, EventText
from tests.conftest import ApiClient

Raise = Callable[..., dict[str, Any]]


@contextmanager
def as_database_owner(app: Flask, table: str) -> Iterator[Connection]:
    """What only an attacker with the owner's password can do: switch the guards of a table off for a moment."""
    engine = create_engine(app.config["SETTINGS"].migration_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"alter table {table} no force row level security"))
        connection.execute(text(f"alter table {table} disable trigger append_only"))
        yield connection
        connection.execute(text("set constraints all immediate"))
        connection.execute(text(f"alter table {table} enable trigger append_only"))
        connection.execute(text(f"alter table {table} force row level security"))


def chain(client: ApiClient, case: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/escalations/{case['id']}/timeline/verify").json
    return found


def test_the_application_can_neither_change_nor_remove_events(raise_case: Raise) -> None:
    raise_case()
    for statement in ("update event set kind = 'x'", "delete from event", "truncate event"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction() as session:
            session.execute(text(statement))


def test_an_erased_text_is_gone_and_the_chain_still_verifies(raise_case: Raise, client: ApiClient) -> None:
    case = raise_case(customer_statement="Call me on 555-0100")
    with transaction() as session:
        ids = list(session.scalars(select(EventText.id).where(EventText.field == "customer_statement")))
        assert timeline.erase_texts(ids) == 1
    assert chain(client, case) == {"intact": True, "events": 2, "erased_texts": 1, "first_fault": None}
    events = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    assert events[0]["texts"]["customer_statement"] is None
    assert events[0]["texts"]["title"] == "Exports fail"


def test_erasure_reaches_no_other_tenants_text(
    raise_case: Raise, new_tenant: Callable[..., Any], client: ApiClient
) -> None:
    case = raise_case(customer_statement="Ours")
    with transaction() as session:
        ids = list(session.scalars(select(EventText.id)))
    with transaction(tenant=new_tenant("Other").id):
        assert timeline.erase_texts(ids) == 0
    assert chain(client, case)["erased_texts"] == 0


def test_a_changed_event_shows(raise_case: Raise, client: ApiClient, app: Flask) -> None:
    case = raise_case()
    with as_database_owner(app, "event") as connection:
        connection.execute(text("update event set kind = 'other' where escalation_id = :id and seq = 2"), case)
    assert chain(client, case)["first_fault"] == {"seq": 2, "detail": "an event was changed"}


def test_a_changed_text_shows(raise_case: Raise, client: ApiClient, app: Flask) -> None:
    case = raise_case()
    with as_database_owner(app, "event_text") as connection:
        changed = text("update event_text set text = 'Imports fail' where escalation_id = :id and field = 'title'")
        connection.execute(changed, case)
    assert chain(client, case)["first_fault"] == {"seq": 1, "detail": "the text title was changed"}


def test_a_missing_tail_shows(raise_case: Raise, client: ApiClient, app: Flask) -> None:
    case = raise_case()
    with as_database_owner(app, "event_text") as connection:
        connection.execute(text("delete from event_text where escalation_id = :id"), case)
    with as_database_owner(app, "event") as connection:
        connection.execute(text("delete from event where escalation_id = :id and seq = 2"), case)
    assert chain(client, case)["first_fault"] == {"seq": 2, "detail": "the timeline's tail is missing"}


def test_every_event_names_the_hash_before_it(raise_case: Raise) -> None:
    case = raise_case()
    with transaction():
        asked = select(Event).where(Event.escalation_id == UUID(case["id"])).order_by(Event.seq)
        first, second = db.session.scalars(asked)
        assert first.prev_hash == timeline.START
        assert second.prev_hash == first.hash == timeline.event_hash(first)
