"""Settings: defaults, limits, people who must exist, and the ETag."""

from dataclasses import fields

import pytest

from app.auth.schemas import SettingsBody
from app.auth.settings import TenantSettings, tenant_settings
from app.db import transaction

PATH = "/api/v1/settings"


@pytest.fixture
def change(client):
    """Changes the settings from their present state."""

    def send(body):
        return client.patch(PATH, json=body, if_match=client.get(PATH).headers["ETag"])

    return send


def test_a_new_tenant_has_the_defaults_that_the_rules_name(client):
    settings = client.get(PATH).json
    assert settings["timezone"] == "UTC"
    assert settings["reporting_currency"] == "USD"
    assert settings["approval"] == {"asked": False, "approvers": []}
    assert settings["absence_mode"] == "cover"
    assert (settings["close_days"], settings["acknowledge_hours"], settings["verify_business_days"]) == (30, 4, 5)
    assert (settings["wait_budget_business_days"], settings["reopen_days"], settings["capacity"]) == (10, 14, 24)
    assert settings["suggestion_confidence"] is None
    weights = {"value": 30, "severity": 25, "renewal": 15, "age": 15, "health": 10, "repeats": 5}
    assert settings["priority_weights"] == weights


def test_every_setting_can_be_read_and_changed():
    assert set(SettingsBody().fields) == {field.name for field in fields(TenantSettings)}


def test_a_change_keeps_what_it_does_not_name_and_is_in_force_at_once(change, tenant):
    answer = change({"close_days": 20, "approval": {"asked": True}})
    assert answer.status_code == 200
    assert (answer.json["close_days"], answer.json["acknowledge_hours"]) == (20, 4)
    assert answer.json["approval"] == {"asked": True, "approvers": []}
    assert change({"approval": {"approvers": ["Admin@example.com"]}}).json["approval"] == {
        "asked": True,
        "approvers": ["admin@example.com"],
    }
    with transaction():
        assert tenant_settings().close_days == 20
        assert tenant_settings().approval.approvers == ("admin@example.com",)


@pytest.mark.parametrize("confidence", [0, 0.75, 1, None])
def test_how_sure_history_must_be_is_a_share_or_off(change, confidence):
    answer = change({"suggestion_confidence": confidence})
    assert (answer.status_code, answer.json["suggestion_confidence"]) == (200, confidence)


def test_of_two_people_who_change_one_state_the_second_is_told(client):
    etag = client.get(PATH).headers["ETag"]
    assert client.patch(PATH, json={"close_days": 20}, if_match=etag).status_code == 200
    second = client.patch(PATH, json={"close_days": 25}, if_match=etag)
    assert (second.status_code, second.json["code"]) == (412, "stale")
    assert client.get(PATH).json["close_days"] == 20


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"timezone": "Europe/Atlantis"}, "/timezone"),
        ({"timezone": None}, "/timezone"),
        ({"reporting_currency": "usd"}, "/reporting_currency"),
        ({"reporting_currency": "USDX"}, "/reporting_currency"),
        ({"reporting_currency": "XQQ"}, "/reporting_currency"),
        ({"close_days": 0}, "/close_days"),
        ({"close_days": "30"}, "/close_days"),
        ({"close_days": 30.5}, "/close_days"),
        ({"close_days": True}, "/close_days"),
        ({"capacity": 10**30}, "/capacity"),
        ({"suggestion_confidence": 1.01}, "/suggestion_confidence"),
        ({"suggestion_confidence": -0.1}, "/suggestion_confidence"),
        ({"suggestion_confidence": "0.5"}, "/suggestion_confidence"),
        ({"suggestion_confidence": True}, "/suggestion_confidence"),
        ({"approval": {"asked": "yes"}}, "/approval/asked"),
        ({"approval": {"approvers": ["nobody@example.com"]}}, "/approval/approvers/0"),
        ({"approval": {"who": "me"}}, "/approval/who"),
        ({"duty_owner_email": "nobody@example.com"}, "/duty_owner_email"),
        ({"duty_owner_email": None}, "/duty_owner_email"),
        ({"duty_deputy_email": "admin@example.com"}, "/duty_deputy_email"),
        ({"priority_weights": {"value": 31}}, "/priority_weights"),
        ({"priority_weights": {"luck": 1}}, "/priority_weights/luck"),
        ({"reasons": ["data loss"]}, "/reasons/0"),
        ({"reasons": ["a", "a"]}, "/reasons"),
        ({"absence_mode": "hide"}, "/absence_mode"),
        ({"colour": "red"}, "/colour"),
        ([], "/"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_nothing_is_saved(client, change, body, pointer):
    before = client.get(PATH)
    answer = change(body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    after = client.get(PATH)
    assert (after.json, after.headers["ETag"]) == (before.json, before.headers["ETag"])


def test_an_inactive_user_or_an_integration_cannot_be_on_duty(client, change, make_user):
    gone, feed = make_user(email="gone@example.com"), make_user("integration", email="feed@example.com")
    client.patch(f"/api/v1/users/{gone.id}", json={"active": False}, if_match=1)
    for user in (gone, feed):
        answer = change({"duty_owner_email": user.email})
        assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/duty_owner_email")


def test_only_an_admin_changes_settings_and_colleagues_read_them(as_user, make_user):
    theirs = as_user(make_user("executive"))
    assert theirs.get(PATH).status_code == 200
    assert theirs.patch(PATH, json={"close_days": 20}, if_match=1).status_code == 403
