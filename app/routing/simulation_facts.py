"""The facts of a past case: those its record kept, and for those it did not, today's, said so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.accounts import queries as accounts
from app.db import db
from app.routing.choice import SEVERITY_WEIGHT
from app.routing.facts import LONG_TEXTS, account_facts_of, keeps_all, value_facts_of
from app.routing.fields import thaw_facts
from app.routing.policies import compiled_all
from app.routing.policy import Policy
from app.routing.simulation import COUNTS
from app.rows import array_of

SEVERITY_OF = {weight: severity for severity, weight in SEVERITY_WEIGHT.items()}
SEVERITY = "escalation.severity"
# Of the case as it is today, by its table's name: it belongs to a package above.
TODAYS_CASES = text(
    """
    select e.id, e.reason, e.source, e.raised_by_kind, e.raised_at, e.title, e.customer_statement, e.desired_outcome,
      e.impact, e.restricted, e.about_user_id is not null as has_about_user, 'tier_1' as tier,
      (select array_agg(distinct l.system order by l.system) from link l where l.escalation_id = e.id) as systems
    from escalation e where e.id = any(cast(:ids as uuid[]))
    """
)


@dataclass(frozen=True)
class Known:
    """What a policy asks of one case; `todays` names what is as of today, for want of a record."""

    facts: Mapping[str, Any]
    todays: list[str]


def read_facts(rows: Sequence[Row[Any]], policy: Policy, *, now: datetime) -> list[Known]:
    """In the order of the rows. One statement for policies not met here before, four more when records lack facts."""
    asked = {number: version.fields for number, version in compiled_all({row.policy_number for row in rows}).items()}
    kept = [_kept(row, policy) for row in rows]
    lacking = [
        sorted(policy.fields - COUNTS - have.keys() - _absent(row, asked[row.policy_number], policy))
        for row, have in zip(rows, kept, strict=True)
    ]
    todays = _todays([row for row, names in zip(rows, lacking, strict=True) if names], now=now)
    return [
        Known({**have, **{name: todays[row.escalation_id].get(name) for name in names}}, names)
        for row, have, names in zip(rows, kept, lacking, strict=True)
    ]


def _kept(row: Row[Any], policy: Policy) -> dict[str, Any]:
    """What its record says of what the policy asks; its severity is told by its weight, too."""
    frozen = {name: value for name, value in (row.facts or {}).items() if name in policy.fields}
    if SEVERITY in policy.fields and row.weight in SEVERITY_OF:
        frozen.setdefault(SEVERITY, SEVERITY_OF[row.weight])
    return thaw_facts(frozen)


def _absent(row: Row[Any], asked: frozenset[str], policy: Policy) -> frozenset[str]:
    """What the record would have if there had been any: what its own policy asked for and, of a record that keeps
    every short fact, all of them."""
    if row.facts is None:
        return frozenset()
    return policy.fields - LONG_TEXTS if keeps_all(row.facts) else asked


def _todays(rows: Sequence[Row[Any]], *, now: datetime) -> Mapping[UUID, Mapping[str, Any]]:
    """Facts of cases and their accounts as they are today, by case."""
    if not rows:
        return {}
    cases = {
        row.id: row._mapping
        for row in db.session.execute(TODAYS_CASES, {"ids": array_of(r.escalation_id for r in rows)})
    }
    known = accounts.facts_for_many({row.account_id for row in rows}, now=now)
    of_account = {id_: {**account_facts_of(found), **value_facts_of(found)} for id_, found in known.items()}
    return {
        row.escalation_id: {
            **of_account.get(row.account_id, {}),
            **{f"escalation.{name}": value for name, value in cases[row.escalation_id].items()},
        }
        for row in rows
    }
