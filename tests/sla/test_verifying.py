"""Rebuilding equals the stored row, whichever path wrote it; what somebody altered behind our back is found."""

from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select, text

from app.config import Settings
from app.db import db, transaction
from app.operations.cli import cli
from app.rows import insert_all
from app.sla import service
from app.sla.cli import verify_tenants
from app.sla.clocks import Clocks
from app.sla.ledger import Target
from app.sla.models import Clock
from app.sla.verifying import Difference
from tests import NOW
from tests.conftest import TestTenant
from tests.sla.conftest import make_case
from tests.sla.test_due import sweep

TIER = Target("business_seconds", 4 * 3600)
NUMBERS = count(1)
KINDS = ("close", "acknowledge", "tier", "still_on_it", "customer_update")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{text}").replace(tzinfo=UTC)


def found(tenant: TestTenant) -> list[Difference]:
    return [one for batch in verify_tenants([tenant.id]) for one in batch.differences]


def differences(tenant: TestTenant) -> list[tuple[str, object, object]]:
    return [(one.field, one.stored, one.rebuilt) for one in found(tenant)]


def clock_ids(case: UUID) -> set[UUID]:
    with transaction():
        return set(db.session.scalars(select(Clock.id).where(Clock.escalation_id == case)))


def open_clocks(case: UUID) -> None:
    with transaction():
        basis = service.basis(now=NOW)
        for kind in KINDS:
            target = TIER if kind == "tier" else None
            insert_all(service.open_clock(kind, escalation_id=case, basis=basis, at=NOW, now=NOW, target=target))


# A move: how much later, how long before that it happened (what is logged late), and what.
gaps = st.sampled_from((0, 1, 7, 90, 240, 480, 1_300, 9_000))
late = st.sampled_from((0, 0, 0, 30, 480))
kinds = st.sampled_from(KINDS)
hours = st.sampled_from((1, 3, 5, 40))
moves = st.one_of(
    st.tuples(st.just("sweep")),
    st.tuples(st.just("fulfil"), kinds, st.sampled_from(("resolve", "close", "acknowledge"))),
    st.tuples(st.just("cancel"), kinds),
    st.tuples(st.just("start"), kinds, st.sampled_from((None, "customer"))),
    st.tuples(st.just("pause"), st.sampled_from(("customer", "vendor"))),
    st.tuples(st.just("resume")),
    st.tuples(st.just("extend"), kinds, hours),
    st.tuples(st.just("retarget"), kinds, hours),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("end_case")),
)


def play(clocks: Clocks, move: tuple[Any, ...], at: datetime, now: datetime) -> None:
    """One move through the service that use cases work with."""
    name, *args = move
    if name in ("fulfil", "cancel") and args[0] == "close" and args[-1] != "close":
        args[-1] = "close"
    if name == "fulfil":
        clocks.fulfil(args[0], at, now, because=args[1])
    elif name == "cancel":
        clocks.cancel(args[0], at=at, now=now)
    elif name == "start":
        target = TIER if args[0] == "tier" else None
        clocks.start(args[0], at=at, now=now, waiting_on=args[1], target=target)
    elif name == "pause":
        clocks.pause(now, now, party=args[0])
    elif name == "resume":
        clocks.resume(now, now)
    elif name == "extend":
        clocks.extend(args[0], now + timedelta(hours=args[1]), at=now, now=now)
    elif name == "retarget":
        clocks.retarget(args[0], Target("business_seconds", args[1] * 3600), at=now, now=now, because="severity")
    elif name == "reopen":
        clocks.reopen(at=now, now=now)
    else:
        clocks.end_case(at, now)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.tuples(gaps, late, moves), min_size=1, max_size=9))
def test_rebuilding_gives_the_stored_row_whichever_path_wrote_it(
    tenant: TestTenant, equals_rebuilt: Callable[[UUID], int], story: list[tuple[int, int, tuple[Any, ...]]]
) -> None:
    with transaction():
        case = make_case(tenant, next(NUMBERS))
    open_clocks(case)
    now = NOW
    for gap, before, move in story:
        now += timedelta(minutes=gap)
        if move[0] == "sweep":
            sweep(now)
        else:
            with transaction():
                clocks = Clocks.load(case)
                play(clocks, move, max(NOW, now - timedelta(minutes=before)), now)
                clocks.save()
    assert equals_rebuilt(case) >= len(KINDS)
    ids = clock_ids(case)
    assert [one for one in found(tenant) if one.clock_id in ids] == []
    with transaction():  # the next story's sweep finds nothing of this one
        clocks = Clocks.load(case)
        clocks.end_case(now, now)
        clocks.save()


Command = Callable[..., Result]


@pytest.fixture
def command(settings: Settings) -> Command:
    environ: dict[str, Any] = {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
    }
    return lambda *words: Context().run(CliRunner().invoke, cli, ["clocks", "verify", *words], env=environ)


@pytest.fixture
def tamper(settings: Settings) -> Any:
    """Change the database as its owner, past policies and triggers."""

    def change(table: str, statement: str, **values: Any) -> None:
        engine = create_engine(settings.migration_url)
        with engine.begin() as connection:
            connection.execute(text(f"alter table {table} no force row level security"))
            connection.execute(text(f"alter table {table} disable trigger user"))
            assert connection.execute(text(statement), values).rowcount == 1
            connection.execute(text(f"alter table {table} enable trigger user"))
            connection.execute(text(f"alter table {table} force row level security"))
        engine.dispose()

    return change


def clock_of(case: UUID, kind: str) -> Clock:
    with transaction():
        return db.session.scalars(select(Clock).where(Clock.escalation_id == case, Clock.kind == kind)).one()


def test_clocks_as_they_should_be_are_counted_and_nothing_is_said(
    tenant: TestTenant, case: UUID, command: Command
) -> None:
    open_clocks(case)
    answer = command("--tenant", str(tenant.id))
    assert (answer.exit_code, answer.stdout, answer.stderr) == (0, "", "5 clocks, 0 differences\n")


def test_a_due_time_moved_by_hand_is_found_with_what_it_should_be(
    tenant: TestTenant, case: UUID, command: Command, tamper: Any
) -> None:
    open_clocks(case)
    clock = clock_of(case, "acknowledge")
    later = utc("16:00")
    tamper("clock", "update clock set due_at = :later where id = :id", later=later, id=clock.id)
    answer = command("--tenant", str(tenant.id))
    shown = f"{clock.id}\tdue_at\t{later.isoformat()}\t{utc('14:00').isoformat()}\n"
    assert (answer.exit_code, answer.stdout) == (1, shown)
    assert answer.stderr == "5 clocks, 1 differences\n"


def test_an_entry_changed_or_taken_from_the_ledger_is_found(
    tenant: TestTenant, case: UUID, command: Command, tamper: Any
) -> None:
    open_clocks(case)
    clock = clock_of(case, "acknowledge")
    moved = "update clock_entry set at = at - interval '1 hour' where clock_id = :id and type = 'activate'"
    tamper("clock_entry", moved, id=clock.id)
    # began at 9, so four hours are over at 13; when it was written at 10 an hour had passed
    assert differences(tenant) == [
        ("started_at", NOW, utc("09:00")),
        ("due_at", utc("14:00"), utc("13:00")),
        ("original_due_at", utc("14:00"), utc("13:00")),
        ("not_before", NOW, utc("09:00")),
        ("elapsed_seconds", 0, 3600),
        ("next_step_at", utc("13:00"), utc("12:00")),
    ]
    tamper("clock_entry", "delete from clock_entry where clock_id = :id", id=clock.id)
    answer = command("--tenant", str(tenant.id))
    assert answer.exit_code == 1
    assert answer.stdout.startswith(f"{clock.id}\tledger\t0 entries\t")


def test_a_clock_that_the_sweep_would_never_look_at_again_is_found(tenant: TestTenant, case: UUID, tamper: Any) -> None:
    open_clocks(case)
    sweep(utc("13:00"))
    clock = clock_of(case, "acknowledge")
    tamper("clock", "update clock set next_step_at = null where id = :id", id=clock.id)
    assert differences(tenant) == [("next_step_at", None, utc("14:00"))]


def test_every_tenant_is_compared_unless_one_is_named(
    tenant: TestTenant, case: UUID, command: Command, tamper: Any, new_tenant: Callable[..., TestTenant]
) -> None:
    open_clocks(case)
    clock = clock_of(case, "tier")
    tamper("clock", "update clock set state = 'met' where id = :id", id=clock.id)
    assert f"{clock.id}\tstate\tmet\trunning\n" in command().stdout
    assert command("--tenant", str(new_tenant("Others").id)).exit_code == 0


def test_verifying_writes_nothing_and_takes_two_statements_a_batch(
    tenant: TestTenant, case: UUID, statements: Callable[[], Any]
) -> None:
    open_clocks(case)
    list(verify_tenants([tenant.id]))
    with statements() as sent:
        assert [batch.count for batch in verify_tenants([tenant.id])] == [5]
    asked = [statement for statement in sent if "set_config" not in statement and "from tenant" not in statement]
    assert [statement.split()[0] for statement in asked] == ["set", "select", "set", "select"]
