"""Idempotency-Key: the same request twice is done once and answered the same (draft-ietf-httpapi-idempotency-key).

A key holds 24 hours per token and path. Same key and body: the kept answer (2xx only are kept); another body: 422; a
twin still running: 409. The answer is kept in the transaction of the change, so there is never one without the other.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from flask import Response, current_app, g, request
from sqlalchemy import UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session

from app import clock, db
from app.errors import AppError, Conflict, Invalid
from app.rows import insert_all

LIFETIME = timedelta(hours=24)


class IdempotencyKey(db.TenantModel):
    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("tenant_id", "principal_id", "path", "key"),)

    principal_id: Mapped[UUID]
    path: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    etag: Mapped[str | None]
    location: Mapped[str | None]
    created_at: Mapped[datetime]


class Replay(AppError):
    """Carries the kept answer out of the transaction; rendered as that answer."""

    def __init__(self, kept: IdempotencyKey) -> None:
        super().__init__()
        self.kept = kept


@contextmanager
def transaction(tenant: UUID | None = None, *, answered_later: bool = False) -> Iterator[Session]:
    """One use case of a request: `db.transaction` with the Idempotency-Key around it.

    A request of several transactions says `answered_later` in the first and makes its answer in the last.
    """
    key = _key_sent()
    if key:
        request.get_data(cache=True)  # a form that is read before would leave nothing to tell it by
    with db.transaction(tenant) as session:
        if key:
            _reserve(session, key)
            g.idempotency = None if answered_later else key
        yield session
        if key and g.pop("idempotency", None):
            raise RuntimeError("an answer under an Idempotency-Key must be made inside the transaction")


def _key_sent() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return None
    key = key.strip().strip('"')
    if not 1 <= len(key) <= 255:
        raise Invalid("Idempotency-Key: expected 1 to 255 characters")
    return key


def _fingerprint() -> str:
    return hashlib.sha256(request.get_data(cache=True)).hexdigest()


def _reserve(session: Session, key: str) -> None:
    principal = g.actor.principal_id
    lock = int.from_bytes(hashlib.sha256(f"{principal}{request.path}{key}".encode()).digest()[:8], signed=True)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(lock))):
        raise Conflict("A request with this Idempotency-Key is still running", errors=[])
    kept = session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.principal_id == principal,
            IdempotencyKey.path == request.path,
            IdempotencyKey.key == key,
        )
    )
    if kept is None:
        return
    if kept.created_at <= clock.real_now() - LIFETIME:
        session.delete(kept)
        session.flush()
        return
    if kept.fingerprint != _fingerprint():
        raise Invalid("Idempotency-Key: this key was used with another body", errors=[])
    session.expunge(kept)  # the rollback to come would expire it
    raise Replay(kept)


def keep(response: Response, body: str | None = None) -> None:
    """Keep a 2xx answer under the key of the request, in the open transaction; `body` instead of its own, if given."""
    key = g.pop("idempotency", None)
    if key is None or not 200 <= response.status_code < 300:
        return
    insert_all(
        [
            IdempotencyKey(
                principal_id=g.actor.principal_id,
                path=request.path,
                key=key,
                fingerprint=_fingerprint(),
                status=response.status_code,
                body=response.get_data(as_text=True) if body is None else body,
                etag=response.headers.get("ETag"),
                location=response.headers.get("Location"),
                created_at=clock.real_now(),
            )
        ]
    )


def render_replay(replay: Replay) -> Response:
    kept = replay.kept
    shape = getattr(current_app.blueprints.get(request.blueprint or ""), "replay", None)
    if shape:
        return cast(Response, shape(kept))
    response: Response = current_app.response_class(kept.body, status=kept.status, mimetype="application/json")
    if kept.etag:
        response.headers["ETag"] = kept.etag
    if kept.location:
        response.headers["Location"] = kept.location
    response.headers["Idempotency-Replayed"] = "true"
    return response


def forget_old(session: Session) -> int:
    """Remove keys past their 24 hours; called daily inside a transaction."""
    old = IdempotencyKey.created_at <= clock.real_now() - LIFETIME
    return len(session.scalars(delete(IdempotencyKey).where(old).returning(IdempotencyKey.id)).all())
