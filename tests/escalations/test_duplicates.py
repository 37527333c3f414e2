"""Cases that may be the same again: why each is shown, in which order, to whom; nothing is stored or folded."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.auth.models import User
from app.db import db, transaction
from app.escalations.likeness import LIKE, reasons_of
from tests.conftest import ApiClient
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
PATH = "/api/v1/escalations"
TICKET = {"system": "jira", "external_id": "BUG-7"}


def account(client: ApiClient, external_id: str, **fields: Any) -> str:
    body = {"name": external_id, "owner_email": "owner@example.com", **fields}
    return str(client.put(f"/api/v1/accounts/crm/{external_id}", json=body).json["id"])


def look(client: ApiClient, **body: Any) -> list[dict[str, Any]]:
    answer = client.post(f"{PATH}/duplicates", json=body)
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def kinds(found: dict[str, Any]) -> list[str]:
    return [why["kind"] for why in found["reasons"]]


def set_closed(case: dict[str, Any], days_ago: int) -> None:
    with transaction():
        values = {"id": case["id"], "at": datetime.now(UTC) - timedelta(days=days_ago)}
        sql = "update escalation set status = 'closed', outcome = 'resolved', closed_at = :at where id = :id"
        db.session.execute(text(sql), values)


def set_raised(case: dict[str, Any], days_ago: int) -> None:
    with transaction():
        values = {"id": case["id"], "at": datetime.now(UTC) - timedelta(days=days_ago)}
        db.session.execute(text("update escalation set raised_at = :at where id = :id"), values)


def test_a_reference_in_common_comes_first_then_the_likest_text_then_the_grievance(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    plain = raise_case(title="Wrong figures", reason="billing")
    like = raise_case(title="The export fails", reason="other")
    far = raise_case(title="Something else", account_id=account(client, "B-1"), external_refs=[TICKET])
    raise_case(title="Nothing to do with it", reason="security")

    body = {"account_id": company.account_id, "title": "Exports fail", "reason": "billing", "external_refs": [TICKET]}
    found = look(client, **body)

    assert [one["id"] for one in found] == [far["id"], like["id"], plain["id"]]
    assert found[0]["reasons"] == [{"kind": "same_reference", "reference": TICKET}]
    # "exports fail" and "the export fails" share 12 of the 24 trigrams of both
    assert found[1]["reasons"] == [{"kind": "similar_text", "score": 0.5}, {"kind": "same_account"}]
    assert kinds(found[2]) == ["same_account", "same_reason"]
    assert (found[0]["account_name"], found[0]["number"], found[0]["status"]) == ("B-1", far["number"], "open")


def test_what_the_customer_said_is_compared_too(client: ApiClient, raise_case: Raise, company: Company) -> None:
    said = "Since your update on Monday we cannot close the month any more, and forty people wait for the report."
    first = raise_case(title="Month end", customer_statement=said)
    body = {"account_id": company.account_id, "title": "Report is missing", "reason": "billing"}

    assert look(client, **body) == []
    found = look(client, **body, customer_statement=said.replace("Monday", "Tuesday"))
    assert [one["id"] for one in found] == [first["id"]]
    assert found[0]["reasons"][0]["score"] > 0.8


def test_accounts_of_one_group_are_compared_and_others_are_not(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    sister = account(client, "C-1", parent_external_id="P-1")
    account(client, "P-1", parent_external_id="TOP")
    top, stranger = account(client, "TOP"), account(client, "X-1")
    account(client, "A-1", name="Globex", parent_external_id="TOP")
    inside = [raise_case(account_id=id_)["id"] for id_ in (sister, top)]
    raise_case(account_id=stranger)

    found = look(client, account_id=company.account_id, title="Exports fail")
    assert {one["id"] for one in found} == set(inside)
    assert [kinds(one) for one in found] == [["similar_text", "same_group", "same_reason"]] * 2


def test_an_outage_is_compared_with_recent_ones_of_other_accounts(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    other = account(client, "X-1")
    same = raise_case(account_id=other, title="Login page is down", reason="prolonged_outage")
    old = raise_case(account_id=other, title="Login page is down", reason="prolonged_outage")
    set_raised(old, days_ago=8)
    body = {"account_id": company.account_id, "title": "The login page is down"}

    found = look(client, **body, reason="prolonged_outage")
    assert ([one["id"] for one in found], kinds(found[0])) == ([same["id"]], ["similar_text", "same_reason"])
    assert look(client, **body, reason="slow_response") == []


def test_recently_closed_ones_are_shown_and_old_or_merged_ones_are_not(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    recent, old, merged, kept = (raise_case() for _ in range(4))
    set_closed(recent, days_ago=89)
    set_closed(old, days_ago=91)
    into = {"into_id": kept["id"], "reason": "The same"}
    if client.post(f"{PATH}/{merged['id']}/merge", json=into).status_code != 200:
        client.post(f"{PATH}/{kept['id']}/merge", json={**into, "into_id": merged["id"]})

    found = {one["id"] for one in look(client, account_id=company.account_id, title="Exports fail")}
    assert found == {recent["id"], merged["id"]}  # of two that merge, the one raised first stays


def test_a_closed_case_is_no_duplicate_by_its_grievance_alone(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    set_closed(raise_case(title="Wrong figures", reason="billing"), days_ago=1)
    assert look(client, account_id=company.account_id, title="Exports fail", reason="billing") == []


def test_a_restricted_case_is_shown_only_to_who_may_see_it(
    client: ApiClient, raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    case = raise_case(restricted=True, external_refs=[TICKET])
    body = {"account_id": company.account_id, "title": "Exports fail", "external_refs": [TICKET]}

    assert [one["id"] for one in look(client, **body)] == [case["id"]]
    assert [one["id"] for one in look(as_user(company.owner), **body)] == [case["id"]]
    assert look(as_user(company.csm), **body) == []


def test_whom_a_case_is_about_is_not_shown_it(
    raise_case: Raise, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    raise_case(about_user="csm@example.com")
    assert look(as_user(company.csm), account_id=company.account_id, title="Exports fail") == []


def test_a_case_lists_its_own_duplicates_without_itself(client: ApiClient, raise_case: Raise) -> None:
    first = raise_case(external_refs=[TICKET])
    second = raise_case(title="Other words", reason="billing", external_refs=[TICKET])

    found = client.get(f"{PATH}/{first['id']}/duplicates").json["items"]
    assert [(one["id"], kinds(one)) for one in found] == [(second["id"], ["same_reference", "same_account"])]
    assert client.get(f"{PATH}/{second['id']}/duplicates").json["items"][0]["id"] == first["id"]


def test_a_raise_answers_with_the_same_and_folds_nothing(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    body = {"account_id": company.account_id, "title": "The export fails", "external_refs": [TICKET]}
    first = raise_case(external_refs=[TICKET])
    looked = look(client, **body)
    second = raise_case(**body)

    assert second["possible_duplicates"] == looked
    assert looked[0]["id"] == first["id"]
    assert client.get(f"{PATH}/{first['id']}").json["status"] == second["status"] == "open"


def test_looking_stores_nothing(client: ApiClient, raise_case: Raise, company: Company) -> None:
    raise_case()
    look(client, account={"source": "crm", "external_id": "A-1"}, title="Exports fail", severity=2)
    assert len(client.get(PATH).json["items"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": "x"}, "/account_id"),
        ({"title": " "}, "/title"),
        ({"title": "x", "reason": "nonsense"}, "/reason"),
        ({"title": "x", "account_id": "01900000-0000-7000-8000-000000000000"}, "/account_id"),
        ({"title": "x", "colour": "red"}, "/colour"),
    ],
)
def test_a_body_that_cannot_be_meant_names_the_field(
    client: ApiClient, company: Company, body: dict[str, Any], pointer: str
) -> None:
    named = {"account_id": company.account_id} if "account_id" not in body and pointer != "/account_id" else {}
    answer = client.post(f"{PATH}/duplicates", json={**named, **body})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)


def test_words_that_look_like_patterns_are_only_words(client: ApiClient, raise_case: Raise, company: Company) -> None:
    raise_case(title="100 % of exports' \\ fail; drop table")
    found = look(client, account_id=company.account_id, title="100 % of exports' \\ fail; drop table")
    assert found[0]["reasons"][0] == {"kind": "similar_text", "score": 1.0}


def test_an_integration_reads_no_duplicates(
    company: Company, make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    feed = as_user(make_user("integration", "feed@example.com"))
    body = {"account_id": company.account_id, "title": "Exports fail"}
    assert feed.post(f"{PATH}/duplicates", json=body).status_code == 403


def test_looking_takes_few_statements_however_much_there_is(
    client: ApiClient, raise_case: Raise, company: Company, statements: Any
) -> None:
    case = raise_case(external_refs=[TICKET])
    for n in range(3):
        raise_case(title=f"Export {n} fails", external_refs=[TICKET])
    with statements() as of_case:
        client.get(f"{PATH}/{case['id']}/duplicates")
    assert len(of_case) <= 7, of_case
    with statements() as of_body:
        look(client, account_id=company.account_id, title="Exports fail", external_refs=[TICKET])
    assert len(of_body) <= 7, of_body


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"score": LIKE, "same_account": True}, ["similar_text", "same_account"]),
        ({"score": LIKE - 0.01, "same_account": True, "same_reason": True}, ["same_account", "same_reason"]),
        ({"score": 1.0, "same_account": True, "same_group": True}, ["similar_text", "same_account"]),
        ({"score": 0.0, "refs": [TICKET, {**TICKET, "external_id": "BUG-8"}]}, ["same_reference", "same_reference"]),
    ],
)
def test_reasons_are_told_from_what_was_found(row: dict[str, Any], expected: list[str]) -> None:
    found = {"refs": None, "same_account": False, "same_group": False, "same_reason": False, **row}
    assert [why["kind"] for why in reasons_of(found)] == expected
