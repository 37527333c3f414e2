"""Account rows per second through the streaming import, beside COPY and INSERT … ON CONFLICT of the same rows."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.auth.actor import SYSTEM
from app.db import db, tenant_scope
from app.operations.imports import kinds
from app.operations.imports.runner import run_import
from bench.ground import application, new_tenant

ROWS = 200_000
FEW = 20_000
HEADER = "source,external_id,name,domain,segment,region,timezone,health,owner_email,csm_email,attributes.industry\n"
SEGMENTS = ("strategic", "enterprise", "mid_market", "small")
LIMIT = 1 << 40

STAGE = """create temp table staged (source text, external_id text, name text, domain text, segment text, region text,
timezone text, health int, owner_email text, csm_email text, industry text) on commit drop"""
COPY = "copy staged from stdin (format csv, header)"
FLOOR = text(
    """
    insert into floor_account (tenant_id, id, version, source, external_id, name, domain, segment, region, timezone,
      health, owner_email, csm_email, attributes, changed_at)
    select :tenant, gen_random_uuid(), 1, source, external_id, name, domain, segment, region, timezone, health,
      owner_email, csm_email, jsonb_build_object('industry', industry), now() from staged
    on conflict (tenant_id, source, external_id) do update set name = excluded.name, health = excluded.health
    """
)


def write_file(path: Path, rows: int) -> None:
    with path.open("w") as file:
        file.write(HEADER)
        for n in range(rows):
            file.write(
                f"bench,A-{n},Company {n},c{n}.example,{SEGMENTS[n % 4]},emea,Europe/Berlin,{n % 101},"
                f"owner{n % 50}@example.com,csm{n % 20}@example.com,industry {n % 9}\n"
            )


def run(rows: int = ROWS) -> dict[str, Any]:
    """New rows, the same rows again, and the floor; peak memory of a process of its own with few rows and with all."""
    with tempfile.TemporaryDirectory() as folder, application() as app:
        path = Path(folder) / "accounts.csv"
        write_file(path, rows)
        created = _import(path)
        again = _import(path, tenant=created["tenant"])
        floor = _floor(path, rows)
        few = Path(folder) / "few.csv"
        write_file(few, min(FEW, rows))
        url = app.config["DATABASE_URL"]
        peaks = {"peak_mb_few": _peak(few, url), "peak_mb": _peak(path, url)}
    rate, floor_rate = rows / created["seconds"], rows / floor
    return {
        "rate": round(rate),
        "unit": "account rows/s",
        "floor_rate": round(floor_rate),
        "ratio": round(rate / floor_rate, 3),
        "unchanged_rate": round(rows / again["seconds"]),
        **peaks,
        "data": {"rows": rows, "rows_few": min(FEW, rows), "created": created["created"]},
    }


def _import(path: Path, tenant: Any = None) -> dict[str, Any]:
    kind = kinds.kind_of("accounts")
    assert kind is not None
    tenant = tenant or new_tenant()[0]
    start = perf_counter()
    with tenant_scope(tenant), path.open("rb") as file:
        report = run_import(kind, file, ndjson=False, actor=SYSTEM, limit=LIMIT)
    assert report.counts["rejected"] == 0
    return {"seconds": perf_counter() - start, "tenant": tenant, **report.counts}


def _floor(path: Path, rows: int) -> float:
    """The same rows into a table of the same shape and indexes, by COPY and one INSERT … ON CONFLICT."""
    tenant = new_tenant("Floor")[0]
    with db.engine.connect() as connection:
        connection.execute(text("drop table if exists floor_account"))
        connection.execute(text("create table floor_account (like account including all)"))
        connection.commit()
        start = perf_counter()
        connection.execute(text(STAGE))
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(COPY) as copy, path.open("rb") as file:
            while data := file.read(1 << 16):
                copy.write(data)
        connection.execute(FLOOR, {"tenant": tenant})
        connection.commit()
        seconds = perf_counter() - start
        assert connection.scalar(text("select count(*) from floor_account")) == rows
        connection.execute(text("drop table floor_account"))
        connection.commit()
    return seconds


def _peak(path: Path, url: str) -> float:
    """Peak memory in MB of a process that imports the file into a new tenant."""
    environ = {**os.environ, "FIRSTHAND_BENCH_DATABASE_URL": url}
    command = [sys.executable, "-m", "bench.accounts_import", str(path)]
    done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Import one file and print the peak memory of this process."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("file", type=Path)
    with application():
        _import(parser.parse_args().file)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
