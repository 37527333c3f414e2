"""The page behind a link in a message: one case, for one person, for a while."""

from typing import Any

from flask import Blueprint, Response

from app import clock
from app.auth import queries as users
from app.auth.actor import Actor
from app.auth.errors import LinkExpired, LinkUnknown
from app.auth.guards import public
from app.auth.links import LinkScope, open_link
from app.auth.roles import READ
from app.auth.settings import tenant_settings
from app.db import transaction
from app.errors import NotFound
from app.escalations import queries, timeline_reads
from app.panels import (
    accounts,
    admin,
    case_routes,
    navigation,
    outage_routes,
    prevention,
    raising,
    reports_door,
    shell,
    sign_in,
    survey,
    team,
    trying,
    wording,
    work,
)
from app.panels.embed import routes as embed
from app.panels.pages import page
from app.texts import noted

bp = Blueprint("panels", __name__, template_folder="templates")
around = (survey, shell, navigation, trying, sign_in, reports_door, admin)
modules = (*around, accounts, raising, work, team, case_routes, outage_routes, prevention)
blueprints = [bp, shell.session, *(module.bp for module in modules), *embed.blueprints]

SHOWN_EVENTS = 50


@bp.get("/l/<token>")
@public
def linked(token: str) -> Response:
    """What the link names, as its person may see it; every opening is kept."""
    try:
        scope = open_link(token)
        return page("panels/escalation.html", 200, **view(scope))
    except LinkExpired as error:
        return page("panels/message.html", 410, title=noted("This link has expired"), text=error.detail)
    except (LinkUnknown, NotFound):
        text = noted("It may have been cut short, or what it led to is not for you to see.")
        return page("panels/message.html", 404, title=noted("This link leads nowhere"), text=text)


def view(scope: LinkScope) -> dict[str, Any]:
    """The case with its timeline, read as the link's person."""
    with transaction(tenant=scope.tenant_id):
        user = users.get_user(scope.user_id)
        actor = Actor(user.id, user.email, user.name, user.role, READ)
        record = queries.get_record(scope.subject_id, actor=actor, now=clock.now())
        events = timeline_reads.list_last_events(scope.subject_id, limit=SHOWN_EVENTS)
        zone = user.timezone or tenant_settings().timezone
        return {"case": record, "events": events, "zone": zone, "now": clock.now(), "words": wording}
