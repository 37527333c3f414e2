"""The whole journey of a case through the pages, inside another site's frame and its sandboxes, from narrow to wide."""

import pytest

from app import clock
from tests.browser.hands import Mouse
from tests.browser.journey import Journey
from tests.escalations.conftest import company

__all__ = ["company"]


@pytest.mark.parametrize(
    ("width", "sandbox"), [(320, "allow-scripts allow-forms"), (768, "allow-scripts"), (1280, None)]
)
def test_a_case_goes_from_the_customers_words_to_their_word_on_it(open_panel, client, company, account, width, sandbox):
    panel = open_panel(company.owner, f"/accounts/{account}", framed=True, sandbox=sandbox, width=width)
    panel.page.set_default_timeout(8000)
    Journey(panel, client, Mouse()).whole(clock.real_now().date())
    assert panel.frame.evaluate("window.origin") == (panel.frame.url.split("/panel")[0] if sandbox is None else "null")
    assert panel.page.context.storage_state() == {"cookies": [], "origins": []}
