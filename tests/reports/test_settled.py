"""No answer is given for a moment while somebody may still commit what was recorded by then."""

import pytest
from sqlalchemy import create_engine, text

from app.reports.jobs import fold_tenant
from tests.reports.conftest import march

BEGIN = text("select pg_current_xact_id()")


@pytest.fixture
def writer(settings):
    """Opens transactions that write, each on a connection of its own."""
    engine, opened = create_engine(settings.database_url), []

    def begin():
        opened.append(engine.connect())
        opened[-1].execute(BEGIN)
        return opened[-1]

    yield begin
    for connection in opened:
        connection.close()
    engine.dispose()


def test_a_long_transaction_holds_answers_up_and_changes_none(story, fold, tenant, summary, writer):
    story("2 10:00")
    fold("2 12:00")
    long = writer()
    story("3 10:00")
    for at in ("4 10:00", "4 11:00"):
        assert fold_tenant(tenant.id, march(at)) is False
    held = summary("4 10:00")
    assert (held["as_of"], held["open"]["count"]) == ("2026-03-02T11:59:58Z", 1)
    assert held["lag_seconds"] == 46 * 3600 + 2
    long.rollback()
    fold("4 12:00")
    assert summary("3 12:00")["open"]["count"] == 2
    assert summary("3 09:00")["open"]["count"] == 1


def test_who_began_later_does_not_hold_up_what_was_marked_before(story, fold, tenant, summary, writer):
    fold("2 12:00")
    first = writer()
    story("3 10:00")
    fold_tenant(tenant.id, march("4 10:00"))
    writer()
    first.rollback()
    fold_tenant(tenant.id, march("5 10:00"))
    told = summary("5 10:00")
    assert (told["as_of"], told["open"]["count"]) == ("2026-03-04T09:59:58Z", 1)
