"""A case given on: why is kept, its age stays, who gave it up is left out, and somebody always owns it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.errors import Invalid
from app.escalations import jobs, service
from app.routing import service as routing
from app.routing.models import Decision, Misroute
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import Story

Make = Callable[..., User]
DECLINED = service.NewOwner()


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    """Raised on Monday 2 March at 10:00; the account owner has it."""
    return Story(tenant, company).raised("2 10:00")


def decisions(story: Story) -> list[Decision]:
    with transaction():
        asked = select(Decision).where(Decision.escalation_id == story.id).order_by(Decision.id)
        return list(db.session.scalars(asked))


def misroutes() -> list[Misroute]:
    with transaction():
        return list(db.session.scalars(select(Misroute).order_by(Misroute.id)))


def test_thirty_days_go_on_and_only_the_acknowledgement_starts_again(story: Story) -> None:
    """Acknowledged at 11:00, declined on Wednesday at 11:00: four business hours from there are 15:00."""
    story.do(service.acknowledge, "2 11:00")
    before = story.record()
    assert story.shown("close") == [("running", "4-1 10:00")]
    story.do(service.assign, "4 11:00", to=DECLINED, reason="Not my field")
    after = story.record()
    assert after.owner_id != before.owner_id
    assert (after.raised_at, after.close_target_at, after.due_at) == (
        before.raised_at,
        before.close_target_at,
        before.due_at,
    )
    assert story.shown("close") == [("running", "4-1 10:00")]
    assert story.shown("acknowledge") == [("met", "2 14:00"), ("running", "4 15:00")]
    assert story.agrees()


def test_who_declines_is_left_out_of_the_decision_that_follows(story: Story) -> None:
    """The only rule names the account owner, who had it just before: the duty owner has it."""
    owner = story.company.owner
    story.do(service.assign, "2 11:00", to=DECLINED, reason="I sold them the product", misroute="conflict_of_interest")
    last = decisions(story)[-1]
    assert (last.cause, last.owner_id, last.failure) == ("decline", story.tenant.admin.id, "left_out")
    assert last.excluded == {"left_out": [str(owner.id)]}
    assert last.inputs["exclude"] == [str(owner.id)]


def test_why_routing_was_wrong_stands_in_the_event_and_beside_the_wrong_decision(story: Story) -> None:
    csm = story.company.csm
    to = service.NewOwner(owner_id=csm.id)
    story.do(service.assign, "2 11:00", to=to, reason="She knows the export", misroute="lacks_skill")
    event = story.events("assign")[-1]
    assert event.facts["misroute"] == "lacks_skill"
    assert (event.facts["cause"], event.facts["was"]) == ("assign", str(story.company.owner.id))
    first, second = decisions(story)
    (kept,) = misroutes()
    assert (kept.decision_id, kept.reroute_id, kept.reason) == (first.id, second.id, "lacks_skill")
    assert kept.escalation_id == story.id


def test_nothing_is_said_to_be_wrong_unless_somebody_says_so(story: Story) -> None:
    story.do(service.assign, "2 11:00", to=service.NewOwner(owner_id=story.company.csm.id), reason="End of my shift")
    assert "misroute" not in story.events("assign")[-1].facts
    assert misroutes() == []


def test_the_reason_for_a_misroute_is_one_of_seven_words(client: ApiClient, raise_case: Callable[..., Any]) -> None:
    case = raise_case()
    path = f"/api/v1/escalations/{case['id']}/assign"
    refused = client.post(path, json={"reason": "Wrong desk", "misroute": "wrong"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/misroute")
    assert client.post(path, json={"reason": "Wrong desk", "misroute": "wrong_team"}).status_code == 200
    assert [kept.reason for kept in misroutes()] == ["wrong_team"]


def test_with_nobody_else_left_even_who_declines_keeps_it(tenant: TestTenant, company: Company) -> None:
    """Everybody but the owner has left, the owner being on duty too: there is nobody else, so it stays with them."""
    story = Story(tenant, company).raised("2 10:00", by=company.owner)
    with transaction():
        db.session.execute(update(User).where(User.id != company.owner.id).values(active=False))
    story.do(service.assign, "2 11:00", to=DECLINED, reason="Too much", misroute="no_capacity")
    last = decisions(story)[-1]
    assert (last.owner_id, last.failure) == (company.owner.id, "left_out")
    assert last.why.startswith("is the only one left who can own it")
    record = story.record()
    assert (record.owner_id, record.assignment_failed) == (company.owner.id, True)
    assert [state for state, _ in story.shown("acknowledge")] == ["running"]
    with transaction():
        assert routing.rerun(last) == company.owner.id


def test_with_nobody_else_in_the_rules_a_stranger_to_the_account_is_better_than_none(story: Story) -> None:
    """The owner declines, then who was on duty: the deputy is not set, so it goes to whoever is left."""
    story.do(service.assign, "2 11:00", to=DECLINED, reason="Not mine")
    story.do(service.assign, "2 12:00", by=story.tenant.admin, to=DECLINED, reason="Nor mine")
    assert story.record().owner_id not in (None, story.tenant.admin.id)
    assert [decision.cause for decision in decisions(story)] == ["raise", "decline", "decline"]


def test_the_one_a_case_is_about_gets_it_neither_by_name_nor_by_decline(
    tenant: TestTenant, company: Company, make_user: Make
) -> None:
    story = Story(tenant, company).raised("2 10:00", about_user=company.csm.email, by=company.owner)
    with pytest.raises(Invalid):
        story.do(service.assign, "2 11:00", to=service.NewOwner(owner_id=company.csm.id), reason="Hers")
    story.do(service.assign, "2 11:00", to=DECLINED, reason="Not mine")
    assert story.record().owner_id != company.csm.id


def test_the_rate_counts_the_decline_against_the_rule_that_chose_first(story: Story, client: ApiClient) -> None:
    story.do(
        service.assign, "2 11:00", to=service.NewOwner(owner_id=story.company.csm.id), reason="-", misroute="other"
    )
    act: dict[str, Any] = {"outcome": "withdrawn", "reason": "No longer needed"}
    story.do(service.close_unresolved, "3 11:00", by=story.company.manager, **act)
    with transaction():
        assert routing.find_closers([story.id]) == {story.id: story.company.csm.id}
    found = client.get("/api/v1/routing/quality?from=2026-03-03&to=2026-03-03").json
    assert found["by_rule"]["items"] == [
        {"rule": "account owner, else duty owner", "closed": 1, "by_first_owner": 0, "rate": 0.0, "reroutes": 1}
    ]
    wrong = {"rule": "account owner, else duty owner", "misroute": "other", "reroutes": 1}
    assert found["reroutes"] == {"by_cause": {"assign": 1}, "by_misroute": {"other": 1}, "by_rule": [wrong]}


def test_restricted_cases_count_in_the_rate_and_nothing_names_a_person_or_a_case(
    tenant: TestTenant, company: Company, as_user: Callable[..., ApiClient]
) -> None:
    """Three were closed: one restricted and given on, one about the manager, one plain; two by their first owner."""
    titles = {"Hidden from most": {"restricted": True}, "About the boss": {"about_user": "manager@example.com"}}
    closing = {"outcome": "withdrawn", "reason": "Settled"}
    for title, fields in {**titles, "Plain": {}}.items():
        story = Story(tenant, company).raised("2 10:00", by=tenant.admin, title=title, **fields)
        if "restricted" in fields:
            to = service.NewOwner(owner_id=company.csm.id)
            story.do(service.assign, "2 11:00", to=to, reason="Hers", misroute="conflict_of_interest")
        story.do(service.close_unresolved, "3 11:00", by=company.boss, **closing)
    path = "/api/v1/routing/quality?from=2026-03-01&to=2026-03-31"
    answers = [as_user(user).get(path) for user in (company.manager, tenant.admin)]
    assert [answer.json["all"] for answer in answers] == [
        {"closed": 3, "by_first_owner": 2, "rate": 0.6667, "reroutes": 1}
    ] * 2
    for hidden in (*titles, *map(str, (company.owner.id, company.csm.id)), "@example.com", "Owner", "Csm"):
        assert hidden not in answers[0].text


def test_moved_for_an_absence_and_handed_back_a_case_is_still_its_first_owners(
    tenant: TestTenant, client: ApiClient, company: Company, raise_case: Callable[..., Any]
) -> None:
    """Two are moved to the delegate: one is closed by them, one after the owner took it back. A third is given on by
    the delegate to the manager, who closes it. Two of three were closed by their first owner."""
    cases = [raise_case(title=title) for title in ("Stays away", "Comes back", "Goes on")]

    def call(method: str, path: str, **body: Any) -> Any:
        answer = client.open(method, f"/api/v1/{path}", json=body)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json

    with transaction():
        now = clock.now()
    span = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=9)).isoformat()}
    about = {"mode": "move", "delegate_email": company.csm.email}
    absence = call("POST", f"users/{company.owner.id}/absences", **span, **about)
    assert jobs.move_work_tenant(tenant.id) == 3
    call("DELETE", f"users/{company.owner.id}/absences/{absence['id']}")
    back = f"users/{company.owner.id}/absences/{absence['id']}/hand-back"
    call("POST", back, escalation_ids=[cases[1]["id"]])
    body = {"owner_email": company.manager.email, "reason": "Needs a word with theirs", "misroute": "wrong_person"}
    call("POST", f"escalations/{cases[2]['id']}/assign", **body)
    for case in cases:
        call("POST", f"escalations/{case['id']}/close-unresolved", outcome="withdrawn", reason="Settled")
    found = call("GET", "routing/quality")
    assert found["all"] == {"closed": 3, "by_first_owner": 2, "rate": 0.6667, "reroutes": 1}
    assert found["reroutes"]["by_cause"] == {"assign": 1}
    assert found["reroutes"]["by_misroute"] == {"wrong_person": 1}
    with transaction():
        closers = routing.find_closers([UUID(case["id"]) for case in cases])
        first = db.session.scalar(
            select(Decision.id).where(Decision.escalation_id == UUID(cases[2]["id"])).order_by(Decision.id)
        )
    assert set(closers.values()) == {company.owner.id, company.manager.id}
    assert [kept.decision_id for kept in misroutes()] == [first]  # not the move to the delegate: the rule's own choice
