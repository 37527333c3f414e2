from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from app.accounts.models import BookDay
from app.auth.models import User
from app.db import transaction
from app.rows import insert_all
from tests.conftest import ApiClient, TestTenant

ACCOUNTS = "/api/v1/accounts"
YEAR = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}


def put_account(client: ApiClient, external_id: str = "A-1", **fields: Any) -> dict[str, Any]:
    answer = client.put(f"{ACCOUNTS}/crm/{external_id}", json={"name": external_id, **fields})
    assert answer.status_code == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def test_an_account_is_created_changed_and_left_as_it_is(client: ApiClient) -> None:
    body = {"name": "Northwind", "segment": "enterprise", "source_updated_at": "2026-01-02T00:00:00Z"}
    made = client.put(f"{ACCOUNTS}/crm/A-1", json=body)
    assert (made.status_code, made.json["upsert"], made.headers["ETag"]) == (201, "created", '"1"')
    assert client.put(f"{ACCOUNTS}/crm/A-1", json=body).json["upsert"] == "unchanged"
    changed = client.put(f"{ACCOUNTS}/crm/A-1", json={"health": 55, "csm_email": "kim@example.com"})
    assert (changed.status_code, changed.json["upsert"], changed.json["segment"]) == (200, "updated", "enterprise")
    assert changed.json["warnings"] == ["csm_email: 'kim@example.com' is not known yet"]
    old = client.put(f"{ACCOUNTS}/crm/A-1", json={"name": "Old", "source_updated_at": "2026-01-01T00:00:00Z"})
    assert (old.json["upsert"], old.json["name"]) == ("stale", "Northwind")


def test_one_account_names_its_people_and_parents(client: ApiClient, make_user: Callable[..., User]) -> None:
    owner = make_user(email="dana@example.com")
    top = put_account(client, "TOP")
    made = put_account(client, "A-1", parent_external_id="TOP", owner_email="dana@example.com")
    answer = client.get(f"{ACCOUNTS}/{made['id']}")
    assert answer.headers["ETag"] == '"1"'
    assert answer.json["owner"]["id"] == str(owner.id)
    assert (answer.json["csm"], answer.json["parents"]) == (None, [top["id"]])


def test_the_value_lists_every_line_it_adds(client: ApiClient, tenant: TestTenant) -> None:
    account = put_account(client, health=40)
    path = f"{ACCOUNTS}/crm/A-1"
    usd = client.put(f"{path}/contracts/C-1", json={"arr": 120000, "currency": "USD", **YEAR}).json
    client.put(f"{path}/contracts/C-2", json={"arr": "50000.00", "currency": "EUR", **YEAR})
    client.put(f"{path}/contracts/C-3", json={"arr": "900", "currency": "JPY", **YEAR})
    client.put(f"{path}/opportunities/O-1", json={"amount": "40000", "currency": "USD", "probability": 0.25})
    assert client.put("/api/v1/rates/EUR/2026-11-18", json={"rate": "1.10"}).status_code == 201
    assert (usd["arr"], usd["upsert"]) == ("120000.00", "created")
    assert usd["escalator"] == {"kind": "none", "percent": None, "floor": None, "cap": None}
    value = client.get(f"{ACCOUNTS}/{account['id']}/value?as_of=2026-11-20").json
    # 120,000 + 50,000 x 1.10 = 175,000; the pipeline adds 40,000 x 25 %; the JPY contract has no rate.
    assert value["arr"]["amount"] == "175000.00"
    assert value["value_at_stake"]["amount"] == "185000.00"
    assert value["value_at_stake"]["incomplete"] is True
    assert [(u["amount"], u["currency"]) for u in value["value_at_stake"]["unconverted"]] == [("900.00", "JPY")]
    assert (value["renewal_on"], value["priority_inputs"]["days_to_renewal"]) == ("2027-01-01", 42)
    assert [(p["kind"], p["amount"], p["converted"]) for p in value["parts"]] == [
        ("contract", "120000.00", "120000.00"),
        ("contract", "50000.00", "55000.00"),
        ("contract", "900.00", None),
        ("opportunity", "40000.00", "10000.00"),
    ]
    later = client.get(f"{ACCOUNTS}/{account['id']}/value?as_of=2026-11-26").json
    assert later["arr"]["amount"] == "120000.00"
    with transaction():
        insert_all([BookDay(account_id=account["id"], on_date=later["as_of"], value=1, percentile="0.9")])
    moment = client.get(f"{ACCOUNTS}/{account['id']}/value?as_of=2026-11-26T23:30:00-02:00").json
    assert (moment["as_of"], moment["priority_inputs"]["value_percentile"]) == ("2026-11-27", 0.9)


def test_reads_take_four_statements_at_most(
    client: ApiClient, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    account = put_account(client, owner_email="dana@example.com", parent_external_id="TOP")
    put_account(client, "TOP")
    for number in range(3):
        client.put(f"{ACCOUNTS}/crm/TOP/contracts/C-{number}", json={"arr": 1, "currency": "EUR", **YEAR})
    for path in (f"/{account['id']}", f"/{account['id']}/value", "?q=a&limit=10"):
        client.get(ACCOUNTS + path)
        with statements() as sent:
            assert client.get(ACCOUNTS + path).status_code == 200
        assert len(sent) <= 4, sent


def test_accounts_are_listed_by_name_page_by_page_and_filtered(client: ApiClient) -> None:
    for name, segment, region in (("Cee", "small", "emea"), ("Aah", "small", "apac"), ("Bee", "strategic", "emea")):
        put_account(client, name, segment=segment, region=region, owner_email=f"{name}@example.com")
    first = client.get(f"{ACCOUNTS}?limit=2").json
    assert [a["name"] for a in first["items"]] == ["Aah", "Bee"]
    rest = client.get(f"{ACCOUNTS}?limit=2&cursor={first['next_cursor']}").json
    assert ([a["name"] for a in rest["items"]], rest["next_cursor"]) == (["Cee"], None)
    for question, names in (
        ("q=EE", ["Bee", "Cee"]),
        ("q=%25", []),
        ("segment=small", ["Aah", "Cee"]),
        ("segment=small,strategic&region=emea", ["Bee", "Cee"]),
        ("owner=CEE@example.com", ["Cee"]),
    ):
        assert [a["name"] for a in client.get(f"{ACCOUNTS}?{question}").json["items"]] == names
    assert client.get(f"{ACCOUNTS}?colour=red").status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("accounts/crm/A-1", {"name": "A", "colour": "red"}, "/colour"),
        ("accounts/crm/A-1", {"name": 7}, "/name"),
        ("accounts/crm/A-1", {"name": "A", "health": 101}, "/health"),
        ("accounts/crm/A-1", {"name": "A", "timezone": "Nowhere"}, "/timezone"),
        ("accounts/crm/A-1", {"name": "A", "source_updated_at": "2026-01-01T00:00:00"}, "/source_updated_at"),
        ("accounts/crm/A-1", {"segment": "small"}, "/name"),
        ("accounts/crm/A-1", {"name": "A", "parent_external_id": "A-1"}, "/parent_external_id"),
        ("accounts/crm/B-1/contracts/C", {"arr": -5, "currency": "USD", **YEAR}, "/arr"),
        ("accounts/crm/B-1/contracts/C", {"arr": 5, "currency": "ZZZ", **YEAR}, "/currency"),
        ("accounts/crm/B-1/contracts/C", {"arr": 5, "currency": "USD", "starts_on": "2027-01-01",
                                          "ends_on": "2026-01-01"}, "/ends_on"),
        ("accounts/crm/B-1/contracts/C", {"arr": 5, "currency": "USD", **YEAR, "escalator": {"kind": "x"}},
         "/escalator/kind"),
        ("accounts/crm/B-1/opportunities/O", {"amount": 5, "currency": "USD", "probability": 1.5}, "/probability"),
        ("accounts/crm/B-1/contacts/P", {"role": "buyer"}, "/name"),
        ("rates/USD/2026-01-01", {"rate": 1}, "/currency"),
        ("rates/EUR/2026-02-30", {"rate": 1}, "/date"),
        ("rates/EUR/2026-02-03", {"rate": "x"}, "/rate"),
    ],
)  # fmt: skip
def test_a_faulty_body_is_answered_by_field(client: ApiClient, path: str, body: dict[str, Any], pointer: str) -> None:
    put_account(client, "B-1")
    answer = client.put(f"/api/v1/{path}", json=body)
    assert answer.status_code == 422, answer.json
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_contract_of_an_unknown_account_is_404(client: ApiClient) -> None:
    answer = client.put(f"{ACCOUNTS}/crm/X/contracts/C", json={"arr": 5, "currency": "USD", **YEAR})
    assert (answer.status_code, answer.json["title"]) == (404, "There is no such account")


def test_reading_and_writing_need_their_scopes(
    client: ApiClient, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    account = put_account(client)
    csm, feed = as_user(make_user("csm")), as_user(make_user("integration"))
    assert csm.get(f"{ACCOUNTS}/{account['id']}").status_code == 200
    assert csm.put(f"{ACCOUNTS}/crm/A-2", json={"name": "A"}).status_code == 403
    assert feed.put(f"{ACCOUNTS}/crm/A-2", json={"name": "A"}).status_code == 201
    assert feed.get(ACCOUNTS).status_code == 403


def test_another_tenants_account_is_404(client: ApiClient, new_tenant: Callable[..., TestTenant]) -> None:
    from app.accounts import service
    from tests import NOW

    other = new_tenant("Other")
    with transaction(tenant=other.id):
        theirs = service.upsert_account("crm", "A-1", {"name": "Theirs"}, now=NOW).record
    for suffix in ("", "/value"):
        assert client.get(f"{ACCOUNTS}/{theirs.id}{suffix}").status_code == 404
    assert client.get(ACCOUNTS).json["items"] == []
