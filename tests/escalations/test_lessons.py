"""Lessons: what solved cases before is found by the next one of the same kind, and only by who may see it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.auth.models import User
from app.db import transaction
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[..., ApiClient]
LESSONS = "/api/v1/lessons"


@pytest.fixture
def solve(client: ApiClient, raise_case: Raise) -> Callable[..., str]:
    """Raise and resolve a case; answers its path."""

    def make(title: str, summary: str = "Done", cause: str = "Unknown", **body: Any) -> str:
        path = f"/api/v1/escalations/{raise_case(title=title, **body)['id']}"
        client.post(f"{path}/acknowledge", json={})
        words = {"summary": summary, "root_cause": cause, "preventable": True}
        assert client.post(f"{path}/resolve", json=words).status_code == 200
        return path

    return make


def titles(client: ApiClient, query: str = "") -> list[str]:
    found = client.get(f"{LESSONS}{query}")
    assert found.status_code == 200, found.text
    return [one["title"] for one in found.json["items"]]


def test_a_lesson_tells_what_was_tried_what_solved_it_and_what_keeps_it_from_coming_back(
    client: ApiClient, raise_case: Raise
) -> None:
    path = f"/api/v1/escalations/{raise_case(reason='billing')['id']}"
    client.post(f"{path}/acknowledge", json={})
    client.post(f"{path}/attempts", json={"what": "Sent the invoice again", "result": "Still wrong"})
    client.post(f"{path}/attempts", json={"what": "Corrected the tax number", "result": "They paid"})
    prevention = {"action": "Check tax numbers", "owner_email": "csm@example.com", "due_on": "2100-01-01"}
    words = {"summary": "The invoice is right.", "root_cause": "A wrong tax number", "preventable": True}
    client.post(f"{path}/resolve", json={**words, "prevention": prevention})
    client.post(f"{path}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})

    (lesson,) = client.get(f"{LESSONS}?reason=billing").json["items"]
    assert {key: lesson[key] for key in words} == words
    assert [one["what"] for one in lesson["tried"]] == ["Sent the invoice again", "Corrected the tax number"]
    assert lesson["tried"][1]["result"] == "They paid"
    assert (lesson["prevention"][0]["action"], lesson["prevention"][0]["state"]) == ("Check tax numbers", "open")
    assert (lesson["account"]["name"], lesson["verification"], lesson["status"]) == ("Globex", "confirmed", "closed")


def test_a_new_case_leads_to_those_of_its_reason(client: ApiClient, raise_case: Raise, solve: Any) -> None:
    solve("Wrong invoice", reason="billing")
    solve("Slow answer", reason="slow_response")
    new = raise_case(title="Another invoice", reason="billing")
    for record in (new, client.get(f"/api/v1/escalations/{new['id']}").json):
        assert record["lessons"] == "/api/v1/lessons?reason=billing"
    assert titles(client, "?reason=billing") == ["Wrong invoice"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("exporter", True),
        ("EXPORT", True),  # words are found by how they begin, whatever their case
        ("disk quota", True),  # all words, in any order
        ("quota invoice", False),
        ("ORA-00942", True),
        ("00942", True),
        ("xporter", False),
        ("müll", True),
        ("' & | ! <-> :*", None),
        ("%", None),
        ("it's \\ disk", False),
    ],
)
def test_words_are_found(client: ApiClient, solve: Any, query: str, found: bool | None) -> None:
    solve("The exporter fails", summary="Raised the quota", cause="ORA-00942: Müller's disk was full")
    answer = client.get(LESSONS, query_string={"q": query})
    if found is None:
        assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "q")
    else:
        assert [one["title"] for one in answer.json["items"]] == ["The exporter fails"] * found


def test_what_was_tried_and_what_the_customer_said_is_found_too(client: ApiClient, raise_case: Raise) -> None:
    path = f"/api/v1/escalations/{raise_case(customer_statement='We look like fools')['id']}"
    client.post(f"{path}/acknowledge", json={})
    client.post(f"{path}/attempts", json={"what": "Rebuilt the index", "result": "Nothing"})
    client.post(f"{path}/resolve", json={"summary": "Fixed", "root_cause": "A bug", "preventable": False})
    assert titles(client, "?q=fools") == titles(client, "?q=rebuilt+index") == ["Exports fail"]


def test_what_is_open_taken_up_again_or_not_resolved_is_no_lesson(
    client: ApiClient, raise_case: Raise, solve: Any
) -> None:
    raise_case(title="Open")
    refused, withdrawn, reopened = solve("Refused"), solve("Withdrawn"), solve("Reopened")
    client.post(f"{refused}/verify", json={"accepted": False, "confirmed_by": "Jo", "channel": "call"})
    client.post(f"{withdrawn}/close-unresolved", json={"outcome": "withdrawn", "reason": "They left."})
    client.post(f"{reopened}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})
    assert titles(client) == ["Reopened"]
    client.post(f"{reopened}/reopen", json={"reason": "Back"})
    assert titles(client) == titles(client, "?q=done") == []


def test_resolved_again_it_is_found_by_its_newest_words(client: ApiClient, solve: Any) -> None:
    path = solve("Exports fail", summary="Restarted")
    client.post(f"{path}/verify", json={"accepted": False, "confirmed_by": "Jo", "channel": "call"})
    client.post(f"{path}/resolve", json={"summary": "Rewritten", "root_cause": "A bug", "preventable": True})
    assert titles(client, "?q=rewritten") == ["Exports fail"]
    assert client.get(LESSONS).json["items"][0]["summary"] == "Rewritten"


def test_restricted_cases_and_those_about_somebody_are_no_lesson_to_others(
    client: ApiClient, solve: Any, as_user: AsUser, company: Company
) -> None:
    solve("Kept among few", restricted=True)
    solve("About the CSM", about_user=company.csm.email)
    solve("For everybody")
    assert titles(as_user(company.csm)) == titles(as_user(company.csm), "?q=done") == ["For everybody"]
    assert sorted(titles(as_user(company.manager), "?q=done")) == ["About the CSM", "For everybody", "Kept among few"]


def test_another_tenants_words_find_nothing(client: ApiClient, solve: Any, new_tenant: Any, app: Any) -> None:
    solve("Exports fail", summary="Zanzibar")
    others: TestTenant = new_tenant("Others")
    with transaction(tenant=others.id) as session:
        assert session.scalars(text("select find_lessons('zanzibar')")).all() == []
    with transaction() as session:
        assert len(session.scalars(text("select find_lessons('zanzibar')")).all()) == 1


def test_lists_are_narrowed_by_account_and_come_in_pages_newest_first(
    client: ApiClient, solve: Any, company: Company
) -> None:
    for number in range(3):
        solve(f"Case {number}")
    first = client.get(f"{LESSONS}?limit=2&q=case").json
    assert [one["title"] for one in first["items"]] == ["Case 2", "Case 1"]
    rest = client.get(LESSONS, query_string={"limit": 2, "q": "case", "cursor": first["next_cursor"]}).json
    assert ([one["title"] for one in rest["items"]], rest["next_cursor"]) == (["Case 0"], None)
    assert len(titles(client, f"?account={company.account_id}")) == 3
    assert titles(client, f"?account={company.owner.id}") == []


def test_a_list_takes_one_statement_of_its_own(client: ApiClient, solve: Any, statements: Any) -> None:
    solve("One")
    solve("Two")
    with statements() as seen:
        assert len(titles(client, "?q=done&reason=other")) == 2
    assert len(seen) <= 4, seen


def test_who_is_erased_by_law_is_found_by_no_word_of_theirs(
    client: ApiClient, solve: Any, make_user: Callable[..., User], as_user: AsUser, company: Company
) -> None:
    make_user("specialist", "petra@example.com", name="Petra Lang")
    solve("Exports fail", summary="Petra Lang raised the quota", cause="A full disk")
    assert titles(client, "?q=petra") == ["Exports fail"]
    from app.operations.persons.erase import erase
    from app.operations.persons.tables import find_person
    from tests import NOW

    with transaction():
        assert erase(find_person("petra@example.com"), NOW) == 1
    assert titles(client, "?q=petra") == titles(client, "?q=quota") == []
    (lesson,) = client.get(f"{LESSONS}?q=disk").json["items"]
    assert (lesson["summary"], lesson["root_cause"]) == (None, "A full disk")
