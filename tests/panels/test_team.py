"""The team's page: load against capacity, what needs somebody above, absences, and work taken back or evened out."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from app import clock
from app.db import db, transaction
from app.escalations.jobs import move_work_tenant
from app.escalations.models import Escalation
from app.routing.models import Absence
from tests.escalations.conftest import company, raise_case
from tests.escalations.test_moving import away
from tests.panels.test_work import titles

__all__ = ["away", "company", "raise_case"]


@pytest.fixture
def support(client, company):
    body = {"name": "Support", "lead_email": company.manager.email}
    team = client.post("/api/v1/teams", json=body).json
    for user in (company.owner, company.csm):
        assert client.put(f"/api/v1/teams/{team['id']}/members/{user.id}", json={}).status_code == 201
    return team["id"]


@pytest.fixture
def overloaded(client, company, raise_case, support):
    """Two cases of severity 1, 8 in weight, with one of two people to whom 6 fit."""
    cases = [raise_case(severity=1) for _ in range(2)]
    for user in (company.owner, company.csm):
        path = f"/api/v1/teams/{support}/members/{user.id}"
        assert client.put(path, json={"capacity": 6}, if_match="*").status_code == 200
    return cases


def loads(answer):
    """By name, what `load/capacity` the page says."""
    found = re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>.*?</progress> ([\d.]+/\d+)', answer.text, re.S)
    return dict(found)


def test_a_lead_sees_what_each_member_holds_against_what_fits(panel, company, overloaded):
    answer = panel(company.manager).get("/team")
    assert "<h1>Support</h1>" in answer.text
    assert loads(answer) == {company.owner.name: "8.0/6", company.csm.name: "0.0/6"}
    assert answer.text.count(">over<") == 1


def test_without_a_team_a_manager_sees_who_reports_to_them_at_any_height(panel, company, make_user):
    alone = make_user("manager", "alone@example.com")
    assert "Nobody here" in panel(alone).get("/team").text
    told = loads(panel(company.boss).get("/team?team=line"))
    assert set(told) == {company.manager.name, company.owner.name, company.csm.name}


def test_a_late_case_and_one_without_an_owner_by_rule_stand_on_top_and_a_fine_one_not(
    panel, company, raise_case, support
):
    late, failed, _ = (raise_case(title=title) for title in ("Late", "Failed", "Fine"))
    with transaction():
        now = clock.now()
        of = update(Escalation)
        db.session.execute(of.where(Escalation.id == late["id"]).values(due_at=now - timedelta(days=2)))
        db.session.execute(of.where(Escalation.id == failed["id"]).values(assignment_failed=True))
    assert titles(panel(company.manager).get("/team")) == ["Failed", "Late"]


def test_who_is_away_is_shown_until_when_and_with_whom(panel, company, support, away):
    away(company.csm, company.owner, mode="cover")
    said = panel(company.manager).get("/team").text
    assert f"{company.owner.name} stands in" in said
    assert ">until " in said


def test_the_page_takes_few_statements(panel, company, raise_case, support, statements):
    for _ in range(4):
        raise_case()
    someone = panel(company.manager)
    with statements() as sent:
        assert someone.get("/team").status_code == 200
    assert len(sent) <= 8, sent


def test_a_csm_has_no_team_page_and_an_unknown_team_is_not_found(panel, company, support):
    assert panel(company.csm).get("/team").status_code == 403
    assert panel(company.manager).get("/team?team=01900000-0000-7000-8000-000000000000").status_code == 404


def test_the_load_is_evened_out_as_shown_and_only_by_whoever_may(client, panel, company, support, overloaded):
    lead = panel(company.manager)
    shown = lead.get(f"/team/{support}/relief")
    assert len(titles(shown)) == 1
    digest = re.search(r'name="digest" value="(\w+)"', shown.text)[1]
    refused = lead.post(f"/team/{support}/relief", {"digest": digest, "reason": ""})
    assert (refused.status_code, 'data-field="reason"' in refused.text) == (422, True)
    assert lead.post(f"/team/{support}/relief", {"digest": digest, "reason": "Too much"}).status_code == 200
    owners = [client.get(f"/api/v1/escalations/{case['id']}").json["owner"]["email"] for case in overloaded]
    assert sorted(owners) == sorted([company.owner.email, company.csm.email])
    assert panel(company.csm).get(f"/team/{support}/relief").status_code == 403


@pytest.fixture
def returned(company, raise_case, away, tenant):
    """Two cases were moved for an absence that has ended."""
    cases = [raise_case(title=title) for title in ("First", "Second")]
    absence = away(company.owner, company.csm)
    move_work_tenant(tenant.id)
    with transaction():
        db.session.execute(update(Absence).values(ends_at=clock.now() - timedelta(seconds=1)))
    return cases, f"/handback/{company.owner.id}/{absence['id']}"


def test_whoever_is_back_takes_back_what_they_tick(client, panel, company, returned):
    cases, path = returned
    mine = panel(company.owner)
    assert f'href="#{path}"' in mine.get("/mine").text
    assert mine.get(path).text.count('type="checkbox"') == 2
    assert mine.post(path, {"escalation_ids": [cases[0]["id"]]}).status_code == 200
    owners = [client.get(f"/api/v1/escalations/{case['id']}").json["owner"]["email"] for case in cases]
    assert owners == [company.owner.email, company.csm.email]
    assert mine.post(path, {}).status_code == 200
    assert mine.get(path).text.count('type="checkbox"') == 1


def test_a_hand_back_is_the_persons_their_lines_and_the_admins_business(panel, company, returned, make_user):
    _, path = returned
    assert panel(make_user()).get(path).status_code == 403
    assert f'href="#{path}"' in panel(company.boss).get("/team?team=line").text
    assert panel(company.manager).get(path).status_code == 200


def test_a_manager_sees_only_teams_of_their_own_line_an_executive_all(client, panel, company, support, make_user):
    other = make_user("manager", "other@example.com")
    assert client.post("/api/v1/teams", json={"name": "Elsewhere", "lead_email": other.email}).status_code == 201
    assert panel(other).get(f"/team?team={support}").status_code == 404
    assert "Support" not in panel(other).get("/team").text
    assert "Elsewhere" in panel(company.boss).get(f"/team?team={support}").text
    assert panel(company.manager).get(f"/team?team={support}").status_code == 200
