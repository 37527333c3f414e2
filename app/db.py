"""The database: models' base, and `transaction()`, the only place that commits.

A transaction sets its role and tenant in its first statement, so that row-level security decides what it sees and
a pooled connection never carries a tenant over. It starts and ends with an empty session: an object read under one
tenant is never answered from memory to another.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    DateTime,
    ForeignKeyConstraint,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Row,
    Text,
    TextualSelect,
    Uuid,
    column,
    event,
    exc,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, SessionTransaction, declared_attr, mapped_column, registry
from uuid_utils.compat import uuid7

from app import clock
from app.errors import AppError

log = structlog.get_logger()

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_1_name)s",
    "pk": "pk_%(table_name)s",
}


class NoTenantScope(AppError):
    """A statement reached a tenant's table outside `transaction()`: a fault of the program, never of the caller."""

    status, code, title = 500, "no_tenant_scope", "No tenant is in scope"


class NestedTransaction(AppError):
    """`transaction()` stands in doors only, one per use case."""

    status, code, title = 500, "nested_transaction", "A transaction is already open"


class Model(DeclarativeBase):
    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            str: Text,
            datetime: DateTime(timezone=True),
            timedelta: Interval,
            UUID: Uuid,
            Decimal: Numeric,
            bytes: LargeBinary,
            dict[str, Any]: JSONB,
            list[Any]: JSONB,
            list[str]: ARRAY(Text),
            list[UUID]: ARRAY(Uuid),
        },
    )


db = SQLAlchemy(model_class=Model, disable_autonaming=True, session_options={"expire_on_commit": False})


@dataclass(frozen=True)
class TenantRow:
    """What every transaction knows of its tenant, read in its second statement."""

    id: UUID
    name: str
    sandbox: bool
    clock_offset: timedelta
    settings: dict[str, Any]
    current: dict[str, Any]


_tenant_id: ContextVar[UUID | None] = ContextVar("tenant_id", default=None)
_tenant: ContextVar[TenantRow | None] = ContextVar("tenant", default=None)
_prepared: ContextVar[bool] = ContextVar("prepared", default=False)
_whole: ContextVar[bool] = ContextVar("whole", default=False)
_after: ContextVar[list[Callable[[], object]] | None] = ContextVar("after_commit", default=None)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): rises with time, so indexes stay compact."""
    return uuid7()


def current_tenant() -> UUID:
    """The id of the tenant whose transaction is open or whose request this is."""
    tenant_id = _tenant_id.get()
    if tenant_id is None:
        raise NoTenantScope
    return tenant_id


def tenant_row() -> TenantRow:
    """The row of the tenant whose transaction is open."""
    row = _tenant.get()
    if row is None:
        raise NoTenantScope
    return row


class TenantModel(Model):
    """A table of tenants' rows: `(tenant_id, id)` is its key and row-level security guards it."""

    __abstract__ = True

    tenant_id: Mapped[UUID] = mapped_column(default=current_tenant, primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(default=new_id, primary_key=True, sort_order=-1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"primary_key": ["id"]}


class Versioned:
    """A row with an ETag: its version rises with every change and a change made meanwhile is refused."""

    version: Mapped[int] = mapped_column(BigInteger, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"primary_key": ["id"], "version_id_col": cls.version}


def reference(table: str, column: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key inside the tenant: foreign-key checks bypass row-level security, so the key carries the tenant."""
    return ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{table}.tenant_id", f"{table}.id"],
        deferrable=True,
        initially="DEFERRED",
        **options,
    )


@contextmanager
def tenant_scope(tenant_id: UUID) -> Iterator[None]:
    """Transactions inside belong to this tenant; a door sets it before the first read."""
    token = _tenant_id.set(tenant_id)
    try:
        yield
    finally:
        _tenant_id.reset(token)


def question(sql: str, columns: str, *parameters: BindParameter[Any]) -> TextualSelect:
    """A query in raw SQL whose `columns` are named in order, so that answers need not be described anew each time."""
    return text(sql).bindparams(*parameters).columns(*map(column, columns.split()))


SET_SCOPE = question(
    "select set_config('role', :role, true), set_config('app.tenant_id', :tenant, true)", "role tenant"
)
READ_TENANT = question(
    "select id, name, sandbox, clock_offset, settings, current from tenant where id = :tenant",
    "id name sandbox clock_offset settings current",
)


def set_scope(session: Session, role: str, tenant_id: UUID | None) -> None:
    session.execute(SET_SCOPE, {"role": role, "tenant": str(tenant_id) if tenant_id else ""})


@contextmanager
def transaction(tenant: UUID | None = None) -> Iterator[Session]:
    """One use case: everything inside is committed together or not at all.

    Sets role and tenant, reads the tenant's row (its time, settings and current versions), commits at the end and
    then runs what `after_commit` was given. Nested calls are refused.
    """
    if _after.get() is not None:
        raise NestedTransaction
    session = db.session()
    callbacks: list[Callable[[], object]] = []
    prepared = _prepared.get() and tenant in (None, _tenant_id.get())
    row = _tenant.get() if prepared else None
    _prepared.set(False)
    resets = (_tenant_id.set(tenant or current_tenant()), _after.set(callbacks), _tenant.set(row))
    begun: _Begun = session
    try:
        if not prepared:
            begun = _begin(session)
            set_scope(session, current_app.config["APP_ROLE"], current_tenant())
            load_tenant(session)
        yield session
        begun.commit()
    except BaseException:
        begun.rollback()
        raise
    finally:
        session.expunge_all()
        clock.set_offset(timedelta(0))
        _tenant.reset(resets[2])
        _after.reset(resets[1])
        _tenant_id.reset(resets[0])
    for callback in callbacks:
        callback()


_Begun = Session | SessionTransaction


def _begin(session: Session) -> _Begun:
    """What a transaction commits or takes back: all of the session's, or inside `as_a_whole` a part of it."""
    if _whole.get():
        return session.begin_nested()
    session.rollback()
    return session


@contextmanager
def as_a_whole() -> Iterator[None]:
    """The transactions inside are committed together at the end or not at all: for a set-up of many use cases.

    Each is a savepoint of one, and what it gave `after_commit` runs at its own end.
    """
    session = db.session()
    session.rollback()
    token = _whole.set(True)
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _whole.reset(token)


def load_tenant(session: Session) -> None:
    """Read the tenant's row into the transaction; a tenant that does not exist yet (set-up) has none."""
    row = session.execute(READ_TENANT, {"tenant": current_tenant()}).one_or_none()
    if row is not None:
        _tenant.set(TenantRow(*row))
        clock.set_offset(row.clock_offset)
    else:
        clock.set_offset(timedelta(0))


TAKE_TURN = text("select pg_advisory_xact_lock(hashtextextended(:turn, 0))")


def take_turn(what: str) -> None:
    """Transactions of this tenant that take the same turn wait until the one before has ended."""
    db.session.execute(TAKE_TURN, {"turn": f"{what}:{current_tenant()}"})


@contextmanager
def finding() -> Iterator[Session]:
    """Read only which tenants have work, as the finder role; sees no row's content."""
    if _after.get() is not None:
        raise NestedTransaction
    session = db.session()
    begun = _begin(session)
    try:
        set_scope(session, current_app.config["FINDER_ROLE"], None)
        yield session
    finally:
        begun.rollback()


@contextmanager
def machine() -> Iterator[Session]:
    """One change of what belongs to no tenant (heartbeats); every tenant's table refuses it."""
    if _after.get() is not None:
        raise NestedTransaction
    session = db.session()
    begun = _begin(session)
    try:
        set_scope(session, current_app.config["APP_ROLE"], None)
        yield session
        begun.commit()
    except BaseException:
        begun.rollback()
        raise
    finally:
        session.expunge_all()


def prepare(tenant: UUID, asked: TextualSelect, values: dict[str, Any]) -> Row[Any] | None:
    """Begin a request's transaction with the guard's own question, so that scope and tenant are not read twice.

    The question answers at most one row, the tenant's columns under `tenant_*` among it. The first `transaction()`
    of this tenant goes on from here; `release_prepared` ends what no door took up.
    """
    session = db.session()
    session.rollback()
    set_scope(session, current_app.config["APP_ROLE"], tenant)
    row = session.execute(asked, values).one_or_none()
    if row is not None:
        found = row._mapping
        _tenant.set(TenantRow(*(found[f"tenant_{field.name}"] for field in fields(TenantRow))))
        clock.set_offset(found["tenant_clock_offset"])
        _tenant_id.set(tenant)
        _prepared.set(True)
    return row


def release_prepared() -> None:
    """End a prepared transaction and forget the request's tenant."""
    if _prepared.get():
        db.session.rollback()
    _prepared.set(False)
    _tenant.set(None)
    _tenant_id.set(None)


def after_commit(callback: Callable[[], object]) -> None:
    """Run `callback` once the open transaction has committed; never when it rolls back."""
    callbacks = _after.get()
    if callbacks is None:
        raise NoTenantScope("after_commit() outside transaction()")
    callbacks.append(callback)


@event.listens_for(Engine, "handle_error")
def _name_missing_scope(context: ExceptionContext) -> None:
    """PostgreSQL's complaint about an unset tenant becomes an error that says what is wrong."""
    message = str(context.original_exception)
    if 'parameter "app.tenant_id"' in message or 'type uuid: ""' in message:
        raise NoTenantScope from context.original_exception


def is_unique_violation(error: exc.IntegrityError, constraint: str) -> bool:
    """Whether this error is that unique key's."""
    diagnostics = getattr(error.orig, "diag", None)
    return getattr(diagnostics, "constraint_name", None) == constraint
