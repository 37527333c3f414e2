"""Three days without a worker, and how long a real one takes to catch up: one message per person and clock.

Of every five missed steps three are of a `close` clock that fell due within the outage (at due, the day after, the
day after that), two of an `acknowledge` clock (75 %, at due).
"""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from app import clock
from bench.crew import Crew
from bench.ground import in_context, new_tenant, own_environment
from bench.loading import superuser
from bench.sweep_rows import build, make_missed

MISSED_PER_CASE = 5
PATIENCE_SECONDS = 300.0

STILL_DUE = "select count(*) from clock where tenant_id = %(tenant)s and next_step_at <= %(began)s"
# Whom the roles of the steps at and after due name: worked out beside the sweep, from the rows themselves.
MEANT = """
with meant as (
    select c.id, p.person
    from clock c
    join escalation e on e.tenant_id = c.tenant_id and e.id = c.escalation_id
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    join "user" o on o.tenant_id = e.tenant_id and o.id = e.owner_id
    join "user" m on m.tenant_id = e.tenant_id and m.id = o.manager_id
    cross join lateral (values ('both', o.email), ('both', m.email), ('close', a.owner_email), ('close', a.csm_email),
                               ('close', a.sponsor_email)) as p(of, person)
    where c.tenant_id = %(tenant)s and c.state = 'breached' and (p.of = 'both' or c.kind = 'close')
)
select count(distinct (id, person)) as messages from meant
"""
TOLD = """
select (select count(*) from intent where tenant_id = %(tenant)s and dedupe_key like 'step:%%') as messages,
       (select count(distinct (clock_id, user_id)) from intent
        where tenant_id = %(tenant)s and dedupe_key like 'step:%%') as people_and_clocks,
       (select count(*) from step_log where tenant_id = %(tenant)s and outcome = 'sent') as lines,
       (select count(*) from step_log where tenant_id = %(tenant)s and outcome = 'folded') as folded,
       (select coalesce(sum(folded), 0)::int from step_log where tenant_id = %(tenant)s and outcome = 'sent') as said,
       (select count(*) from intent
        where tenant_id = %(tenant)s and body like '%%This message stands for 3 reminders%%') as for_three,
       (select count(*) from intent
        where tenant_id = %(tenant)s and body like '%%This message stands for 2 reminders%%') as for_two,
       (select count(distinct (clock_id, step, repeat)) from step_log
        where tenant_id = %(tenant)s and outcome in ('sent', 'folded')) as steps,
       (select count(*) from clock where tenant_id = %(tenant)s and problem is not null) as set_aside
"""


def run(missed: int = 50_000, workers: int = 1) -> dict[str, Any]:
    cases = missed // MISSED_PER_CASE
    with own_environment() as (_, environ):
        with in_context(environ):
            tenant_id, _ = new_tenant()
        with superuser(environ["FIRSTHAND_DATABASE_URL"]) as rows:
            build(rows, tenant_id, cases * MISSED_PER_CASE)
            make_missed(rows, tenant_id, clock.real_now())
            outage = Outage(rows, tenant_id)
            with Crew(environ, parents=workers):
                seconds = outage.wait()
            told = outage.ask(TOLD)
            check(told, cases, outage.ask(MEANT)["messages"])
    return {
        "rate": round(missed / seconds),
        "unit": "missed steps/s",
        "seconds": round(seconds, 1),
        "data": {"missed": missed, "clocks": 2 * cases, "workers": workers, **told},
    }


def check(told: dict[str, int], cases: int, meant: int) -> None:
    """Nothing lost, nothing twice, and every folded step said by the message that stands for it.

    Owner and manager hear one message for the three of a close clock; of an acknowledge clock the owner hears one
    for two, the manager, whom only the second is for, one for itself.
    """
    wanted = {
        "messages": meant,
        "people_and_clocks": meant,
        "lines": meant,
        "for_two": cases,
        "folded": told["said"],
        "steps": cases * MISSED_PER_CASE,
        "set_aside": 0,
    }
    assert wanted.items() <= told.items(), f"{told}, expected {wanted}"
    assert told["for_three"] >= 2 * cases, f"{told['for_three']} messages for three steps"
    assert told["folded"] == 2 * told["for_three"] + told["for_two"], f"{told['folded']} folded"


@dataclass
class Outage:
    """What a worker finds when it comes back."""

    rows: psycopg.Connection[Any]
    tenant_id: UUID

    def wait(self) -> float:
        """How many seconds from the worker's start until nothing due is left."""
        began, until = clock.monotonic(), clock.monotonic() + PATIENCE_SECONDS
        values = {"tenant": self.tenant_id, "began": clock.real_now()}
        while left := self.ask(STILL_DUE, **values)["count"]:
            assert clock.monotonic() < until, f"{left} clocks are still due"
            time.sleep(0.1)
        return clock.monotonic() - began

    def ask(self, question: str, **values: Any) -> dict[str, int]:
        with self.rows.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(question.encode(), {"tenant": self.tenant_id, **values}).fetchone()
        assert found
        return dict(found)
