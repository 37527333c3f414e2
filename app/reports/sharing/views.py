"""Saved views: a report with its arguments under a name, one's own or shared with all who read reports."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from app.auth.actor import Actor
from app.auth.models import User
from app.db import db, is_unique_violation, new_id
from app.errors import NotFound, invalid
from app.reports.sharing.arguments import address_of, checked, page_of
from app.reports.sharing.errors import NameTaken, NotYourView, ViewInUse
from app.reports.sharing.kinds import KINDS
from app.reports.sharing.models import ReportSchedule, ReportView

NAME_KEY = "uq_report_view_tenant_id_owner_id_name"
COLUMNS = ("id", "name", "report", "arguments", "shared", "created_at", "changed_at", "version")


def list_views(*, actor: Actor, today: date, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """My views and the shared ones, by name."""
    asked = _asked(actor).order_by(ReportView.name, ReportView.id).limit(limit)
    if after:
        asked = asked.where(tuple_(ReportView.name, ReportView.id) > (after[0], UUID(after[1])))
    return [shown(view, owner, actor=actor, today=today) for view, owner in db.session.execute(asked)]


def get_view(view_id: UUID, *, actor: Actor, lock: bool = False) -> tuple[ReportView, User]:
    """One of mine or a shared one; any other looks like none."""
    asked = _asked(actor).where(ReportView.id == view_id)
    row = db.session.execute(asked.with_for_update(of=ReportView) if lock else asked).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def get_named(view_id: UUID, *, actor: Actor) -> ReportView:
    """The view that a body names as `view_id`."""
    try:
        return get_view(view_id, actor=actor)[0]
    except NotFound:
        raise invalid("view_id", "there is no such view") from None


def get_own(view_id: UUID, *, actor: Actor, lock: bool = False) -> tuple[ReportView, User]:
    """One that the caller may change."""
    view, owner = get_view(view_id, actor=actor, lock=lock)
    if not may_change(view, actor):
        raise NotYourView
    return view, owner


def may_change(view: ReportView, actor: Actor) -> bool:
    return view.owner_id == actor.user_id or actor.role == "admin"


def save_view(fields: Mapping[str, Any], *, actor: Actor, now: datetime) -> ReportView:
    """Keep `name, report, arguments, shared` as the caller's."""
    view = ReportView(
        id=new_id(),
        name=fields["name"],
        report=fields["report"],
        arguments=checked(fields["report"], fields["arguments"]),
        owner_id=actor.person_id,
        shared=fields["shared"],
        created_at=now,
        changed_at=now,
    )
    db.session.add(view)
    _write()
    return view


def change_view(view: ReportView, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Change `name, arguments` or `shared`; which report it is stays."""
    if "name" in changes:
        view.name = changes["name"]
    if "arguments" in changes:
        view.arguments = checked(view.report, changes["arguments"])
    if "shared" in changes:
        view.shared = changes["shared"]
    view.changed_at = now
    _write()


def delete_view(view: ReportView) -> None:
    """Refused while mails are made from it."""
    if db.session.scalar(select(ReportSchedule.id).where(ReportSchedule.view_id == view.id).limit(1)):
        raise ViewInUse
    db.session.delete(view)
    db.session.flush()


def _write() -> None:
    try:
        db.session.flush()
    except IntegrityError as error:
        if is_unique_violation(error, NAME_KEY):
            raise NameTaken from error
        raise


def shown(view: ReportView, owner: User, *, actor: Actor, today: date) -> dict[str, Any]:
    """A view as it is answered: its span told in days as of today."""
    kind = KINDS[view.report]
    return {
        **{name: getattr(view, name) for name in COLUMNS},
        "owner": {"id": owner.id, "name": owner.name},
        "mine": view.owner_id == actor.user_id,
        "may_change": may_change(view, actor),
        "address": address_of(kind, view.arguments, today),
        "page": page_of(kind, view.arguments, today),
    }


def _asked(actor: Actor) -> Select[ReportView, User]:
    seen = or_(ReportView.owner_id == actor.user_id, ReportView.shared)
    return select(ReportView, User).join(User, User.id == ReportView.owner_id).where(seen)
