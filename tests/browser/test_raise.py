"""Raising in a real browser: by keyboard alone, with what is typed never lost, and who will own it shown before."""

import re

import pytest

from tests.escalations.conftest import company, raise_case
from tests.panels.test_raise import publish

__all__ = ["company", "raise_case"]
WORDS = "Exports fail since Monday. Finance cannot close the month."


@pytest.mark.parametrize("sandbox", [None, "allow-scripts"])
def test_by_keyboard_alone_from_the_account_to_the_new_case(open_panel, client, company, sandbox):
    framed = {"framed": True, "sandbox": sandbox} if sandbox else {}
    panel = open_panel(company.owner, path=f"/accounts/{company.account_id}", width=320, **framed)
    panel.frame.locator("main").focus()
    keyboard = panel.page.keyboard
    keyboard.press("r")
    panel.frame.wait_for_selector("#f-customer_statement:focus")
    keyboard.type(WORDS)
    keyboard.press("Tab")
    keyboard.type("They cannot invoice")
    keyboard.press("Tab")
    keyboard.press("Tab")
    keyboard.press("ArrowUp")
    panel.frame.locator("#ahead", has_text="Title: Exports fail since Monday").wait_for()
    assert "It goes to Owner: owns the account" in panel.frame.locator("#ahead").inner_text()
    keyboard.press("Control+Enter")
    panel.frame.locator("h1", has_text="Exports fail since Monday").wait_for()
    found = client.get("/api/v1/escalations").json["items"]
    assert [(one["title"], one["severity"]) for one in found] == [("Exports fail since Monday", 2)]


def test_answers_survive_another_reason_and_a_visit_elsewhere(open_panel, client, company):
    publish(client, questions=[{"key": "invoice", "ask": "Which invoice?", "reasons": ["billing"], "required": False}])
    panel = open_panel(company.owner, path=f"/accounts/{company.account_id}/raise")
    answer = panel.frame.locator("[name='answers.invoice']")
    panel.frame.fill("#f-customer_statement", WORDS)
    panel.frame.select_option("#f-reason", "billing")
    answer.fill("R-2041")
    panel.frame.select_option("#f-reason", "security")
    answer.wait_for(state="detached")
    panel.frame.select_option("#f-reason", "billing")
    answer.wait_for()
    assert answer.input_value() == "R-2041"
    panel.go("/inbox")
    panel.page.go_back()
    answer.wait_for()
    panel.settle()
    assert answer.input_value() == "R-2041"
    assert panel.frame.input_value("#f-customer_statement") == WORDS


def test_what_is_refused_is_said_beside_its_field_even_where_that_is_folded_away(open_panel, company):
    panel = open_panel(company.owner, path=f"/accounts/{company.account_id}/raise")
    panel.frame.fill("#f-customer_statement", WORDS)
    panel.frame.click("details.rest summary")
    panel.frame.fill("#f-about_user", "nobody@example.com")
    panel.frame.click("details.rest summary")
    panel.frame.click("form.raise button[type=submit]")
    panel.frame.locator("details.rest[open] p.fault", has_text="expected the e-mail of a user").wait_for()
    assert panel.frame.input_value("#f-customer_statement") == WORDS
    refused = [fault for fault in panel.faults if re.search("422", fault)]
    assert len(refused) == len(panel.faults) == 1
    panel.faults.clear()
