"""The shell in a real browser: in a tab, in another site's frame, and in sandboxes with an opaque origin."""

import pytest
from sqlalchemy import select

from app.auth.models import PanelSession
from app.db import db, transaction
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]
SANDBOXES = [None, "allow-scripts allow-forms allow-same-origin", "allow-scripts allow-forms", "allow-scripts"]


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_the_panel_opens_and_acts_in_another_sites_frame(open_panel, client, company, raise_case, sandbox):
    case = raise_case()
    panel = open_panel(company.owner, framed=True, sandbox=sandbox)
    assert panel.frame.locator("h1").inner_text() == "My work"
    panel.frame.get_by_role("button", name="Acknowledge").click()
    panel.frame.get_by_role("link", name="Write an update").wait_for()
    assert client.get(f"/api/v1/escalations/{case['id']}").json["status"] == "in_progress"
    assert panel.page.context.cookies() == []
    opaque = sandbox is not None and "allow-same-origin" not in sandbox
    assert panel.frame.evaluate("window.origin") == ("null" if opaque else panel.frame.url.split("/panel")[0])


def test_the_launch_leaves_the_address_at_once_and_back_and_forward_work(open_panel, company):
    panel = open_panel(company.owner)
    assert "t=fl_" not in panel.frame.url
    panel.go("/inbox")
    panel.page.go_back()
    panel.frame.wait_for_selector("h1:has-text('My work')")
    panel.page.go_forward()
    panel.frame.wait_for_selector("h1:has-text('Inbox')")
    assert panel.page.title() == "Inbox · Firsthand"


def test_a_site_that_is_not_named_may_not_embed_the_panel(open_panel, client, company, crm, tenant):
    etag = client.get("/api/v1/settings").headers["ETag"]
    panel = open_panel(company.owner, framed=True)
    crm.pages["/other"] = crm.pages["/record"]
    settings = client.get("/api/v1/settings")
    assert etag
    changed = client.patch(
        "/api/v1/settings", json={"embed_origins": ["https://other.example"]}, if_match=settings.headers["ETag"]
    )
    assert changed.status_code == 200
    panel.page.goto(f"{crm.address}/other")
    panel.page.wait_for_timeout(300)
    refused = [fault for fault in panel.faults if "frame-ancestors" in fault]
    assert refused
    panel.faults.clear()


def test_the_keyboard_alone_moves_opens_and_acknowledges(open_panel, client, company, raise_case):
    case = raise_case()
    panel = open_panel(company.owner)
    panel.page.keyboard.press("j")
    assert "Exports fail" in panel.frame.evaluate("document.activeElement.closest('[data-row]').innerText")
    rows = panel.frame.locator("[data-row]").count()
    for _ in range(rows):
        if panel.frame.evaluate("!!document.activeElement.closest('[data-row]').querySelector('[data-key=a]')"):
            break
        panel.page.keyboard.press("j")
    panel.page.keyboard.press("a")
    panel.frame.get_by_role("link", name="Write an update").wait_for()
    assert client.get(f"/api/v1/escalations/{case['id']}").json["status"] == "in_progress"


def test_a_lost_connection_is_told_and_the_same_request_is_sent_again_once(open_panel, client, company, raise_case):
    case = raise_case()
    panel = open_panel(company.owner)
    panel.page.context.set_offline(True)
    panel.frame.get_by_role("button", name="Acknowledge").click()
    panel.frame.get_by_text("Not connected.").wait_for()
    panel.page.context.set_offline(False)
    panel.frame.get_by_role("link", name="Write an update").wait_for()
    events = client.get(f"/api/v1/escalations/{case['id']}/timeline").json["items"]
    assert [event["kind"] for event in events].count("acknowledge") == 1
    panel.faults.clear()


def test_when_the_session_ends_what_was_open_stays_and_says_how_to_go_on(open_panel, company):
    panel = open_panel(company.owner)
    panel.frame.evaluate("fetch('/panel/session/end')")
    panel.page.route("**/panel/inbox", lambda route: route.fulfill(status=401, body=""))
    panel.frame.evaluate("location.hash = '/inbox'")
    panel.frame.get_by_text("Signed out").wait_for()
    panel.faults.clear()


def test_signing_out_ends_the_session_and_a_panel_in_a_frame_leaves_that_to_its_host(open_panel, company):
    assert open_panel(company.owner, framed=True).frame.locator("[data-sign-out]").is_hidden()
    panel = open_panel(company.owner)
    panel.frame.get_by_role("button", name="Sign out").click()
    panel.frame.get_by_text("You have signed out of this panel.").wait_for()
    with transaction():
        assert [one.user_id for one in db.session.scalars(select(PanelSession))] == [company.owner.id]


def test_signing_out_leaves_nothing_to_read(open_panel, company, raise_case):
    case = raise_case()
    panel = open_panel(company.owner)
    panel.go(f"/escalations/{case['id']}/comments")
    panel.frame.get_by_role("button", name="Sign out").click()
    panel.frame.get_by_text("You have signed out of this panel.").wait_for()
    assert "Exports fail" not in panel.frame.locator("body").inner_text()


@pytest.mark.parametrize("way", ["/..", "/%2e%2e", "/\\..\\..", "/mine/../.."])
def test_no_address_leads_out_of_the_panel_where_somebodys_file_would_act_in_its_readers_name(
    open_panel, client, company, raise_case, way
):
    path = f"/api/v1/escalations/{raise_case()['id']}"
    file = f'<main hx-post="/panel/{path[8:]}/comments" hx-trigger="load" hx-vals=\'{{"text": "not mine"}}\'></main>'
    made = client.post(f"{path}/attachments?filename=log.txt", data=file.encode(), content_type="text/plain").json
    url = client.get(f"{path}/attachments/{made['id']}/link").json["url"]
    panel = open_panel(company.owner)
    asked = []
    panel.page.on("request", lambda request: asked.append(request.url))
    panel.frame.evaluate("path => { location.hash = path }", f"{way}/attachments/{url.rpartition('/')[2]}")
    panel.go("/inbox")
    assert [one for one in asked if "/attachments/" in one] == []
    assert "not mine" not in client.get(f"{path}/timeline").text


def test_the_host_is_asked_for_a_new_launch_and_no_other_page_is_heard(open_panel, company):
    """The host answers `token-request` with something that is no launch: the panel says so and stays closed."""
    heard = """<script>
    window.heard = [];
    addEventListener('message', (event) => { window.heard.push([event.origin, event.data.type]);
      event.source.postMessage({source: 'escalations-panel-host', v: 1, type: 'token', token: 'fl_x', nonce: 'wrong'},
                               '*'); });
    </script>"""
    panel = open_panel(company.owner, framed=True, script=heard)
    panel.page.wait_for_timeout(200)
    kinds = {kind for _, kind in panel.page.evaluate("window.heard")}
    assert {"resize"} <= kinds <= {"ready", "resize", "open"}
    assert panel.frame.locator("h1").inner_text() == "My work"
