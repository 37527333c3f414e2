"""An account's cases as its page shows them: the open ones by due time, then what has ended, newest first.

Two statements for the whole page, and one for each further page of a list, whatever number of cases there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    column,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    union_all,
)

from app.accounts.facts import AccountFacts
from app.auth.actor import Actor
from app.db import db
from app.escalations.models import Escalation, EscalationContract
from app.escalations.queries import base, item_of, visible_to, waiting_of

# In the words of the indexes that were made for them; what waits for approval stands among the open ones.
STANDING_SQL = "escalation.status IN ('requested', 'open', 'in_progress', 'waiting', 'resolved')"
ENDED_SQL = "escalation.status IN ('closed', 'merged', 'declined')"
OPEN_SHOWN, ENDED_SHOWN, CONTACTS_SHOWN = 20, 5, 10
UNJUDGED = ("withdrawn", "mistaken")
PROMISED = ("running", "breached")

Part = Literal["open", "ended"]


@dataclass(frozen=True)
class Lines:
    """Some cases of a list; `after` is the position of the last one while there are more."""

    items: list[dict[str, Any]]
    after: list[Any] | None


@dataclass(frozen=True)
class Beside:
    """What stands beside the lists: how many cases, what they touch, and the names of what the facts know by id.

    `judged` are the closed ones that count for being on time. `names` are contracts' and deals', `parents` the chain's,
    `away` until when of who is absent now; `asked_name` is the name of a merged account that was asked for.
    """

    open: int
    requested: int
    closed: int
    judged: int
    on_time: int
    touched: frozenset[UUID]
    contacts: list[dict[str, Any]]
    contact_count: int
    names: Mapping[str, str]
    parents: Mapping[str, str]
    away: Mapping[str, datetime]
    asked_name: str | None


def list_both(account_id: UUID, *, actor: Actor, now: datetime) -> tuple[Lines, Lines]:
    """The first open cases and the first that have ended, in one statement."""
    both = (
        _asked("open", account_id, actor, now, OPEN_SHOWN, None),
        _asked("ended", account_id, actor, now, ENDED_SHOWN, None),
    )
    rows = [row._mapping for row in db.session.execute(union_all(*both))]
    return (
        _lines("open", [row for row in rows if row["part"] == "open"], OPEN_SHOWN, now),
        _lines("ended", [row for row in rows if row["part"] == "ended"], ENDED_SHOWN, now),
    )


def list_part(
    part: Part, account_id: UUID, *, actor: Actor, now: datetime, limit: int, after: Sequence[Any] | None
) -> Lines:
    """A further page of one of the two."""
    rows = db.session.execute(_asked(part, account_id, actor, now, limit, after))
    return _lines(part, [row._mapping for row in rows], limit, now)


def count_open(account_ids: Sequence[UUID], *, actor: Actor, now: datetime) -> dict[UUID, int]:
    """How many open cases that the caller may see each of these accounts has, if any."""
    of_these = Escalation.account_id.in_(account_ids)
    seen = (text(STANDING_SQL), Escalation.status != "requested", of_these, visible_to(actor, now))
    rows = db.session.execute(select(Escalation.account_id, func.count()).where(*seen).group_by(Escalation.account_id))
    return {row[0]: row[1] for row in rows}


def _asked(
    part: Part, account_id: UUID, actor: Actor, now: datetime, limit: int, after: Sequence[Any] | None
) -> Select[Any]:
    """One more than the limit, which tells of a next page."""
    is_open = part == "open"
    by: ColumnElement[Any] = Escalation.__table__.c.due_at if is_open else Escalation.__table__.c.raised_at
    id_ = Escalation.__table__.c.id
    query = (
        base(PROMISED)
        .add_columns(literal_column(f"'{part}'").label("part"), by.label("sort_value"))
        .where(Escalation.account_id == account_id, text(STANDING_SQL if is_open else ENDED_SQL))
        .where(visible_to(actor, now))
    )
    if after is not None:
        mark = tuple_(literal(datetime.fromisoformat(after[0])), literal(UUID(after[1])))
        query = query.where(tuple_(by, id_) > mark if is_open else tuple_(by, id_) < mark)
    order = (by, id_) if is_open else (by.desc(), id_.desc())
    return query.order_by(*order).limit(limit + 1)


def _lines(part: Part, rows: Sequence[Mapping[Any, Any]], limit: int, now: datetime) -> Lines:
    shown = sorted(rows, key=lambda row: (row["sort_value"], row["id"]), reverse=part == "ended")[:limit]
    after = [shown[-1]["sort_value"].isoformat(), str(shown[-1]["id"])] if len(rows) > limit else None
    return Lines([_line(row, now) for row in shown], after)


def _line(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    on_time = (
        row["outcome"] == "resolved" and row["closed_at"] is not None and row["closed_at"] <= row["close_target_at"]
    )
    judged = row["status"] == "closed" and row["outcome"] not in UNJUDGED
    return {
        **item_of(row, now),
        "waiting": waiting_of(row),
        "closed_at": row["closed_at"],
        "verification": row["verification"],
        "on_time": on_time if judged else None,
    }


# Names and people that the facts know by their ids.
BESIDE = {
    "names": """
        select json_object_agg(id, name) from (
            select id, external_id as name from contract where id = any(cast(:contracts as uuid[]))
            union all
            select id, coalesce(name, external_id) from opportunity where id = any(cast(:deals as uuid[]))) named
        """,
    "parents": "select json_object_agg(id, name) from account where id = any(cast(:parents as uuid[]))",
    "contacts": f"""
        select json_agg(c) from (
            select id, name, email, role from contact where account_id = :account and gone_at is null
            order by name nulls last, id limit {CONTACTS_SHOWN}) c
        """,  # noqa: S608 - a number
    "contact_count": "select count(*) from contact where account_id = :account and gone_at is null",
    "away": """
        select json_object_agg(user_id, ends_at) from (
            select user_id, max(ends_at) as ends_at from absence
            where user_id = any(cast(:people as uuid[])) and starts_at <= :now and ends_at > :now group by user_id) away
        """,
    "asked_name": "select name from account where id = cast(:asked as uuid)",
}
SUBQUERIES = [text(sql).columns(column(name)).scalar_subquery().label(name) for name, sql in BESIDE.items()]


def get_beside(facts: AccountFacts, *, asked: UUID | None, actor: Actor, now: datetime) -> Beside:
    """Counts over the cases that the caller may see, and the names beside them, in one statement."""
    values = {
        "account": facts.account.id,
        "asked": asked,
        "contracts": [UUID(part.id) for part in facts.value.parts if part.kind == "contract"],
        "deals": list(facts.opportunity_ids),
        "parents": list(facts.chain),
        "people": [person.id for person in (facts.owner, facts.csm, facts.sponsor) if person is not None],
        "now": now,
    }
    found = db.session.execute(select(*SUBQUERIES, *_counts(facts.account.id, actor, now)), values).one()._mapping
    return Beside(
        **found["standing"],
        **found["ended"],
        touched=frozenset(found["touched"] or ()),
        contacts=found["contacts"] or [],
        contact_count=found["contact_count"],
        names=found["names"] or {},
        parents=found["parents"] or {},
        away={id_: datetime.fromisoformat(until) for id_, until in (found["away"] or {}).items()},
        asked_name=found["asked_name"],
    )


def get_names(facts: AccountFacts) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """The first contacts, and the names of contracts by their ids, in one statement."""
    contracts = [UUID(part.id) for part in facts.value.parts if part.kind == "contract"]
    asked = select(*(one for one in SUBQUERIES if one.name in ("contacts", "names")))
    values = {"account": facts.account.id, "contracts": contracts, "deals": []}
    found = db.session.execute(asked, values).one()._mapping
    return found["contacts"] or [], found["names"] or {}


def _counts(account_id: UUID, actor: Actor, now: datetime) -> list[ColumnElement[Any]]:
    seen = and_(Escalation.account_id == account_id, visible_to(actor, now))
    requested, closed = Escalation.status == "requested", Escalation.status == "closed"
    judged = and_(closed, Escalation.outcome.not_in(UNJUDGED))
    kept = and_(Escalation.outcome == "resolved", Escalation.closed_at <= Escalation.close_target_at)
    return [
        _counted(STANDING_SQL, seen, open=~requested, requested=requested).label("standing"),
        _counted(ENDED_SQL, seen, closed=closed, judged=judged, on_time=and_(judged, kept)).label("ended"),
        select(func.array_agg(EscalationContract.contract_id.distinct()))
        .join(Escalation, and_(*_same_case()))
        .where(text(STANDING_SQL), seen, ~requested)
        .scalar_subquery()
        .label("touched"),
    ]


def _counted(where: str, seen: ColumnElement[bool], **kinds: ColumnElement[bool]) -> ScalarSelect[Any]:
    """How many of each kind, as one object."""
    counts = [part for name, kind in kinds.items() for part in (name, func.count().filter(kind))]
    return select(func.json_build_object(*counts)).select_from(Escalation).where(text(where), seen).scalar_subquery()


def _same_case() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        Escalation.tenant_id == EscalationContract.tenant_id,
        Escalation.id == EscalationContract.escalation_id,
    )
