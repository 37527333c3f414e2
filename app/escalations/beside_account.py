"""What stands beside an account's lists: how many cases, what they touch, and names of what its facts know by id."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, column, func, select, text

from app.accounts.facts import AccountFacts
from app.auth.actor import Actor
from app.db import db
from app.escalations.models import Escalation, EscalationContract
from app.escalations.of_account import ENDED_SQL, STANDING_SQL, UNJUDGED, seen_by
from app.escalations.queries import visible_to

CONTACTS_SHOWN = 10


@dataclass(frozen=True)
class Beside:
    """What stands beside the lists: how many cases, what they touch, and the names of what the facts know by id.

    `judged` are the closed ones that count for being on time. `names` are contracts' and deals', `parents` the chain's,
    `away` until when of who is absent now; `asked_name` is the name of a merged account that was asked for.
    `restricted` are the restricted cases that the caller may see.
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
    restricted: tuple[UUID, ...]


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
        restricted=tuple(found["restricted"] or ()),
    )


def get_names(facts: AccountFacts) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """The first contacts, and the names of contracts by their ids, in one statement."""
    contracts = [UUID(part.id) for part in facts.value.parts if part.kind == "contract"]
    asked = select(*(one for one in SUBQUERIES if one.name in ("contacts", "names")))
    values = {"account": facts.account.id, "contracts": contracts, "deals": []}
    found = db.session.execute(asked, values).one()._mapping
    return found["contacts"] or [], found["names"] or {}


def _counts(account_id: UUID, actor: Actor, now: datetime) -> list[ColumnElement[Any]]:
    of_account = Escalation.account_id == account_id
    restricted = (
        select(Escalation.id).where(of_account, Escalation.restricted, visible_to(actor, now)).cte("restricted")
    )
    seen = and_(of_account, seen_by(actor, Escalation.id.in_(select(restricted.c.id))))
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
        select(func.array_agg(restricted.c.id)).scalar_subquery().label("restricted"),
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
