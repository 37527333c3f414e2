"""A person by law: one file with everything, and after erasure no row of any table names them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text

from app import clock
from app.accounts.models import Account, Contact
from app.auth.errors import DutyRequired
from app.auth.models import User
from app.db import db, transaction
from app.errors import NotFound
from app.escalations import timeline
from app.escalations.models import Escalation
from app.notifications.models import Intent, Preference
from app.operations.persons.erase import StillNamed, erase
from app.operations.persons.export import export
from app.operations.persons.tables import IDENTITY, find_person, tenant_tables
from tests.conftest import ApiClient, TestTenant

NORA, PAT = "nora@example.com", "pat@customer.example"


@pytest.fixture
def case(
    tenant: TestTenant, client: ApiClient, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> dict[str, Any]:
    """Pat Jones' escalation, owned and worked on by Nora Lind, who is named here and there."""
    nora = make_user("csm", NORA, name="Nora Lind")
    account = {"name": "Globex", "owner_email": "Nora@example.com", "attributes": {"knows": "Nora Lind since 2019"}}
    assert client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex"}).status_code in (200, 201)
    assert client.put("/api/v1/accounts/crm/A-1", json=account).status_code == 200
    contact = {"name": "Pat Jones", "email": PAT, "role": "CTO"}
    assert client.put("/api/v1/accounts/crm/A-1/contacts/P-1", json=contact).status_code in (200, 201)
    demand = {
        "account": {"source": "crm", "external_id": "A-1"},
        "title": "Exports fail, says Pat Jones",
        "customer_statement": "I cannot close the month.",
        "impact": "Forty people wait",
        "severity": 2,
        "raised_by": {"kind": "customer", "email": PAT},
    }
    raised = client.post("/api/v1/escalations", json=demand)
    assert raised.status_code == 201, raised.json
    path = f"/api/v1/escalations/{raised.json['id']}"
    desk = as_user(nora)
    assert desk.post(f"{path}/acknowledge", json={}).status_code == 200
    assert desk.post(f"{path}/attempts", json={"what": "restarted it", "result": "no change"}).status_code == 200
    said = {"from": PAT, "channel": "email", "text": "Still broken."}
    assert client.post(f"{path}/messages", json=said).status_code == 200
    assert client.post(f"{path}/comments", json={"text": "Ask nora lind, she knows"}).status_code == 200
    return dict(raised.json)


def erase_now(email: str) -> int:
    with transaction():
        return erase(find_person(email), clock.real_now())


def naming(*words: str) -> dict[str, list[str]]:
    """The rows of each table that contain one of these words, in whatever column."""
    with transaction():
        found = {
            table.name: db.session.scalars(
                text(f'select to_jsonb(t)::text from "{table.name}" t where to_jsonb(t)::text ~* :words'),
                {"words": "|".join(words)},
            ).all()
            for table in tenant_tables()
        }
    return {name: list(rows) for name, rows in found.items() if rows}


def texts(case: dict[str, Any]) -> set[str]:
    with transaction():
        return set(db.session.scalars(text("select text from event_text where text is not null")))


def is_intact(case: dict[str, Any]) -> bool:
    with transaction():
        return bool(timeline.verify(db.session.get_one(Escalation, case["id"]))["intact"])


def test_an_erased_colleague_stands_in_no_table_and_the_case_and_its_chain_go_on(
    tenant: TestTenant, client: ApiClient, case: dict[str, Any]
) -> None:
    assert {"user", "account", "intent", "event_text", "account_history"} <= set(naming(NORA, "nora lind"))
    assert "restarted it" in texts(case)
    assert erase_now("Nora@Example.com") >= 3
    assert naming(NORA, "nora lind") == {}
    assert not {"restarted it", "no change", "Ask nora lind, she knows"} & texts(case)
    assert "Still broken." in texts(case)
    assert is_intact(case)
    with transaction():
        user = db.session.get_one(User, case["owner"]["id"])
        assert (user.name, user.active) == ("erased person", False)
        assert db.session.scalars(select(Account)).one().owner_email is None
        theirs = db.session.scalars(select(Intent).where(Intent.user_id == user.id)).all()
    assert {(one.subject, one.body, one.address) for one in theirs} == {("erased person", "", None)}
    seen = client.get(f"/api/v1/escalations/{case['id']}").json
    assert (seen["owner"]["name"], seen["status"]) == ("erased person", "in_progress")


def test_what_waited_for_an_erased_colleagues_hours_is_not_sent_and_the_hours_are_forgotten(
    tenant: TestTenant, client: ApiClient, case: dict[str, Any]
) -> None:
    user_id = case["owner"]["id"]
    wishes = {"digest": {"at": "08:00"}, "timezone": "Asia/Kathmandu"}
    assert client.patch(f"/api/v1/users/{user_id}/preferences", json=wishes, if_match='"1"').status_code == 200
    path = f"/api/v1/escalations/{case['id']}/decision"
    assert client.post(path, json={"choice": "go_on", "reason": "Nora has it"}).status_code == 200
    with transaction():
        waiting = select(Intent.id).where(Intent.user_id == user_id, Intent.channel == "digest")
        ids = db.session.scalars(waiting).all()
        assert "preference" in export(find_person(NORA))["tables"]
    assert len(ids) == 1
    erase_now(NORA)
    with transaction():
        assert db.session.scalars(select(Intent.state).where(Intent.id.in_(ids))).all() == ["suppressed"]
        assert db.session.scalars(select(Preference)).all() == []


def test_what_an_erased_colleague_could_do_and_when_they_worked_is_forgotten(
    client: ApiClient, make_user: Callable[..., User]
) -> None:
    client.post("/api/v1/skills", json={"name": "billing"})
    client.post("/api/v1/calendars", json={"name": "Nights", "weekly": {"mon": [["22:00", "06:00"]]}})
    path = f"/api/v1/users/{make_user(email='nora@example.com').id}"
    client.patch(path, json={"calendar": "Nights"}, if_match=1)
    client.put(f"{path}/skills", json={"skills": [{"skill": "billing"}]}, if_match=2)
    before = client.get(path).json
    assert (before["calendar"], before["skills"]) == ("Nights", [{"skill": "billing", "level": 1}])
    erase_now(NORA)
    after = client.get(path).json
    assert (after["calendar"], after["skills"]) == (None, [])


def test_an_erased_contact_takes_their_words_along(tenant: TestTenant, client: ApiClient, case: dict[str, Any]) -> None:
    erase_now(PAT)
    assert naming(PAT, "pat jones", "cannot close the month", "still broken") == {}
    assert is_intact(case)
    seen = client.get(f"/api/v1/escalations/{case['id']}").json
    assert (seen["title"], seen["customer_statement"]) == ("Exports fail, says erased person", None)
    with transaction():
        contact = db.session.scalars(select(Contact)).one()
    assert (contact.name, contact.email, contact.role) == ("erased person", None, None)


def test_no_upsert_import_or_administrator_brings_an_erased_person_back(
    tenant: TestTenant, client: ApiClient, case: dict[str, Any]
) -> None:
    erase_now(PAT)
    erase_now(NORA)
    for external_id in ("P-1", "P-2"):
        contact = {"name": "Pat Jones", "email": PAT.upper(), "role": "CTO"}
        assert client.put(f"/api/v1/accounts/crm/A-1/contacts/{external_id}", json=contact).status_code in (200, 201)
    csv = f"source,external_id,name,owner_email\ncrm,A-1,Globex,{NORA}\n"
    sent = client.post("/api/v1/imports/accounts", data=csv, headers={"Content-Type": "text/csv"})
    assert (sent.status_code, sent.json["rejected"]) == (202, 0)
    user = client.post("/api/v1/users", json={"email": NORA, "name": "Nora Lind", "role": "csm"})
    assert (user.status_code, user.json["code"]) == (409, "person_erased")
    assert naming(PAT, NORA, "pat jones", "nora lind") == {}


def test_neighbours_of_an_address_and_namesakes_keep_what_is_theirs(
    tenant: TestTenant, client: ApiClient, case: dict[str, Any], make_user: Callable[..., User]
) -> None:
    names = {
        "bruce.nora@example.com": "Bruce Nora",
        "nora@example.com.au": "Nora Astor",
        "nora@example.com-pacific.example": "Nora Pace",
        "lind@example.com": "Nora Lind",
    }
    others = tuple(names)
    ids = [make_user("csm", email, name=name).id for email, name in names.items()]
    path = f"/api/v1/escalations/{case['id']}"
    for other in (*others, "Nora Lind <lind@example.com>"):
        said = {"from": other, "channel": "email", "text": f"words of {other}"}
        assert client.post(f"{path}/messages", json=said).status_code == 200
    for number, other in enumerate(others):
        contact = {"name": "Nora Lind", "email": other}
        assert client.put(f"/api/v1/accounts/crm/A-1/contacts/N-{number}", json=contact).status_code == 201
    with transaction():
        handed_out = json.dumps(export(find_person(NORA)))
    assert not [other for other in others if f'"{other}"' in handed_out]
    erase_now(NORA)
    assert {f"words of {other}" for other in others} | {"Nora Lind <lind@example.com>"} <= texts(case)
    with transaction():
        users = db.session.execute(select(User.email, User.name).where(User.id.in_(ids))).all()
        contacts = db.session.execute(select(Contact.email, Contact.name).where(Contact.email != PAT)).all()
    assert {tuple(row) for row in users} == set(names.items())
    assert {tuple(row) for row in contacts} == {(other, "Nora Lind") for other in others}


def test_every_column_that_holds_an_address_is_compared_as_a_whole() -> None:
    addresses = {
        (table.name, column.name)
        for table in tenant_tables()
        for column in table.columns
        if column.name.endswith(("email", "address"))
    }
    assert addresses == {(table, name) for table, names in IDENTITY.items() for name in names if name != "name"}


def test_only_the_very_address_leaves_an_accounts_roles(
    tenant: TestTenant, client: ApiClient, make_user: Callable[..., User]
) -> None:
    make_user("csm", "john_doe@example.com", name="John Doe")
    roles = {"owner_email": "JOHN_DOE@example.com", "csm_email": "johnxdoe@example.com"}
    assert client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex", **roles}).status_code == 201
    erase_now("john_doe@example.com")
    with transaction():
        account = db.session.scalars(select(Account)).one()
    assert (account.owner_email, account.csm_email) == (None, "johnxdoe@example.com")


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ("Ask nora@example.com.", "Ask erased person."),
        ("<NORA@example.com>, mailto:nora@example.com", "<erased person>, mailto:erased person"),
        ("see\nnora@example.com\nNora Lind", "see\nerased person\nerased person"),  # JSON writes the break as letters
        ("...nora@example.com - Nora Lind's", "...erased person - erased person's"),
        ("bruce.nora@example.com nora+nora@example.com", "bruce.nora@example.com nora+nora@example.com"),
        ("nora@example.com.au nora@example.community", "nora@example.com.au nora@example.community"),
        ("Eleonora Lind, Nora Linde", "Eleonora Lind, Nora Linde"),
    ],
)
def test_an_address_gives_way_where_it_stands_whole(
    tenant: TestTenant, client: ApiClient, make_user: Callable[..., User], content: str, left: str
) -> None:
    make_user("csm", NORA, name="Nora Lind")
    account = {"name": "Globex", "attributes": {"note": content}}
    assert client.put("/api/v1/accounts/crm/A-1", json=account).status_code == 201
    erase_now(NORA)
    with transaction():
        assert db.session.scalars(select(Account)).one().attributes == {"note": left}


def test_whoever_is_on_duty_or_in_the_policy_must_be_replaced_first(
    tenant: TestTenant, client: ApiClient, case: dict[str, Any]
) -> None:
    with pytest.raises(DutyRequired):
        erase_now(tenant.admin.email)
    policy = client.get("/api/v1/routing/policy")
    everything = {"name": "all", "when": {"all": []}, "target": {"kind": "user", "email": NORA}}
    saved = client.put("/api/v1/routing/policy", json={"rules": [everything]}, if_match=policy.headers["ETag"])
    assert saved.status_code == 200, saved.json
    number = saved.json["draft"]["number"]
    assert client.post("/api/v1/routing/policy/publish", json={"number": number}).status_code == 200
    with pytest.raises(StillNamed):
        erase_now(NORA)
    assert "user" in naming(NORA)


def test_the_export_holds_everything_of_one_person_and_no_secrets(tenant: TestTenant, case: dict[str, Any]) -> None:
    with transaction():
        found = export(find_person(NORA))
    tables = json.loads(json.dumps(found))["tables"]
    assert tables["user"][0]["name"] == "Nora Lind"
    assert {"account", "api_token", "assignment", "escalation", "event", "event_text", "intent"} <= set(tables)
    assert all("secret_hash" not in row for row in tables["api_token"])
    assert all("salt" not in row for row in tables["event_text"])


def test_nobody_with_this_address_is_said(tenant: TestTenant) -> None:
    with transaction(), pytest.raises(NotFound, match="nobody has the address"):
        find_person("who@example.com")


def test_an_erased_colleagues_account_at_the_identity_provider_is_exported_and_goes(
    tenant: TestTenant, client: ApiClient, make_user: Callable[..., User]
) -> None:
    make_user("csm", NORA, name="Nora Lind")
    client.put("/api/v1/identity-provider", json={"issuer": "https://login.example.com", "client_id": "us"})
    known = {"subject": "account-7", "user_email": NORA}
    assert client.post("/api/v1/identity-provider/identities", json=known).status_code == 201
    with transaction():
        rows = export(find_person(NORA))["tables"]["user_identity"]
    assert [row["subject"] for row in rows] == ["account-7"]
    erase_now(NORA)
    assert client.get("/api/v1/identity-provider/identities").json["items"] == []
