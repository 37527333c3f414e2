"""Prevention actions: promised when a case is resolved, followed until they are done, also when it is closed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app import clock
from app.auth.models import User
from app.db import db, transaction
from app.escalations.prevention_reminders import remind
from app.escalations.surveys import answer_survey
from app.notifications.models import Intent
from tests.conftest import ApiClient, TestTenant
from tests.escalations.conftest import Company

Raise = Callable[..., dict[str, Any]]
AsUser = Callable[..., ApiClient]
ACTIONS = "/api/v1/prevention-actions"


def in_days(days: int) -> str:
    with transaction():
        return str((clock.now() + timedelta(days=days)).date())


def noon(days: int) -> datetime:
    return datetime.fromisoformat(in_days(days)).replace(hour=12, tzinfo=UTC)


def resolve(client: ApiClient, case: dict[str, Any], **prevention: Any) -> Any:
    path = f"/api/v1/escalations/{case['id']}"
    client.post(f"{path}/acknowledge", json={})
    words = {"summary": "Fixed", "root_cause": "A full disk", "preventable": True}
    wanted = {"action": "Watch the disk", "owner_email": "csm@example.com", "due_on": in_days(10), **prevention}
    return client.post(f"{path}/resolve", json={**words, "prevention": wanted})


@pytest.fixture
def action(client: ApiClient, raise_case: Raise) -> dict[str, Any]:
    """The CSM's, due in ten days."""
    done = resolve(client, raise_case())
    assert done.status_code == 200, done.text
    (found,) = client.get(ACTIONS).json["items"]
    return dict(found)


def change(client: ApiClient, action: dict[str, Any], **body: Any) -> Any:
    path = f"{ACTIONS}/{action['id']}"
    return client.patch(path, json=body, if_match=client.get(path).json["version"])


def told(kind: str) -> list[tuple[str, str]]:
    """(address, subject) of every message of this kind, oldest first."""
    with transaction():
        asked = select(Intent).where(Intent.kind == kind).order_by(Intent.id)
        return [(str(row.address), row.subject) for row in db.session.scalars(asked)]


def remind_on(days: int) -> int:
    at = noon(days)
    with transaction():
        return remind(at)


def test_what_was_promised_is_followed_and_its_owner_knows(action: dict[str, Any]) -> None:
    assert (action["action"], action["state"], action["overdue"]) == ("Watch the disk", "open", False)
    assert (action["owner"]["email"], action["due_on"]) == ("csm@example.com", in_days(10))
    assert (action["escalation"]["title"], action["account"]["name"]) == ("Exports fail", "Globex")
    ((address, subject),) = told("prevention")
    assert (address, "keep it from happening again" in subject) == ("csm@example.com", True)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"owner_email": "nobody@example.com"}, "/prevention/owner_email"),
        ({"due_on": "2020-01-01"}, "/prevention/due_on"),
        ({"due_on": "soon"}, "/prevention/due_on"),
        ({"action": " "}, "/prevention/action"),
    ],
)
def test_a_promise_that_nobody_can_keep_is_refused_by_its_field(
    client: ApiClient, raise_case: Raise, wrong: dict[str, str], pointer: str
) -> None:
    case = raise_case()
    refused = resolve(client, case, **wrong)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)
    assert client.get(f"/api/v1/escalations/{case['id']}").json["status"] == "in_progress"


def test_it_reminds_on_its_day_and_every_week_after_once_each(
    client: ApiClient, action: dict[str, Any], tenant: TestTenant
) -> None:
    path = f"/api/v1/escalations/{action['escalation']['id']}"
    client.post(f"{path}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})
    days = [9, 10, 10, 11, 16, 17, 18, 24]
    assert [remind_on(day) for day in days] == [0, 1, 0, 0, 0, 2, 0, 2]
    said = [subject.partition("again ")[2].partition(" ·")[0] for _, subject in told("prevention_due")]
    assert list(dict.fromkeys(said)) == ["is due today", "was due 7 days ago", "was due 14 days ago"]


def test_days_that_nobody_worked_bring_one_reminder(action: dict[str, Any]) -> None:
    assert [remind_on(day) for day in (33, 34, 37, 38)] == [2, 0, 0, 2]
    heard = [address for address, _ in told("prevention_due")]
    assert sorted(heard) == ["csm@example.com"] * 2 + ["manager@example.com"] * 2


def test_what_is_done_reminds_nobody(client: ApiClient, action: dict[str, Any]) -> None:
    assert change(client, action, state="done").json["state"] == "done"
    assert remind_on(30) == 0
    assert client.get(ACTIONS).json["items"] == []
    (done,) = client.get(f"{ACTIONS}?state=done,dropped").json["items"]
    assert done["ended_at"] is not None


def test_a_reminder_that_nobody_had_yet_is_taken_back_when_it_is_done(
    client: ApiClient, action: dict[str, Any]
) -> None:
    remind_on(10)
    change(client, action, state="done")
    with transaction():
        (row,) = db.session.scalars(select(Intent).where(Intent.kind == "prevention_due"))
        assert (row.state, row.reason) == ("suppressed", "already_acted")


def test_dropping_needs_a_reason_and_the_closed_cases_timeline_keeps_it(
    client: ApiClient, action: dict[str, Any]
) -> None:
    path = f"/api/v1/escalations/{action['escalation']['id']}"
    client.post(f"{path}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})
    refused = change(client, action, state="dropped")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/reason")
    assert change(client, action, state="dropped", reason="The exporter is replaced.").json["state"] == "dropped"
    last = client.get(f"{path}/timeline?limit=200").json["items"][-1]
    assert (last["kind"], last["facts"]["state"], last["texts"]["reason"]) == (
        "prevention",
        "dropped",
        "The exporter is replaced.",
    )
    assert client.get(f"{path}/timeline/verify").json["intact"] is True


def test_its_owner_may_say_that_it_is_done_and_an_uninvolved_colleague_may_not(
    action: dict[str, Any], as_user: AsUser, company: Company, make_user: Callable[..., User]
) -> None:
    other = as_user(make_user("csm", "other@example.com"))
    assert change(other, action, state="done").status_code == 403
    assert change(as_user(company.csm), action, state="done").status_code == 200
    assert change(as_user(company.owner), action, state="open").json["ended_at"] is None


def test_another_owner_is_told_and_reminded_instead(
    client: ApiClient, action: dict[str, Any], make_user: Callable[..., User]
) -> None:
    make_user("specialist", "new@example.com")
    moved = change(client, action, owner_email="new@example.com", due_on=in_days(12))
    assert moved.json["owner"]["email"] == "new@example.com"
    assert [address for address, _ in told("prevention")] == ["csm@example.com", "new@example.com"]
    assert [remind_on(day) for day in (10, 12)] == [0, 1]
    assert [address for address, _ in told("prevention_due")] == ["new@example.com"]


def test_when_its_owner_has_left_the_owner_of_the_case_is_reminded(
    client: ApiClient, action: dict[str, Any], company: Company
) -> None:
    with transaction():
        db.session.execute(text('update "user" set active = false where id = :id'), {"id": company.csm.id})
    assert remind_on(10) == 1
    assert [address for address, _ in told("prevention_due")] == ["owner@example.com"]


def test_a_refused_resolution_promised_anew_in_the_same_words_is_one_action(
    client: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    resolve(client, case)
    path = f"/api/v1/escalations/{case['id']}"
    client.post(f"{path}/verify", json={"accepted": False, "confirmed_by": "Jo", "channel": "call"})
    resolve(client, case, due_on=in_days(20))
    assert [one["due_on"] for one in client.get(ACTIONS).json["items"]] == [in_days(20)]


def test_lists_are_narrowed_by_owner_account_and_lateness_and_come_in_pages(
    client: ApiClient, raise_case: Raise, company: Company, as_user: AsUser
) -> None:
    for day, owner in ((3, "csm@example.com"), (1, "owner@example.com"), (2, "csm@example.com")):
        resolve(client, raise_case(title=f"Case {day}"), action=f"Act {day}", due_on=in_days(day), owner_email=owner)
    csm = as_user(company.csm)
    assert [one["action"] for one in client.get(ACTIONS).json["items"]] == ["Act 1", "Act 2", "Act 3"]
    assert [one["action"] for one in csm.get(f"{ACTIONS}?owner=me").json["items"]] == ["Act 2", "Act 3"]
    assert len(client.get(f"{ACTIONS}?account={company.account_id}").json["items"]) == 3
    assert client.get(f"{ACTIONS}?account={company.owner.id}").json["items"] == []
    assert client.get(f"{ACTIONS}?overdue=true").json["items"] == []
    assert client.get(f"{ACTIONS}?state=nonsense").status_code == 422
    first = client.get(f"{ACTIONS}?limit=2").json
    rest = client.get(f"{ACTIONS}?limit=2&cursor={first['next_cursor']}").json
    assert [one["action"] for one in rest["items"]] == ["Act 3"]


def test_of_a_restricted_case_only_who_sees_it_can_promise_and_see(
    client: ApiClient, raise_case: Raise, company: Company, as_user: AsUser
) -> None:
    case = raise_case(restricted=True)
    refused = resolve(client, case)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/prevention/owner_email")
    assert resolve(client, case, owner_email="manager@example.com").status_code == 200
    (action,) = as_user(company.owner).get(ACTIONS).json["items"]
    outsider = as_user(company.csm)
    assert outsider.get(ACTIONS).json["items"] == []
    assert outsider.get(f"{ACTIONS}/{action['id']}").status_code == 404
    assert outsider.patch(f"{ACTIONS}/{action['id']}", json={"state": "done"}, if_match=1).status_code == 404


def test_a_list_takes_one_statement_of_its_own(
    client: ApiClient, action: dict[str, Any], statements: Any, raise_case: Raise
) -> None:
    resolve(client, raise_case(title="Another"), action="Another")
    with statements() as seen:
        assert len(client.get(ACTIONS).json["items"]) == 2
    assert len(seen) <= 4, seen


def test_in_a_merge_what_was_promised_goes_on_under_the_survivor(client: ApiClient, raise_case: Raise) -> None:
    first, second = raise_case(title="First"), raise_case(title="Second")
    resolve(client, second)
    merged = client.post(f"/api/v1/escalations/{second['id']}/merge", json={"into_id": first["id"], "reason": "Same"})
    assert merged.status_code == 200, merged.text
    (action,) = client.get(ACTIONS).json["items"]
    assert action["escalation"]["id"] == first["id"]
    assert change(client, action, state="done").status_code == 200


def test_a_reminder_that_nobody_had_yet_comes_along_in_a_merge_and_is_taken_back_there(
    client: ApiClient, raise_case: Raise
) -> None:
    first, second = raise_case(title="First"), raise_case(title="Second")
    resolve(client, second)
    assert remind_on(10) == 1
    client.post(f"/api/v1/escalations/{second['id']}/merge", json={"into_id": first["id"], "reason": "Same"})
    assert [(row.state, str(row.escalation_id)) for row in reminders()] == [("pending", first["id"])]

    (action,) = client.get(ACTIONS).json["items"]
    assert change(client, action, state="done").status_code == 200
    assert [(row.state, row.reason) for row in reminders()] == [("suppressed", "already_acted")]


def leave(*people: User) -> None:
    with transaction():
        for user in people:
            db.session.execute(text('update "user" set active = false where id = :id'), {"id": user.id})


def reminders() -> list[Intent]:
    with transaction():
        return list(db.session.scalars(select(Intent).where(Intent.kind == "prevention_due").order_by(Intent.id)))


@pytest.mark.parametrize(("restricted", "named"), [(False, True), (True, False)])
def test_a_reminder_names_the_case_only_to_who_sees_it(action: dict[str, Any], restricted: bool, named: bool) -> None:
    with transaction():
        change_it = text("update escalation set restricted = :restricted where id = :id")
        db.session.execute(change_it, {"restricted": restricted, "id": action["escalation"]["id"]})
    assert remind_on(10) == 1
    (row,) = reminders()
    assert (row.address, "Watch the disk" in row.body, "Exports fail" in row.body) == ("csm@example.com", True, named)


def test_of_a_restricted_case_that_all_have_left_the_admins_hear(
    client: ApiClient, raise_case: Raise, company: Company, tenant: TestTenant
) -> None:
    case = raise_case(restricted=True)
    assert resolve(client, case, owner_email="manager@example.com").status_code == 200
    leave(company.manager, company.owner)
    assert remind_on(10) == 1
    (row,) = reminders()
    with transaction():
        heard = db.session.get(User, row.user_id)
        assert heard is not None
        assert heard.role == "admin"
    assert "Exports fail" in row.body


def test_the_manager_of_its_owner_hears_when_it_is_overdue_as_long_as_it_is(action: dict[str, Any]) -> None:
    assert remind_on(10) == 1
    assert [row.address for row in reminders()] == ["csm@example.com"]
    assert [remind_on(17), remind_on(24)] == [2, 2]
    last = reminders()[-2:]
    assert sorted(str(row.address) for row in last) == ["csm@example.com", "manager@example.com"]
    (above,) = [row for row in last if row.address == "manager@example.com"]
    assert "was due 14 days ago" in above.subject
    assert above.why == "You get this because it is overdue and you are the manager of Csm, whose it is."


def test_of_a_restricted_case_an_overdue_actions_manager_hears_only_if_they_may_see_it(
    client: ApiClient, raise_case: Raise, make_user: Callable[..., User]
) -> None:
    """The action was promised by a watcher of another line, whose manager sees nothing of it."""
    stranger = make_user("manager", "stranger@example.com")
    watcher = make_user("csm", "watcher@example.com", manager=stranger)
    case = raise_case()
    assert resolve(client, case, owner_email=watcher.email).status_code == 200
    with transaction():
        change_it = text("update escalation set restricted = true where id = :id")
        db.session.execute(change_it, {"id": case["id"]})
    assert remind_on(17) == 1
    assert [row.address for row in reminders()] == ["watcher@example.com"]


def test_what_is_reopened_on_its_day_reminds_anew_without_the_old_reason(client: ApiClient, raise_case: Raise) -> None:
    resolve(client, raise_case(), due_on=in_days(0))
    (action,) = client.get(ACTIONS).json["items"]
    assert remind_on(0) == 1
    assert change(client, action, state="dropped", reason="Replaced").json["reason"] == "Replaced"
    assert change(client, action, state="open").json["reason"] is None
    assert [remind_on(0), remind_on(0)] == [1, 0]
    assert [row.state for row in reminders()] == ["suppressed", "pending"]


def test_promised_anew_for_another_its_former_owners_reminder_is_taken_back(
    client: ApiClient, raise_case: Raise
) -> None:
    case = raise_case()
    resolve(client, case, due_on=in_days(0))
    remind_on(0)
    path = f"/api/v1/escalations/{case['id']}"
    client.post(f"{path}/verify", json={"accepted": False, "confirmed_by": "Jo", "channel": "call"})
    resolve(client, case, owner_email="manager@example.com", due_on=in_days(0))
    assert remind_on(0) == 1
    assert [(row.address, row.state) for row in reminders()] == [
        ("csm@example.com", "suppressed"),
        ("manager@example.com", "pending"),
    ]


def test_a_survey_of_an_owner_who_has_left_is_told_to_their_manager(
    client: ApiClient, raise_case: Raise, company: Company
) -> None:
    case = raise_case()
    resolve(client, case)
    path = f"/api/v1/escalations/{case['id']}"
    client.post(f"{path}/verify", json={"accepted": True, "confirmed_by": "Jo", "channel": "call"})
    asked = client.post(f"{path}/survey", json={})
    assert asked.status_code in (200, 201), asked.text
    leave(company.owner)
    with transaction():
        answer_survey(UUID(asked.json["id"]), score=2, comment=None, now=clock.now())
    assert [address for address, _ in told("survey")] == ["manager@example.com"]
