"""The list of cases by keyset: filters, sorts, pages."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    TextClause,
    and_,
    case,
    cast,
    literal,
    literal_column,
    not_,
    or_,
    text,
    tuple_,
)
from sqlalchemy.types import DateTime, Numeric

from app.accounts.models import Account
from app.auth.actor import Actor
from app.auth.models import User
from app.db import db
from app.errors import invalid_parameter
from app.escalations import lifecycle
from app.escalations.covering import COVERED
from app.escalations.lifecycle import STATUSES
from app.escalations.models import BY_VALUE, Escalation
from app.escalations.queries import base, visible_to
from app.escalations.record_shapes import item_of
from app.escalations.silence import silence_of
from app.escalations.tiers import TIERS
from app.http import decode_cursor, encode_cursor, split_words

SORTS: dict[str, tuple[ColumnElement[Any], bool]] = {
    "-priority": (Escalation.__table__.c.priority_score, True),
    "due": (Escalation.__table__.c.due_at, False),
    "-value_at_stake": (Escalation.__table__.c.value_amount, True),
    "raised": (Escalation.__table__.c.raised_at, False),
}

# Of the lines of one page only, each by the index of its timeline.
CUSTOMER_TOLD: ColumnElement[Any] = literal_column(
    """(select max(told.at) from event told
        where told.tenant_id = escalation.tenant_id and told.escalation_id = escalation.id and told.kind = 'update'
        and told.facts -> 'audiences' ? 'customer')"""
).label("customer_told_at")

# The last that its outage offered to a case, and what became of it.
OFFER: ColumnElement[Any] = literal_column(
    """(select json_build_object('task_id', offer.id, 'kind', offer.kind, 'state', offer.state, 'reason', offer.reason)
        from task offer
        where offer.tenant_id = escalation.tenant_id and offer.escalation_id = escalation.id
        and offer.outage_event_id is not null order by offer.id desc limit 1)"""
).label("offer")


def list_escalations(arguments: Mapping[str, Any], *, actor: Actor, now: datetime) -> dict[str, Any]:
    """One page in one statement. By value, the incomplete ones sort first. What `owner=me` covers names its owner."""
    column, descending = SORTS[arguments["sort"]]
    id_ = Escalation.__table__.c.id
    if arguments["sort"] == "-value_at_stake":
        column = literal_column(f"({BY_VALUE})", Numeric(22, 2))
    query = (
        base()
        .where(visible_to(actor, now), *_filters(arguments, actor=actor, now=now))
        .add_columns(column.label("sort_value"), CUSTOMER_TOLD, *_covering(arguments, actor=actor, now=now))
        .add_columns(*([OFFER] if "outage" in arguments else []))
    )
    position = decode_cursor(arguments.get("cursor"))
    if position is not None:
        mark: Any = datetime.fromisoformat(position[0]) if isinstance(column.type, DateTime) else Decimal(position[0])
        mark = cast(literal(mark), column.type)
        after = tuple_(column, id_) < tuple_(mark, literal(UUID(position[1])))
        query = query.where(after if descending else tuple_(column, id_) > tuple_(mark, literal(UUID(position[1]))))
    order = (column.desc(), id_.desc()) if descending else (column, id_)
    rows = db.session.execute(query.order_by(*order).limit(arguments["limit"] + 1)).all()
    page = rows[: arguments["limit"]]
    more = len(rows) > len(page)
    return {
        "items": [_line(row._mapping, now) for row in page],
        "next_cursor": encode_cursor([_mark(page[-1].sort_value), str(page[-1].id)]) if more else None,
    }


def _line(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    silence = silence_of(row["status"], row["raised_at"], {"customer": row["customer_told_at"]}, (), now=now)
    return {
        **item_of(row, now),
        "covering": row.get("covering"),
        "offer": row.get("offer"),
        "customer_silence": silence["customer"] if silence else None,
    }


def _mark(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _words(arguments: Mapping[str, Any], name: str, known: tuple[str, ...]) -> list[str]:
    chosen = split_words(arguments[name])
    unknown = [word for word in chosen if word not in known]
    if unknown or not chosen:
        raise invalid_parameter(name, f"expected some of {', '.join(known)}")
    return chosen


def _ids(arguments: Mapping[str, Any], name: str) -> list[UUID]:
    try:
        found = [UUID(word) for word in split_words(arguments[name])]
    except ValueError:
        found = []
    if not found:
        raise invalid_parameter(name, "expected ids")
    return found


def _filters(arguments: Mapping[str, Any], *, actor: Actor, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    # Words of the program's own, not parameters: a prepared plan can use the indexes of live cases only so.
    live = Escalation.status.in_([literal_column(f"'{status}'") for status in sorted(lifecycle.LIVE)])
    if "status" in arguments:
        chosen = _words(arguments, "status", (*STATUSES, "live"))
        plain = [word for word in chosen if word != "live"]
        found.append(or_(Escalation.status.in_(plain), *([live] if "live" in chosen else [])))
    if "tier" in arguments:
        found.append(Escalation.tier.in_(_words(arguments, "tier", TIERS)))
    if "severity" in arguments:
        severities = _words(arguments, "severity", ("1", "2", "3", "4"))
        found.append(Escalation.severity.in_([int(word) for word in severities]))
    if "owner" in arguments:
        found.append(_owners(split_words(arguments["owner"]), actor, now))
    if "account" in arguments:
        found.append(Escalation.account_id.in_(_ids(arguments, "account")))
    if "team" in arguments:
        found.append(Escalation.team_id.in_(_ids(arguments, "team")))
    if "outage" in arguments:
        found.append(Escalation.outage_id.in_(_ids(arguments, "outage")))
    if "overdue" in arguments:
        overdue = and_(live, Escalation.due_at < now)
        found.append(overdue if arguments["overdue"] else not_(overdue))
    if "due_before" in arguments:
        found.append(Escalation.due_at < arguments["due_before"])
    if "q" in arguments:
        found.append(_search(arguments["q"].strip()))
    return found


def _covered(actor: Actor, now: datetime) -> TextClause:
    """Whether somebody who is absent owns the case and the caller acts in their place."""
    return text(COVERED).bindparams(me=actor.user_id, now=now)


def _covering(arguments: Mapping[str, Any], *, actor: Actor, now: datetime) -> list[ColumnElement[Any]]:
    if "me" not in split_words(arguments.get("owner", "")):
        return []
    return [case((_covered(actor, now), User.email)).label("covering")]


def _owners(chosen: list[str], actor: Actor, now: datetime) -> ColumnElement[bool]:
    """`me` has also what the caller covers for somebody who is absent."""
    if not chosen:
        raise invalid_parameter("owner", "expected me, an e-mail or an id")
    ids, emails, covered = [], [], []
    for word in chosen:
        if word == "me":
            ids.append(actor.user_id)
            covered.append(_covered(actor, now))
        elif "@" in word:
            emails.append(word.lower())
        else:
            try:
                ids.append(UUID(word))
            except ValueError:
                raise invalid_parameter("owner", "expected me, an e-mail or an id") from None
    return or_(Escalation.owner_id.in_(ids), User.email.in_(emails), *covered)


def _search(words: str) -> ColumnElement[bool]:
    """A number (`ESC-1042` or `1042`), or a part of the title or of the account's name."""
    number = words.upper().removeprefix("ESC-")
    if number.isdigit() and len(number) < 10:
        return Escalation.number == int(number)
    part = f"%{words.replace(chr(92), chr(92) * 2).replace('%', chr(92) + '%').replace('_', chr(92) + '_')}%"
    return or_(Escalation.title.ilike(part), Account.name.ilike(part))
