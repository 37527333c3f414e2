"""What is typed is never lost, what changes meanwhile is seen, and a session goes on or ends without harm."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from app import clock
from app.auth.models import PanelSession, User
from app.db import db, transaction
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]
# What the page does every 20 seconds.
REFRESH = "htmx.ajax('GET', document.getElementById('live').getAttribute('hx-get'), {source: '#live', swap: 'none'})"
LONG = "The export stops at midnight.\nAgain, and nobody told them.\n" * 40


@pytest.fixture
def case(raise_case):
    return raise_case(customer_statement="It stops every night")


def refused(panel, status):
    """The console says of each refusal that it was one; nothing else is said there."""
    assert [fault for fault in panel.faults if f"status of {status}" not in fault] == []
    panel.faults.clear()


def test_of_two_who_edit_at_once_the_second_sees_both_versions_and_keeps_their_own(open_panel, company, client, case):
    first, second = (open_panel(user, f"/escalations/{case['id']}/edit") for user in (company.owner, company.manager))
    for panel, title in ((first, "Exports stop at night"), (second, "Exports stop since May")):
        panel.frame.fill("[name=title]", title)
    first.frame.get_by_role("button", name="Keep it").click()
    first.frame.wait_for_selector("h1:has-text('Exports stop at night')")
    second.frame.get_by_role("button", name="Keep it").click()
    both = second.frame.locator(".refusal table")
    both.wait_for()
    assert both.locator("tbody tr").all_inner_texts() == ["Title\tExports stop at night\tExports stop since May"]
    assert second.frame.input_value("[name=title]") == "Exports stop since May"
    refused(second, 412)
    second.frame.get_by_role("button", name="Keep mine").click()
    second.frame.wait_for_selector("h1:has-text('Exports stop since May')")
    assert client.get(f"/api/v1/escalations/{case['id']}").json["title"] == "Exports stop since May"


def test_a_long_text_outlives_a_lost_connection_and_a_look_elsewhere(open_panel, company, client, case):
    panel = open_panel(company.owner, f"/escalations/{case['id']}/comments")
    panel.frame.fill("[name=text]", LONG)
    panel.page.context.set_offline(True)
    panel.frame.get_by_role("button", name="Keep it").click()
    panel.frame.get_by_text("Not connected.").wait_for()
    assert panel.frame.input_value("[name=text]") == LONG
    panel.page.route("**/comments", lambda route: route.abort())
    panel.page.context.set_offline(False)
    panel.frame.get_by_text("Not connected.").wait_for()
    panel.page.unroute("**/comments")
    panel.go("/inbox")
    panel.go(f"/escalations/{case['id']}/comments")
    assert panel.frame.input_value("[name=text]") == LONG
    panel.frame.get_by_role("button", name="Keep it").click()
    panel.frame.wait_for_selector("h1:has-text('Exports fail')")
    events = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    assert [event["texts"]["text"] for event in events if event["kind"] == "comment"] == [LONG.strip()]
    panel.go(f"/escalations/{case['id']}/comments")
    assert panel.frame.input_value("[name=text]") == ""
    panel.faults.clear()


def test_a_refused_form_keeps_its_content_and_names_the_field_above_and_beside(open_panel, company, case):
    panel = open_panel(company.owner, f"/escalations/{case['id']}/assign")
    panel.frame.fill("[name=owner_email]", "nobody@example.com")
    panel.frame.fill("[name=reason]", "She knows exports")
    panel.frame.get_by_role("button", name="Give it on").click()
    told = panel.frame.locator(".refusal a")
    told.wait_for()
    assert panel.frame.evaluate("document.activeElement.matches('.faults')")
    field = panel.frame.locator("[name=owner_email]")
    assert field.get_attribute("aria-invalid") == "true"
    beside = panel.frame.locator(f"#{field.get_attribute('aria-describedby').split()[-1]}")
    assert beside.inner_text() == told.inner_text()
    assert (field.input_value(), panel.frame.input_value("[name=reason]")) == (
        "nobody@example.com",
        "She knows exports",
    )
    told.click()
    assert panel.frame.evaluate("document.activeElement.name") == "owner_email"
    refused(panel, 422)


def test_a_colleagues_work_comes_in_without_touching_what_is_typed(open_panel, company, as_user, case):
    panel = open_panel(company.owner, f"/escalations/{case['id']}")
    note = panel.frame.locator("details", has_text="Write a note among us")
    note.locator("summary").click()
    note.locator("textarea").fill("Half a thou")
    why = panel.frame.locator("#part-facts details").first
    why.locator("summary").click()
    note.locator("textarea").focus()
    done = as_user(company.manager).post(f"/api/v1/escalations/{case['id']}/acknowledge", json={})
    assert done.status_code == 200
    panel.frame.evaluate(REFRESH)
    panel.frame.wait_for_selector(".state:has-text('In progress')")
    panel.frame.get_by_role("button", name="There is something new: show it").wait_for()
    assert panel.frame.evaluate("document.activeElement.value") == "Half a thou"
    assert note.locator("textarea").is_visible()
    assert why.get_attribute("open") is not None
    panel.page.keyboard.type("ght")
    assert note.locator("textarea").input_value() == "Half a thought"


def test_a_session_that_ended_leaves_the_form_and_says_how_to_go_on(open_panel, company, client, case):
    panel = open_panel(company.owner, f"/escalations/{case['id']}/comments")
    panel.frame.fill("[name=text]", LONG)
    with transaction():
        db.session.execute(update(PanelSession).values(expires_at=clock.real_now() - timedelta(seconds=1)))
    panel.frame.get_by_role("button", name="Keep it").click()
    panel.frame.get_by_text("Your session is over.").wait_for()
    assert panel.frame.input_value("[name=text]") == LONG
    assert panel.frame.get_by_role("link", name="Sign in").is_visible()
    refused(panel, 401)


def test_the_page_prints_whole_and_without_what_only_a_screen_can_do(open_panel, company, case):
    panel = open_panel(company.owner, f"/escalations/{case['id']}/print")
    panel.page.emulate_media(media="print")
    main = panel.frame.locator("main").inner_text()
    assert "It stops every night" in main
    assert "What happened" in main
    for hidden in ("nav.top", "form", "button"):
        assert not any(one.is_visible() for one in panel.frame.locator(hidden).all())
    assert len(panel.page.pdf()) > 10_000


def test_times_are_the_viewers_with_the_accounts_beside_them(open_panel, company, client, raise_case):
    zoned = client.put("/api/v1/accounts/crm/A-1", json={"name": "Globex", "timezone": "America/New_York"})
    assert zoned.status_code == 200
    case = raise_case()
    with transaction():
        db.session.execute(update(User).where(User.id == company.owner.id).values(timezone="Asia/Tokyo"))
    panel = open_panel(company.owner, f"/escalations/{case['id']}")
    shown = panel.frame.locator("#part-clocks time").first
    at = datetime.fromisoformat(shown.get_attribute("datetime"))
    mine, theirs = at.astimezone(ZoneInfo("Asia/Tokyo")), at.astimezone(ZoneInfo("America/New_York"))
    said = f"{mine:%a} {mine.day} {mine:%b %Y %H:%M}, your time · {theirs:%H:%M} theirs"
    assert shown.get_attribute("title") == said
    shown.focus()
    assert said in shown.evaluate("one => getComputedStyle(one, '::after').content")


def test_of_two_forms_to_one_address_each_keeps_what_was_typed_into_it(open_panel, company, tenant, client, case):
    acknowledge = client.post(f"/api/v1/escalations/{case['id']}/acknowledge", json={})
    assert acknowledge.status_code == 200
    day = (clock.now() + timedelta(days=9)).date().isoformat()
    promised = {"action": "Watch the disks", "owner_email": company.owner.email, "due_on": day}
    solved = {"summary": "It runs", "root_cause": "Disk", "preventable": True, "prevention": promised}
    waived = [
        {"task_id": one["id"], "reason": "Known"}
        for one in client.get(f"/api/v1/escalations/{case['id']}/tasks?limit=200").json["items"]
        if one["required"] and one["state"] == "open"
    ]
    waived += [
        {"criterion": one["key"], "reason": "Known"}
        for one in client.get(f"/api/v1/escalations/{case['id']}/exit-criteria").json["items"]
    ]
    done = client.post(f"/api/v1/escalations/{case['id']}/resolve", json={**solved, "waived": waived})
    assert done.status_code == 200, done.text
    action = client.get("/api/v1/prevention-actions").json["items"][0]
    panel = open_panel(company.owner, "/mine")
    panel.frame.get_by_role("heading", name="Promised prevention").wait_for()
    panel.frame.get_by_role("link", name="Watch the disks").click()
    panel.frame.wait_for_selector("h1:has-text('Watch the disks')")
    for folded in panel.frame.locator("main details").all():
        folded.locator("summary").click()
    panel.frame.fill("[name=owner_email]", company.csm.email)
    panel.frame.fill("[name=reason]", "It was the wrong disk")
    panel.go("/inbox")
    panel.go(f"/prevention/{action['id']}")
    assert panel.frame.input_value("[name=owner_email]") == company.csm.email
    assert panel.frame.input_value("[name=reason]") == "It was the wrong disk"


def test_more_of_a_list_comes_below_what_is_there(open_panel, tenant, client):
    for number in range(52):
        made = client.post("/api/v1/skills", json={"name": f"Skill {number:02}"})
        assert made.status_code == 201
    panel = open_panel(tenant.admin, "/admin/skills")
    rows = panel.frame.locator("main ul.rows > li[data-row]")
    assert rows.count() == 50
    more = panel.frame.get_by_role("button", name="More")
    more.click()
    more.wait_for(state="detached")
    assert rows.count() == 52
    assert rows.last.inner_text().startswith("Skill 51")
    assert rows.nth(50).locator("a").evaluate("one => one === document.activeElement")
