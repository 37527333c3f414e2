"""Admin pages about people: users, skills, absences and teams."""

import json
import re

import pytest

from app.db import transaction
from app.routing import teams
from tests.escalations.conftest import company, raise_case

__all__ = ["company", "raise_case"]


@pytest.fixture
def admin(panel, tenant):
    return panel(tenant.admin)


def goes_to(answer):
    assert answer.status_code == 200, answer.text
    return json.loads(answer.headers["HX-Trigger"])["fh-go"]["path"]


def version_in(answer):
    return re.search(r'name="version" value="(\d+)"', answer.text)[1]


def refused_at(answer):
    """Status, and the fields that a refusal names."""
    return answer.status_code, re.findall(r'data-field="([^"]*)"', answer.text)


def test_the_index_lists_what_an_admin_may_set_up_and_is_closed_to_others(admin, panel, make_user):
    paths = set(re.findall(r'href="#/admin/([a-z-]+)"', admin.get("/admin").text))
    assert paths == {
        *("users", "teams", "rules", "playbooks", "calendars", "service-levels", "ladders"),
        *("embedding", "imports", "tokens", "webhooks", "outbox", "settings"),
    }
    assert panel(make_user("manager")).get("/admin").status_code == 403


PAGES = ("/admin/users", "/admin/users/new", "/admin/teams", "/admin/skills")


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_for_admins_only_in_few_statements(path, admin, panel, make_user, statements):
    assert panel(make_user("manager")).get(path).status_code == 403
    with statements() as sent:
        assert admin.get(path).status_code == 200
    assert len(sent) <= 6, sent


def test_users_are_found_by_a_part_role_and_whether_they_are_active(admin, make_user):
    make_user("csm", "carol@example.com")
    make_user("manager", "max@example.com")

    def found(query):
        return re.findall(r'"><strong>(\w+)', admin.get(f"/admin/users?{query}").text)

    assert found("") == ["Ada", "Carol", "Max"]
    assert found("q=car") == ["Carol"]
    assert found("role=manager") == ["Max"]
    assert found("active=false") == []


def test_a_list_goes_on_after_fifty(admin, make_user):
    for number in range(51):
        make_user("csm", f"u{number:02}@example.com")
    first = admin.get("/admin/users?role=csm")
    assert first.text.count("data-row") == 50
    more = re.search(r'hx-get="/panel(/admin/users\?[^"]*cursor=[^"]*)"', first.text)[1].replace("&amp;", "&")
    rest = admin.get(more)
    assert re.findall(r'"><strong>(\w+)', rest.text) == ["U50"]
    assert "<h1>" not in rest.text


def test_somebody_is_added_with_a_manager_and_a_refusal_names_the_field(admin, make_user, client):
    boss = make_user("manager")
    form = {"name": "Nina New", "email": "nina@example.com", "role": "csm", "manager_email": boss.email}
    refused = admin.post("/admin/users", {**form, "timezone": "Europe/Nowhere"})
    assert refused_at(refused) == (422, ["timezone"])
    path = goes_to(admin.post("/admin/users", {**form, "timezone": "Europe/Berlin", "calendar": ""}))
    made = client.get(f"/api/v1{path.removeprefix('/admin')}").json
    assert (made["manager_email"], made["timezone"], made["calendar"]) == (boss.email, "Europe/Berlin", None)
    assert refused_at(admin.post("/admin/users", form))[0] == 409


def test_a_change_on_an_older_version_shows_both(admin, make_user, client):
    user = make_user("csm", "carol@example.com")
    path = f"/admin/users/{user.id}"
    version = version_in(admin.get(path))
    client.patch(f"/api/v1/users/{user.id}", json={"name": "Caroline"}, if_match=version)
    form = {"version": version, "name": "Carola", "email": user.email, "role": "csm", "manager_email": ""}
    stale = admin.post(path, form)
    assert stale.status_code == 412
    both = re.findall(r'scope="row">([^<]*)</th><td class="words">([^<]*)</td><td class="words">([^<]*)', stale.text)
    assert both == [("Name", "Caroline", "Carola")]
    newer = re.search(r'data-version="(\d+)"', stale.text)[1]
    assert goes_to(admin.post(path, {**form, "version": newer})) == path
    assert client.get(f"/api/v1/users/{user.id}").json["name"] == "Carola"


def test_before_somebody_is_deactivated_one_reads_what_happens(admin, client, company, raise_case, as_user, panel):
    case = raise_case()
    as_user(company.owner)
    path = f"/admin/users/{company.owner.id}"
    told = admin.get(f"{path}/deactivate")
    assert "1 open case moves" in told.text
    assert "1 API token" in told.text
    assert goes_to(admin.post(path, {"version": version_in(told), "active": "false"})) == path
    assert client.get(f"/api/v1/users/{company.owner.id}").json["active"] is False
    assert "deactivated" in admin.get(path).text
    assert case["owner"]["email"] == company.owner.email


def test_the_last_resort_of_routing_is_not_deactivated(admin, tenant):
    path = f"/admin/users/{tenant.admin.id}"
    told = admin.get(f"{path}/deactivate")
    assert "duty owner" in told.text
    assert refused_at(admin.post(path, {"version": version_in(told), "active": "false"})) == (409, ["active"])


def test_skills_are_put_raised_and_taken_away(admin, make_user, client):
    user = make_user("csm", "carol@example.com")
    path = f"/admin/users/{user.id}"
    form = {"version": version_in(admin.get(path)), "skills.0.skill": "Kafka", "skills.0.level": "3"}
    assert refused_at(admin.post(f"{path}/skills", form)) == (422, ["skills.0.skill"])
    for name in ("Kafka", "SQL"):
        assert goes_to(admin.post("/admin/skills", {"name": name})) == "/admin/skills"
    goes_to(admin.post(f"{path}/skills", form))
    form = {"version": version_in(admin.get(path)), "skills.0.skill": "Kafka", "skills.0.level": "0"}
    goes_to(admin.post(f"{path}/skills", {**form, "skills.1.skill": "SQL", "skills.1.level": "5"}))
    assert client.get(f"/api/v1/users/{user.id}").json["skills"] == [{"skill": "SQL", "level": 5}]


def test_the_page_of_a_user_takes_few_statements(admin, make_user, statements):
    user = make_user()
    with statements() as sent:
        assert admin.get(f"/admin/users/{user.id}").status_code == 200
    assert len(sent) <= 10, sent


def test_an_absence_is_added_ended_and_refused_by_field(admin, make_user, client):
    user, other = make_user(), make_user()
    path = f"/admin/users/{user.id}"
    form = {"starts_at": "2030-01-07T09:00", "ends_at": "2030-01-01T09:00", "delegate_email": other.email}
    assert refused_at(admin.post(f"{path}/absences", form)) == (422, ["ends_at"])
    goes_to(admin.post(f"{path}/absences", {**form, "ends_at": "2030-01-11T17:00", "mode": "cover"}))
    [absence] = client.get(f"/api/v1/users/{user.id}/absences").json["items"]
    assert (absence["delegate_email"], absence["starts_at"]) == (other.email, "2030-01-07T09:00:00Z")
    assert f"{other.email} stands in" in admin.get(path).text
    goes_to(admin.post(f"{path}/absences/{absence['id']}/end"))
    assert client.get(f"/api/v1/users/{user.id}/absences").json["items"] == []


def test_a_team_gets_a_lead_and_members_with_capacity_and_weight(admin, make_user, client):
    lead, member = make_user("manager"), make_user()
    form = {"name": "Support", "tier": "tier_2", "lead_email": "nobody@example.com", "calendar": ""}
    assert refused_at(admin.post("/admin/teams", form)) == (422, ["lead_email"])
    path = goes_to(admin.post("/admin/teams", {**form, "lead_email": lead.email}))
    new = {"user_email": member.email, "capacity": "12", "weight": "0.5"}
    assert refused_at(admin.post(f"{path}/members", {**new, "weight": "2"})) == (422, ["weight"])
    goes_to(admin.post(f"{path}/members", new))
    assert refused_at(admin.post(f"{path}/members", new)) == (422, ["user_email"])
    made = client.get(f"/api/v1{path.removeprefix('/admin')}").json
    assert (made["tier"], made["lead_email"]) == ("tier_2", lead.email)
    assert [(one["email"], one["capacity"], one["weight"]) for one in made["members"]] == [(member.email, 12, 0.5)]
    place = f"{path}/members/{member.id}"
    version = version_in(admin.get(place))
    goes_to(admin.post(place, {"version": version, "capacity": "", "weight": "1"}))
    stale = admin.post(f"{place}/remove", {"version": version})
    assert stale.status_code == 412
    goes_to(admin.post(f"{place}/remove", {"version": version_in(admin.get(place))}))
    with transaction():
        assert teams.view(teams.get_team(made["id"])).members == []


def test_a_team_is_changed_and_what_is_blank_is_cleared(admin, client):
    path = goes_to(admin.post("/admin/teams", {"name": "Support", "tier": "tier_2"}))
    form = {"version": version_in(admin.get(path)), "name": "First line", "tier": "", "lead_email": "", "calendar": ""}
    goes_to(admin.post(path, form))
    made = client.get(f"/api/v1{path.removeprefix('/admin')}").json
    assert (made["name"], made["tier"]) == ("First line", None)


def test_a_skill_is_renamed_and_deleted(admin, client):
    goes_to(admin.post("/admin/skills", {"name": "Kafka"}))
    [skill] = client.get("/api/v1/skills").json["items"]
    path = f"/admin/skills/{skill['id']}"
    assert refused_at(admin.post(path, {"version": "1", "name": "a:b"})) == (422, ["name"])
    goes_to(admin.post(path, {"version": version_in(admin.get(path)), "name": "Streams"}))
    assert [one["name"] for one in client.get("/api/v1/skills").json["items"]] == ["Streams"]
    goes_to(admin.post(f"{path}/delete", {"version": version_in(admin.get(path))}))
    assert client.get("/api/v1/skills").json["items"] == []
