"""Admin pages about what is promised: service levels in words, ladders as lines, and bringing either to open cases."""

import re

import pytest

from app import clock
from app.db import transaction
from app.escalations import applying
from tests.escalations.conftest import company, raise_case
from tests.panels.test_admin_people import admin, goes_to, refused_at, version_in

__all__ = ["admin", "company", "raise_case"]

GOLD = {
    "respond.business_hours": "4",
    "respond.business_days": "",
    "customer_update.1": "1",
    "customer_update.2": "2",
    "customer_update.3": "5",
    "customer_update.4": "5",
    "tiers.tier_2.business_days": "3",
    "close_days": "20",
    "calendar": "",
}


@pytest.fixture
def gold(admin):
    return goes_to(admin.post("/admin/service-levels", {"name": "Gold", **GOLD}))


def test_a_service_level_is_published_as_the_api_has_it_and_said_in_words(admin, client, gold):
    made = client.get(f"/api/v1{gold.removeprefix('/admin')}").json
    assert made["definition"] == {
        "respond": {"business_hours": 4},
        "customer_update": {"1": 1, "2": 2, "3": 5, "4": 5},
        "tiers": {"tier_2": {"business_days": 3}},
        "close_days": 20,
    }
    said = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", admin.get(gold).text))
    assert said == {
        "First answer to the customer": "4 business hours",
        "Tell the customer": "1, 2, 5, 5 business days by severity 1 to 4",
        "Resolve in this tier: tier 2": "3 business days",
        "Close": "20 days",
    }


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"respond.business_hours": "4", "respond.business_days": "1"}, "respond"),
        ({"customer_update.1": "1"}, "customer_update.2"),
        ({"close_days": "soon"}, "close_days"),
        ({"calendar": "None such", "close_days": "3"}, "calendar"),
        ({}, "respond"),
    ],
)
def test_a_level_that_cannot_be_meant_is_refused_by_field(form, named, admin):
    assert refused_at(admin.post("/admin/service-levels", {"name": "Gold", **form})) == (422, [named])


def test_the_next_version_an_older_edit_and_retiring(admin, client, gold):
    assert refused_at(admin.post("/admin/service-levels", {"name": "Gold", **GOLD})) == (422, ["name"])
    version = version_in(admin.get(f"{gold}/edit"))
    goes_to(admin.post(gold, {**GOLD, "version": version, "close_days": "15"}))
    stale = admin.post(gold, {**GOLD, "version": version, "close_days": "10"})
    assert stale.status_code == 412
    assert '<th scope="row">Close</th><td class="words">15 days</td><td class="words">10 days' in stale.text
    goes_to(admin.post(f"{gold}/retire"))
    assert client.get(f"/api/v1{gold.removeprefix('/admin')}").json["retired_at"]
    assert "retired" in admin.get("/admin/service-levels").text
    goes_to(admin.post(gold, {**GOLD, "version": version_in(admin.get(f"{gold}/edit"))}))
    assert client.get(f"/api/v1{gold.removeprefix('/admin')}").json["retired_at"] is None


def form_of(answer):
    """The form of a ladder as a browser would send it."""
    text = answer.text
    form = {name: [value] for name, value in re.findall(r'<input name="(steps\.\d+\.\w+)"[^>]*?value="([^"]*)"', text)}
    for name, options in re.findall(r'<select name="(steps\.\d+\.\w+)"[^>]*>(.*?)</select>', text, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        form[name] = [chosen[1] if chosen else re.search(r'<option value="([^"]*)"', options)[1]]
    for name, value in re.findall(r'name="(steps\.\d+\.audience)" value="(\w+)" checked', text):
        form.setdefault(name, []).append(value)
    return {**form, "version": version_in(answer)}


def test_a_ladder_is_drawn_to_scale_and_said_in_words(admin):
    """Close is promised in 30 days: half of the way stands at 35 of the 70 percent before the due time, 3 days before
    at 70 × 27/30 = 63, the last reminder, 7 days after, at 98."""
    shown = admin.get("/admin/ladders/close").text
    assert re.findall(r'<circle class="tick" cx="([\d.]+)%"', shown) == [
        "35.0",
        "53.7",
        "63.0",
        "67.7",
        "70.0",
        "74.0",
        "98.0",
    ]
    assert "3 days before: the owner and the owner&#39;s manager are told" in shown
    assert "1 day after: the owner and the owner&#39;s manager are told; again every day" in shown


def said(step):
    """A step, whoever of its audience stands first."""
    return {**step, "audience": set(step["audience"])}


def test_a_ladders_form_sends_back_what_it_shows_and_takes_changes(admin, client):
    before = client.get("/api/v1/ladders").json["items"]
    close = next(one for one in before if one["kind"] == "close")
    form = form_of(admin.get("/admin/ladders/close"))
    goes_to(admin.post("/admin/ladders/close", form))
    after = next(one for one in client.get("/api/v1/ladders").json["items"] if one["kind"] == "close")
    assert [said(step) for step in after["steps"]] == [said(step) for step in close["steps"]]
    assert after["number"] == close["number"] + 1
    form = form_of(admin.get("/admin/ladders/close"))
    form |= {"steps.0.when": "", "steps.7.when": "before_hours", "steps.7.amount": "2", "steps.7.audience": ["csm"]}
    goes_to(admin.post("/admin/ladders/close", form))
    steps = next(one for one in client.get("/api/v1/ladders").json["items"] if one["kind"] == "close")["steps"]
    assert [step["offset"] for step in steps] == ["-P7D", "-P3D", "-P1D", "0", "+P1D", "+P7D", "-PT2H"]


def test_a_fault_of_a_step_names_its_row_and_an_older_form_sees_both(admin):
    form = form_of(admin.get("/admin/ladders/close"))
    wrong = {**form, "steps.0.when": "", "steps.2.amount": "three"}
    assert refused_at(admin.post("/admin/ladders/close", wrong)) == (422, ["steps.2.amount"])
    goes_to(admin.post("/admin/ladders/close", form))
    assert admin.post("/admin/ladders/close", {**form, "steps.0.when": ""}).status_code == 412
    assert admin.get("/admin/ladders/none").status_code == 404


def test_applying_is_shown_first_and_then_done_in_the_background(admin, raise_case, client):
    raise_case()
    form = form_of(admin.get("/admin/ladders/close"))
    goes_to(admin.post("/admin/ladders/close", {**form, "steps.0.when": ""}))
    assert admin.get("/admin/apply/ladder").status_code == 200
    shown = admin.post("/admin/apply/ladder", {"preview": "true", "spread_minutes": "0"})
    assert "1 open case" in shown.text
    path = goes_to(admin.post("/admin/apply/ladder", {"preview": "false", "spread_minutes": "0"}))
    assert "hx-trigger" in admin.get(path).text
    with transaction():
        [one] = applying.list_running()
        while applying.apply_batch(one, clock.now()):
            pass
    done = admin.get(path).text
    assert "hx-trigger" not in done
    assert "1 of 1" in done
    assert refused_at(admin.post("/admin/apply/ladder", {"spread_minutes": "999999"})) == (422, ["spread_minutes"])


def test_pages_open_for_admins_only_in_few_statements(admin, panel, make_user, gold, statements):
    other = panel(make_user("manager"))
    for path in (
        *("/admin/service-levels", "/admin/service-levels/new", gold, f"{gold}/edit"),
        *("/admin/ladders", "/admin/ladders/close", "/admin/apply/zone", "/admin/applications"),
        f"/admin/apply/service_level/{gold.rpartition('/')[2]}",
    ):
        assert other.get(path).status_code == 403
        with statements() as sent:
            assert admin.get(path).status_code == 200
        assert len(sent) <= 6, (path, sent)
