"""A CRM's page posts what it signed into a frame of its own, as Salesforce and Zendesk do, and the panel opens there.

The hosts have their real names: the browser's requests to them are answered by the test, ours by our server.
"""

import json
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app.auth import panel_sessions
from tests.panels.embedding import AGENT, RECORD, Salesforce, Zendesk, connect

OURS = "https://firsthand.example"
LIGHTNING = "https://acme.lightning.force.com/record"
ZENDESK = "https://acme.zendesk.com/agent/tickets/1"
FORM = """<!doctype html><title>CRM</title>
<iframe name="panel" style="border:0;width:400px;height:700px"></iframe>
<form method="post" target="panel" action="{action}"><input type="hidden" name="{name}" value="{value}"></form>
<script>{script}</script>
<script>document.forms[0].submit()</script>"""
# What Zendesk's framework answers to an app in its frame: that it is there and where, then what it is asked for.
FRAMEWORK = """
const asked = [];
addEventListener("message", (event) => {
  if (event.origin !== "%s" || typeof event.data !== "string") return;
  const said = JSON.parse(event.data);
  asked.push(said);
  const answer = (value) => event.source.postMessage(JSON.stringify(value), event.origin);
  if (said.key === "iframe.handshake")
    answer({ key: "zaf.app.registered", message: { context: { location: "ticket_sidebar" }, metadata: {} } });
  if (said.request === "get") answer({ id: said.id, result: { "ticket.organization": %s } });
});
"""


@pytest.fixture
def cora(make_user):
    return make_user(email="cora@example.com", name="Cora Csm")


@pytest.fixture
def visit(browser, server):
    """`visit(address, html)`: a page of somebody's host; what it asks of ours goes to our server.

    The page may call the functions named beside.
    """
    context = browser.new_context()

    def ours(route):
        path = route.request.url.removeprefix(OURS)
        route.fulfill(response=route.fetch(url=f"{server}{path}", max_redirects=0))

    context.route(f"{OURS}/**", ours)

    def open_page(address, html, **functions):
        for name, function in functions.items():
            context.expose_function(name, function)
        context.route(address, lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=html))
        page = context.new_page()
        page.goto(address)
        return page

    yield open_page
    context.unroute_all(behavior="ignoreErrors")
    context.close()


def canvas(crm, **options):
    return FORM.format(action=f"{OURS}{crm.path}", name="signed_request", value=crm.signed(**options), script="")


def panel_in(page):
    return page.frame_locator("iframe")


def test_salesforces_page_shows_the_account_of_its_record(app, client, cora, visit):
    client.put(f"/api/v1/accounts/salesforce/{RECORD}", json={"name": "Globex"})
    page = visit(LIGHTNING, canvas(Salesforce(app, connect(client, "salesforce"))))
    expect(panel_in(page).locator("h1")).to_contain_text("Globex")
    frame = page.frames[1]
    assert "fl_" not in frame.url
    assert frame.evaluate("document.documentElement.dataset.launch ?? null") is None
    assert page.context.cookies() == []


def test_a_page_that_salesforce_did_not_vouch_for_shows_nothing_of_the_panel(app, client, cora, visit):
    client.put(f"/api/v1/accounts/salesforce/{RECORD}", json={"name": "Globex"})
    page = visit("https://evil.example/", canvas(Salesforce(app, connect(client, "salesforce"))))
    page.wait_for_timeout(1000)
    assert page.frames[1].evaluate("document.body?.innerText ?? ''").find("Globex") == -1
    assert page.frames[1].url.startswith("chrome-error:")


def test_who_is_not_known_reads_what_to_ask_whom_inside_the_crm(app, client, visit):
    page = visit(LIGHTNING, canvas(Salesforce(app, connect(client, "salesforce"))))
    expect(panel_in(page).locator("h1")).to_have_text("You are not known to Firsthand yet")
    expect(panel_in(page).locator("dl")).to_contain_text("cora@example.com")


@pytest.fixture
def zendesk(app, client, cora):
    made = connect(client, "zendesk")
    client.put(f"/api/v1/embed-installations/{made['id']}/identities/{AGENT}", json={"user_email": cora.email})
    return Zendesk(app, made)


def ticket(crm, organization):
    action = f"{OURS}{crm.path}?origin=https%3A%2F%2Facme.zendesk.com&app_guid=b3f1"
    script = FRAMEWORK % (OURS, json.dumps(organization))
    return FORM.format(action=action, name="token", value=crm.token(), script=script)


def test_zendesks_page_is_asked_for_the_organization_of_its_ticket(client, zendesk, visit):
    client.put("/api/v1/accounts/zendesk/360001", json={"name": "Hooli"})
    page = visit(ZENDESK, ticket(zendesk, {"id": 360001, "name": "Hooli"}))
    expect(panel_in(page).locator("h1")).to_contain_text("Hooli")
    asked = page.evaluate("asked")
    assert [said.get("key") or said["params"] for said in asked] == ["iframe.handshake", ["ticket.organization"]]
    assert {said["appGuid"] for said in asked} == {"b3f1"}


@pytest.mark.parametrize("organization", [None, {"id": "../../inbox", "name": "x"}, {}, []])
def test_a_ticket_without_an_organization_stays_at_my_work(zendesk, visit, organization):
    page = visit(ZENDESK, ticket(zendesk, organization))
    expect(panel_in(page).locator("h1")).to_contain_text("My work")
    page.wait_for_function("asked.length === 2")
    assert page.frames[1].url.endswith("#/mine")


def test_an_organization_that_is_not_here_says_how_it_gets_here(zendesk, visit):
    page = visit(ZENDESK, ticket(zendesk, {"id": 360002, "name": "Initech"}))
    expect(panel_in(page).locator("h1")).to_have_text("This record is not here yet")


# What a Lightning component does: the frame's sandbox gives it no origin of its own, so messages go by its window.
HOST = """<!doctype html><title>CRM</title>
<iframe sandbox="allow-scripts" style="border:0;width:400px;height:700px" src="{address}"></iframe>
<script>
const asked = [];
addEventListener("message", async (event) => {{
  const frame = document.querySelector("iframe").contentWindow;
  const said = event.data;
  if (event.source !== frame || event.origin !== "null" || said?.source !== "escalations-panel") return;
  asked.push(said.type);
  if (said.type !== "token-request") return;
  const token = await newLaunch();
  frame.postMessage({{ source: "escalations-panel-host", v: 1, type: "token", nonce: said.nonce, token }}, "*");
}});
</script>"""


def test_a_page_around_a_sandboxed_panel_brings_it_one_session_after_another(
    client, cora, as_user, make_user, visit, monkeypatch
):
    """Sessions are of half a minute here, so that the panel asks for the next before each page."""
    monkeypatch.setattr(panel_sessions, "SESSION_LIFETIME", timedelta(seconds=30))
    origin = LIGHTNING.removesuffix("/record")
    etag = client.get("/api/v1/settings").headers["ETag"]
    client.patch("/api/v1/settings", json={"embed_origins": [origin]}, if_match=etag)
    client.put(f"/api/v1/accounts/salesforce/{RECORD}", json={"name": "Globex"})
    backend = as_user(make_user("integration"), scopes=["panels:launch"])
    body = {
        "user": {"email": cora.email},
        "account": {"source": "salesforce", "external_id": RECORD[:15]},
        "origin": origin,
    }
    launches = []

    def new_launch():
        launches.append(backend.post("/api/v1/embed/sessions", json=body).json)
        return launches[-1]["token"]

    new_launch()
    address = f"{OURS}/panel{launches[0]['launch_url'].partition('/panel')[2]}"
    page = visit(LIGHTNING, HOST.format(address=address), newLaunch=new_launch)
    expect(panel_in(page).locator("h1")).to_contain_text("Globex")
    frame = page.frames[1]
    assert frame.evaluate("self.origin") == "null"
    for path, title in (("/inbox", "Inbox"), ("/mine", "My work")):
        before = len(launches)
        frame.evaluate("path => { location.hash = path }", path)
        expect(panel_in(page).locator("h1")).to_contain_text(title)
        assert len(launches) > before
    assert page.evaluate("asked[0]") == "ready"
