"""Was routing right? Who really closed a case, and how often that was its first owner.

Every case has a chain of owners by its decisions, in order. Decisions for an absence and for a hand-back are no part of
it: who stands in does the absent owner's work. Then

* the *first owner* is the chain's first,
* who *really closed it* is the chain's last at the moment of closing,
* a *re-route* is each change from one to another in it.

A case is *closed by its first owner* when the two are the same; the *first-owner-right rate* is their share of the
cases closed. Closed is every case that was closed, whatever its outcome, and not opened again; a merged one is not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from app.auth.settings import tenant_settings
from app.db import Model, db, new_id
from app.errors import invalid_parameter
from app.routing.models import Decision, Misroute
from app.rows import amend, array_of, fresh

NO_REROUTES = ("absence", "hand_back")
UNSAID = "not_said"
DAYS = 90
MOST_GROUPS = 200
COUNTS = ("closed", "by_first_owner", "reroutes")
IN_CHAIN = f"cause not in {NO_REROUTES}"

CLOSERS = text(
    f"""
    select distinct on (d.escalation_id) d.escalation_id, d.owner_id from decision d
    where d.escalation_id = any(cast(:ids as uuid[])) and d.{IN_CHAIN}
    and (select a.closed from assignment a where a.escalation_id = d.escalation_id
         order by a.assigned_at desc, a.id desc limit 1)
    order by d.escalation_id, d.at desc, d.id desc
    """  # noqa: S608 - the part is ours
)

# Closed in the period and not open again by its end; then their chains, and everything counted from these.
QUALITY = text(
    f"""
    with ended as materialized (
      select a.escalation_id, a.reason, a.released_at from assignment a
      where a.closed and a.released_at >= :since and a.released_at < :until
      and not exists (select 1 from assignment later where later.escalation_id = a.escalation_id
                      and (later.assigned_at, later.id) > (a.assigned_at, a.id) and later.assigned_at < :until)
    ), chain as materialized (
      select d.id, d.escalation_id, ended.reason, d.owner_id, d.rule, d.team_id, d.cause,
             row_number() over steps as step, lag(d.owner_id) over steps as was, lag(d.rule) over steps as was_rule
      from ended join decision d on d.escalation_id = ended.escalation_id and d.recorded_at <= ended.released_at
      where d.{IN_CHAIN}
      window steps as (partition by d.escalation_id order by d.at, d.id)
    ), cases as materialized (
      select reason, (array_agg(rule order by step))[1] as rule, (array_agg(team_id order by step))[1] as team_id,
             (array_agg(owner_id order by step))[1] = (array_agg(owner_id order by step desc))[1] as kept,
             count(*) filter (where was <> owner_id) as reroutes
      from chain group by escalation_id, reason
    ), counted as (
      select case grouping(rule, team_id, reason) when 7 then 'all' when 3 then 'rule' when 5 then 'team'
             else 'reason' end as part,
             rule, team_id, reason, count(*) as closed, count(*) filter (where kept) as kept,
             coalesce(sum(reroutes), 0)::int as reroutes
      from cases group by grouping sets ((), (rule), (team_id), (reason))
    )
    select part, coalesce(rule, team_id::text, reason) as key, team.name, closed, kept, reroutes
    from counted left join team on team.id = counted.team_id
    union all
    select case grouping(cause, m.reason, was_rule) when 3 then 'cause' when 5 then 'misroute' else 'wrong' end,
           case grouping(cause, was_rule) when 1 then cause when 2 then was_rule else m.reason end,
           case grouping(was_rule) when 0 then m.reason end, null, null, count(*)
    from chain left join misroute m on m.reroute_id = chain.id where was <> owner_id
    group by grouping sets ((cause), (m.reason), (was_rule, m.reason))
    order by part, closed desc nulls last, reroutes desc, key nulls last, name nulls last
    """  # noqa: S608 - the part is ours
)


@dataclass(frozen=True)
class Group:
    """Closed cases of one kind: how many, how many by their first owner, how many re-routes they saw.

    `key` is a rule's name, a team's id or a reason, by the first decision; None where no rule or no team chose.
    """

    key: str | None
    name: str | None
    closed: int
    by_first_owner: int
    reroutes: int

    @property
    def rate(self) -> float | None:
        """The share closed by the first owner, to four places; of nothing there is none."""
        return round(self.by_first_owner / self.closed, 4) if self.closed else None


@dataclass(frozen=True)
class Wrong:
    """How many re-routes took the place of decisions by this rule, for this reason; rule None: no rule had chosen."""

    rule: str | None
    misroute: str
    reroutes: int


@dataclass
class Quality:
    """How right routing was over a period: all closed cases, and the same cases by rule, team and reason.

    `by_cause` and `by_misroute` count the re-routes of these cases, `not_said` those of which nobody said why, `wrong`
    by the rule whose decision they took the place of.
    """

    all: Group = field(default_factory=lambda: Group(None, None, 0, 0, 0))
    by_rule: list[Group] = field(default_factory=list)
    by_team: list[Group] = field(default_factory=list)
    by_reason: list[Group] = field(default_factory=list)
    by_cause: dict[str, int] = field(default_factory=dict)
    by_misroute: dict[str, int] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)


def shortened(groups: Sequence[Group]) -> dict[str, Any]:
    """The groups with most cases closed, and the sum of the `others`, so that totals still agree."""
    shown, rest = groups[:MOST_GROUPS], groups[MOST_GROUPS:]
    closed, kept, reroutes = (sum(getattr(group, name) for group in rest) for name in COUNTS)
    return {"items": shown, "others": Group(None, None, closed, kept, reroutes) if rest else None}


def find_closers(escalation_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
    """Who really closed each of these cases; those not closed now are missing. One statement."""
    rows = db.session.execute(CLOSERS, {"ids": array_of(escalation_ids)})
    return {row.escalation_id: row.owner_id for row in rows}


def measure(*, since: datetime, until: datetime) -> Quality:
    """The cases closed from `since` until before `until` and not open again by then, as known then; one statement."""
    found = Quality()
    groups = {"rule": found.by_rule, "team": found.by_team, "reason": found.by_reason}
    for row in db.session.execute(QUALITY, {"since": since, "until": until}):
        if row.part == "cause":
            found.by_cause[row.key] = row.reroutes
        elif row.part == "misroute":
            found.by_misroute[row.key or UNSAID] = row.reroutes
        elif row.part == "wrong":
            found.wrong.append(Wrong(row.key, row.name or UNSAID, row.reroutes))
        elif row.part == "all":
            found.all = Group(None, None, row.closed, row.kept, row.reroutes)
        else:
            groups[row.part].append(Group(row.key, row.name, row.closed, row.kept, row.reroutes))
    return found


def report(first: date | None, last: date | None, *, now: datetime) -> dict[str, Any]:
    """The answer over these days of the tenant's zone, both included; the last ninety unless said."""
    zone = ZoneInfo(tenant_settings().timezone)
    last = last or now.astimezone(zone).date()
    first = first or last - timedelta(days=DAYS - 1)
    if first > last:
        raise invalid_parameter("from", f"expected a day up to {last}")
    since, until = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    found = measure(since=since, until=until)
    reroutes = {"by_cause": found.by_cause, "by_misroute": found.by_misroute, "by_rule": found.wrong[:MOST_GROUPS]}
    groups = {name: shortened(getattr(found, name)) for name in ("by_rule", "by_team", "by_reason")}
    return {"first": first, "last": last, "all": found.all, "reroutes": reroutes, **groups}


def misrouted(reroute: Decision, reason: str) -> list[Model]:
    """Beside the decision that `reroute` takes the place of, why it was wrong: a row for the caller to insert."""
    asked = select(Decision.id).where(
        Decision.escalation_id == reroute.escalation_id, Decision.cause.not_in(NO_REROUTES)
    )
    wrong = db.session.scalar(asked.order_by(Decision.at.desc(), Decision.id.desc()).limit(1))
    if wrong is None:
        return []
    amend(reroute, id=new_id())
    return [
        fresh(
            Misroute,
            escalation_id=reroute.escalation_id,
            decision_id=wrong,
            reroute_id=reroute.id,
            reason=reason,
            at=reroute.at,
            recorded_at=reroute.recorded_at,
        )
    ]
