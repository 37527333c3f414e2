"""Raising: linked to the account and its value, owned from the start, promised at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]


def test_a_raise_names_owner_reason_value_and_every_due_time(raise_case: Raise, company: Company) -> None:
    case = raise_case(customer_statement="We cannot export since Monday")
    assert case["status"] == "open"
    assert case["number"] == "ESC-1"
    assert case["owner"]["email"] == "owner@example.com"
    assert case["routing"]["why"]
    assert case["value_at_stake"] == {
        "amount": "120000.00",
        "currency": "USD",
        "incomplete": False,
        "unconverted": [],
    }
    raised = datetime.fromisoformat(case["raised_at"])
    assert datetime.fromisoformat(case["close_target_at"]) == raised + timedelta(days=30)
    assert case["completeness"] == 33
    assert {clock["kind"] for clock in case["clocks"]} == {"close", "acknowledge"}
    assert sum(case["priority"]["parts"].values()) == case["priority"]["score"]


def test_the_record_read_back_says_what_the_raise_answered(raise_case: Raise, client: ApiClient) -> None:
    raised = raise_case(external_refs=[{"system": "zendesk", "external_id": "77"}])
    read = client.get(f"/api/v1/escalations/{raised['id']}").json
    for name in ("possible_duplicates", "approvers", "warnings"):
        raised.pop(name)
    order = {"key": lambda clock: clock["kind"]}
    raised["clocks"], read["clocks"] = sorted(raised["clocks"], **order), sorted(read["clocks"], **order)
    assert read == raised


def test_a_customers_raise_starts_respond_and_makes_the_contact(raise_case: Raise) -> None:
    case = raise_case(raised_by={"kind": "customer", "email": "jo@globex.example"})
    assert {clock["kind"] for clock in case["clocks"]} == {"close", "acknowledge", "respond"}
    again = raise_case(raised_by={"kind": "customer", "email": "JO@globex.example"})
    assert again["raised_by"] == {"kind": "customer", "email": "jo@globex.example"}


def test_a_customer_without_an_address_is_refused_by_field(client: ApiClient, company: Company) -> None:
    body = {"account_id": company.account_id, "title": "T", "severity": 1, "raised_by": {"kind": "customer"}}
    answer = client.post("/api/v1/escalations", json=body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/raised_by/email"


def test_a_second_case_of_the_same_reason_is_shown_as_a_possible_duplicate(raise_case: Raise) -> None:
    first = raise_case(reason="billing")
    second = raise_case(reason="billing", title="Another")
    assert [found["id"] for found in second["possible_duplicates"]] == [first["id"]]
    assert second["priority"]["parts"]["repeats"] > first["priority"]["parts"]["repeats"]


def test_a_raise_stays_within_sixteen_statements(raise_case: Raise, statements: Any) -> None:
    raise_case()
    with statements() as seen:
        raise_case(raised_by={"kind": "customer", "email": "new@globex.example"})
    assert len(seen) <= 16, seen


def test_list_and_record_reads_stay_within_four_statements(
    raise_case: Raise, client: ApiClient, statements: Any
) -> None:
    case = raise_case()
    client.get("/api/v1/escalations")
    with statements() as seen:
        assert client.get("/api/v1/escalations?status=live&sort=-priority&owner=me").status_code == 200
    assert len(seen) <= 4, seen
    with statements() as seen:
        assert client.get(f"/api/v1/escalations/{case['id']}").status_code == 200
    assert len(seen) <= 4, seen


def test_the_same_request_twice_is_one_case(client: ApiClient, company: Company) -> None:
    body = {"account_id": company.account_id, "title": "T", "severity": 1}
    first = client.post("/api/v1/escalations", json=body, key="k-1")
    second = client.post("/api/v1/escalations", json=body, key="k-1")
    assert (second.status_code, second.json) == (201, first.json)
    assert second.headers["ETag"] == first.headers["ETag"]
    other = client.post("/api/v1/escalations", json={**body, "title": "U"}, key="k-1")
    assert other.status_code == 422


def test_lists_page_by_keyset_and_every_case_stands_once(raise_case: Raise, client: ApiClient) -> None:
    ids = {raise_case(title=f"Case {n}")["id"] for n in range(7)}
    for sort in ("due", "raised", "-priority", "-value_at_stake"):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = client.get(f"/api/v1/escalations?limit=3&sort={sort}" + (f"&cursor={cursor}" if cursor else "")).json
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == 7
        assert set(seen) == ids


def test_naive_times_and_unknown_fields_are_refused_by_name(client: ApiClient, company: Company) -> None:
    body = {"account_id": company.account_id, "title": "T", "severity": 5, "colour": "red"}
    answer = client.post("/api/v1/escalations", json={**body, "raised_at": "2026-01-01T10:00:00"})
    pointers = {error["pointer"] for error in answer.json["errors"]}
    assert answer.status_code == 422
    assert pointers == {"/severity", "/colour", "/raised_at"}


def test_a_past_raise_counts_its_thirty_days_from_then(raise_case: Raise, client: ApiClient) -> None:
    then = datetime.now(UTC) - timedelta(days=20)
    case = raise_case(raised_at=then.isoformat())
    assert datetime.fromisoformat(case["close_target_at"]) - then == timedelta(days=30)
    schedule = client.get(f"/api/v1/escalations/{case['id']}/schedule").json
    passed = [(one["step"], one["outcome"]) for one in schedule["sent"] if one["clock"] == "close"]
    assert passed == [("50%", "passed_over")]


def test_a_case_that_no_rule_could_place_is_flagged_and_the_admins_are_told(
    client: ApiClient, tenant: Any, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    client.put("/api/v1/accounts/crm/A-2", json={"name": "Ownerless"})
    body = {"account": {"source": "crm", "external_id": "A-2"}, "title": "T", "severity": 2}
    case = as_user(company.csm).post("/api/v1/escalations", json=body).json
    assert case["assignment_failed"] is True
    assert case["owner"]["email"] == tenant.admin.email
    assert client.get("/api/v1/routing/failures").json["items"][0]["escalation_id"] == case["id"]
    inbox = client.get("/api/v1/notifications").json["items"]
    assert {message["kind"] for message in inbox} == {"assigned", "assignment_failed"}


def test_possible_duplicates_never_name_a_restricted_case(raise_case: Raise) -> None:
    raise_case(reason="billing", restricted=True)
    assert raise_case(reason="billing")["possible_duplicates"] == []
