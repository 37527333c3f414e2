"""Decisions per second with the full record: rules matched, people ranked, every column written as JSON.

The tenant is real: colleagues in teams with skills, calendars, zones, absences and work in hand, and a policy of many
rules. What the database answers is read beforehand and left out of `rate`, which is this process's own work for one
decision; `choosing_rate` begins with the inputs, as a simulation does; `whole_rate` has the statement as well.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import Random
from statistics import mean, median
from typing import Any

import orjson

from app.db import transaction
from app.routing import reading
from app.routing import service as routing
from app.routing.decide import decide
from app.routing.people import Inputs
from app.routing.policies import current_policy
from app.routing.policy import Policy
from app.routing.queries import Staff
from bench.ground import application, new_tenant
from bench.route_book import fill, new_case

ROUNDS = 5
KEPT = ("rules", "candidates", "excluded", "inputs")


def run(rules: int = 200, people: int = 500, team_size: int = 25, decisions: int = 400) -> dict[str, Any]:
    with application():
        tenant_id, admin = new_tenant()
        now = fill(tenant_id, admin, rules=rules, people=people, team_size=team_size)
        with transaction(tenant=tenant_id):
            current_policy()  # compiled and kept at the commit, as by the first case of a process
        with transaction(tenant=tenant_id):
            return _measure(now, decisions)


def _measure(now: datetime, decisions: int) -> dict[str, Any]:
    random, policy = Random(2), current_policy()
    cases = [new_case(random) for _ in range(decisions)]
    asked = [(facts, reading.read_staff(reading.ask(policy, facts, now=now))) for facts in cases]
    made = [_decide(policy, facts, staff, now) for facts, staff in asked]
    inputs = [_as_recorded(policy, facts, staff, now) for facts, staff in asked]
    gc.collect()
    gc.freeze()  # what was read beforehand is no part of the work
    own = _rate(lambda n: _decide(policy, *asked[n], now), decisions)
    choosing = _rate(lambda n: _record(policy, *asked[n], inputs[n]), decisions)
    whole = _rate(lambda n: routing.explain(cases[n], now=now), decisions // 4)
    return {
        "rate": round(own[0]),
        "unit": "decisions/s",
        "cpu_rate": round(own[1]),
        "choosing_rate": round(choosing[0]),
        "whole_rate": round(whole[0]),
        "data": {
            "decisions": decisions,
            "rules": len(policy.rules),
            "rules_looked_at": round(mean(len(result.decision.rules) for result, _ in made), 1),
            "people_read": round(mean(len(staff.people) for _, staff in asked), 1),
            "eligible": round(mean(len(result.decision.candidates) for result, _ in made), 1),
            "assignment_failed": sum(result.failure is not None for result, _ in made),
            "record_bytes": round(mean(size for _, size in made)),
        },
    }


def _decide(policy: Policy, facts: routing.RoutingInput, staff: Staff, now: datetime) -> tuple[Any, int]:
    """Everything a decision costs but the statement, and how long its record is."""
    inputs = reading.assemble(policy, reading.ask(policy, facts, now=now), staff)
    return _record(policy, facts, staff, inputs)


def _as_recorded(policy: Policy, facts: routing.RoutingInput, staff: Staff, now: datetime) -> Inputs:
    """The inputs as a record has them, without what the rules say."""
    return replace(reading.assemble(policy, reading.ask(policy, facts, now=now), staff), looked=None)


def _record(policy: Policy, facts: routing.RoutingInput, staff: Staff, inputs: Inputs) -> tuple[Any, int]:
    """The choice and its full record as JSON."""
    result = routing.result_of(policy, facts, inputs, decide(policy, inputs), staff, cause="raise")
    return result, len(orjson.dumps({name: getattr(result.decision, name) for name in KEPT}))


def _rate(work: Callable[[int], object], count: int) -> tuple[float, float]:
    """Calls per second by the wall and by this process's own computing, the median of the rounds."""
    taken = []
    for _ in range(ROUNDS):
        began, computed = time.perf_counter(), time.process_time()
        for n in range(count):
            work(n)
        taken.append((time.perf_counter() - began, time.process_time() - computed))
    return count / median(wall for wall, _ in taken), count / median(cpu for _, cpu in taken)
