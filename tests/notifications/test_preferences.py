"""`/me/preferences` and an administrator's door to other people's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from app.auth.models import User
from app.db import transaction
from app.notifications import service
from app.notifications.queries import find_preferences
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.notifications.conftest import Outbox
from tests.notifications.receiver import Receiver

MINE = "/api/v1/me/preferences"
NIGHTS = {"mon": [["22:00", "07:00"]], "sun": [["20:00", "24:00"]]}
MONDAY_NIGHT = NOW + timedelta(hours=13)
ALL_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
def me(colleague: User, as_user: Callable[..., ApiClient]) -> ApiClient:
    return as_user(colleague)


def set_mine(me: ApiClient, **changes: Any) -> Any:
    return me.patch(MINE, json=changes, if_match=me.get(MINE).headers["ETag"])


def test_by_default_everything_is_told_at_once_by_mail(me: ApiClient, colleague: User) -> None:
    answer = me.get(MINE)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert answer.json == {
        "user_id": str(colleague.id),
        "quiet_hours": {},
        "digest": None,
        "channels": ["email"],
        "timezone": None,
        "zone": "UTC",
    }


def test_what_is_set_is_kept_and_what_is_left_out_stays(me: ApiClient) -> None:
    assert set_mine(me, quiet_hours=NIGHTS, timezone="Asia/Kathmandu").status_code == 200
    changed = set_mine(me, digest={"at": "08:00", "days": ["fri", "mon"]}, channels=[])
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"3"')
    kept = me.get(MINE).json
    assert kept == changed.json
    assert (kept["quiet_hours"], kept["channels"], kept["zone"]) == (NIGHTS, [], "Asia/Kathmandu")
    assert kept["digest"] == {"at": "08:00", "days": ["mon", "fri"]}
    cleared = set_mine(me, quiet_hours={}, digest=None, timezone=None).json
    assert (cleared["quiet_hours"], cleared["digest"], cleared["zone"]) == ({}, None, "UTC")


def test_a_digest_without_days_comes_every_day(me: ApiClient) -> None:
    assert set_mine(me, digest={"at": "08:00"}).json["digest"] == {"at": "08:00", "days": ALL_DAYS}


def test_times_are_read_in_the_users_own_zone_unless_they_name_another(
    make_user: Callable[..., User], as_user: Callable[..., ApiClient]
) -> None:
    me = as_user(make_user("csm", timezone="America/New_York"))
    assert me.get(MINE).json["zone"] == "America/New_York"
    assert set_mine(me, timezone="Europe/Berlin").json["zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"quiet_hours": {"mon": [["25:00", "07:00"]]}}, "/quiet_hours/mon/0/0"),
        ({"quiet_hours": {"mon": [["22:00", "22:00"]]}}, "/quiet_hours/mon/0/1"),
        ({"quiet_hours": {"mon": [["22:00", "23:00"], ["22:30", "24:00"]]}}, "/quiet_hours/mon/1"),
        ({"quiet_hours": {"monday": []}}, "/quiet_hours/monday"),
        ({"quiet_hours": {day: [["00:00", "24:00"]] for day in ALL_DAYS}}, "/quiet_hours"),
        ({"quiet_hours": None}, "/quiet_hours"),
        ({"quiet_hours": {"mon": [[22, 7]]}}, "/quiet_hours/mon/0/0"),
        ({"quiet_hours": {"mon": [["01:00", "02:00"]] * 9}}, "/quiet_hours/mon"),
        ({"digest": {"at": "24:00"}}, "/digest/at"),
        ({"digest": {}}, "/digest/at"),
        ({"digest": {"at": "08:00", "days": []}}, "/digest/days"),
        ({"digest": {"at": "08:00", "days": ["mo"]}}, "/digest/days/0"),
        ({"digest": {"at": "08:00", "zone": "UTC"}}, "/digest/zone"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"channels": ["pigeon"]}, "/channels/0"),
        ({"channels": ["email", "email"]}, "/channels"),
        ({"loud": True}, "/loud"),
    ],
)
def test_wishes_that_cannot_be_meant_are_refused_by_name(me: ApiClient, wrong: dict[str, Any], pointer: str) -> None:
    refused = set_mine(me, **wrong)
    assert refused.status_code == 422, refused.text
    assert pointer in {error["pointer"] for error in refused.json["errors"]}
    assert me.get(MINE).headers["ETag"] == '"1"'


def test_a_change_needs_the_version_that_was_read(me: ApiClient) -> None:
    assert me.patch(MINE, json={"timezone": "UTC"}).status_code == 428
    assert me.patch(MINE, json={"timezone": "UTC"}, if_match='"1"').status_code == 200
    assert me.patch(MINE, json={"timezone": "Europe/Paris"}, if_match='"1"').status_code == 412


def test_an_administrator_sets_them_for_others_and_nobody_else_does(
    me: ApiClient, colleague: User, client: ApiClient, tenant: TestTenant
) -> None:
    theirs = f"/api/v1/users/{colleague.id}/preferences"
    assert client.patch(theirs, json={"quiet_hours": NIGHTS}, if_match='"1"').status_code == 200
    assert me.get(MINE).json["quiet_hours"] == client.get(theirs).json["quiet_hours"] == NIGHTS
    assert me.get(f"/api/v1/users/{tenant.admin.id}/preferences").status_code == 403
    assert me.patch(f"/api/v1/users/{tenant.admin.id}/preferences", json={}, if_match='"1"').status_code == 403


def test_nobody_of_another_tenant_is_found(new_tenant: Callable[..., TestTenant], client: ApiClient) -> None:
    stranger = new_tenant("Others").admin
    path = f"/api/v1/users/{stranger.id}/preferences"
    assert client.get(path).status_code == 404
    assert client.patch(path, json={}, if_match='"1"').status_code == 404


def test_a_token_that_only_reads_changes_nothing(colleague: User, as_user: Callable[..., ApiClient]) -> None:
    reader = as_user(colleague, scopes=["notifications:read"])
    assert reader.get(MINE).status_code == 200
    assert reader.patch(MINE, json={}, if_match='"1"').status_code == 403


def held(user: User, *, urgent: bool = False, **fields: Any) -> tuple[Any, str]:
    """Since when a message written on Monday at 23:00 is told, and by what."""
    always = {"kind": "t", "subject": "s", "body": "b", "dedupe_key": "k", "at": MONDAY_NIGHT, "now": MONDAY_NIGHT}
    row = service.intent(user=user, **{**always, **fields})
    with transaction():
        service.hold([row], now=MONDAY_NIGHT, urgent=urgent)
    return row.hold_until, row.channel


def test_a_message_waits_as_its_reader_asked_and_never_less_than_it_was_held_already(
    me: ApiClient, colleague: User, tenant: TestTenant
) -> None:
    set_mine(me, quiet_hours=NIGHTS)
    assert held(colleague) == (MONDAY_NIGHT + timedelta(hours=8), "email")
    assert held(colleague, urgent=True) == (MONDAY_NIGHT, "email")
    later = MONDAY_NIGHT + timedelta(days=2)
    assert held(colleague, hold_until=later) == (later, "email")
    assert held(tenant.admin) == (MONDAY_NIGHT, "email")


def test_who_wants_no_mail_gets_none_and_finds_it_in_the_inbox(
    me: ApiClient, colleague: User, outbox: Outbox, receiver: Receiver
) -> None:
    set_mine(me, channels=[])
    assert held(colleague) == (MONDAY_NIGHT, "inbox")
    told = outbox.post(colleague, channel="inbox")
    assert outbox.deliver() == 1
    kept = outbox.read(told)
    assert (kept.state, kept.reason, receiver.mails) == ("sent", None, [])
    assert [one["subject"] for one in me.get("/api/v1/notifications").json["items"]] == ["Message 1"]


def test_where_nobody_has_preferences_nobody_looks_for_any(
    me: ApiClient, colleague: User, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def looked() -> int:
        with transaction(), statements() as sent:
            find_preferences([colleague.id])
        return len(sent)

    assert looked() == 0
    set_mine(me, digest={"at": "08:00"})
    assert looked() == 1
