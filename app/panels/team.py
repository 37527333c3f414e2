"""The team: who carries how much, what needs somebody above, who is away, and what to take back or to move."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import Actor, current_actor
from app.auth.guards import requires
from app.db import transaction
from app.errors import NotFound
from app.escalations import crew, handing_back, rebalancing, service
from app.escalations.handing_bodies import RebalancingBody, TakeBackBody
from app.http import transaction as answering
from app.http.forms import load_form
from app.http.panels import PanelBlueprint, go, page
from app.panels import wording
from app.routing import service as routing
from app.routing.models import Team

bp = PanelBlueprint("panel_team", __name__)

SHOWN = 30
MOST_TEAMS = 200


@bp.get("/team")
@requires("routing:read")
def show() -> Response:
    """The team asked for, else the one I lead, else whoever reports to me.

    A manager sees the teams they are in, and those led by them or by somebody below; executives and admins see all.
    """
    actor, now = current_actor(), clock.now()
    with transaction():
        teams = crew.list_teams(actor, limit=MOST_TEAMS)
        team = chosen(teams, actor)
        people = crew.list_people(team.id if team else None, actor=actor, now=now)
        ids = [one["id"] for one in people]
        needing = crew.list_needing(ids, actor=actor, now=now, limit=SHOWN)
        returned = crew.list_returned(ids, actor=actor, now=now)
        values: dict[str, Any] = {"people": people, "needing": needing, "returned": returned, "now": now}
        return page("panels/team.html", teams=teams, team=team, words=wording, **values)


def chosen(teams: Any, actor: Actor) -> Team | None:
    """Of these teams the one that is shown; 404 when another is asked for."""
    asked = request.args.get("team")
    if asked == "line":
        return None
    if asked:
        return found([team for team in teams if str(team.id) == asked])
    mine = [team for team in teams if team.lead_id == actor.person_id]
    return mine[0] if mine else teams[0] if teams and actor.role == "admin" else None


def found(teams: list[Team]) -> Team:
    if not teams:
        raise NotFound
    return teams[0]


@bp.get("/team/<uuid:team_id>/relief")
@requires("escalations:read")
def relief(team_id: UUID) -> Response:
    """The fewest moves that bring everybody of the team to what fits; nothing is done."""
    actor, now = current_actor(), clock.now()
    with transaction():
        team = routing.get_team(team_id)
        rebalancing.check_may(team, actor, now)
        plan = rebalancing.answer_of(rebalancing.plan(team, actor=actor, now=now))
        return page("panels/relief.html", team=team, plan=plan)


@bp.post("/team/<uuid:team_id>/relief")
@requires("escalations:work")
def relieve(team_id: UUID) -> Response:
    """Carry out exactly the proposal that was shown."""
    actor, now = current_actor(), clock.now()
    with answering():
        team = routing.get_team(team_id)
        rebalancing.check_may(team, actor, now)
        body = load_form(RebalancingBody)
        rebalancing.apply(team, act=service.Act(actor, now), **body)
        return go(f"/team?team={team_id}")


@bp.get("/handback/<uuid:user_id>/<uuid:absence_id>")
@requires("escalations:read")
def offered(user_id: UUID, absence_id: UUID) -> Response:
    """What was moved while somebody was away and is still with others."""
    actor, now = current_actor(), clock.now()
    with transaction():
        absence = routing.get_absence(user_id, absence_id)
        routing.check_absences_of(user_id, actor)
        lines = handing_back.list_offered(absence, actor=actor, now=now, after=None, limit=handing_back.MOST_TAKEN)
        return page("panels/handback.html", absence=absence, lines=lines, words=wording, mine=actor.user_id == user_id)


@bp.post("/handback/<uuid:user_id>/<uuid:absence_id>")
@requires("escalations:work")
def take_back(user_id: UUID, absence_id: UUID) -> Response:
    """Back into the hands of who was away: the cases that are ticked."""
    actor, now = current_actor(), clock.now()
    with answering():
        absence = routing.get_absence(user_id, absence_id, lock=True)
        routing.check_absences_of(user_id, actor)
        body = load_form(TakeBackBody)
        handing_back.take_back(absence, act=service.Act(actor, now), wanted=body["escalation_ids"] or [])
        return go("/mine" if actor.user_id == user_id else "/team")
