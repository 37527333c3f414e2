"""An account's cases as its page shows them: the open ones by due time, then what has ended, newest first.

One statement for both first pages and one for each further page, whatever number of cases there are. Which restricted
ones the caller may see is asked beside, once and of those alone: planning that question costs more than all the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    func,
    lateral,
    literal,
    literal_column,
    null,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
)

from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.escalations import lifecycle
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.escalations.record_shapes import waiting_of
from app.escalations.words import numbered
from app.sla.models import Clock

# In the words of the indexes that were made for them; what waits for approval stands among the open ones.
STANDING_SQL = "escalation.status IN ('requested', 'open', 'in_progress', 'waiting', 'resolved')"
ENDED_SQL = "escalation.status IN ('closed', 'merged', 'declined')"
OPEN_SHOWN, ENDED_SHOWN = 20, 5
UNJUDGED = ("withdrawn", "mistaken")
PROMISED = ("running", "breached")
PLAIN = ("id", "title", "status", "outcome", "tier", "severity", "restricted", "raised_at", "due_at", "closed_at")
READ = (
    *PLAIN,
    "number",
    "close_target_at",
    "value_amount",
    "value_currency",
    "value_incomplete",
    "merged_into_id",
    "waiting_party",
    "waiting_reason",
    "waiting_since",
    "resume_on",
    "wait_exhausted",
)

Part = Literal["open", "ended"]


@dataclass(frozen=True)
class Lines:
    """Some cases of a list; `after` is the position of the last one while there are more."""

    items: list[dict[str, Any]]
    after: list[Any] | None


def list_both(account_id: UUID, *, restricted: Sequence[UUID], actor: Actor, now: datetime) -> tuple[Lines, Lines]:
    """The first open cases and the first that have ended, in one statement; of restricted ones those named."""
    seen = seen_by(actor, Escalation.id == any_(literal(list(restricted), ARRAY(Uuid))))
    both = union_all(
        _asked("open", account_id, seen, OPEN_SHOWN, None), _asked("ended", account_id, seen, ENDED_SHOWN, None)
    )
    rows = [row._mapping for row in db.session.execute(both)]
    return (
        _lines("open", [row for row in rows if row["part"] == "open"], OPEN_SHOWN, now),
        _lines("ended", [row for row in rows if row["part"] == "ended"], ENDED_SHOWN, now),
    )


def list_part(
    part: Part, account_id: UUID, *, actor: Actor, now: datetime, limit: int, after: Sequence[Any] | None
) -> Lines:
    """A further page of one of the two."""
    rows = db.session.execute(_asked(part, account_id, visible_to(actor, now), limit, after))
    return _lines(part, [row._mapping for row in rows], limit, now)


def seen_by(actor: Actor, among_restricted: ColumnElement[bool]) -> ColumnElement[bool]:
    """What `visible_to` says, where it is known which restricted ones the caller may see."""
    if actor.is_system:
        return true()
    about = or_(Escalation.about_user_id.is_(None), Escalation.about_user_id != actor.user_id)
    return and_(about, or_(~Escalation.restricted, among_restricted))


def count_open(account_ids: Sequence[UUID], *, actor: Actor, now: datetime) -> dict[UUID, int]:
    """How many open cases that the caller may see each of these accounts has, if any."""
    of_these = Escalation.account_id.in_(account_ids)
    seen = (text(STANDING_SQL), Escalation.status != "requested", of_these, visible_to(actor, now))
    rows = db.session.execute(select(Escalation.account_id, func.count()).where(*seen).group_by(Escalation.account_id))
    return {row[0]: row[1] for row in rows}


def _asked(
    part: Part, account_id: UUID, seen: ColumnElement[bool], limit: int, after: Sequence[Any] | None
) -> Select[Any]:
    """One more than the limit, which tells of a next page."""
    is_open = part == "open"
    by: ColumnElement[Any] = Escalation.__table__.c.due_at if is_open else Escalation.__table__.c.raised_at
    id_ = Escalation.__table__.c.id
    query = _line_query(part, by).where(
        Escalation.account_id == account_id, text(STANDING_SQL if is_open else ENDED_SQL), seen
    )
    if after is not None:
        mark = tuple_(literal(datetime.fromisoformat(after[0])), literal(UUID(after[1])))
        query = query.where(tuple_(by, id_) > mark if is_open else tuple_(by, id_) < mark)
    order = (by, id_) if is_open else (by.desc(), id_.desc())
    return query.order_by(*order).limit(limit + 1)


def _line_query(part: Part, by: ColumnElement[Any]) -> Select[Any]:
    """What a line shows; of an open case with the first of its promises, kept or not."""
    owned = and_(User.tenant_id == Escalation.tenant_id, User.id == Escalation.owner_id)
    named: ColumnElement[Any] = literal_column(f"'{part}'").label("part")
    columns = (*(getattr(Escalation, name) for name in READ), User.name.label("owner_name"), by.label("sort_value"))
    if part == "ended":
        no_promise = (cast(null(), Text).label("next_kind"), cast(null(), DateTime(timezone=True)).label("next_at"))
        return select(*columns, named, *no_promise).outerjoin(User, owned)
    promise = lateral(
        select(Clock.kind.label("next_kind"), Clock.due_at.label("next_at"))
        .where(Clock.tenant_id == Escalation.tenant_id, Clock.escalation_id == Escalation.id)
        .where(Clock.state.in_(PROMISED), Clock.due_at.is_not(None))
        .order_by(Clock.due_at)
        .limit(1)
    )
    return select(*columns, named, *promise.c).outerjoin(User, owned).outerjoin(promise, true())


def _lines(part: Part, rows: Sequence[Mapping[Any, Any]], limit: int, now: datetime) -> Lines:
    shown = sorted(rows, key=lambda row: (row["sort_value"], row["id"]), reverse=part == "ended")[:limit]
    after = [shown[-1]["sort_value"].isoformat(), str(shown[-1]["id"])] if len(rows) > limit else None
    return Lines([_line(row, now) for row in shown], after)


def _line(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    judged = row["status"] == "closed" and row["outcome"] not in UNJUDGED
    on_time = judged and row["outcome"] == "resolved" and row["closed_at"] <= row["close_target_at"]
    return {
        **{name: row[name] for name in PLAIN},
        "number": numbered(row["number"]),
        "owner_name": row["owner_name"],
        "overdue": row["status"] in lifecycle.LIVE and row["due_at"] < now,
        "next_due": {"clock": row["next_kind"], "at": row["next_at"]} if row["next_kind"] else None,
        "value": {name: row[f"value_{name}"] for name in ("amount", "currency", "incomplete")},
        "waiting": waiting_of(row),
        "merged_into": row["merged_into_id"],
        "on_time": on_time if judged else None,
    }
