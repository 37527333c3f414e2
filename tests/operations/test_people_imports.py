"""Users with skills and hours, teams with weights, from files."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.auth.models import User
from app.auth.queries import find_user_by_email, list_users
from app.db import db, transaction
from app.routing import service as routing
from app.routing.models import Membership, Team
from app.routing.teams import find_team_by_name, view
from app.sla import service as sla
from tests import NOW
from tests.conftest import ApiClient, TestTenant
from tests.operations.test_imports import counted, load

NOBODY = "there is no colleague with the address no@example.com"
RANGE = "Must be greater than or equal to {} and less than or equal to {}."
WEEK = {"timezone": "UTC", "weekly": {"mon": [["08:00", "16:00"]]}}


@pytest.fixture(autouse=True)
def known(tenant: TestTenant) -> None:
    """Two skills and a calendar."""
    with transaction():
        routing.create_skill("Billing", now=NOW)
        routing.create_skill("single sign-on", now=NOW)
        sla.publish_calendar("Oslo", WEEK, now=NOW)


def person(email: str) -> dict[str, Any]:
    with transaction():
        found = {user.email: user for user in list_users({}, after=None, limit=50)}[email]
    skills = {mastery["skill"]: mastery["level"] for mastery in found.skills}
    return {"calendar": found.calendar, "skills": skills, "active": found.active}


def members(name: str) -> dict[str, tuple[int | None, float]]:
    with transaction():
        team = find_team_by_name(name)
        assert team is not None
        return {m.email: (m.capacity, float(m.weight)) for m in view(team).members}


def test_users_come_with_hours_and_skills(tenant: TestTenant) -> None:
    file = (
        "email,name,calendar,skills,active\n"
        "ann@example.com,Ann,Oslo,billing:3; Single Sign-On:2,\n"
        "bob@example.com,Bob,,billing,no\n"
    )
    assert counted(load("users", file)[0]) == {"created": 2}
    assert person("ann@example.com") == {
        "calendar": "Oslo",
        "skills": {"Billing": 3, "single sign-on": 2},
        "active": True,
    }
    assert person("bob@example.com") == {"calendar": None, "skills": {"Billing": 1}, "active": False}
    assert counted(load("users", file)[0]) == {"unchanged": 2}


def test_a_column_left_out_leaves_what_there_is_and_an_empty_cell_clears_it(tenant: TestTenant) -> None:
    load("users", "email,name,calendar,skills\nann@example.com,Ann,Oslo,billing:3\n")
    assert counted(load("users", "email,name\nann@example.com,Ann\n")[0]) == {"unchanged": 1}
    assert person("ann@example.com") == {"calendar": "Oslo", "skills": {"Billing": 3}, "active": True}
    assert counted(load("users", "email,name,calendar,skills,active\nann@example.com,Ann,,,\n")[0]) == {"updated": 1}
    assert person("ann@example.com") == {"calendar": None, "skills": {}, "active": True}


@pytest.mark.parametrize(
    ("cells", "field", "detail"),
    [
        ("Mars,,", "calendar", "expected the name of a published calendar"),
        (",billing:0,", "skills.0.level", RANGE.format(1, 5)),
        (",billing:2;sso:6,", "skills.1.level", RANGE.format(1, 5)),
        (",billing:high,", "skills.0.level", "expected a whole number"),
        (",billing;cobol:2,", "skills.1.skill", "there is no skill with the name 'cobol'"),
        (",billing;BILLING:2,", "skills.1.skill", "'BILLING' stands twice"),
        (",,perhaps", "active", "expected true or false"),
    ],
)
def test_a_user_with_a_fault_is_refused_whole_with_field_and_reason(
    tenant: TestTenant, cells: str, field: str, detail: str
) -> None:
    file = f"email,name,calendar,skills,active\nann@example.com,Ann,{cells}\nbob@example.com,Bob,,,\n"
    report, faults = load("users", file)
    assert counted(report) == {"created": 1, "rejected": 1}
    assert [(f.line, f.field, f.detail) for f in faults] == [(2, field, detail)]
    with transaction():
        assert find_user_by_email("ann@example.com") is None


def test_who_is_deactivated_by_a_file_loses_their_tokens_as_by_hand(
    tenant: TestTenant, make_user: Any, as_user: Any
) -> None:
    user: User = make_user()
    theirs: ApiClient = as_user(user)
    assert theirs.get("/api/v1/users").status_code == 200
    load("users", f"email,name,active\n{user.email},Ann,false\n")
    assert theirs.get("/api/v1/users").status_code == 401
    assert person(user.email)["active"] is False


def test_who_is_on_duty_is_not_deactivated_by_a_file(tenant: TestTenant) -> None:
    report, faults = load("users", f"email,name,active\n{tenant.admin.email},Ada,false\n")
    assert (counted(report), [f.field for f in faults]) == ({"rejected": 1}, ["active"])
    assert "name another in the settings first" in faults[0].detail
    assert person(tenant.admin.email)["active"] is True


def test_teams_come_with_hours_and_with_capacity_and_weight_of_their_members(
    tenant: TestTenant, make_user: Any
) -> None:
    for name in ("ann", "bob", "cat", "dan"):
        make_user(email=f"{name}@example.com")
    file = (
        "name,tier,calendar,members\n"
        "Core,tier_2,Oslo,ann@example.com;bob@example.com:8;cat@example.com:0:0.5;dan@example.com::0.25\n"
    )
    assert counted(load("teams", file)[0]) == {"created": 1}
    said = {
        "ann@example.com": (None, 1),
        "bob@example.com": (8, 1),
        "cat@example.com": (0, 0.5),
        "dan@example.com": (None, 0.25),
    }
    assert members("Core") == said
    assert counted(load("teams", file)[0]) == {"unchanged": 1}
    assert counted(load("teams", "name\nCore\n")[0]) == {"unchanged": 1}
    with transaction():
        team = db.session.scalars(select(Team).where(Team.name == "Core")).one()
        assert (team.tier, team.calendar) == ("tier_2", "Oslo")
    assert members("Core") == said
    assert counted(load("teams", "name,calendar,members\nCore,,ann@example.com:3\n")[0]) == {"updated": 1}
    assert members("Core") == {"ann@example.com": (3, 1)}


def test_teams_come_as_json_too(tenant: TestTenant, make_user: Any) -> None:
    ann = make_user()
    rows = [
        {"name": "Core", "members": [{"email": ann.email, "capacity": 4, "weight": 0.5}]},
        {"name": "Odd", "members": [{"email": ann.email, "capacity": "4", "colour": "red"}]},
        {"name": "Odder", "members": 7},
    ]
    report, faults = load("teams", "\n".join(map(json.dumps, rows)), ndjson=True)
    assert counted(report) == {"created": 1, "rejected": 2}
    assert [(f.line, f.field) for f in faults] == [
        (2, "members.0.capacity"),
        (2, "members.0.colour"),
        (3, "members"),
    ]
    assert members("Core") == {ann.email: (4, 0.5)}


@pytest.mark.parametrize(
    ("cells", "field", "detail"),
    [
        ("Mars,,", "calendar", "expected the name of a published calendar"),
        (",bot@example.com,", "lead_email", "expected a person: bot@example.com is an integration"),
        (",no@example.com,", "lead_email", NOBODY),
        (",,bot@example.com", "members.0.email", "expected a person: bot@example.com is an integration"),
        (",,ann@example.com;no@example.com", "members.1.email", NOBODY),
        (",,ann@example.com;ANN@example.com:2", "members.1.email", "ann@example.com stands twice"),
        (",,ann@example.com:many", "members.0.capacity", "expected a whole number"),
        (",,ann@example.com:-1", "members.0.capacity", RANGE.format(0, 10_000)),
        (",,ann@example.com:4:0", "members.0.weight", None),
        (",,ann@example.com:4:2", "members.0.weight", None),
        (",,ann@example.com:4:nan", "members.0.weight", None),
        (",,ann", "members.0.email", "Not a valid email address."),
    ],
)
def test_a_team_with_a_fault_is_refused_whole_with_field_and_reason(
    tenant: TestTenant, make_user: Any, cells: str, field: str, detail: str | None
) -> None:
    make_user(email="ann@example.com")
    make_user("integration", email="bot@example.com")
    report, faults = load("teams", f"name,calendar,lead_email,members\nCore,{cells}\nRest,,,\n")
    assert counted(report) == {"created": 1, "rejected": 1}
    assert [(f.line, f.field) for f in faults] == [(2, field)]
    assert detail in (None, faults[0].detail)
    with transaction():
        assert find_team_by_name("Core") is None
        assert db.session.scalars(select(Membership)).all() == []
