"""My work: what is due, in order, over all of a person's cases and tasks; and the inbox beside it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.escalations import agenda, covering, crew, overview, service
from app.http import transaction as answering
from app.http.paging import decode_cursor, encode_cursor
from app.http.panels import PanelBlueprint, go, page
from app.notifications import queries as inbox
from app.notifications import service as notifications
from app.panels import grouping, wording
from app.panels.navigation import viewer_zone

bp = PanelBlueprint("panel_work", __name__)

MOST = 200
SHOWN = 30
PROMISED = {"owner": "me", "state": "open"}
FILTERS = ("overdue", "severe", "waiting", "covered", "tasks")


@bp.get("/mine")
@requires("escalations:read")
def work() -> Response:
    """One list by what is due first; `show` keeps a part of it."""
    actor, now = current_actor(), clock.now()
    chosen = request.args.get("show") if request.args.get("show") in FILTERS else None
    with transaction():
        cases = agenda.list_agenda(actor, now=now, limit=MOST + 1)
        tasks = covering.list_tasks(actor.person_id, now, after=None, limit=MOST)
        lines = [one for one in grouping.lines_of(cases[:MOST], tasks) if keeps(chosen, one, now)]
        returned = crew.list_returned([], actor=actor, now=now)
        promised = [] if chosen else overview.list_actions(PROMISED, actor=actor, now=now, after=None, limit=MOST)
        groups = grouping.group(lines, now=now, zone=viewer_zone())
        values: dict[str, Any] = {"filters": FILTERS, "chosen": chosen, "words": wording, "now": now}
        values |= {"groups": groups, "returned": returned, "promised": promised, "more": len(cases) > MOST}
        return page("panels/work.html", **values)


def keeps(chosen: str | None, line: grouping.Line, now: datetime) -> bool:
    """Whether a filter leaves this line in the list."""
    if chosen is None:
        return True
    if chosen == "tasks":
        return line.kind == "task"
    if chosen == "overdue":
        return line.due_at is not None and line.due_at < now
    if chosen == "covered":
        return bool(line.content.get("covered") or line.content.get("covering"))
    if chosen == "severe":
        return line.content.get("severity") in (1, 2)
    return line.waits


@bp.post("/mine/<uuid:escalation_id>/acknowledge")
@requires("escalations:work")
def acknowledge(escalation_id: UUID) -> Response:
    """In hand, straight from the list."""
    with answering():
        service.acknowledge(escalation_id, act=service.Act(current_actor(), clock.now()))
        return go(None)


@bp.get("/inbox")
@requires("notifications:read")
def list_inbox() -> Response:
    """What I was sent, newest first, and why."""
    unread = request.args.get("show") == "unread"
    with transaction():
        found = inbox.list_notifications(
            current_actor().person_id,
            now=clock.now(),
            unread=True if unread else None,
            after=decode_cursor(request.args.get("cursor")),
            limit=SHOWN + 1,
        )
        shown = found[:SHOWN]
        cursor = encode_cursor([shown[-1].at.isoformat(), str(shown[-1].id)]) if len(found) > SHOWN else None
        values: dict[str, Any] = {"messages": shown, "cursor": cursor, "unread": unread}
        part = "panels/inbox_lines.html" if "cursor" in request.args else "panels/inbox.html"
        return page(part, **values)


@bp.post("/inbox/<uuid:notification_id>/read")
@requires("notifications:read")
def read(notification_id: UUID) -> Response:
    """Seen; the first time counts."""
    with answering():
        mine = current_actor().person_id
        notifications.mark_read(notification_id, user_id=mine, now=clock.now(), recorded_at=clock.real_now())
        return go(None)
