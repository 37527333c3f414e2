"""The executive's pages: figures worked out by hand, doors to their rows, and calm answers where there are none."""

import re

from app.reports.figures import FIGURES


def test_what_the_figures_mean_stands_on_a_page(panel, company):
    shown = panel(company.boss).get("/reports/definitions")
    assert shown.status_code == 200
    assert "never 0, never guessed" in shown.text
    assert "two readers&#39; totals can differ" in shown.text
    assert set(re.findall(r'id="d-([a-z_0-9]+)"', shown.text)) == set(FIGURES)
