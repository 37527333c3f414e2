"""A policy of many rules replayed over past escalations, by the worker's own job, with its progress and memory.

Some cases are raised for real; the others are copies of them, record and all, spread over the last 90 days, each in
somebody's hands for ten days. People work in teams, with room for what falls to them. `record` says what a decision
keeps, and what of it are facts.
"""

import resource
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.auth import service as auth
from app.auth.actor import SYSTEM
from app.auth.models import User
from app.db import db, transaction
from app.escalations import service as escalations
from app.escalations.service import Act, NewEscalation
from app.routing import jobs, policies, simulations
from app.routing import service as routing
from app.routing.simulation_jobs import SLICE_SECONDS
from bench.book import CRM, REASONS, SEGMENTS, analyze, fill
from bench.ground import actor_of, application, new_tenant

ACCOUNTS, REAL = 200, 50
TEAM_SIZE = 25
# Copies of the real rows: of every table the columns that differ, spread evenly over the 90 days.
COPY = """
with copy as materialized (
  select n, uuidv7() as id, (select array_agg(id order by number) from escalation where number <= :real)[1 + n % :real]
    as source, cast(:now as timestamptz) - interval '90 days' + n * (interval '89 days' / :cases) as at
  from generate_series(1, :cases) n
), cases as (
  insert into escalation
  select (jsonb_populate_record(e, jsonb_build_object('id', c.id, 'number', 1000 + c.n, 'raised_at', c.at))).*
  from copy c join escalation e on e.id = c.source
), decisions as (
  insert into decision
  select (jsonb_populate_record(d, jsonb_build_object('id', uuidv7(), 'escalation_id', c.id, 'at', c.at,
    'recorded_at', c.at, 'inputs', d.inputs || jsonb_build_object('today', cast(c.at as date), 'tie_key', c.id)))).*
  from copy c join decision d on d.escalation_id = c.source
)
insert into assignment
select (jsonb_populate_record(a, jsonb_build_object('id', uuidv7(), 'escalation_id', c.id, 'assigned_at', c.at,
  'released_at', case when c.at + interval '10 days' < :now then c.at + interval '10 days' end,
  'closed', c.at + interval '10 days' < :now))).*
from copy c join assignment a on a.escalation_id = c.source
"""
SIZES = text(
    "select round(avg(length(to_jsonb(d)::text))) as bytes, round(avg(length((inputs->'facts')::text))) as facts_bytes"
    " from (select * from decision limit 500) d"
)


def run(cases: int = 10_000, rules: int = 200, people: int = 500) -> dict[str, Any]:
    with application():
        tenant_id, admin = new_tenant()
        fill(tenant_id, admin, count=ACCOUNTS)
        _add_people(tenant_id, people)
        with transaction(tenant=tenant_id):
            routing.publish_policy(_save(_rules(rules, people), admin), actor=SYSTEM, now=clock.real_now())
        _raise(tenant_id)
        with transaction(tenant=tenant_id):
            db.session.execute(text(COPY), {"now": clock.now(), "cases": cases - REAL, "real": REAL})
        analyze()
        return {**_measure(tenant_id, admin), "data": {"cases": cases, "rules": rules, "people": people}}


def _measure(tenant_id: UUID, admin: User) -> dict[str, Any]:
    with transaction(tenant=tenant_id):
        asked = simulations.start(actor=actor_of(admin), now=clock.now()).id
        size = db.session.execute(SIZES).one()
    began, computed, slices = time.perf_counter(), time.process_time(), 0
    progress: list[tuple[float, int]] = []
    while True:
        more = jobs.simulate_tenant(tenant_id, ends_at=clock.monotonic() + SLICE_SECONDS)
        slices += 1
        with transaction(tenant=tenant_id):
            found = simulations.get_simulation(asked)
            progress.append((round(time.perf_counter() - began, 1), found.done))
        if not more:
            break
    seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - computed, 2),
        "rate": round(found.done / seconds, 1),
        "unit": "cases/s",
        "state": found.state,
        "slices": slices,
        "progress": progress,
        "result": {name: (found.result or {}).get(name) for name in ("cases", "changed", "first_owner_right")},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "record": {"bytes": int(size.bytes), "facts_bytes": int(size.facts_bytes)},
    }


def _add_people(tenant_id: UUID, people: int) -> None:
    now = clock.real_now()
    with transaction(tenant=tenant_id):
        emails = [f"agent{n}@example.com" for n in range(people)]
        for n, email in enumerate(emails):
            auth.create_user(email, name=f"Agent {n}", role="specialist", actor=SYSTEM, now=now)
        for n in range(people // TEAM_SIZE):
            members = [{"email": email, "capacity": 24} for email in emails[n * TEAM_SIZE : (n + 1) * TEAM_SIZE]]
            routing.upsert_team(f"Desk {n}", lead_email=emails[n * TEAM_SIZE], members=members, now=now)


def _rules(count: int, people: int) -> list[dict[str, Any]]:
    """Rules on three facts each; a few of them hold for a case, most of them are looked at."""
    written = [
        {
            "name": f"rule {n}",
            "when": {
                "all": [
                    {"field": "escalation.reason", "op": "=", "value": REASONS[n % len(REASONS)]},
                    {"field": "account.segment", "op": "in", "value": [SEGMENTS[n % len(SEGMENTS)]]},
                    {"field": "account.health", "op": "<", "value": n * 100 // count},
                ]
            },
            "target": {"kind": "team", "team": f"Desk {n % (people // TEAM_SIZE)}"},
        }
        for n in range(count - 1)
    ]
    return [*written, {"name": "the rest", "when": {"all": []}, "target": {"kind": "team", "team": "Desk 0"}}]


def _save(rules: list[dict[str, Any]], admin: User) -> int:
    return policies.save_policy(rules, {}, actor=actor_of(admin), now=clock.real_now()).number


def _raise(tenant_id: UUID) -> None:
    """Real cases, from which the others are copied."""
    for n in range(REAL):
        with transaction(tenant=tenant_id):
            new = NewEscalation(
                account=(CRM, f"A{n * 4 % ACCOUNTS}"),
                title=f"Export {n} fails",
                severity=n % 4 + 1,
                reason=REASONS[n % len(REASONS)],
                raised_by_kind="system",
            )
            escalations.raise_escalation(new, act=Act(actor=SYSTEM, now=clock.now() - timedelta(seconds=1)))
