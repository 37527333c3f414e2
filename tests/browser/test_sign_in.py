"""Signing in without a CRM in a real browser, whose cookies and redirects are its own."""

from ipaddress import ip_network

import pytest

from tests.auth.provider import CLIENT_ID, CLIENT_SECRET, providing


@pytest.fixture
def provider(app, server, client, monkeypatch):
    """On another site than ours, and entered."""
    monkeypatch.setitem(app.config, "BASE_URL", server)
    monkeypatch.setitem(app.config, "PRIVATE_NETWORKS", (ip_network("127.0.0.0/8"), ip_network("::1/128")))
    person = {"sub": "c-1", "email": "cora@example.com", "email_verified": True}
    with providing(host="localhost", person=person) as made:
        body = {"issuer": made.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        assert client.put("/api/v1/identity-provider", json=body).status_code == 201
        yield made


@pytest.fixture
def page(browser):
    context = browser.new_context(locale="en-GB")
    yield context.new_page()
    context.close()


def test_who_follows_the_address_of_the_sign_in_sits_at_the_panel_without_a_cookie(
    page, provider, server, tenant, make_user
):
    make_user("csm", "cora@example.com")
    page.goto(f"{server}/auth/{tenant.id.hex}/sign-in?next=/inbox")
    page.wait_for_selector("h1:has-text('Inbox')")
    assert page.url == f"{server}/panel/t/{tenant.id}#/inbox"
    assert page.context.cookies() == []


def test_who_is_not_known_reads_why_and_comes_in_once_they_are(page, provider, server, tenant, make_user):
    page.goto(f"{server}/auth/{tenant.id.hex}/sign-in")
    assert page.locator("h1").inner_text() == "You are not known here yet"
    assert "cora@example.com" in page.locator("main").inner_text()
    assert page.context.cookies() == []
    make_user("csm", "cora@example.com")
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_selector("h1:has-text('My work')")


def test_a_panel_left_behind_leads_to_the_sign_in(page, provider, server, tenant, make_user):
    make_user("csm", "cora@example.com")
    page.goto(f"{server}/panel/t/{tenant.id}")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    opened.value.wait_for_selector("h1:has-text('My work')")


def test_the_way_out_leads_back_in(page, provider, server, tenant, make_user):
    make_user("csm", "cora@example.com")
    page.goto(f"{server}/auth/{tenant.id.hex}/sign-out")
    assert page.get_by_role("link", name="Sign out of localhost, too").is_visible()
    page.get_by_role("link", name="Sign in again").click()
    page.wait_for_selector("h1:has-text('My work')")
