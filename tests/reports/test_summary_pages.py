"""The executive's pages: figures worked out by hand, doors to their rows, and calm answers where there are none."""

import re

from app.reports.figures import FIGURES
from tests.escalations.story import march


def test_what_the_figures_mean_stands_on_a_page(panel, company):
    shown = panel(company.boss).get("/reports/definitions")
    assert shown.status_code == 200
    assert "never 0, never guessed" in shown.text
    assert "two readers&#39; totals can differ" in shown.text
    assert set(re.findall(r'id="d-([a-z_0-9]+)"', shown.text)) == set(FIGURES)


def test_the_summary_begins_with_one_sentence(panel, company, story, fold):
    story("2 10:00")
    fold("20 10:00")
    shown = panel(company.boss).get(f"/reports?as_of={march('20 9:00'):%Y-%m-%dT%H:%M}")
    assert shown.status_code == 200, shown.text
    assert panel(company.boss).get("/reports/value?as_of=2026-03-20T09:00").status_code == 200
    assert panel(company.boss).get("/reports/rows?figure=open&as_of=2026-03-20T09:00").status_code == 200
    assert panel(company.boss).get("/reports/rows?figure=value_at_stake&as_of=2026-03-20T09:00").status_code == 200
