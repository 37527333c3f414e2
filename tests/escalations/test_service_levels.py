"""What a contract's service level promises on a case, from its raise to its end; every moment worked out by hand.

NOW is Monday 2 March 2026, 10:00; the tenant's hours are Monday to Friday, 9 to 17, in UTC.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.accounts import service as accounts
from app.auth import changes as settings
from app.auth import queries as users
from app.auth.models import User
from app.db import db, transaction
from app.escalations import service
from app.escalations.models import Escalation
from app.escalations.service import Act, Hop, NewEscalation, Resolution, Wait, Word
from app.escalations.sweep import sweep_tenant
from app.sla import levels
from app.sla.calendars import publish_calendar
from app.sla.models import Clock, StepLog
from tests import NOW
from tests.conftest import ApiClient, TestTenant, actor_of
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
GOLD = {
    "respond": {"business_hours": 2},
    "reply": {"business_hours": 3},
    "customer_update": {"1": 1, "2": 1, "3": 2, "4": 4},
    "account_team_update": 2,
    "executive_update": 5,
    "tiers": {"tier_1": {"business_hours": 4}, "tier_2": {"business_days": 1}},
    "close_days": 20,
}


def march(day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def publish(name: str, **definition: Any) -> None:
    with transaction():
        levels.publish_level(name, definition, now=NOW)


def contract(name: str, level: str | None, arr: str = "1000.00", account: str = "A-1") -> UUID:
    fields = {"arr": arr, "currency": "USD", "starts_on": "2026-01-01", "service_level": level}
    with transaction():
        return accounts.upsert_contract("crm", account, name, fields, now=NOW).record.id


class Case:
    """A customer's escalation on account A-1, raised at NOW."""

    def __init__(self, tenant: TestTenant, company: Company, at: datetime = NOW, **fields: Any) -> None:
        self.tenant, self.company = tenant, company
        said = {"title": "Exports fail", "severity": 3, "account": ("crm", "A-1"), "raised_by_kind": "customer"}
        new = NewEscalation(**{**said, "raised_by_email": "jo@globex.example", **fields})
        with transaction():
            self.raised = service.raise_escalation(new, act=Act(tenant.actor, at))
        self.id = self.raised.record.id

    def do(self, action: Callable[..., Any], when: datetime, user: User | None = None, **fields: Any) -> None:
        with transaction():
            action(self.id, act=Act(actor_of(user or self.company.owner), when), **fields)

    def dues(self) -> dict[str, datetime | None]:
        """Of each clock that still stands."""
        return {row.kind: row.due_at for row in self.clocks() if row.ended_at is None}

    def clocks(self, kind: str | None = None) -> list[Clock]:
        with transaction():
            asked = select(Clock).where(Clock.escalation_id == self.id).order_by(Clock.kind, Clock.cycle)
            return [row for row in db.session.scalars(asked) if kind in (None, row.kind)]

    def record(self) -> Escalation:
        with transaction():
            return db.session.scalars(select(Escalation).where(Escalation.id == self.id)).one()


@pytest.fixture
def gold(company: Company) -> None:
    publish("gold", **GOLD)
    contract("K-1", "gold", "120000.00")


def test_the_level_of_the_contract_sets_every_promise_of_a_raise(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    case = Case(tenant, company)
    assert case.dues() == {
        "acknowledge": march(2, 14),  # the settings' four hours: a level does not promise it
        "respond": march(2, 12),
        "tier": march(2, 14),
        "account_team_update": march(4),
        "executive_update": march(9),
        "close": march(22),
    }
    record = case.record()
    assert (record.close_target_at, record.due_at) == (march(22), march(22))
    # Sunday the 22nd less five business days: from Friday's closing back five whole days, to Monday 9:00
    assert record.resolve_by_at == march(16, 9)


def test_replies_and_updates_go_by_the_level_too(tenant: TestTenant, company: Company, gold: None) -> None:
    case = Case(tenant, company)
    case.do(service.add_message, march(2, 11), sender="jo", channel="email", content="Well?", at=None, external_id=None)
    assert case.dues()["reply"] == march(2, 14)
    told = {"audiences": ["customer", "executive"], "channel": "email", "content": "We work on it", "at": None}
    case.do(service.add_update, march(2, 12), **told)
    dues = case.dues()
    assert "respond" not in dues
    assert dues["customer_update"] == march(4, 12)  # severity 3: two business days
    assert dues["executive_update"] == march(9, 12)
    assert [(row.cycle, row.state) for row in case.clocks("executive_update")] == [(1, "met"), (2, "running")]


def test_what_the_level_leaves_out_goes_by_the_settings_or_is_not_asked(tenant: TestTenant, company: Company) -> None:
    publish("basic", reply={"business_hours": 3})
    contract("K-1", "basic", "120000.00")
    case = Case(tenant, company)
    assert case.dues() == {
        "acknowledge": march(2, 14),
        "respond": march(3),
        "close": datetime(2026, 4, 1, 10, tzinfo=UTC),
    }
    told = {"audiences": ["account_team", "executive"], "channel": "email", "content": "Note", "at": None}
    case.do(service.add_update, march(2, 12), **told)
    assert case.clocks("executive_update") == case.clocks("account_team_update") == []


def test_a_higher_severity_tightens_the_running_update_by_the_level(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    case = Case(tenant, company)
    told = {"audiences": ["customer"], "channel": "email", "content": "We work on it", "at": None}
    case.do(service.add_update, march(2, 12), **told)
    case.do(service.edit, march(2, 13), changes={"severity": 2})
    assert case.dues()["customer_update"] == march(3, 12)  # one business day, one hour of it used
    case.do(service.edit, march(2, 14), changes={"severity": 4, "severity_reason": "A workaround"})
    assert case.dues()["customer_update"] == march(3, 12)  # the earlier due of the running cycle stays
    case.do(service.add_update, march(2, 15), **told)
    assert case.dues()["customer_update"] == march(6, 15)  # severity 4: four business days


def test_of_several_contracts_the_level_whose_promises_fall_due_first_holds(
    tenant: TestTenant, company: Company
) -> None:
    """Two hours around the clock from Monday 10:00 are up at 12:00; one hour of nights only begins at 22:00."""
    with transaction():
        publish_calendar("nights", {"timezone": "UTC", "weekly": {"mon": [["22:00", "06:00"]]}}, now=NOW)
        publish_calendar("always", {"timezone": "UTC", "always_open": True}, now=NOW)
    publish("nightly", respond={"business_hours": 1}, calendar="nights")
    publish("round the clock", respond={"business_hours": 2}, calendar="always")
    contract("K-1", "nightly", "999999.00")
    small = contract("K-2", "round the clock", "1.00")
    contract("K-3", "never published", "5.00")
    case = Case(tenant, company)
    assert case.dues()["respond"] == march(2, 12)
    assert case.raised.account.warnings == ("service_level: 'never published' is not known yet",)
    only = Case(tenant, company, contract_ids=(small,))
    assert only.record().service_level_version_id == case.record().service_level_version_id


def test_the_calendar_is_the_levels_else_the_accounts_else_the_tenants(tenant: TestTenant, company: Company) -> None:
    with transaction():
        publish_calendar("always", {"timezone": "UTC", "always_open": True}, now=NOW)
        publish_calendar("afternoons", {"timezone": "UTC", "weekly": {"mon": [["14:00", "18:00"]]}}, now=NOW)
        accounts.upsert_account("crm", "A-1", {"calendar": "afternoons"}, now=NOW)
    publish("plain", close_days=10)
    publish("clock", close_days=10, calendar="always")
    contract("K-1", "plain", "120000.00")
    assert Case(tenant, company).dues()["acknowledge"] == march(2, 18)
    contract("K-1", "clock", "120000.00")
    assert Case(tenant, company).dues()["acknowledge"] == march(2, 14)


def test_an_account_without_a_contract_stands_under_its_ancestors_level(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    with transaction():
        accounts.upsert_account("crm", "A-9", {"name": "Globex Oslo", "parent_external_id": "A-1"}, now=NOW)
    assert Case(tenant, company, account=("crm", "A-9")).dues()["respond"] == march(2, 12)


def test_a_case_keeps_the_version_it_started_with_and_a_retired_level_holds_for_no_new_one(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    first = Case(tenant, company)
    publish("gold", **{**GOLD, "respond": {"business_hours": 1}, "reply": {"business_hours": 1}})
    assert Case(tenant, company).dues()["respond"] == march(2, 11)
    message = {"sender": "jo", "channel": "email", "content": "Well?", "at": None, "external_id": None}
    first.do(service.add_message, march(2, 11), **message)
    assert (first.dues()["respond"], first.dues()["reply"]) == (march(2, 12), march(2, 14))
    with transaction():
        [level] = levels.list_levels(after=None, limit=5)
        levels.retire_level(level.id, now=NOW)
    late = Case(tenant, company)
    assert late.dues()["respond"] == march(3)
    assert late.raised.account.warnings == ("service_level: 'gold' is not known yet",)
    told = {"audiences": ["customer"], "channel": "email", "content": "We work on it", "at": None}
    first.do(service.add_update, march(2, 12), **told)
    assert first.dues()["customer_update"] == march(4, 12)


def test_on_approval_the_promises_start_and_close_keeps_the_days_of_the_raise(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    with transaction():
        changes = {"approval": {"asked": True, "approvers": [company.manager.email]}}
        settings.update_settings(users.get_tenant(lock=True), changes)
    case = Case(tenant, company, raised_by_kind="colleague", raised_by_email=None)
    assert case.dues() == {"decide": march(3)}
    publish("gold", **{**GOLD, "close_days": 10})
    with transaction():
        changes = {"close_days": 12}
        settings.update_settings(users.get_tenant(lock=True), changes)
    case.do(service.answer_raise, march(2, 12), user=company.manager, approved=True)
    assert case.dues() == {
        "acknowledge": march(2, 16),
        "tier": march(2, 16),
        "account_team_update": march(4, 12),
        "executive_update": march(9, 12),
        "close": march(22),
    }


def test_leaving_a_tier_by_hand_meets_its_clock_and_starts_the_next_tiers(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    case = Case(tenant, company)
    case.do(service.escalate, march(2, 13), hop=Hop(reason="outside_expertise", brief="Restarted it"))
    first, second = case.clocks("tier")
    assert (first.state, first.ended_at) == ("met", march(2, 13))
    assert (second.state, second.due_at) == ("running", march(3, 13))
    case.do(service.escalate, march(2, 14), hop=Hop(reason="time", brief="Nothing helped"))
    assert [row.state for row in case.clocks("tier")] == ["met", "met"]  # tier 3 has no time of its own
    assert case.record().tier == "tier_3"


def test_an_automatic_hop_breaches_the_tier_and_the_next_clock_starts_when_it_is_carried_out(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    case = Case(tenant, company)
    sweep_tenant(tenant.id, now=march(2, 15, 30))  # an hour and a half after its due time
    first, second = case.clocks("tier")
    assert (first.state, first.breached_at) == ("missed", march(2, 14))
    assert (second.started_at, second.due_at) == (march(2, 15, 30), march(3, 15, 30))
    assert (case.record().tier, case.record().brief_missing) == ("tier_2", True)
    sweep_tenant(tenant.id, now=march(2, 16))
    assert len(case.clocks("tier")) == 2
    sweep_tenant(tenant.id, now=march(3, 15, 30))
    assert [row.state for row in case.clocks("tier")] == ["missed", "missed"]
    assert case.record().tier == "tier_3"
    with transaction():
        asked = (StepLog.escalation_id == case.id, StepLog.action == "escalate", StepLog.outcome == "done")
        assert len(db.session.scalars(select(StepLog).where(*asked)).all()) == 2


def test_a_tier_entered_while_waiting_starts_paused_and_resolve_meets_it(
    tenant: TestTenant, company: Company, gold: None
) -> None:
    case = Case(tenant, company)
    case.do(service.acknowledge, march(2, 11))
    case.do(service.wait, march(2, 12), on=Wait("customer", "logs", march(5).date()))
    assert [(row.state, row.due_at) for row in case.clocks("tier")] == [("paused", None)]
    case.do(service.escalate, march(2, 13), hop=Hop(reason="uncertainty", brief="Asked for logs"))
    assert [(row.state, row.due_at) for row in case.clocks("tier")] == [("met", None), ("paused", None)]
    case.do(service.resume, march(3, 9))
    assert case.dues()["tier"] == march(3, 17)
    case.do(service.resolve, march(3, 12), resolution=Resolution("Fixed", "A bug", preventable=True))
    assert case.clocks("tier")[-1].state == "met"
    assert not {"account_team_update", "executive_update"} & set(case.dues())
    case.do(service.verify, march(3, 15), word=Word(accepted=False, confirmed_by="Jo", channel="call"))
    again = case.clocks("tier")[-1]
    assert (again.state, again.due_at) == ("running", march(4, 12))  # three of eight hours were used
    assert {"account_team_update", "executive_update"} <= set(case.dues())


def test_the_record_and_the_raise_name_the_level_and_a_raise_stays_within_its_statements(
    raise_case: Raise, client: ApiClient, gold: None, statements: Any
) -> None:
    raised = raise_case(raised_by={"kind": "customer", "email": "jo@globex.example"})
    assert raised["service_level"] == {"name": "gold", "number": 1}
    assert client.get(f"/api/v1/escalations/{raised['id']}").json["service_level"] == raised["service_level"]
    with statements() as seen:
        raise_case(raised_by={"kind": "customer", "email": "new@globex.example"})
    assert len(seen) <= 16, seen


def test_routing_hears_of_the_level_the_case_goes_by(client: ApiClient, raise_case: Raise, company: Company) -> None:
    """The small contract's level is the stricter one: rules see it, and explain answers as the raise would."""
    publish("slow", respond={"business_days": 3})
    publish("fast", respond={"business_hours": 1})
    contract("K-1", "slow", "900000.00")
    contract("K-2", "fast", "1.00")
    policy = client.get("/api/v1/routing/policy")
    fast = {"field": "contract.service_level", "op": "=", "value": "fast"}
    rule = {"name": "fast", "when": fast, "target": {"kind": "role", "role": "csm"}}
    rules = {"rules": [rule, *policy.json["current"]["rules"]]}
    draft = client.put("/api/v1/routing/policy", json=rules, if_match=policy.headers["ETag"]).json["draft"]["number"]
    client.post("/api/v1/routing/policy/publish", json={"number": draft})
    body = {"account_id": company.account_id, "severity": 2}
    assert client.post("/api/v1/routing/explain", json=body).json["rule"] == "fast"
    raised = raise_case()
    assert (raised["service_level"]["name"], raised["routing"]["rule"]) == ("fast", "fast")


def test_a_contract_is_warned_about_only_until_its_level_is_published(client: ApiClient, company: Company) -> None:
    path = "/api/v1/accounts/crm/A-1/contracts/K-1"
    unknown = client.put(path, json={"service_level": "gold"}).json["warnings"]
    assert unknown == ["service_level: 'gold' is not known yet"]
    publish("gold", **GOLD)
    assert client.put(path, json={"service_level": "gold"}).json["warnings"] == []
