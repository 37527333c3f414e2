"""A tier's time runs out under a playbook's path: who is led past, and what happens where the path ends."""

from uuid import UUID

import pytest

from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.moved_up import publish, put_team, read, tasks
from tests.escalations.story import Story

BY_ITSELF = {"within": {"business_days": 1}, "automatic": True}


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    """Raised on Monday at 10:00, so that a day's work is over on Tuesday at 10:00."""
    return Story(tenant, company)


def states(client: ApiClient, case_id: UUID) -> list[tuple[str, str, str | None]]:
    items = read(client, {"id": case_id}, "path")["items"]
    return [(one["tier"], one["state"], one["why"]) for one in items]


def test_an_automatic_hop_leads_past_tiers_where_nobody_is_and_asks_management(
    client: ApiClient, story: Story, company: Company
) -> None:
    put_team(client, "tier_2")
    path = ("tier_2", "vendor", "management")
    publish(client, tiers=[{"tier": "tier_1", **BY_ITSELF}, *({"tier": tier} for tier in path)])
    story.raised("2 10:00").sweep("3 09:59")
    assert story.record().tier == "tier_1"
    story.sweep("3 10:00")

    assert (story.record().tier, story.record().brief_missing) == ("management", True)
    assert states(client, story.id) == [
        ("tier_1", "left", None),
        ("tier_2", "passed_over", "nobody_there"),
        ("vendor", "passed_over", "no_vendor"),
        ("management", "current", None),
    ]
    assert [(who, state) for _, who, state in tasks(client, {"id": story.id}, "decision")] == [
        (str(company.manager.id), "open")
    ]


def test_at_the_end_of_the_path_the_decision_is_asked_for_once(client: ApiClient, story: Story) -> None:
    publish(client, tiers=[{"tier": "tier_1", **BY_ITSELF}])
    story.raised("2 10:00").sweep("3 10:00")
    story.sweep("6 12:00")

    assert story.record().tier == "tier_1"
    assert len(story.events("decision_asked")) == 1
    assert story.agrees()


def test_an_automatic_hop_to_a_deserted_end_of_the_path_asks_management_too(client: ApiClient, story: Story) -> None:
    put_team(client, "tier_2")
    publish(client, tiers=[{"tier": "tier_1", **BY_ITSELF}, {"tier": "tier_2"}])
    story.raised("2 10:00").sweep("3 10:00")

    assert story.record().tier == "tier_2"
    assert len(story.events("decision_asked")) == 1


def test_a_question_that_was_not_answered_in_time_says_so(client: ApiClient, story: Story) -> None:
    publish(client, tiers=[{"tier": "tier_1", **BY_ITSELF}, {"tier": "tier_2"}])
    story.raised("2 10:00").sweep("3 10:00")

    first = read(client, {"id": story.id}, "path")["items"][0]
    assert (first["qualification"]["word"], first["qualification"]["by"]) == ("unanswered", None)
    assert first["qualification"]["after_seconds"] == 8 * 3600
    found = [one for one in read(client, {"id": story.id}, "tasks")["items"] if one["kind"] == "qualification"]
    assert [(one["state"], one["reason"]) for one in found] == [
        ("waived", "The tier's time ran out before it was answered."),
        ("open", None),
    ]
