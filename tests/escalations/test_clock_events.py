"""The ledgers of all cases as one stream: in order of recording, nothing skipped, nothing shown that is not seen."""

from collections.abc import Callable
from contextvars import Context
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask

from app.auth.models import User
from app.db import transaction
from app.escalations import service
from app.sla.clocks import Clocks
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company
from tests.escalations.story import Story, march
from tests.escalations.test_applying import apply
from tests.escalations.test_service_levels import contract, publish

PATH = "/api/v1/clock-events"
FROM_THE_RAISE = ("acknowledge", "close", "tier", "account_team_update", "executive_update", "task")


@pytest.fixture
def story(tenant: TestTenant, company: Company) -> Story:
    return Story(tenant, company).raised()


def read(client: ApiClient, **asked: Any) -> dict[str, Any]:
    answer = client.get(PATH, query_string=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def shown(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["kind"], item["type"]) for item in page["items"]]


def test_every_entry_stands_there_with_its_clock_and_case(story: Story, client: ApiClient) -> None:
    story.sweep("2 14:10")
    story.do(service.acknowledge, "2 15:00")
    page = read(client)
    assert sorted(shown(page)[:6]) == sorted((kind, "activate") for kind in FROM_THE_RAISE)
    assert shown(page)[6:8] == [("acknowledge", "breach"), ("acknowledge", "fulfil")]
    assert sorted(shown(page)[8:]) == [("plan", "activate"), ("still_on_it", "activate")]
    breach = page["items"][6]
    assert {name: breach[name] for name in ("number", "escalation_id", "cycle", "subject")} == {
        "number": "ESC-1",
        "escalation_id": str(story.id),
        "cycle": 1,
        "subject": "-",
    }
    assert (breach["at"], breach["recorded_at"]) == ("2026-03-02T14:00:00Z", "2026-03-02T14:10:00Z")
    assert page["items"][8]["target"] == {"kind": "business_seconds", "value": 5 * 8 * 3600}


def test_pages_follow_each_other_and_the_last_cursor_waits_for_what_comes(story: Story, client: ApiClient) -> None:
    first = read(client, limit=4)
    second = read(client, limit=4, cursor=first["next_cursor"])
    assert (first["more"], second["more"]) == (True, False)
    assert sorted(kind for kind, _ in shown(first) + shown(second)) == sorted(FROM_THE_RAISE)
    third = read(client, limit=2, cursor=second["next_cursor"])
    assert (third["items"], third["more"]) == ([], False)
    story.do(service.acknowledge, "2 11:00")
    assert shown(read(client, limit=1, cursor=third["next_cursor"])) == [("acknowledge", "fulfil")]
    assert shown(read(client, limit=1, cursor=second["next_cursor"])) == [("acknowledge", "fulfil")]


def test_it_is_asked_by_kind_type_case_and_moment_of_recording(story: Story, client: ApiClient) -> None:
    other = Story(story.tenant, story.company).raised("2 12:00", title="Another")
    story.do(service.acknowledge, "2 13:00")
    assert shown(read(client, kind="close")) == [("close", "activate")] * 2
    assert shown(read(client, type="fulfil")) == [("acknowledge", "fulfil")]
    assert len(read(client, escalation=str(other.id))["items"]) == len(FROM_THE_RAISE)
    late = read(client, since=march("2 12:30").isoformat())
    assert {kind for kind, _ in shown(late)} == {"acknowledge", "plan", "still_on_it"}
    after = read(client, since=march("5 12:00").isoformat())
    assert after["items"] == []
    story.do(service.add_comment, "6 12:00", content="Reproduced")
    asked = {"since": march("5 12:00").isoformat(), "cursor": after["next_cursor"]}
    assert shown(read(client, **asked)) == [("still_on_it", "fulfil"), ("still_on_it", "activate")]


def test_a_service_level_being_applied_is_told_with_its_target_and_version(
    tenant: TestTenant, company: Company, client: ApiClient
) -> None:
    """Gold 1 promises an answer in six hours; gold 2, applied at 12, in four, and an update to executives besides."""
    level = {"respond": {"business_hours": 6}, "reply": {"business_hours": 6}}
    publish("gold", **level)
    contract("K-1", "gold", "120000.00")
    story = Story(tenant, company).raised(raised_by_kind="customer", raised_by_email="jo@example.com")
    publish("gold", **{**level, "respond": {"business_hours": 4}}, executive_update=1)
    start = read(client)["next_cursor"]
    apply(tenant, "service_level", march("2 12:00"))
    applied = [item for item in read(client, cursor=start)["items"] if item["escalation_id"] == str(story.id)]
    told = {(item["kind"], item["type"], item["target"]["value"], item["because"]) for item in applied}
    assert told == {
        ("respond", "retarget", 4 * 3600, "service level gold 2"),
        ("executive_update", "activate", 8 * 3600, "service level gold 2"),
    }
    [begun] = read(client, kind="respond", type="activate")["items"]
    assert begun["target"] == {"kind": "business_seconds", "value": 6 * 3600}


def test_what_commits_late_is_not_skipped(app: Flask, story: Story, client: ApiClient) -> None:
    """One writer has begun before another and commits after it: a poller in between sees neither, then both."""
    other = Story(story.tenant, story.company).raised("2 12:00", title="Another")
    start = read(client)["next_cursor"]
    written, go_on = Event(), Event()

    def slow() -> None:
        with app.app_context(), transaction(tenant=story.tenant.id):
            clocks = Clocks.load(story.id)
            clocks.fulfil("acknowledge", march("2 13:00"), march("2 13:00"))
            clocks.save()
            written.set()
            assert go_on.wait(20)

    writer = Thread(target=Context().run, args=(slow,))
    writer.start()
    assert written.wait(20)
    other.do(service.acknowledge, "2 13:30")
    between = read(client, cursor=start)
    go_on.set()
    writer.join()
    assert between["items"] == []
    found = read(client, cursor=between["next_cursor"])["items"]
    fulfilled = [item["escalation_id"] for item in found if item["type"] == "fulfil"]
    assert fulfilled == [str(story.id), str(other.id)]


def test_what_the_caller_may_not_see_is_not_shown(
    story: Story, as_user: Callable[[User], ApiClient], make_user: Callable[..., User]
) -> None:
    hidden = Story(story.tenant, story.company).raised("2 12:00", title="Quiet", restricted=True)
    stranger, owner = as_user(make_user("specialist")), as_user(story.company.owner)
    assert {item["escalation_id"] for item in read(stranger)["items"]} == {str(story.id)}
    assert {item["escalation_id"] for item in read(owner)["items"]} == {str(story.id), str(hidden.id)}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-03-02T10:00:00"}, "since"),
        ({"kind": "lunch"}, "kind"),
        ({"type": "explode"}, "type"),
        ({"escalation": "ESC-1"}, "escalation"),
        ({"cursor": "made up"}, "cursor"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_by_name(
    client: ApiClient, asked: dict[str, Any], field: str
) -> None:
    refused = client.get(PATH, query_string=asked)
    assert (refused.status_code, refused.json["errors"][0]["parameter"]) == (422, field)


def test_a_page_costs_three_statements_and_of_one_kind_two(
    story: Story, client: ApiClient, statements: Callable[[], Any]
) -> None:
    read(client)
    with statements() as sent:
        read(client)
        read(client, kind="close")
    assert len([one for one in sent if "clock_entry" in one or "pg_snapshot" in one]) == 3 + 2
