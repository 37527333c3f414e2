"""Possible duplicates among many cases: how long one look takes, as somebody types a title.

The cases lie over two years at accounts of which every tenth belongs to a group, one account has many, and every
seventh look is for an outage, compared with other accounts too. `cpu_ms` is what this process and its connection's
server process computed for one look, on a machine that does other things as well. The floor compares the titles of
the account's newest cases and nothing else; `scan_ms` is every title of the tenant, which `pg_trgm` comes to under
row-level security when it is asked first.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.auth.actor import SYSTEM
from app.db import db, transaction
from app.escalations import duplicates
from app.escalations import service as escalations
from app.escalations.case import Act
from app.escalations.demand import NewEscalation
from app.escalations.likeness import OUTAGE, Likeness
from app.escalations.models import Escalation
from bench.book import CRM, REASONS, analyze, fill
from bench.ground import actor_of, application, new_tenant
from bench.load import percentile

ACCOUNTS, FIRM = 2_000, 10
BIGGEST = 40  # every so many-th case is of one account
DAYS = 730
SUBJECTS = (
    "Export",
    "Invoice",
    "Login",
    "Dashboard",
    "Report",
    "Import",
    "Webhook",
    "Search",
    "Password reset",
    "Sync",
)
FAULTS = (
    "fails",
    "is slow",
    "shows wrong figures",
    "cannot be opened",
    "stops half-way",
    "is missing rows",
    "times out",
)
WHERE = ("since Monday", "for all users", "in the EU region", "after the update", "on mobile", "at month end")
SAID = "We have been waiting for days, and nobody tells us when our people can work with {} again. It {}, {}."

# What differs between a copy and the real case that it is made of.
DIFFERS = {
    "id": "m.id",
    "number": "1000 + m.n",
    "account_id": "m.account_id",
    "raised_at": "m.at",
    "title": "concat_ws(' ', m.subject, m.fault, m.place)",
    "customer_statement": "replace(replace(replace(:said, '{1}', m.subject), '{2}', m.fault), '{3}', m.place)",
    "status": "case when m.at < :now - interval '25 days' then 'closed' else 'open' end",
    "closed_at": "case when m.at < :now - interval '25 days' then m.at + interval '20 days' end",
}
COPIED = [column.name for column in Escalation.__table__.columns]
COPY = text(
    f"""
    with made as (
        select n, uuidv7() as id, sources.ids[1 + n % cardinality(sources.ids)] as source,
               accounts.ids[1 + case when n % :biggest = 0 then 0 else n * 7919 % cardinality(accounts.ids) end]
                 as account_id,
               cast(:now as timestamptz) - random() * :days * interval '1 day' as at,
               (cast(:subjects as text[]))[1 + floor(random() * cardinality(cast(:subjects as text[])))] as subject,
               (cast(:faults as text[]))[1 + floor(random() * cardinality(cast(:faults as text[])))] as fault,
               (cast(:places as text[]))[1 + floor(random() * cardinality(cast(:places as text[])))] as place
        from generate_series(1, :count) n
        cross join (select array_agg(id order by id) as ids from escalation) sources
        cross join (select array_agg(id order by external_id) as ids from account) accounts
    ), cases as (
        insert into escalation ({", ".join(COPIED)})
        select {", ".join(DIFFERS.get(name, f"e.{name}") for name in COPIED)}
        from made m join escalation e on e.id = m.source
    )
    insert into link (tenant_id, id, escalation_id, system, external_id, created_at)
    select current_setting('app.tenant_id')::uuid, uuidv7(), m.id, 'jira', 'BUG-' || m.n % 20000, m.at
    from made m where m.n % 4 = 0
    """
)
GROUPS = text(
    """
    update account a set parent_external_id = 'A' || k.n / :firm * :firm
    from (select id, cast(substr(external_id, 2) as int) as n from account) k
    where k.id = a.id and k.n % :firm <> 0 and k.n < :accounts / 10
    """
)
FLOOR = text(
    "select max(similarity(title, :title)) from (select title from escalation where account_id = :account"
    " order by raised_at desc limit 200) newest"
)
SCAN = text("select count(*) from escalation where similarity(title, :title) > 0.4")


def run(escalations: int = 200_000, looks: int = 300) -> dict[str, Any]:
    with application():
        tenant_id, admin = new_tenant()
        fill(tenant_id, admin, count=ACCOUNTS)
        _add_cases(tenant_id, escalations)
        analyze()
        bodies = _bodies(tenant_id, looks)
        actor = actor_of(admin)
        taken, cpu, found = _look(
            tenant_id, bodies, lambda like: duplicates.list_duplicates(like, actor=actor, now=clock.now())["items"]
        )
        floor, _, _ = _look(
            tenant_id,
            bodies,
            lambda like: [db.session.scalar(FLOOR, {"title": like.title, "account": like.account_id})],
        )
        scan, _, _ = _look(tenant_id, bodies[:3], lambda like: [db.session.scalar(SCAN, {"title": like.title})])
        return {
            "p50_ms": percentile(taken, 0.50),
            "p95_ms": percentile(taken, 0.95),
            "p99_ms": percentile(taken, 0.99),
            "cpu_ms": round(cpu, 2),
            "floor_p50_ms": percentile(floor, 0.50),
            "floor_p95_ms": percentile(floor, 0.95),
            "scan_ms": round(median(scan), 1),
            "data": {
                "escalations": escalations,
                "looks": looks,
                "accounts": ACCOUNTS,
                "shown": round(sum(found) / looks, 1),
            },
        }


def _add_cases(tenant_id: UUID, count: int) -> None:
    for n, reason in enumerate(REASONS):
        with transaction(tenant=tenant_id):
            new = NewEscalation(
                account=(CRM, f"A{n}"), title="First", severity=3, reason=reason, raised_by_kind="system"
            )
            escalations.raise_escalation(new, act=Act(actor=SYSTEM, now=clock.now()))
    said = SAID.format("{1}", "{2}", "{3}")
    words = {"subjects": list(SUBJECTS), "faults": list(FAULTS), "places": list(WHERE), "said": said}
    sizes = {"count": count - len(REASONS), "biggest": BIGGEST, "days": DAYS}
    with transaction(tenant=tenant_id):
        db.session.execute(COPY, {**words, **sizes, "now": clock.now()})
        db.session.execute(GROUPS, {"firm": FIRM, "accounts": ACCOUNTS})


def _bodies(tenant_id: UUID, looks: int) -> list[Likeness]:
    random = Random(4)
    with transaction(tenant=tenant_id):
        ids = list(db.session.scalars(text("select id from account order by external_id")))
    made = []
    for n in range(looks):
        subject, fault, place = random.choice(SUBJECTS), random.choice(FAULTS), random.choice(WHERE)
        account = ids[0] if n % BIGGEST == 0 else random.choice(ids)
        refs = [{"system": "jira", "external_id": f"BUG-{random.randrange(20_000)}"}]
        statement = SAID.format(subject, fault, place)
        made.append(Likeness(account, f"{subject} {fault}", statement, REASONS[n % len(REASONS)], refs))
    assert sum(like.reason == OUTAGE for like in made) >= looks // len(REASONS)
    return made


def _look(
    tenant_id: UUID, bodies: list[Likeness], ask: Callable[[Likeness], list[Any]]
) -> tuple[list[float], float, list[int]]:
    """Milliseconds by the wall of each, mean of the computing for one, and how many each found."""
    taken, found = [], []
    for like in bodies[:20]:
        with transaction(tenant=tenant_id):
            ask(like)
    with transaction(tenant=tenant_id):
        server = db.session.scalar(text("select pg_backend_pid()"))
    began = _computed(server)
    for like in bodies:
        with transaction(tenant=tenant_id):
            start = time.perf_counter()
            found.append(len(ask(like)))
            taken.append((time.perf_counter() - start) * 1000)
    return taken, (_computed(server) - began) * 1000 / len(bodies), found


def _computed(server: int) -> float:
    """Seconds that this process and the connection's server process have computed."""
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
