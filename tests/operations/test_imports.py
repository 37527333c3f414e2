import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts import service
from app.accounts.errors import RowRefused
from app.accounts.models import Account, AccountHistory, BookDay, Contract, Rate
from app.auth.actor import SYSTEM
from app.auth.models import User
from app.config import Settings
from app.db import db, new_id, tenant_scope, transaction
from app.escalations.models import Escalation
from app.operations.imports import kinds, runner
from app.operations.imports.errors import TooLarge, UnreadableFile, WrongHeader
from app.operations.imports.runner import Fault, Report, run_import
from app.operations.models import Import
from app.routing.models import Team
from tests import NOW
from tests.conftest import ApiClient, TestTenant

IMPORTS = "/api/v1/imports"
LIMIT = 1 << 30


def load(kind: str, content: str | bytes, *, limit: int = LIMIT, **options: Any) -> tuple[Report, list[Fault]]:
    """Import a file's content into the tenant in scope; its report and what was refused."""
    faults: list[Fault] = []
    chosen = kinds.kind_of(kind)
    assert chosen is not None
    data = content.encode() if isinstance(content, str) else content
    options.setdefault("ndjson", False)
    report = run_import(
        chosen,
        io.BytesIO(data),
        actor=SYSTEM,
        limit=limit,
        tell=lambda report, more: faults.extend(more),
        **options,
    )
    return report, faults


def counted(report: Report) -> dict[str, int]:
    return {name: number for name, number in report.counts.items() if number}


def names() -> dict[str, str]:
    with transaction():
        return {a.external_id: a.name for a in db.session.scalars(select(Account))}


def test_accounts_land_and_the_same_file_again_changes_nothing(tenant: TestTenant) -> None:
    file = "external_id,name,health,attributes.plan\nA-1,Northwind,70,pro\nA-2,Contoso,,basic\n"
    report, faults = load("accounts", file)
    assert (counted(report), faults) == ({"created": 2}, [])
    with transaction():
        first = db.session.scalars(select(Account).where(Account.external_id == "A-1")).one()
    assert (first.source, first.health, first.attributes) == ("csv", 70, {"plan": "pro"})
    assert counted(load("accounts", file)[0]) == {"unchanged": 2}
    assert counted(load("accounts", "external_id,health\nA-1,\nA-2,5\n")[0]) == {"updated": 2}


def test_a_broken_row_in_the_middle_is_refused_and_the_rest_lands(tenant: TestTenant) -> None:
    file = (
        "external_id,name,health\n"
        "A-1,One,10\n"
        "A-2,Two\n"
        'A-3,"Three,30\n'
        "A-4,Four,400\n"
        "A-5,,50\n"
        "\n"
        'A-6,"Six\nlines",60\n'
        "A-7,Se\x00ven,70\n"
        f"A-8,{'x' * 501},80\n"
        "A-9,Nine,90\n"
    )
    report, faults = load("accounts", file)
    assert counted(report) == {"created": 3, "rejected": 6}
    assert names() == {"A-1": "One", "A-6": "Six\nlines", "A-9": "Nine"}
    assert [(f.line, f.field) for f in faults] == [
        (3, None),
        (4, None),
        (5, "health"),
        (6, "name"),
        (10, "name"),
        (11, "name"),
    ]
    assert faults[0].detail == "expected 3 columns, found 2"
    assert faults[2].detail == "expected a whole number from 0 to 100"


@pytest.mark.parametrize(
    ("kind", "header", "complaint"),
    [
        ("accounts", "external_id,nmae", "unknown column 'nmae'"),
        ("accounts", "name,domain", "column 'external_id' is missing"),
        ("contracts", "external_id,arr", "column 'account_external_id' is missing"),
        ("accounts", "external_id,name,name", "column 'name' stands twice"),
        ("accounts", "external_id,,name", "column 2 has no name"),
        ("accounts", "external_id;name", "unknown column 'external_id;name'"),
        ("accounts", "", "the file is empty"),
    ],
)
def test_a_wrong_header_is_refused_before_any_row(tenant: TestTenant, kind: str, header: str, complaint: str) -> None:
    with pytest.raises(WrongHeader) as refused:
        load(kind, f"{header}\nA-1,One,x\n" if header else "")
    assert complaint in refused.value.detail
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(Import)) == 0


def test_a_line_in_another_encoding_is_refused_with_the_bytes_place(tenant: TestTenant) -> None:
    file = b"external_id,name\nA-1,Stra\xc3\x9fe\nA-2,Stra\xdfe\nA-3,Gasse\n"
    report, faults = load("accounts", file)
    assert counted(report) == {"created": 2, "rejected": 1}
    assert (faults[0].line, faults[0].detail) == (
        3,
        "expected UTF-8, found byte 0xdf at byte 9 of the line (byte 38 of the file)",
    )


def test_a_file_in_utf_16_is_refused_whole(tenant: TestTenant) -> None:
    with pytest.raises(UnreadableFile, match="expected UTF-8, found UTF-16"):
        load("accounts", "external_id,name\n".encode("utf-16"))


def test_a_byte_order_mark_and_gzip_are_read(tenant: TestTenant) -> None:
    file = gzip.compress(b"\xef\xbb\xbfexternal_id,name\r\nA-1,One\r\n")
    assert counted(load("accounts", file)[0]) == {"created": 1}


def test_a_damaged_gzip_file_fails_and_what_landed_stays(tenant: TestTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CHUNK", 10)
    rows = "".join(f"A-{n},{os.urandom(40).hex()}\n" for n in range(3000))
    file = gzip.compress(f"external_id,name\n{rows}".encode())
    with pytest.raises(UnreadableFile, match="gzip"):
        load("accounts", file[:-2000])
    with transaction():
        record = db.session.scalars(select(Import)).one()
    assert (record.state, record.created) == ("failed", len(names()))
    assert record.created > 0
    assert record.failure is not None


def test_a_file_over_the_limit_fails_also_when_only_unpacked_it_is(tenant: TestTenant) -> None:
    file = "external_id,name\n" + "A-1,One\n" * 1000
    for content in (file.encode(), gzip.compress(file.encode())):
        with pytest.raises(TooLarge):
            load("accounts", content, limit=2000)


def test_a_line_without_end_is_refused_in_little_memory(tenant: TestTenant) -> None:
    file = b"external_id,name\nA-1," + b"x" * (3 << 20) + b"\nA-2,Two\n"
    report, faults = load("accounts", file)
    assert (counted(report), faults[0].line) == ({"created": 1, "rejected": 1}, 2)


def test_ndjson_rows_are_typed_and_bad_lines_refused(tenant: TestTenant) -> None:
    rows = [
        json.dumps({"external_id": "A-1", "name": "One", "health": 5, "attributes": {"a": [1]}}),
        "{not json",
        "[1, 2]",
        json.dumps({"external_id": "A-2", "name": "Two", "health": "5"}),
        json.dumps({"external_id": "A-3", "name": "Three", "colour": "red"}),
        '{"external_id": "A-4", "name": "Four", "attributes": {"x": NaN}}',
    ]
    report, faults = load("accounts", "\n".join(rows), ndjson=True)
    assert counted(report) == {"created": 1, "rejected": 5}
    assert [(f.line, f.field) for f in faults] == [(2, None), (3, None), (4, "health"), (5, "colour"), (6, None)]


def test_several_rows_of_one_account_apply_in_their_order(tenant: TestTenant) -> None:
    file = (
        "external_id,name,source_updated_at\n"
        "A-1,First,2026-01-01T00:00:00Z\n"
        "A-1,Third,2026-01-03T00:00:00Z\n"
        "A-1,Second,2026-01-02T00:00:00Z\n"
    )
    assert counted(load("accounts", file)[0]) == {"created": 1, "updated": 1, "stale": 1}
    assert names() == {"A-1": "Third"}


def test_an_account_that_would_be_its_own_ancestor_is_refused_within_one_file(tenant: TestTenant) -> None:
    report, faults = load("accounts", "external_id,name,parent_external_id\nA,A,B\nB,B,C\nC,C,A\nD,D,D\n")
    assert counted(report) == {"created": 2, "rejected": 2}
    assert [(f.line, f.field) for f in faults] == [(4, "parent_external_id"), (5, "parent_external_id")]


def test_a_refused_row_leaves_no_trace_in_the_judgement_of_those_below_it(tenant: TestTenant) -> None:
    rows = [
        {"external_id": "A", "parent_external_id": "B", "source_updated_at": "2026-01-02T00:00:00Z"},
        {"external_id": "B", "name": "B", "parent_external_id": "A"},
        {"external_id": "A", "name": "A", "parent_external_id": "A", "source_updated_at": "2026-01-01T00:00:00Z"},
        {"external_id": "A", "name": "A", "source_updated_at": "2026-01-01T00:00:00Z"},
    ]
    report, faults = load("accounts", "\n".join(json.dumps(row) for row in rows), ndjson=True)
    assert counted(report) == {"created": 2, "rejected": 2}
    assert [(f.line, f.field) for f in faults] == [(1, "name"), (3, "parent_external_id")]


def test_contracts_find_their_accounts_and_the_book_is_made(tenant: TestTenant) -> None:
    load("accounts", "external_id,name\nA-1,One\n")
    report, faults = load(
        "contracts",
        "external_id,account_external_id,arr,currency,starts_on,ends_on,escalator.kind,escalator.percent\n"
        "C-1,A-1,1200.50,USD,2026-01-01,2030-12-31,fixed,3\n"
        "C-2,A-9,1,USD,2026-01-01,,,\n"
        "C-3,A-1,-1,USD,2026-01-01,,,\n"
        "C-4,A-1,1,US,2026-01-01,,,\n"
        "C-5,A-1,1,USD,2026-01-01,2025-01-01,,\n",
    )
    assert counted(report) == {"created": 1, "rejected": 4}
    assert [(f.line, f.field) for f in faults] == [
        (3, "account_external_id"),
        (4, "arr"),
        (5, "currency"),
        (6, "ends_on"),
    ]
    with transaction():
        contract = db.session.scalars(select(Contract)).one()
        assert (contract.escalator_kind, contract.escalator_percent) == ("fixed", 3)
        assert db.session.scalars(select(BookDay)).one().percentile == 1
        assert db.session.scalars(select(AccountHistory)).one().changes == {"contracts": [str(contract.id)]}


def test_a_dry_run_counts_and_writes_nothing(tenant: TestTenant) -> None:
    report, faults = load("accounts", "external_id,name,health\nA-1,One,5\nA-2,Two,500\n", dry_run=True)
    assert (counted(report), [f.line for f in faults]) == ({"created": 1, "rejected": 1}, [3])
    with transaction():
        assert db.session.scalar(select(func.count()).select_from(Import)) == 0
    assert names() == {}


def test_users_and_teams_are_imported_managers_in_any_order(tenant: TestTenant) -> None:
    users = (
        "email,name,role,manager_email\n"
        "ann@example.com,Ann,csm,bob@example.com\n"
        "bob@example.com,Bob,manager,cat@example.com\n"
        "cat@example.com,Cat,manager,\n"
        "dan@example.com,Dan,csm,nobody@example.com\n"
        "eve,Eve,csm,\n"
    )
    report, faults = load("users", users)
    assert counted(report) == {"created": 3, "rejected": 2}
    assert [(f.line, f.field) for f in sorted(faults, key=lambda f: f.line)] == [(5, "manager_email"), (6, "email")]
    with transaction():
        people = {user.email: user for user in db.session.scalars(select(User))}
    assert people["ann@example.com"].manager_id == people["bob@example.com"].id
    assert counted(load("users", users)[0]) == {"unchanged": 3, "rejected": 2}
    teams = "name,tier,lead_email,members\nCore,tier_2,cat@example.com,ann@example.com;bob@example.com:8\n"
    assert counted(load("teams", teams)[0]) == {"created": 1}
    with transaction():
        assert db.session.scalars(select(Team).where(Team.name == "Core")).one().tier == "tier_2"
    assert counted(load("teams", teams)[0]) == {"unchanged": 1}


def test_escalations_are_raised_at_their_own_moment_and_once(tenant: TestTenant) -> None:
    load("accounts", "external_id,name\nA-1,One\n")
    file = (
        "external_id,account_external_id,title,severity,raised_at\n"
        "T-1,A-1,Nothing works,1,2024-05-06T07:00:00Z\n"
        "T-2,A-9,Nobody's,2,2024-05-06T07:00:00Z\n"
        "T-3,A-1,Too bad,9,2024-05-06T07:00:00Z\n"
        "T-4,A-1,Naive,2,2024-05-06T07:00:00\n"
    )
    report, faults = load("escalations", file)
    assert counted(report) == {"created": 1, "rejected": 3}
    assert [(f.line, f.field) for f in faults] == [(3, "account"), (4, "severity"), (5, "raised_at")]
    with transaction():
        case = db.session.scalars(select(Escalation)).one()
    assert (case.raised_at.isoformat(), case.status) == ("2024-05-06T07:00:00+00:00", "open")
    assert counted(load("escalations", file)[0]) == {"unchanged": 1, "rejected": 3}


def test_rates_are_imported(tenant: TestTenant) -> None:
    report, faults = load("rates", "currency,date,rate\nEUR,2026-01-01,1.1\nUSD,2026-01-01,1\nEUR,2026-01-01,1.2\n")
    assert (report.total, [(f.line, f.field) for f in faults]) == (3, [(3, "currency")])
    with transaction():
        assert [(r.currency, r.rate) for r in db.session.scalars(select(Rate))] == [("EUR", Decimal("1.2"))]


def test_an_import_over_http_answers_with_counts_and_lists_what_it_refused(client: ApiClient) -> None:
    file = "external_id,name\n" + "".join(f"A-{n},{'One' if n % 2 else ''}\n" for n in range(6))
    answer = client.post(f"{IMPORTS}/accounts", data=file, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.json
    assert (answer.json["state"], answer.json["created"], answer.json["rejected"]) == ("done", 3, 3)
    path = answer.headers["Location"]
    assert path == f"{IMPORTS}/{answer.json['id']}"
    found = client.get(f"{path}?limit=2").json
    assert (found["state"], found["total"], found["created"], found["rejected"]) == ("done", 6, 3, 3)
    assert [(e["line"], e["field"]) for e in found["errors"]] == [(2, "name"), (4, "name")]
    rest = client.get(f"{path}?limit=2&cursor={found['next_cursor']}").json
    assert ([e["line"] for e in rest["errors"]], rest["next_cursor"]) == ([6], None)


def test_ndjson_over_http_and_a_dry_run(client: ApiClient) -> None:
    body = json.dumps({"external_id": "A-1", "name": "One"})
    headers = {"Content-Type": "application/x-ndjson"}
    dry = client.post(f"{IMPORTS}/accounts?dry_run=true", data=body, headers=headers)
    assert (dry.json["id"], dry.json["created"]) == (None, 1)
    assert client.post(f"{IMPORTS}/accounts", data=body, headers=headers).json["created"] == 1


@pytest.mark.parametrize(
    ("path", "data", "mimetype", "status", "code"),
    [
        ("accounts", "external_id,nmae\nA,B\n", "text/csv", 422, "wrong_header"),
        ("accounts", "{}", "application/json", 415, "unsupported_media_type"),
        ("things", "a,b\n", "text/csv", 404, "not_found"),
    ],
)
def test_what_can_not_be_imported_is_said(
    client: ApiClient, path: str, data: str, mimetype: str, status: int, code: str
) -> None:
    answer = client.post(f"{IMPORTS}/{path}", data=data, headers={"Content-Type": mimetype})
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_a_body_over_the_ordinary_limit_is_taken_and_one_over_the_imports_is_not(client: ApiClient) -> None:
    file = "external_id,name\n" + "".join(f"A-{n},{'x' * 400}\n" for n in range(3000))
    assert len(file) > client.app.config["MAX_CONTENT_LENGTH"]
    headers = {"Content-Type": "text/csv"}
    assert client.post(f"{IMPORTS}/accounts", data=file, headers=headers).json["total"] == 3000
    usual = client.app.config["MAX_IMPORT_BYTES"]
    client.app.config["MAX_IMPORT_BYTES"] = 10_000
    try:
        answer = client.post(f"{IMPORTS}/accounts", data=file, headers=headers)
    finally:
        client.app.config["MAX_IMPORT_BYTES"] = usual
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_imports_need_their_scope_and_another_tenants_is_404(
    client: ApiClient,
    make_user: Callable[..., User],
    as_user: Callable[..., ApiClient],
    new_tenant: Callable[..., TestTenant],
) -> None:
    headers = {"Content-Type": "text/csv"}
    file = "external_id,name\nA-1,One\n"
    assert as_user(make_user("csm")).post(f"{IMPORTS}/accounts", data=file, headers=headers).status_code == 403
    feed = as_user(make_user("integration"))
    assert feed.post(f"{IMPORTS}/accounts", data=file, headers=headers).status_code == 202
    other = new_tenant("Other")
    with tenant_scope(other.id):
        theirs, _ = load("accounts", file)
    assert client.get(f"{IMPORTS}/{theirs.id}").status_code == 404
    assert client.get(f"{IMPORTS}/{new_id()}").status_code == 404


KEYS = st.sampled_from(["A", "B", "C"])
MOMENTS = st.sampled_from([None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"])
OPTIONAL = {
    "name": st.sampled_from(["One", "Two", ""]),
    "health": st.sampled_from([None, 5, 50, 500]),
    "segment": st.sampled_from([None, "small", "strategic"]),
    "parent_external_id": st.sampled_from([None, "A", "B", "C", "Z"]),
    "attributes": st.sampled_from([None, {"a": 1}, {"b": [1, 2]}]),
    "source_updated_at": MOMENTS,
}
ROWS = st.lists(st.fixed_dictionaries({"external_id": KEYS}, optional=OPTIONAL), max_size=12)
SEEN = ("external_id", "name", "health", "segment", "parent_external_id", "attributes", "source_updated_at")


def state_of(source: str) -> list[Any]:
    with transaction():
        accounts = db.session.scalars(select(Account).where(Account.source == source).order_by(Account.external_id))
        history = (
            select(Account.external_id, AccountHistory.changes)
            .join_from(AccountHistory, Account, AccountHistory.account_id == Account.id)
            .where(Account.source == source)
        )
        tracked = sorted(
            (name, json.dumps(changes, sort_keys=True))
            for name, changes in db.session.execute(history)
            if "above" not in changes
        )
        return [[tuple(getattr(a, column) for column in SEEN) for a in accounts], tracked]


def put_one(source: str, row: dict[str, Any]) -> str:
    fields = dict(row)
    try:
        with transaction():
            return service.upsert_account(source, fields.pop("external_id"), fields, now=NOW).outcome
    except RowRefused:
        return "rejected"


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking what works on a database takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS)
def test_a_file_does_what_single_upserts_in_its_order_do(tenant: TestTenant, rows: list[dict[str, Any]]) -> None:
    single, whole = f"single {new_id()}", f"whole {new_id()}"
    outcomes = [put_one(single, row) for row in rows]
    file = "\n".join(json.dumps({**row, "source": whole}) for row in rows)
    report, _ = load("accounts", file, ndjson=True)
    assert counted(report) == {name: outcomes.count(name) for name in dict.fromkeys(outcomes)}
    assert state_of(single) == state_of(whole)


MEASURE = """
import io, resource, sys
from app import create_app
from app.auth.actor import SYSTEM
from app.db import tenant_scope
from app.operations.imports import kinds
from app.operations.imports.runner import run_import
from uuid import UUID

class Rows(io.RawIOBase):
    def __init__(self, count):
        self.count, self.sent, self.rest = count, -1, b""
    def readable(self):
        return True
    def readinto(self, buffer):
        while len(self.rest) < len(buffer) and self.sent < self.count:
            self.sent += 1
            n = self.sent
            self.rest += b"external_id,name,health\\n" if n == 0 else b"A-%d,Company %d,%d\\n" % (n, n, n % 140)
        data, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

app = create_app(doors=False)
with app.app_context(), tenant_scope(UUID(sys.argv[1])):
    report = run_import(kinds.kind_of("accounts"), Rows(int(sys.argv[2])), ndjson=False, actor=SYSTEM, limit=1 << 40)
print(report.total, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "FIRSTHAND_DATABASE_URL": settings.database_url,
        "FIRSTHAND_REDIS_URL": settings.redis_url,
        "FIRSTHAND_SECRET_KEY": settings.secret_key,
        "FIRSTHAND_LOG_LEVEL": "error",
    }


def peak_kb(tenant: TestTenant, rows: int, environment: dict[str, str]) -> int:
    command = [sys.executable, "-c", MEASURE, str(tenant.id), str(rows)]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(command, env=environment, cwd=root, check=True, capture_output=True, text=True)
    total, peak = done.stdout.split()
    assert int(total) == rows
    return int(peak)


def test_ten_times_the_rows_take_no_more_memory(
    new_tenant: Callable[..., TestTenant], environment: dict[str, str]
) -> None:
    few = peak_kb(new_tenant("Few"), 2_000, environment)
    many = peak_kb(new_tenant("Many"), 20_000, environment)
    assert many < few + 8_000
