"""The pages of owners and causes say by hand-told figures what would help, and lead to rows that say whose they are."""

import csv
import io
import re

from app.escalations import service
from tests.escalations.story import RESOLUTION, YES
from tests.reports.test_owners import desk, told

__all__ = ["desk", "told"]
AT = "as_of=2026-04-10T10:00&from=2026-03-01&to=2026-03-31"


def test_owners_and_teams_are_shown_by_name_with_what_would_help(panel, told, fold, desk, company):
    told()
    fold("4-20 10:00")
    boss = panel(company.boss)
    shown = boss.get(f"/reports/owners?{AT}")
    assert shown.status_code == 200, shown.text
    assert shown.text.index(">Csm<") < shown.text.index(">Owner<")
    for words in ("carries 7 of 16", "1 of 2 waited for the vendor", "Agree with the vendor by when they answer"):
        assert words in shown.text, words
    teams = boss.get(f"/reports/owners?by=team&{AT}")
    assert "carries 7 of 40" in teams.text
    assert "2 members" in teams.text
    doors = re.findall(r'href="#(/reports/rows[^"]+)"', shown.text + teams.text)
    assert len(doors) > 20
    for door in sorted(set(doors))[:12]:
        assert boss.get(door.replace("&amp;", "&")).status_code == 200, door
    [missed] = {door for door in doors if "missed_waited_vendor" in door and "owner=" in door}
    rows = boss.get(missed.replace("&amp;", "&")).text
    assert "Waited for the vendor: Owner" in rows
    assert rows.count("data-row") == 1
    assert boss.get(f"/reports/owners?team=x&{AT}").status_code == 200
    refused = boss.get(f"/reports/rows?figure=open&owner=x&{AT}")
    assert (refused.status_code, "There is no answer" in refused.text) == (422, True)


def test_causes_begin_with_what_would_save_most(panel, story, fold, company):
    case = story("2 10:00", reason="slow_response")
    case.do(service.acknowledge, "2 11:00")
    case.do(service.resolve, "6 10:00", resolution=RESOLUTION)
    case.do(service.verify, "6 10:00", word=YES)
    fold("4-20 10:00")
    boss = panel(company.boss)
    shown = boss.get(f"/reports/causes?{AT}")
    assert "Preventing Slow response would save most: 4 days open." in shown.text, shown.text
    assert "A full disk" in shown.text
    [door] = set(re.findall(r'href="#(/reports/rows[^"]+root_cause[^"]+)"', shown.text))
    assert boss.get(door.replace("&amp;", "&")).text.count("data-row") == 1
    empty = boss.get("/reports/causes?as_of=2026-03-01T10:00")
    assert "Nothing was raised in these days" in empty.text


def test_the_same_figures_are_taken_away_as_files(told, fold, desk, company, as_user, buy):
    told()
    fold("4-20 10:00")
    boss, asked = as_user(company.boss), {"as_of": "2026-04-10T10:00:00Z", "from": "2026-03-01", "to": "2026-03-31"}
    lines = {}
    for report, table in (("owners", "owners"), ("owners", "missed"), ("teams", "owners"), ("causes", "causes")):
        answer = boss.get(f"/api/v1/reports/{report}.csv", query_string={**asked, "table": table})
        assert answer.status_code == 200, answer.text
        lines[report, table] = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    [csm, owner] = lines["owners", "owners"]
    assert [(one["name"], one["open"], one["load"], one["missed"]) for one in (csm, owner)] == [
        ("Csm", "0", "0.0", "1"), ("Owner", "3", "7.0", "2")
    ]  # fmt: skip
    assert {one["what"] for one in lines["owners", "missed"]} >= {"Waited for the vendor", "Billing"}
    [team] = lines["teams", "owners"]
    assert (team["name"], team["open"], team["capacity"]) == ("Desk", "3", "40")
    assert {one["reason"]: one["cases"] for one in lines["causes", "causes"]} == {"other": "4", "billing": "1"}
    for form in ("xlsx", "pdf"):
        assert boss.get(f"/api/v1/reports/owners.{form}", query_string=asked).status_code == 200
        assert boss.get(f"/api/v1/reports/causes.{form}", query_string=asked).status_code == 200
    rows = boss.get("/api/v1/reports/rows.csv", query_string={"figure": "open", "owner": company.owner.id, **asked})
    assert len(rows.text.splitlines()) == 4
