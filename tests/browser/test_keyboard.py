"""With the keyboard alone: each stop is seen, and after each step one stands in a sensible place."""

from app import clock
from tests.browser.hands import Keys
from tests.browser.journey import Journey
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


def test_a_case_is_worked_to_its_end_with_the_keyboard_alone(open_panel, client, company, account):
    panel = open_panel(company.owner, f"/accounts/{account}")
    panel.page.set_default_timeout(8000)
    Journey(panel, client, Keys(panel.page)).whole(clock.real_now().date())


def test_in_my_work_letters_move_acknowledge_and_write(open_panel, client, company, raise_case):
    cases = [raise_case(title=title) for title in ("Exports fail", "Imports fail")]
    panel = open_panel(company.owner)
    press = panel.page.keyboard.press
    here = "document.activeElement.closest('[data-row]')?.querySelector('a').innerText"
    press("j")
    first = panel.frame.evaluate(here)
    press("j")
    second = panel.frame.evaluate(here)
    assert {first, second} == {"Exports fail", "Imports fail"}
    press("k")
    assert panel.frame.evaluate(here) == first
    press("a")
    row = panel.frame.locator("[data-row]", has_text=first)
    row.get_by_role("link", name="Write an update").wait_for()
    panel.settle()
    panel.frame.wait_for_selector(f"[data-row]:focus-within:has-text('{first}')")
    press("e")
    panel.frame.wait_for_selector("h1:has-text('Write an update')")
    panel.settle()
    acknowledged = {case["title"]: client.get(f"/api/v1/escalations/{case['id']}").json["status"] for case in cases}
    assert acknowledged == {first: "in_progress", second: "open"}


def test_a_question_before_what_is_for_good_is_answered_and_left_by_keyboard(open_panel, client, company, tenant):
    made = client.post("/api/v1/skills", json={"name": "German"}).json
    panel = open_panel(tenant.admin, f"/admin/skills/{made['id']}")
    asking = panel.frame.locator("form[data-confirm] button[type=submit]").first
    keys = Keys(panel.page)
    keys.press(asking)
    panel.frame.wait_for_selector("dialog[open]")
    panel.page.keyboard.press("Escape")
    panel.frame.wait_for_selector("dialog:not([open])", state="attached")
    assert asking.evaluate("one => one === document.activeElement")
    assert [one["name"] for one in client.get("/api/v1/skills").json["items"]] == ["German"]
