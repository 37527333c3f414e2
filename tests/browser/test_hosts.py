"""Whom the panel hears: the page that embeds it, from its origin and with this panel's word, and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app import clock
from app.auth import panel_sessions
from app.auth.models import PanelLaunch, PanelSession
from app.db import db, transaction
from tests.browser.conftest import allow_origin
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]
# A host's page: it keeps what the panel says, and answers a request for a launch with the one it was given.
HOST = """<script>
  const heard = [];
  let answer = null;
  const panel = () => document.querySelector("iframe").contentWindow;
  const say = (token, nonce, by) => by.postMessage(
    { source: "escalations-panel-host", v: 1, type: "token", token, nonce }, "*");
  addEventListener("message", (event) => {
    heard.push(event.data);
    if (event.data.type === "token-request" && answer) say(answer, event.data.nonce, event.source);
  });
</script>"""
# Another frame of the host's page says the same to the panel: it is not the page that embeds it.
SIBLING = """([token, nonce]) => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.srcdoc = "<p>";
  frame.onload = () => {
    const script = frame.contentDocument.createElement("script");
    script.textContent = `parent.frames[0].postMessage({source: "escalations-panel-host", v: 1, type: "token",
      token: "${token}", nonce: "${nonce}"}, "*")`;
    frame.contentDocument.body.append(script);
    done();
  };
  document.body.append(frame);
})"""


@pytest.fixture
def new_launch(tenant, crm):
    """`new_launch(user)`: a launch as the host's server gets one."""

    def make(user, origin=None):
        with transaction(tenant=tenant.id):
            return panel_sessions.launch(user.id, origin=origin or crm.address, renewal="host", now=clock.real_now())

    return make


@pytest.fixture
def embed(browser, server, crm, tenant):
    """`embed(launch)`: the host's page around a panel that it renews."""
    context = browser.new_context()

    def open_page(launch):
        allow_origin(tenant.id, crm.address)
        src = f"{server}/panel/t/{tenant.id}#t={launch}"
        crm.pages["/host"] = f"<title>CRM</title>{HOST}<iframe style='width:700px;height:700px' src='{src}'></iframe>"
        page = context.new_page()
        page.goto(f"{crm.address}/host")
        page.frames[1].wait_for_selector("h1:has-text('My work')")
        return page

    yield open_page
    context.close()


def unused():
    with transaction():
        return db.session.scalar(select(func.count()).select_from(PanelLaunch))


def nonce_of(page):
    page.wait_for_function("heard.length > 0")
    return page.evaluate("heard[0].nonce")


def test_a_host_renews_the_session_before_it_ends_and_what_is_typed_stays(embed, new_launch, company, raise_case):
    case = raise_case()
    page = embed(new_launch(company.owner))
    frame = page.frames[1]
    frame.evaluate("path => { location.hash = path }", f"/escalations/{case['id']}/comments")
    frame.fill("[name=text]", "Half a thought")
    page.evaluate("token => { answer = token }", new_launch(company.owner))
    with transaction():
        db.session.execute(update(PanelSession).values(expires_at=clock.real_now() - timedelta(seconds=1)))
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(minutes=9, seconds=30))
    frame.get_by_role("button", name="Keep it").click()
    frame.wait_for_selector("h1:has-text('Exports fail')")
    assert "Half a thought" in frame.locator("main").inner_text()
    assert "token-request" in page.evaluate("heard.map((one) => one.type)")
    assert unused() == 0


@pytest.mark.parametrize("nonce", ["wrong", "", None])
def test_a_launch_without_the_panels_word_is_not_taken(embed, new_launch, company, make_user, nonce):
    page = embed(new_launch(company.owner))
    page.evaluate("([token, nonce]) => say(token, nonce, panel())", [new_launch(make_user()), nonce])
    page.wait_for_timeout(300)
    assert unused() == 1


def test_another_frame_of_the_hosts_page_is_not_the_host(embed, new_launch, company, make_user):
    page = embed(new_launch(company.owner))
    token = new_launch(make_user())
    page.evaluate(SIBLING, [token, nonce_of(page)])
    page.wait_for_timeout(300)
    assert unused() == 1
    page.evaluate("([token, nonce]) => say(token, nonce, panel())", [token, nonce_of(page)])
    page.wait_for_timeout(500)
    assert unused() == 0


def test_a_page_that_embeds_what_was_opened_for_another_is_neither_heard_nor_spoken_to(
    embed, new_launch, company, make_user
):
    page = embed(new_launch(company.owner, origin="https://crm.example"))
    told = page.evaluate("heard.length")
    page.evaluate("([token, nonce]) => say(token, nonce, panel())", [new_launch(make_user()), nonce_of(page)])
    page.frames[1].evaluate("location.hash = '/inbox'")
    page.frames[1].wait_for_selector("h1:has-text('Inbox')")
    page.wait_for_timeout(300)
    assert unused() == 1
    assert "open" not in page.evaluate("heard.map((one) => one.type)")
    assert told >= 1
