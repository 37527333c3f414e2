"""Doors to the promises of a case: its clocks with their ledgers, and the steps to come and behind."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import queries, set_aside
from app.escalations.clock_events import list_clock_events
from app.escalations.clock_schemas import (
    ClockEventArguments,
    ClockEventPage,
    ClockPage,
    ScheduleArguments,
    ScheduleSchema,
    SetAsidePage,
    TakenUpSchema,
)
from app.escalations.schedule import schedule_of
from app.http import ApiBlueprint, PageArguments, answer, decode_cursor, encode_cursor, page, transaction
from app.sla import queries as sla

bp = ApiBlueprint("clocks", __name__, url_prefix="/api/v1/escalations")
events = ApiBlueprint("clock-events", __name__, url_prefix="/api/v1/clock-events")
aside = ApiBlueprint("clocks-set-aside", __name__, url_prefix="/api/v1/clocks/set-aside")
blueprints = [bp, events, aside]


@bp.get("/<uuid:escalation_id>/clocks")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, ClockPage)
def list_clocks(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """Every cycle of every clock as of now, in order of start, with its ledger and the moves of its due time."""
    position, limit = decode_cursor(arguments.get("cursor")), arguments["limit"]
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor(), now=clock.now())
        views = sla.list_clocks(found.id, clock.now())
        seen = [str(view.row.id) for view in views].index(position[0]) + 1 if position else 0
        shown = views[seen : seen + limit]
        more = len(views) > seen + limit
        return answer(
            ClockPage, {"items": shown, "next_cursor": encode_cursor([str(shown[-1].row.id)]) if more else None}
        )


@bp.get("/<uuid:escalation_id>/schedule")
@requires("escalations:read")
@bp.arguments(ScheduleArguments, location="query")
@bp.response(200, ScheduleSchema)
def get_schedule(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """What will be sent to whom as things stand, and what was sent, suppressed, folded or passed over and why; of a
    long log the latest, those before them page by page."""
    position = decode_cursor(arguments.get("cursor"))
    before = (datetime.fromisoformat(position[0]), UUID(position[1])) if position else None
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor(), now=clock.now())
        schedule = schedule_of(found, clock.now(), before=before, limit=arguments["limit"])
        earlier = schedule.pop("earlier")
        cursor = encode_cursor([earlier[0].isoformat(), str(earlier[1])]) if earlier else None
        return answer(ScheduleSchema, {**schedule, "next_cursor": cursor})


@aside.get("")
@aside.arguments(PageArguments, location="query")
@aside.response(200, SetAsidePage)
@requires("outbox:read")
def list_set_aside(query: dict[str, Any]) -> Response:
    """Clocks that the sweep could not carry on with, and why: they remind nobody until they are taken up again."""
    with transaction():
        return page(
            SetAsidePage,
            query,
            lambda after, limit: set_aside.list_set_aside(
                actor=current_actor(), now=clock.now(), after=UUID(after[0]) if after else None, limit=limit
            ),
            lambda found: [str(found["id"])],
        )


@aside.post("/retry")
@aside.response(200, TakenUpSchema)
@requires("outbox:write")
def retry_set_aside() -> Response:
    """Take all of them up again, once their cause is mended; nothing that was done is done again."""
    with transaction():
        return answer(TakenUpSchema, {"taken_up": set_aside.take_up_again()})


@events.get("")
@requires("escalations:read")
@events.arguments(ClockEventArguments, location="query")
@events.response(200, ClockEventPage)
def list_events(arguments: dict[str, Any]) -> Response:
    """What happened to the clocks of every case the caller sees, in order of recording, to be followed by polling."""
    with transaction():
        return answer(ClockEventPage, list_clock_events(arguments, actor=current_actor(), now=clock.now()))
