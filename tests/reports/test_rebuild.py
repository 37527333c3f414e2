"""`firsthand reports rebuild`: facts and sums made anew by the command, also when it is killed halfway."""

import os
import signal
import subprocess
import sys
from contextvars import Context
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from app.db import db, transaction
from app.escalations import service
from app.operations.cli import cli
from app.reports import jobs, making
from app.reports.folding import FOREVER
from app.reports.models import CaseFact, CohortDay, ReportCursor
from tests.escalations.story import RESOLUTION

ROOT = Path(__file__).resolve().parents[2]
# Two cases in a slice; the machine stops before the third slice.
KILLED = """
import os, signal, sys
from app.operations.cli import cli
from app.reports import making

making.BATCH = 2
whole, begun = making.fold_slice, []

def until_the_third(cursor, now):
    if cursor.after_id is not None:
        begun.append(cursor.after_id)
    if len(begun) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(cursor, now)

making.fold_slice = until_the_third
cli(["reports", "rebuild", "--tenant", sys.argv[1]])
"""


@pytest.fixture
def environment(settings):
    return {
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "warning",
    }


@pytest.fixture
def five_cases(story, fold):
    """Raised from the 2nd to the 6th, the first resolved on the 4th; folded on the 8th."""
    cases = [story(f"{day} 10:00") for day in range(2, 7)]
    cases[0].do(service.acknowledge, "2 11:00")
    cases[0].do(service.resolve, "4 12:00", resolution=RESOLUTION)
    fold("8 10:00")
    return cases


def kept():
    """Every fact and sum, without ids."""
    with transaction():
        tables = [
            {tuple(map(str, row)) for row in db.session.execute(select(*[c for c in t.columns if c.name != "id"]))}
            for t in (CaseFact.__table__, CohortDay.__table__)
        ]
    assert all(tables)
    return tables


def test_the_command_mends_what_was_spoilt_and_says_so(tenant, five_cases, environment, summary):
    before, facts = summary("7 10:00"), kept()
    with transaction():
        db.session.execute(update(CaseFact).where(CaseFact.known_until == FOREVER).values(severity=4))
        db.session.execute(delete(CohortDay))
    assert summary("7 10:00") != before
    words = ["reports", "rebuild", "--tenant", str(tenant.id)]
    done = Context().run(CliRunner().invoke, cli, words, env=environment)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "made anew\n")
    assert summary("7 10:00") == before
    assert facts[0] == kept()[0]


def test_killed_halfway_the_worker_goes_on_and_the_answers_are_the_same(
    tenant, client, five_cases, environment, summary
):
    before, (facts, _) = summary("7 10:00"), kept()
    command = [sys.executable, "-c", KILLED, str(tenant.id)]
    ended = subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    with transaction():
        after = db.session.scalars(select(ReportCursor.after_id)).one()
    assert after == five_cases[3].id
    refused = client.get("/api/v1/reports/summary")
    assert (refused.status_code, refused.json["code"]) == (503, "facts_being_made")
    jobs.report_facts()
    assert summary("7 10:00") == before
    assert kept()[0] == facts


def test_who_reads_while_facts_are_made_anew_never_finds_them_gone(five_cases, monkeypatch, tenant):
    """Between any two slices every case has the facts it had."""
    facts, seen = kept()[0], []
    monkeypatch.setattr(jobs.making, "BATCH", 2)
    jobs.rebuild_tenant(tenant.id, seen=lambda: seen.append(kept()[0]))
    assert len(seen) >= 3
    assert all(one == facts for one in seen)


def test_a_case_newer_than_the_last_fold_does_not_hold_up_facts_that_are_made_anew(story, fold, summary):
    """As after an upgrade that wants all of them made anew: what was raised meanwhile is folded in its turn."""
    story("2 10:00")
    fold("3 10:00")
    story("3 11:00")
    with transaction():
        db.session.execute(delete(CaseFact))
        db.session.execute(delete(CohortDay))
        db.session.execute(update(ReportCursor).values(after_id=making.START, summed_until=None))
    fold("4 10:00")
    assert summary("3 12:00")["open"]["count"] == 2
