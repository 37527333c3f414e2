"""The page on which a customer says how their case was handled: public, for a while, answered once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.escalations.models import Survey
from app.escalations.surveys import make_url
from app.notifications.models import Intent
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company, company, raise_case

__all__ = ["company", "raise_case"]
Raise = Callable[..., dict[str, Any]]
WORDS = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}
YES = {"accepted": True, "confirmed_by": "Jo Weber", "channel": "call"}


@pytest.fixture
def case(client: ApiClient, raise_case: Raise) -> str:
    """The path of a case that its customer confirmed."""
    path = f"/api/v1/escalations/{raise_case(title='Furious <b>customer</b>')['id']}"
    close(client, path)
    return path


def close(client: ApiClient, case: str) -> None:
    client.post(f"{case}/acknowledge", json={})
    assert client.post(f"{case}/resolve", json=WORDS).status_code == 200
    assert client.post(f"{case}/verify", json=YES).json["verification"] == "confirmed"


def asked(client: ApiClient, case: str) -> str:
    """The path of a new link."""
    made = client.post(f"{case}/survey", json={})
    assert made.status_code == 201, made.text
    url: str = made.json["url"]
    return url[url.index("/survey/") :]


@pytest.fixture
def anybody(app: Any) -> ApiClient:
    return ApiClient(app, None)


def send(anybody: ApiClient, path: str, **form: Any) -> Any:
    return anybody.post(path, data=form)


def test_a_customer_answers_without_sign_in_and_the_case_shows_it(
    client: ApiClient, case: str, anybody: ApiClient, company: Company
) -> None:
    path = asked(client, case)
    page = anybody.get(path)
    assert (page.status_code, "How did we handle your case?" in page.text) == (200, True)
    assert client.get(case).json["survey"]["score"] is None
    thanks = send(anybody, path, score="4", comment="Quick,\r\nbut <i>late</i> to call.")

    assert (thanks.status_code, "Thank you" in thanks.text) == (200, True)
    answer = client.get(case).json["survey"]
    assert (answer["score"], answer["comment"]) == (4, "Quick,\nbut <i>late</i> to call.")
    assert answer["answered_at"] >= answer["asked_at"]
    events = client.get(f"{case}/timeline").json["items"]
    assert [event["kind"] for event in events[-2:]] == ["survey_asked", "survey"]
    assert (events[-1]["facts"]["score"], events[-1]["actor"]) == (4, None)
    assert client.get(f"{case}/timeline/verify").json["intact"] is True
    with transaction():
        (told,) = db.session.scalars(select(Intent).where(Intent.kind == "survey"))
        assert (told.address, "gave 4 of 5" in told.subject) == (company.owner.email, True)


def test_the_page_tells_nothing_of_the_case_and_lets_nothing_else_in_or_out(
    client: ApiClient, case: str, anybody: ApiClient
) -> None:
    page = anybody.get(asked(client, case))
    assert "Furious" not in page.text
    assert "Globex" not in page.text
    assert "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "form-action 'self'" in policy
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_a_second_answer_changes_nothing_and_says_so(client: ApiClient, case: str, anybody: ApiClient) -> None:
    path = asked(client, case)
    send(anybody, path, score="5")
    for again in (send(anybody, path, score="1"), anybody.get(path)):
        assert (again.status_code, "You have answered already" in again.text) == (410, True)
    assert client.get(case).json["survey"]["score"] == 5
    refused = client.post(f"{case}/survey", json={})
    assert (refused.status_code, refused.json["code"]) == (409, "survey_answered")


def test_of_many_answers_at_the_same_moment_one_counts(client: ApiClient, case: str, app: Any) -> None:
    path = asked(client, case)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: send(ApiClient(app, None), path, score=str(n + 1)).status_code, range(5)))
    assert sorted(answers) == [200, 410, 410, 410, 410]
    events = client.get(f"{case}/timeline").json["items"]
    assert len([event for event in events if event["kind"] == "survey"]) == 1


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({}, "Choose one of the five."),
        ({"score": "6", "comment": "Hm"}, "Choose one of the five."),
        ({"score": "0"}, "Choose one of the five."),
        ({"score": "²"}, "Choose one of the five."),
        ({"score": "3", "comment": "x" * 5_001}, "at most 5,000 characters"),
    ],
)
def test_a_form_that_is_not_right_comes_back_with_what_was_typed(
    client: ApiClient, case: str, anybody: ApiClient, form: dict[str, str], fault: str
) -> None:
    path = asked(client, case)
    back = send(anybody, path, **form)
    assert (back.status_code, fault in back.text) == (422, True)
    assert form.get("comment", "") in back.text
    assert send(anybody, path, score="3", comment="a\x00b").status_code == 200
    assert client.get(case).json["survey"]["comment"] == "ab"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_tampered_foreign_or_empty_link_leads_nowhere_and_says_nothing(
    client: ApiClient, case: str, anybody: ApiClient, method: str, new_tenant: Callable[..., TestTenant]
) -> None:
    path = asked(client, case)
    other = new_tenant("Others")
    with transaction():
        survey_id = db.session.scalars(select(Survey.id)).one()
    soon = clock.real_now() + timedelta(days=1)
    with transaction(tenant=other.id):
        foreign = make_url(survey_id, soon)
    with transaction():
        missing = make_url(UUID(int=7), soon)
    wrong = [path[:-2] + "xx", "/survey/x", foreign[foreign.index("/survey/") :], missing[missing.index("/survey/") :]]
    pages = [anybody.open(method.upper(), one, data={"score": "1"} if method == "post" else None) for one in wrong]
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1
    assert client.get(case).json["survey"]["score"] is None


def test_an_expired_link_says_so_whatever_is_behind_it(client: ApiClient, case: str, anybody: ApiClient) -> None:
    asked(client, case)
    with transaction():
        survey_id = db.session.scalars(select(Survey.id)).one()
        urls = [make_url(id_, clock.real_now() - timedelta(seconds=1)) for id_ in (survey_id, UUID(int=7))]
    pages = [anybody.get(url[url.index("/survey/") :]) for url in urls]
    assert [page.status_code for page in pages] == [410, 410]
    assert pages[0].text == pages[1].text
    assert "expired" in pages[0].text


def test_a_link_of_a_message_opens_no_survey_and_a_survey_no_case(
    client: ApiClient, case: str, anybody: ApiClient
) -> None:
    token = asked(client, case).removeprefix("/survey/")
    assert anybody.get(f"/l/{token}").status_code == 404


def test_openings_are_counted_and_use_nothing_up(client: ApiClient, case: str, anybody: ApiClient) -> None:
    path = asked(client, case)
    for _ in range(3):
        assert anybody.get(path).status_code == 200
    assert anybody.open("HEAD", path).status_code == 200
    with transaction() as session:
        found = session.execute(text("select openings, opened_at from survey")).one()
        assert (found.openings, found.opened_at is None) == (3, False)
    assert send(anybody, path, score="2").status_code == 200


@pytest.mark.parametrize("ended", ["resolved", "refused", "withdrawn"])
def test_it_is_asked_only_after_a_confirmation(client: ApiClient, raise_case: Raise, ended: str) -> None:
    path = f"/api/v1/escalations/{raise_case()['id']}"
    client.post(f"{path}/acknowledge", json={})
    client.post(f"{path}/resolve", json=WORDS)
    if ended == "refused":
        client.post(f"{path}/verify", json={**YES, "accepted": False})
    if ended == "withdrawn":
        client.post(f"{path}/close-unresolved", json={"outcome": "withdrawn", "reason": "They left."})
    refused = client.post(f"{path}/survey", json={})
    assert (refused.status_code, refused.json["code"]) == (409, "survey_not_due")


def test_asked_again_both_links_lead_to_the_one_question(client: ApiClient, case: str, anybody: ApiClient) -> None:
    first, second = asked(client, case), asked(client, case)
    assert send(anybody, first, score="3").status_code == 200
    assert anybody.get(second).status_code == 410


def test_a_reopened_case_is_not_judged_until_it_is_closed_again(
    client: ApiClient, case: str, anybody: ApiClient
) -> None:
    first = asked(client, case)
    client.post(f"{case}/reopen", json={"reason": "It is back."})
    over = send(anybody, first, score="1")
    assert (over.status_code, "This question is over" in over.text) == (410, True)
    close(client, case)
    assert anybody.get(first).status_code == 410
    assert send(anybody, asked(client, case), score="5").status_code == 200
    assert client.get(case).json["survey"]["score"] == 5


def test_it_is_for_whoever_works_on_the_case(
    case: str, as_user: Callable[[User], ApiClient], company: Company, make_user: Callable[..., User]
) -> None:
    assert as_user(make_user("csm", "other@example.com")).post(f"{case}/survey", json={}).status_code == 403
    assert as_user(company.owner).post(f"{case}/survey", json={}).status_code == 201


def test_a_link_is_shown_once_also_under_an_idempotency_key(client: ApiClient, case: str) -> None:
    first = client.post(f"{case}/survey", json={}, key="k")
    again = client.post(f"{case}/survey", json={}, key="k")
    assert (first.json["url"] is None, again.json["url"], again.json["id"]) == (False, None, first.json["id"])
