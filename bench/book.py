"""A tenant as customers have one: accounts with contracts and pipeline, colleagues in teams, a policy of ten rules."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import clock
from app.accounts import service as accounts
from app.accounts.jobs import make_book
from app.auth import service as auth
from app.auth.actor import SYSTEM
from app.auth.changes import update_settings
from app.auth.models import User
from app.auth.queries import get_tenant
from app.db import db, transaction
from app.routing import service as routing
from bench.ground import actor_of

CRM = "salesforce"
USERS, TEAMS = 20, 3
SEGMENTS = ("strategic", "enterprise", "mid_market", "small")
REASONS = ("prolonged_outage", "billing", "security", "slow_response", "missed_milestone", "product_limit", "other")


def fill(tenant_id: UUID, admin: User, *, count: int) -> None:
    """Colleagues, teams, policy, and accounts with two contracts and one opportunity each."""
    now = clock.real_now()
    with transaction(tenant=tenant_id):
        update_settings(get_tenant(lock=True), {"capacity": 1000})
        emails = [f"person{n}@example.com" for n in range(USERS)]
        for n, email in enumerate(emails):
            auth.create_user(email, name=f"Person {n}", role="specialist", actor=SYSTEM, now=now)
        for n in range(TEAMS):
            members = [{"email": email} for email in emails[n::TEAMS]]
            routing.upsert_team(f"Team {n}", lead_email=emails[n], members=members, now=now)
    with transaction(tenant=tenant_id):
        number = routing.save_policy(rules(), {}, actor=actor_of(admin), now=now).number
        routing.publish_policy(number, actor=actor_of(admin), now=now)
    with transaction(tenant=tenant_id):
        _add_accounts(count, now)
    analyze()
    with transaction(tenant=tenant_id):
        make_book(now)  # as the worker's daily job would
    analyze()


def analyze() -> None:
    """What autovacuum does within a minute of a load: the planner learns the sizes of the tables."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


def _add_accounts(count: int, now: datetime) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"accounts": [], "contracts": [], "opportunities": [], "contacts": []}
    for n in range(count):
        account = f"A{n}"
        below = {"source": CRM, "account_external_id": account}
        rows["accounts"].append(_account(account, n))
        rows["contracts"] += [
            {**below, "external_id": f"C{n}-{k}", "arr": 1000 * (n % 97 + 1 + k), "currency": "USD", **_term(now, n)}
            for k in range(2)
        ]
        rows["opportunities"].append(
            {**below, "external_id": f"O{n}", "name": "More seats", "amount": 500 * (n % 31), "currency": "USD",
             "probability": 0.4, "type": "expansion", "closes_on": _day(now, 60)}
        )  # fmt: skip
        rows["contacts"].append({**below, "external_id": f"P{n}", "name": "Pat", "email": contact(n)})
    for kind, raw in rows.items():
        for start in range(0, len(raw), 1000):
            batch = [accounts.read_row(kind, row) for row in raw[start : start + 1000]]
            accounts.upsert_many(kind, batch, now=now)


def _account(external_id: str, n: int) -> dict[str, Any]:
    return {
        "source": CRM,
        "external_id": external_id,
        "name": f"Account {n}",
        "segment": SEGMENTS[n % 4],
        "region": ("EMEA", "AMER", "APAC")[n % 3],
        "health": n % 101,
        "owner_email": f"person{n % USERS}@example.com",
        "csm_email": f"person{(n + 7) % USERS}@example.com",
    }


def _term(now: datetime, n: int) -> dict[str, str]:
    return {"starts_on": _day(now, -300), "ends_on": _day(now, 30 + n % 300)}


def _day(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).astimezone(UTC).date().isoformat()


def contact(n: int) -> str:
    return f"pat@customer{n}.example.com"


def rules() -> list[dict[str, Any]]:
    """Ten rules: nine by reason, severity, segment, region and value, and the account owner for the rest."""

    def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
        return {"field": field, "op": op, "value": value}

    def team(n: int) -> dict[str, Any]:
        return {"kind": "team", "team": f"Team {n}"}

    conditions = [
        [leaf("escalation.severity", "=", 1), leaf("account.segment", "=", "strategic")],
        [leaf("escalation.reason", "=", "billing")],
        [leaf("escalation.reason", "in", ["prolonged_outage", "slow_response"]), leaf("account.region", "=", "EMEA")],
        [leaf("value.amount", ">=", 150_000)],
        [leaf("escalation.reason", "=", "security"), leaf("account.segment", "in", ["enterprise", "strategic"])],
        [leaf("account.health", "<", 10)],
        [leaf("account.region", "=", "APAC"), leaf("escalation.severity", "<=", 2)],
        [leaf("escalation.title", "contains", "migration")],
        [leaf("escalation.reason", "=", "missed_milestone")],
    ]
    written = [
        {"name": f"rule {n}", "when": {"all": leaves}, "target": team(n % TEAMS)} for n, leaves in enumerate(conditions)
    ]
    return [*written, {"name": "the rest", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}}]


def new_body(n: int, accounts: int) -> dict[str, Any]:
    """A customer's demand as a helpdesk would send it."""
    account = n * 7919 % accounts
    return {
        "account": {"source": CRM, "external_id": f"A{account}"},
        "title": f"Nightly export fails for the {n % 13}th time",
        "customer_statement": "Our finance team cannot close the month. " * 5,
        "desired_outcome": "A complete export by Friday.",
        "impact": "Forty people wait for it each morning.",
        "severity": n % 4 + 1,
        "reason": REASONS[n % len(REASONS)],
        "raised_by": {"kind": "customer", "email": contact(account)},
        "external_refs": [{"system": "zendesk", "external_id": str(n)}],
    }
