"""Links to one report: anybody who has one sees what its maker may see, until it expires or is revoked.

The tenant stands in the link, so its scope is set before the first read; only a hash of the secret is kept. A link that
there is not, one that has ended and one whose maker may no longer read reports are the same to a stranger.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Select, func, select

from app.accounts.queries import tenant_today
from app.auth import limits, tokens
from app.auth.actor import Actor
from app.auth.errors import LinkUnknown
from app.auth.models import LinkView, User
from app.db import current_tenant, db, new_id
from app.errors import NotFound
from app.reports.exports.asking import Answered
from app.reports.sharing.arguments import checked
from app.reports.sharing.asked import Kept, reader_of
from app.reports.sharing.models import ReportLink, ReportView
from app.rows import insert_all

PATH = "/reports/shared/"
PREFIX = "fhr_"
SUBJECT = "report_link"
A_MINUTE = 60  # openings of one link
COLUMNS = ("id", "name", "report", "arguments", "as_of", "created_at", "expires_at", "revoked_at")


def make_link(
    fields: Mapping[str, Any], view: ReportView | None, *, actor: Actor, now: datetime, real_now: datetime
) -> tuple[ReportLink, str]:
    """A link to a saved view, or to `report` with its `arguments`, as the maker reads it now; and its address, which is
    not kept."""
    if view is not None:
        kept, name = Kept(view.report, view.arguments), view.name
    else:
        kept, name = Kept(fields["report"], checked(fields["report"], fields["arguments"])), ""
    today = tenant_today(now)
    answered = kept.answered(actor=actor, now=now, today=today)
    plain, secret_hash = tokens.mint(current_tenant(), prefix=PREFIX)
    link = ReportLink(
        id=new_id(),
        name=fields.get("name") or name or answered.report.title,
        report=kept.report,
        arguments=kept.fixed(answered.frame.as_of, today),
        as_of=answered.frame.as_of,
        maker_id=actor.person_id,
        secret_hash=secret_hash,
        created_at=real_now,
        expires_at=real_now + timedelta(days=fields["days"]),
    )
    db.session.add(link)
    db.session.flush()
    return link, f"{current_app.config['BASE_URL']}{PATH}{plain}"


def list_links(*, actor: Actor, everybodys: bool, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """My links, newest first, with how often each was opened; an admin may ask for everybody's."""
    asked = _seen(actor, everybodys).order_by(ReportLink.id.desc()).limit(limit)
    if after:
        asked = asked.where(ReportLink.id < UUID(after[0]))
    return _shown(db.session.execute(asked).all())


def get_link(link_id: UUID, *, actor: Actor) -> dict[str, Any]:
    row = db.session.execute(_seen(actor, True).where(ReportLink.id == link_id)).one_or_none()
    if row is None:
        raise NotFound
    return _shown([row])[0]


def revoke(link_id: UUID, *, actor: Actor, real_now: datetime) -> None:
    """It leads nowhere from now on; the first time counts."""
    asked = _seen(actor, True).where(ReportLink.id == link_id).with_for_update(of=ReportLink)
    row = db.session.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    link: ReportLink = row[0]
    if link.revoked_at is None:
        link.revoked_at, link.revoked_by_id = real_now, actor.person_id
        db.session.flush()


def list_openings(link_id: UUID, *, after: list[Any] | None, limit: int) -> Sequence[LinkView]:
    """When a link was opened, newest first."""
    asked = select(LinkView).where(LinkView.subject == SUBJECT, LinkView.subject_id == link_id)
    if after:
        asked = asked.where(LinkView.id < UUID(after[0]))
    return db.session.scalars(asked.order_by(LinkView.id.desc()).limit(limit)).all()


def _seen(actor: Actor, everybodys: bool) -> Select[ReportLink, User]:
    asked = select(ReportLink, User).join(User, User.id == ReportLink.maker_id)
    if everybodys and actor.role == "admin":
        return asked
    return asked.where(ReportLink.maker_id == actor.user_id)


def _shown(rows: Sequence[Any]) -> list[dict[str, Any]]:
    counted = (LinkView.subject_id, func.count().label("times"), func.max(LinkView.at).label("last_at"))
    ids = [row[0].id for row in rows]
    asked = select(*counted).where(LinkView.subject == SUBJECT, LinkView.subject_id.in_(ids))
    openings = {row.subject_id: row for row in db.session.execute(asked.group_by(LinkView.subject_id))} if ids else {}
    return [_item(link, maker, openings.get(link.id)) for link, maker in rows]


def _item(link: ReportLink, maker: User, opened: Any) -> dict[str, Any]:
    return {
        **{name: getattr(link, name) for name in COLUMNS},
        "maker": {"id": maker.id, "name": maker.name},
        "works": reader_of(maker) is not None,
        "opened": opened.times if opened else 0,
        "last_opened_at": opened.last_at if opened else None,
    }


# -- opening ----------------------------------------------------------------------------------------------------------


def read_link(token: str) -> tuple[UUID, bytes]:
    """The tenant and the secret's hash of a well-formed link; `LinkUnknown` (404) of anything else."""
    parsed = tokens.parse(token, prefix=PREFIX)
    if parsed is None:
        raise LinkUnknown
    return parsed


def open_link(
    secret_hash: bytes, *, now: datetime, real_now: datetime, note: bool
) -> tuple[ReportLink, User, Answered]:
    """The report as its maker may read it at this moment, as of the link's; in the caller's transaction.

    `note` keeps that it was opened. Each link is opened at most so often a minute (429).
    """
    asked = select(ReportLink, User).join(User, User.id == ReportLink.maker_id)
    row = db.session.execute(asked.where(ReportLink.secret_hash == secret_hash)).one_or_none()
    if row is None:
        raise LinkUnknown
    link, maker = row
    actor = reader_of(maker)
    if actor is None or link.revoked_at is not None or link.expires_at <= real_now:
        raise LinkUnknown
    limits.count_opening(link.id, most=A_MINUTE)
    if note:
        insert_all([LinkView(user_id=maker.id, subject=SUBJECT, subject_id=link.id, at=real_now)])
    kept = Kept(link.report, link.arguments)
    return link, maker, kept.answered(actor=actor, now=now, today=tenant_today(link.as_of))
