"""The tenant's closed cases as they were when they were raised, and who really closed them.

Severity, reason and texts come from the timeline's first event, so that a later edit says nothing to the model; the
segment is the one of the day of the raise. Region, lifecycle and attributes are the account's present ones: no history
of them is kept. Restricted cases and those about a colleague are left out: what is learnt is shown to others.
"""

from typing import Any

from sqlalchemy import text

from app.auth.roles import ROLES
from app.db import db
from app.routing.inputs import RoutingInput
from app.routing.learning.features import Row, Shape
from app.routing.quality import find_closers

MOST_CASES = 8_000  # what a training takes grows with them; the newest say most
SHAPE = Shape(
    categories=(
        "account.id",
        "escalation.reason",
        "escalation.severity",
        "escalation.source",
        "escalation.raised_by_kind",
        "account.segment",
        "account.region",
        "account.lifecycle",
    ),
    texts=("escalation.title", "escalation.customer_statement"),
    prefixes=("account.attributes.",),
    lookup=(("account.id", "escalation.reason"), ("account.id",), ("escalation.reason",)),
)
OWNING = tuple(role for role in ROLES if role != "integration")

CLOSED = text(
    """
    select e.id, e.raised_at, e.first_owner_id::text as first_owner, e.account_id::text as account, said.facts,
           said.texts, worth.segment, a.region, a.lifecycle, a.attributes
    from (select * from escalation where status = 'closed' and not restricted and about_user_id is null
          order by raised_at desc, id desc limit :most) e
    join account a on a.id = e.account_id
    cross join lateral (
        select event.facts, (select jsonb_object_agg(t.field, t.text) from event_text t
                             where t.event_id = event.id and t.text is not null) as texts
        from event where event.escalation_id = e.id and event.kind in ('raise', 'request')
        order by event.seq limit 1) said
    left join lateral (
        select s.segment from snapshot s where s.escalation_id = e.id order by s.at, s.id limit 1) worth on true
    order by e.raised_at, e.id
    """
)
COUNT = text("select count(*) from escalation where status = 'closed' and not restricted and about_user_id is null")
OWNERS = text('select id from "user" where active and role = any(:roles)')


def read_rows(*, most: int = MOST_CASES) -> list[Row]:
    """The newest closed cases, oldest first; those closed by somebody who can't own one any more are left out."""
    found = db.session.execute(CLOSED, {"most": most}).all()
    closers = find_closers([row.id for row in found])
    owners = set(db.session.scalars(OWNERS, {"roles": list(OWNING)}))
    return [
        Row(row.raised_at, _facts(row), str(closers[row.id]), row.first_owner)
        for row in found
        if closers.get(row.id) in owners
    ]


def count_closed() -> int:
    """How many cases there are to learn from, those of people who left too."""
    return db.session.scalar(COUNT) or 0


def facts_of(case: RoutingInput) -> dict[str, Any]:
    """What is known of a case to be routed, by the names that the model knows."""
    return {**case.facts, "account.id": str(case.account_id)}


def _facts(row: Any) -> dict[str, Any]:
    said, texts = row.facts, row.texts or {}
    return {
        "account.id": row.account,
        "escalation.reason": said.get("reason"),
        "escalation.severity": said.get("severity"),
        "escalation.source": said.get("source"),
        "escalation.raised_by_kind": said.get("raised_by"),
        "escalation.title": texts.get("title"),
        "escalation.customer_statement": texts.get("customer_statement"),
        "account.segment": row.segment,
        "account.region": row.region,
        "account.lifecycle": row.lifecycle,
        **{f"account.attributes.{name}": value for name, value in row.attributes.items()},
    }
