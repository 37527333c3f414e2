"""Who works when, from published calendars to the owner; 2 March 2026 is a Monday, NOW is 10:00 in UTC."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.auth.models import User
from app.db import db, new_id, transaction
from app.routing import service as routing
from app.routing.models import Membership, Skill, Team, UserSkill
from app.routing.people import Hours
from app.rows import insert_all
from app.sla import service as sla
from app.sla.calendar import compile_calendar
from app.sla.overlap import Overlap
from tests import NOW
from tests.conftest import TestTenant
from tests.routing.conftest import case, settle
from tests.routing.test_service import rule, team_of

Make = Callable[..., User]
Publish = Callable[..., int]
Statements = Callable[[], AbstractContextManager[list[str]]]
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


def calendar(opens: str, closes: str, zone: str = "UTC") -> dict[str, Any]:
    return {"timezone": zone, "weekly": {day: [[opens, closes]] for day in WORKDAYS}}


def works(user: User, **columns: Any) -> User:
    with transaction():
        db.session.execute(update(User).where(User.id == user.id).values(**columns))
    return user


def publish_calendar(name: str, opens: str, closes: str, zone: str = "UTC") -> None:
    with transaction():
        sla.publish_calendar(name, calendar(opens, closes, zone), now=NOW)


@pytest.fixture
def team(make_user: Make, publish: Publish) -> Callable[..., Any]:
    """`team(user, …)` makes these a team that takes every case."""

    def make(*users: User) -> Any:
        team_id = team_of(*users)
        publish([rule("team", {"kind": "team", "team_id": str(team_id)})])
        return team_id

    return make


def test_who_works_elsewhere_in_the_world_keeps_the_tenants_hours_there(
    tenant: TestTenant, make_user: Make, team: Callable[..., Any]
) -> None:
    here = make_user()
    # 9 to 17 in New York is 14 to 22 in UTC, in Tokyo 0 to 8: closed since 8, open again tomorrow at 0
    york, tokyo = works(make_user(), timezone="America/New_York"), works(make_user(), timezone="Asia/Tokyo")
    team(here, york, tokyo)
    with transaction():
        result = settle(case())
    assert result.owner_id == here.id
    # the acknowledgement is due at 14:00, which is when New York opens: too late
    assert result.decision.excluded == {"out_of_hours": sorted([str(york.id), str(tokyo.id)])}
    kept = result.decision.inputs["people"]
    assert kept[str(here.id)]["hours"] == {
        "open": True,
        "open_until": "2026-03-02T17:00:00+00:00",
        "opens_at": None,
        "overlap": 1.0,
    }
    assert kept[str(tokyo.id)]["hours"]["opens_at"] == "2026-03-03T00:00:00+00:00"
    assert result.decision.inputs["due_at"] == "2026-03-02T14:00:00+00:00"


def test_somebody_opening_before_the_acknowledgement_is_due_is_eligible_and_shares_less(
    tenant: TestTenant, make_user: Make, team: Callable[..., Any]
) -> None:
    publish_calendar("late", "13:00", "21:00")
    late = works(make_user(), calendar="late")
    team(late)
    with transaction():
        result = settle(case())
    assert (result.owner_id, result.failure) == (late.id, None)
    # from 10 to 14 the customer waits, the last of the four hours is shared: 15 × 1/4
    assert result.decision.candidates[0]["parts"]["overlap"] == 3.75


def test_a_teams_calendar_holds_for_members_without_their_own(
    tenant: TestTenant, make_user: Make, team: Callable[..., Any]
) -> None:
    publish_calendar("night", "20:00", "23:00")
    publish_calendar("day", "09:00", "12:00")
    own, shared = works(make_user(), calendar="day"), make_user()
    team_id = team(own, shared)
    with transaction():
        db.session.execute(update(Team).where(Team.id == team_id).values(calendar="night"))
    with transaction():
        result = settle(case(roles={"csm": shared.id}))
        again = routing.rerun(result.decision)
    assert (result.owner_id, again) == (own.id, own.id)
    assert result.decision.excluded == {"out_of_hours": [str(shared.id)]}
    kept = result.decision.inputs
    assert kept["people"][str(shared.id)]["hours"]["open"] is True  # outside the team the tenant's hours hold
    assert kept["teams"][str(team_id)]["hours"][str(shared.id)]["opens_at"] == "2026-03-02T20:00:00+00:00"


def test_a_name_that_no_calendar_has_is_passed_over(
    tenant: TestTenant, make_user: Make, team: Callable[..., Any]
) -> None:
    user = works(make_user(), calendar="gone")
    team(user)
    with transaction():
        assert settle(case()).owner_id == user.id


def test_at_night_whoever_opens_in_the_morning_is_eligible(
    tenant: TestTenant, make_user: Make, team: Callable[..., Any]
) -> None:
    user = make_user()
    team(user)
    friday_night = datetime(2026, 3, 6, 23, tzinfo=UTC)
    with transaction():
        result = routing.explain(case(), now=friday_night)
    assert (result.owner_id, result.failure) == (user.id, None)
    assert result.decision.inputs["people"][str(user.id)]["hours"]["opens_at"] == "2026-03-09T09:00:00+00:00"


def test_skills_and_weights_are_read_with_the_people(
    tenant: TestTenant, make_user: Make, publish: Publish, statements: Statements
) -> None:
    expert, newcomer, other = make_user(), make_user(), make_user()
    team_id = team_of(expert, newcomer, other)
    with transaction():
        skill = Skill(id=new_id(), name="Datenschutz", created_at=NOW)
        insert_all([skill, *(UserSkill(user_id=u.id, skill_id=skill.id, level=3) for u in (expert, newcomer))])
        db.session.execute(update(Membership).where(Membership.user_id == newcomer.id).values(weight="0.5"))
    target = {"kind": "team", "team_id": str(team_id)}
    publish([rule("team", target, required_skills=[{"skill": "datenschutz", "level": 3}])])
    with transaction():
        settle(case())  # compiles the policy, reads the calendar
    with transaction(), statements() as sent:
        result = settle(case())
    assert len(sent) == 3  # people, place, the rows
    assert result.decision.excluded == {"lacks_skill": [str(other.id)]}
    # the expert has one case of 3 in hand since just now: 30 × 21/24 + 15 + 10 + 0; the newcomer half of all 60 points
    assert [(c["id"], c["score"]) for c in result.decision.candidates] == [
        (str(expert.id), 51.25),
        (str(newcomer.id), 30.0),
    ]
    kept = result.decision.inputs
    assert kept["people"][str(expert.id)]["skills"] == {"datenschutz": 3}
    assert kept["teams"][str(team_id)]["weights"] == {str(newcomer.id): 0.5}


def test_skills_nobody_asked_for_are_not_kept(tenant: TestTenant, make_user: Make, team: Callable[..., Any]) -> None:
    user = make_user()
    with transaction():
        skill = Skill(id=new_id(), name="Tax", created_at=NOW)
        insert_all([skill, UserSkill(user_id=user.id, skill_id=skill.id, level=3)])
    team(user)
    with transaction():
        assert settle(case()).decision.inputs["people"][str(user.id)]["skills"] == {}


def test_the_share_of_the_customers_open_time() -> None:
    customers = compile_calendar(calendar("09:00", "17:00"))
    early = compile_calendar(calendar("08:00", "11:00"))
    weekend = compile_calendar({"timezone": "UTC", "weekly": {"sat": [["09:00", "17:00"]]}})
    always = compile_calendar({"timezone": "UTC", "always_open": True})
    end = NOW + timedelta(days=1)  # Monday 10 to Tuesday 10: 7 hours and 1
    assert Overlap(customers, NOW, end).share_of(early) == 2 / 8
    assert Overlap(customers, NOW, end).share_of(weekend) == 0
    assert Overlap(customers, NOW, end).share_of(always) == 1
    assert Overlap(always, NOW, end).share_of(customers) == 8 / 24
    assert Overlap(weekend, NOW, end).share_of(customers) is None


def test_hours_kept_are_read_as_they_were_written() -> None:
    hours = Hours(open=False, opens_at=NOW, overlap=0.5)
    assert Hours.of(hours.record) == hours
