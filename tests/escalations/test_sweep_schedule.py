"""`/clocks` and `/schedule`: what is promised, what will be sent to whom, what was and why not."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app import clock
from app.auth.models import Tenant
from app.db import db, transaction
from app.escalations.sweep import sweep_tenant
from app.notifications.models import Intent
from app.sla.models import Clock
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]


def steps(schedule: dict[str, Any], kind: str) -> list[tuple[str, list[str]]]:
    return [(step["step"], step["recipients"]) for step in schedule["upcoming"] if step["clock"] == kind]


def read(client: ApiClient, case: dict[str, Any], what: str) -> Any:
    answer = client.get(f"/api/v1/escalations/{case['id']}/{what}")
    assert answer.status_code == 200, answer.text
    return answer.json


def sweep_when_due(tenant: TestTenant, case: dict[str, Any]) -> None:
    """Move the tenant's time to where the acknowledgement is due, and sweep."""
    with transaction():
        asked = (Clock.escalation_id == UUID(case["id"]), Clock.kind == "acknowledge")
        due = db.session.scalars(select(Clock.due_at).where(*asked)).one()
        offset = due - clock.real_now() if due else None
        db.session.execute(update(Tenant).where(Tenant.id == tenant.id).values(clock_offset=offset))
    sweep_tenant(tenant.id)


def test_upcoming_names_each_step_as_written_and_whom_it_would_reach_now(client: ApiClient, raise_case: Raise) -> None:
    schedule = read(client, raise_case(), "schedule")
    owner, manager, csm, boss = (f"{name}@example.com" for name in ("owner", "manager", "csm", "boss"))
    coming = steps(schedule, "close")
    assert coming[:6] == [
        ("50%", [owner]),
        ("-P7D", [csm, owner]),
        ("-P3D", [manager, owner]),
        ("-P1D", [manager, owner]),
        ("0", [boss, csm, manager, owner]),
        ("+P1D", [manager, owner]),
    ]
    assert ("+P7D", [boss]) in coming
    acknowledge = steps(schedule, "acknowledge")
    assert acknowledge == [("75%", [owner]), ("0", [manager, owner]), *[("+P1D", [manager, owner])] * 5]
    assert schedule["sent"] == []


def test_sent_says_who_was_told_and_what_was_taken_back(
    tenant: TestTenant, client: ApiClient, raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case()
    sweep_when_due(tenant, case)
    sent = read(client, case, "schedule")["sent"]
    assert sorted((line["step"], line["recipient"], line["outcome"], line["folded"]) for line in sent) == [
        ("0", company.manager.email, "sent", 0),
        ("0", company.owner.email, "sent", 1),
        ("75%", company.owner.email, "folded", 0),
    ]
    assert as_user(company.owner).post(f"/api/v1/escalations/{case['id']}/acknowledge").status_code == 200
    sent = read(client, case, "schedule")["sent"]
    taken_back = [(line["recipient"], line["reason"]) for line in sent if line["outcome"] == "suppressed"]
    assert sorted(taken_back) == [(company.manager.email, "already_acted"), (company.owner.email, "already_acted")]


def test_a_message_that_waits_for_its_hour_stands_in_upcoming(
    tenant: TestTenant, client: ApiClient, raise_case: Raise, company: Company
) -> None:
    case = raise_case()
    sweep_when_due(tenant, case)
    with transaction():
        later = clock.now() + timedelta(days=3)
        mine = (Intent.user_id == company.manager.id, Intent.clock_id.is_not(None))
        db.session.execute(update(Intent).where(*mine).values(hold_until=later))
    schedule = read(client, case, "schedule")
    held = [step for step in schedule["upcoming"] if step["held_until"]]
    assert [(step["step"], step["recipients"]) for step in held] == [("0", [company.manager.email])]
    assert datetime.fromisoformat(held[0]["held_until"]) == later
    assert company.manager.email not in {line["recipient"] for line in schedule["sent"]}


def test_clocks_show_state_due_time_and_ledger(client: ApiClient, raise_case: Raise) -> None:
    case = raise_case()
    clocks = {one["kind"]: one for one in read(client, case, "clocks")["items"]}
    assert set(clocks) == {"close", "acknowledge"}
    close = clocks["close"]
    assert (close["state"], close["cycle"], close["flags"], close["moves"]) == ("running", 1, [], [])
    assert close["due_at"] == close["original_due_at"] == case["close_target_at"]
    assert [entry["type"] for entry in close["ledger"]] == ["activate"]


def test_both_stay_within_their_statements(
    client: ApiClient, raise_case: Raise, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    """Beside the guard's two: the record; clocks and ledgers; or clocks, log, cases and people."""
    case = raise_case()
    read(client, case, "schedule")
    for what, most in (("clocks", 2 + 3), ("schedule", 2 + 5)):
        with statements() as sent:
            read(client, case, what)
        assert len(sent) <= most, sent


def test_whom_a_case_is_about_sees_neither(
    raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case(about_user=company.csm.email)
    for what in ("clocks", "schedule"):
        assert as_user(company.csm).get(f"/api/v1/escalations/{case['id']}/{what}").status_code == 404


def test_of_a_long_log_the_latest_lines_come_first_and_earlier_ones_page_by_page(
    tenant: TestTenant, client: ApiClient, raise_case: Raise
) -> None:
    """Three lines: 75 % folded for the owner, then 0 for the owner and the manager. A page reads from old to new."""
    case = raise_case()
    sweep_when_due(tenant, case)
    whole = read(client, case, "schedule")
    assert [line["step"] for line in whole["sent"]] == ["75%", "0", "0"]
    assert whole["next_cursor"] is None
    latest = read(client, case, "schedule?limit=2")
    assert (latest["sent"], latest["upcoming"]) == (whole["sent"][1:], whole["upcoming"])
    earlier = read(client, case, f"schedule?limit=2&cursor={latest['next_cursor']}")
    assert (earlier["sent"], earlier["next_cursor"]) == (whole["sent"][:1], None)


def test_what_is_held_stands_in_upcoming_however_short_the_page(
    tenant: TestTenant, client: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    sweep_when_due(tenant, case)
    with transaction():
        later = clock.now() + timedelta(days=3)
        db.session.execute(update(Intent).where(Intent.clock_id.is_not(None)).values(hold_until=later))
    schedule = read(client, case, "schedule?limit=1")
    assert [step["step"] for step in schedule["upcoming"] if step["held_until"]] == ["0", "0"]
    assert [line["step"] for line in schedule["sent"]] == ["75%"]
