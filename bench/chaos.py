"""Every due step exactly once while workers are killed, the database restarts and Redis forgets. Real processes.

Steps fall due all the time: forty-nine in fifty remind (close, acknowledge, plan, update, sign of work), one
closes a case whose customer did not answer. A kill waits for a worker whose
transaction has written, and takes its parent or one of its children.
"""

import os
import random
import signal
import time
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from uuid import UUID

import psycopg
import redis
from psycopg.rows import dict_row
from sqlalchemy.engine import make_url

from app import clock
from app.operations.embedded import Servers
from bench.crew import Crew
from bench.ground import in_context, new_tenant, own_environment
from bench.sweep_rows import build, make_due, make_unanswered

CLOSINGS = 50  # one of so many steps
OPEN_PER_DUE = 10
BUSY_SECONDS = 5.0
PATIENCE_SECONDS = 180.0
STOPS = (signal.SIGINT, signal.SIGQUIT)  # in turn: an orderly restart, and one that has to recover

BUSY = "select application_name from pg_stat_activity where backend_xid is not null and application_name like 'crew-%'"
STILL_DUE = "select count(*) from clock where tenant_id = %(tenant)s and next_step_at <= %(until)s"
AUDIT = """
select (select count(*) from step_log where outcome = 'sent' and tenant_id = %(tenant)s) as lines,
       (select count(distinct clock_id) from step_log where outcome = 'sent' and tenant_id = %(tenant)s) as reminded,
       (select count(*) from step_log where outcome = 'done' and tenant_id = %(tenant)s) as actions,
       (select count(*) from intent where dedupe_key like 'step:%%' and tenant_id = %(tenant)s) as messages,
       (select count(distinct (clock_id, user_id)) from intent
        where dedupe_key like 'step:%%' and tenant_id = %(tenant)s) as people_told,
       (select count(*) from intent i join step_log l on l.tenant_id = i.tenant_id and i.dedupe_key = 'step:' || l.id
        where i.tenant_id = %(tenant)s) as messages_with_line,
       (select count(*) from clock_entry e join clock c on c.tenant_id = e.tenant_id and c.id = e.clock_id
        where e.type = 'breach' and c.kind = 'plan' and c.state = 'breached' and e.tenant_id = %(tenant)s) as breaches,
       (select count(*) from escalation where verification = 'unanswered' and status = 'closed'
        and tenant_id = %(tenant)s) as closed,
       (select count(*) from event where kind = 'verify' and tenant_id = %(tenant)s) as closings,
       (select count(*) from clock where problem is not null and tenant_id = %(tenant)s) as set_aside
"""


def run(
    due: int = 20_000, kills: int = 50, restarts: int = 5, flushes: int = 5, seconds: float = 100.0, workers: int = 2
) -> dict[str, Any]:
    with own_environment(FIRSTHAND_SWEEP_SECONDS="0.5", FIRSTHAND_LOG_LEVEL="error") as (servers, environ):
        with in_context(environ):
            tenant_id, _ = new_tenant()
        stage = Stage(servers, tenant_id)
        closings = due // CLOSINGS
        reminders = (due - closings) // 5 * 5
        stage.prepare(reminders, closings, seconds)
        with Crew(environ, parents=workers) as crew:
            hits = stage.play(crew, kills=kills, restarts=restarts, flushes=flushes, seconds=seconds)
            behind = stage.wait_for_the_end(clock.monotonic() + PATIENCE_SECONDS)
        found = stage.audit()
    wanted = expected(reminders, closings)
    assert found == wanted, f"{found}, expected {wanted}"
    return {
        "rate": round((reminders + closings) / (seconds + behind)),
        "unit": "due steps/s, each exactly once",
        "kills": kills,
        "kills_amid_a_transaction": hits,
        "restarts": restarts,
        "flushes": flushes,
        "caught_up_after_seconds": round(behind, 1),
        "data": {"due": reminders + closings, "reminders": reminders, "closings": closings, **found},
    }


def expected(reminders: int, closings: int) -> dict[str, int]:
    """Of five reminders two are for two people: seven messages; a fifth of the clocks breach."""
    messages = reminders * 7 // 5
    return {
        "lines": messages,
        "reminded": reminders,
        "actions": closings,
        "messages": messages,
        "people_told": messages,
        "messages_with_line": messages,
        "breaches": reminders // 5,
        "closed": closings,
        "closings": closings,
        "set_aside": 0,
    }


@dataclass
class Stage:
    """The servers and the tenant whose steps fall due."""

    servers: Servers
    tenant_id: UUID
    ends_at: float = 0.0

    def connect(self) -> psycopg.Connection[Any]:
        """As the cluster's own user, who is asked by no policy."""
        given = make_url(self.servers.database_url or "")
        host = str(given.query["host"])
        return psycopg.connect(host=host, user="cluster", dbname=given.database, autocommit=True)

    def prepare(self, reminders: int, closings: int, seconds: float) -> None:
        with self.connect() as rows:
            build(rows, self.tenant_id, (reminders + closings) * OPEN_PER_DUE)
            now = make_due(rows, self.tenant_id, reminders, over_seconds=seconds)
            make_unanswered(rows, self.tenant_id, closings, now, over_seconds=seconds)

    def play(self, crew: Crew, *, kills: int, restarts: int, flushes: int, seconds: float) -> int:
        """Kill, restart and flush in even turns; answers how many kills found a transaction that had written."""
        chance, began, hits, stops = random.Random(kills), clock.monotonic(), 0, cycle(STOPS)
        for number in range(1, kills + 1):
            time.sleep(max(0.0, began + number * seconds / (kills + 1) - clock.monotonic()))
            busy = self.find_busy()
            hits += busy is not None
            crew.kill_one(chance, busy)
            if comes(number, kills, restarts):
                self.restart_database(next(stops))
            if comes(number, kills, flushes):
                redis.Redis.from_url(self.servers.redis_url or "").flushall()
        self.ends_at = began + seconds
        return hits

    def find_busy(self) -> str | None:
        """Wait, a little while, for a worker whose transaction has written and not committed."""
        until = clock.monotonic() + BUSY_SECONDS
        with self.connect() as rows:
            while clock.monotonic() < until:
                if found := rows.execute(BUSY).fetchone():
                    return str(found[0])
        return None

    def restart_database(self, stop: signal.Signals) -> None:
        former = self.servers.supervisor.pids()["postgres"]
        os.kill(former, stop)
        self.servers.supervisor.watch(until=lambda: self._has_restarted(former))

    def _has_restarted(self, former: int) -> bool:
        if self.servers.supervisor.pids()["postgres"] == former:
            return False
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False

    def wait_for_the_end(self, until: float) -> float:
        """How many seconds after the last step fell due nothing due was left."""
        time.sleep(max(0.0, self.ends_at - clock.monotonic()))
        with self.connect() as rows:
            while left := self._number(rows, STILL_DUE):
                assert clock.monotonic() < until, f"{left} steps are still due"
                time.sleep(0.1)
        return clock.monotonic() - self.ends_at

    def audit(self) -> dict[str, int]:
        with self.connect() as rows, rows.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(AUDIT.encode(), {"tenant": self.tenant_id}).fetchone()
        assert found
        return dict(found)

    def _number(self, rows: psycopg.Connection[Any], question: str) -> int:
        values = {"tenant": self.tenant_id, "until": clock.real_now()}
        found = rows.execute(question.encode(), values).fetchone()
        assert found
        return int(found[0])


def comes(number: int, of: int, times: int) -> bool:
    """Whether the next of `times` turns, spread evenly over `of`, comes at this one."""
    return number * times // of > (number - 1) * times // of
