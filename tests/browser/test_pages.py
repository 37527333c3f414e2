"""Every page of the panel, found by following its links: axe finds no grave fault in light and dark, nothing is wider
than 320 px, and what people wrote stays text."""

from collections import deque

import pytest
from axe_playwright_python.sync_playwright import Axe

from app import clock
from app.http.panels import PanelBlueprint
from app.reports.jobs import fold_tenant
from app.routing import jobs
from tests.browser.furnished import do, furnish, furnish_reports
from tests.escalations.conftest import company, raise_case
from tests.panels.test_team import away, returned

__all__ = ["away", "company", "raise_case", "returned"]

# What people may write: it stays text.
HOSTILE = '<img src=x onerror=alert(1)><script src=x></script> "quoted" & <b>bold</b>'
# Parts of pages, asked for by them and never opened by an address of their own.
PARTS = {
    "panel_accounts.more_ended", "panel_accounts.more_open", "panel_cases.link_file", "panel_cases.live",
    "panel_cases.timeline", "panel_outages.timeline", "admin_users.more_absences", "panel_session.missing",
    "admin_imports.progress", "admin_imports.show_list", "admin_trying_rules.find_accounts",
    "admin_trying_rules.progress", "admin_trying_rules.list_cases", "admin_trying_rules.list_loads",
    "reports_summary.show_value", "reports_summary.show_outlook", "reports_foresight.more_cases",
    "reports_foresight.more_accounts", "report_exports_pages.show_progress", "report_exports_pages.link_file",
}  # fmt: skip
# Opens a page and answers its links and what is wrong with it.
VISIT = """async (path) => {
  const page = document.getElementById("page");
  const settled = new Promise((done) => {
    const heard = (event) => {
      if (event.detail.target !== page) return;
      document.removeEventListener("htmx:afterSettle", heard);
      done();
    };
    document.addEventListener("htmx:afterSettle", heard);
  });
  if (location.hash !== "#" + path) location.hash = path; else return null;
  await settled;
  await new Promise((done) => setTimeout(done, 0));
  for (const part of page.querySelectorAll("details:not([open])")) part.open = true;
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return {
    heading: document.querySelector("h1")?.innerText ?? "",
    links: [...document.querySelectorAll("a[href^='#/']")].map((link) => link.getAttribute("href").slice(1)),
    wide: document.documentElement.scrollWidth - innerWidth,
    twice: ids.filter((id, at) => ids.indexOf(id) !== at),
    refused: page.querySelector("[data-refused]") && page.querySelector("main").innerText,
    alive: page.querySelectorAll("img, script, [onerror], main b > b").length,
    begun: document.querySelectorAll("[autofocus]").length,
    faults: found.violations,
  };
}"""
CONTRAST = """async () => (await axe.run(document, {
  runOnly: ["color-contrast"], resultTypes: ["violations"], preload: false })).violations"""


def told(violations):
    """The grave ones, each with where it is."""
    return [
        f"{one['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:4]
    ]


@pytest.fixture
def endpoint_of(app):
    """The page behind an address; forms of a case are told apart."""
    adapter = app.url_map.bind("")

    def find(path):
        endpoint, values = adapter.match("/panel" + path.split("?")[0])
        form = values.get("action") or values.get("form")
        return f"{endpoint}:{form}" if form else endpoint

    return find


def walk(panel, endpoint_of, more=()):
    """Each page that links lead to, once for each endpoint, and the cases in every state; in the dark once for each."""
    waiting, seen, walked = deque(["/admin", "/mine", "/team", *more]), set(), {}
    while waiting:
        path = waiting.popleft()
        endpoint = endpoint_of(path)
        often = 8 if endpoint == "panel_cases.show" else 1
        if path in seen or sum(1 for one in walked.values() if one[0] == endpoint) >= often:
            continue
        seen.add(path)
        answer = panel.frame.evaluate(VISIT, path)
        if answer is None:
            continue
        if endpoint not in {one for one, _ in walked.values()}:
            panel.page.emulate_media(color_scheme="dark")
            answer["faults"] += panel.frame.evaluate(CONTRAST)
            panel.page.emulate_media(color_scheme="light")
        walked[path] = (endpoint, answer)
        waiting.extend(answer["links"])
    return walked


def test_every_page_is_led_to_and_none_has_a_grave_fault(
    app, open_panel, client, company, raise_case, tenant, endpoint_of, returned
):
    led_to = furnish(client, company, raise_case, clock.real_now().date(), HOSTILE)
    simulate(client, tenant)
    fold_tenant(tenant.id)
    furnish_reports(client, HOSTILE)
    panel = open_panel(tenant.admin, "/inbox", width=320)
    panel.frame.evaluate(Axe().axe_script)
    asked = []
    panel.page.on("request", lambda request: asked.append(request.url))
    panel.page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    walked = walk(panel, endpoint_of, ["/accounts/by/crm/A-1", returned[1], *led_to])
    faults = {}
    for path, (endpoint, answer) in walked.items():
        here = told(answer["faults"])
        here += [f"{answer['wide']} px too wide"] if answer["wide"] > 0 else []
        here += [f"id twice: {one}" for one in answer["twice"]]
        here += [answer["refused"]] if answer["refused"] else []
        here += ["what was written is no longer text"] if answer["alive"] else []
        here += ["autofocus"] if answer["begun"] else []
        if here:
            faults[f"{endpoint} {path}"] = here
    assert faults == {}
    missed = pages(app) - {endpoint.split(":")[0] for endpoint, _ in walked.values()} - PARTS
    assert missed == set()
    assert [url for url in asked if "/panel/" not in url] == []


def simulate(client, tenant):
    """A draft of the rules, tried on the past."""
    rules = [{"name": "csm", "when": {"all": []}, "target": {"kind": "role", "role": "csm"}}]
    number = do(client, "routing/policy", {"rules": rules}, method="PUT")["draft"]["number"]
    do(client, "routing/simulate", {"number": number})
    jobs.simulate_tenant(tenant.id)


def pages(app):
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and isinstance(app.blueprints.get(rule.endpoint.rpartition(".")[0]), PanelBlueprint)
    }
