"""Doors of the API to reports by mail."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock, queue
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.reports.sharing import deliveries, schedules
from app.reports.sharing.jobs import SEND
from app.reports.sharing.schemas import (
    DeliveryPage,
    DeliverySchema,
    ReportSchedulePage,
    ReportScheduleSchema,
    ScheduleBody,
    SchedulePatch,
)

FOR_EVERYBODY = ("send", "leave")  # what who is sent it may do as well


def guard_schedule(report_schedule_id: UUID) -> None:
    with transaction():
        own = request.method != "GET" and not request.path.endswith(FOR_EVERYBODY)
        read = schedules.get_own if own else schedules.get_schedule
        read(report_schedule_id, actor=current_actor())


bp = ApiBlueprint("report_schedules", __name__, url_prefix="/api/v1/reports/schedules", record_guard=guard_schedule)


@bp.get("")
@bp.arguments(PageArguments, location="query")
@bp.response(200, ReportSchedulePage)
@requires("reports:read")
def list_schedules(query: dict[str, Any]) -> Response:
    """Reports by mail that I set up or am sent, by name; all of them for an admin."""
    with transaction():
        actor = current_actor()
        return page(
            ReportSchedulePage,
            query,
            lambda after, limit: schedules.list_schedules(actor=actor, after=after, limit=limit),
            lambda one: [one["name"], str(one["id"])],
        )


@bp.post("")
@bp.arguments(ScheduleBody)
@bp.response(201, ReportScheduleSchema)
@requires("reports:write")
def make_schedule(body: dict[str, Any]) -> Response:
    """Have a report mailed as a PDF, again and again; each recipient gets what they may see themselves."""
    with transaction():
        actor = current_actor()
        made = schedules.make_schedule(body, actor=actor, now=clock.now(), real_now=clock.real_now())
        location = {"Location": f"/api/v1/reports/schedules/{made.id}"}
        return answer(ReportScheduleSchema, schedules.get_shown(made.id, actor=actor), 201, location)


@bp.get("/<uuid:report_schedule_id>")
@bp.response(200, ReportScheduleSchema)
@requires("reports:read")
def get_schedule(report_schedule_id: UUID) -> Response:
    """One of them."""
    with transaction():
        return answer(ReportScheduleSchema, schedules.get_shown(report_schedule_id, actor=current_actor()))


@bp.patch("/<uuid:report_schedule_id>")
@bp.arguments(SchedulePatch)
@bp.response(200, ReportScheduleSchema)
@requires("reports:write")
def change_schedule(body: dict[str, Any], report_schedule_id: UUID) -> Response:
    """Change what is sent, when or to whom; pause it or let it go on."""
    with transaction():
        require_if_match()
        actor = current_actor()
        schedule = schedules.get_own(report_schedule_id, actor=actor, lock=True)
        check_if_match(schedule)
        schedules.change_schedule(schedule, body, actor=actor, now=clock.now(), real_now=clock.real_now())
        return answer(ReportScheduleSchema, schedules.get_shown(report_schedule_id, actor=actor))


@bp.delete("/<uuid:report_schedule_id>")
@bp.response(204)
@requires("reports:write")
def end_schedule(report_schedule_id: UUID) -> Response:
    """It sends nothing any more; links in mails that went out work until they expire."""
    with transaction():
        schedule = schedules.get_own(report_schedule_id, actor=current_actor(), lock=True)
        check_if_match(schedule)
        schedules.end_schedule(schedule, real_now=clock.real_now())
        return Response(status=204)


@bp.get("/<uuid:report_schedule_id>/deliveries")
@bp.arguments(PageArguments, location="query")
@bp.response(200, DeliveryPage)
@requires("reports:read")
def list_deliveries(query: dict[str, Any], report_schedule_id: UUID) -> Response:
    """What it sent to whom, newest first, and why somebody was sent nothing; one's own alone to who is only sent it."""
    with transaction():
        actor = current_actor()
        schedules.get_schedule(report_schedule_id, actor=actor)
        return page(
            DeliveryPage,
            query,
            lambda after, limit: deliveries.list_deliveries(report_schedule_id, actor=actor, after=after, limit=limit),
            lambda one: [str(one["id"])],
        )


@bp.post("/<uuid:report_schedule_id>/send")
@bp.response(202, DeliverySchema)
@requires("reports:read")
def send_one(report_schedule_id: UUID) -> Response:
    """Send me one now, as of this moment; it comes as soon as it is made."""
    with transaction():
        return answer(DeliverySchema, ask_one(report_schedule_id), 202)


def ask_one(report_schedule_id: UUID) -> dict[str, Any]:
    actor = current_actor()
    schedule = schedules.get_schedule(report_schedule_id, actor=actor)
    moments = {"now": clock.now(), "real_now": clock.real_now()}
    delivery_id = deliveries.ask_one(schedule, actor=actor, **moments)
    queue.wake(SEND)
    return deliveries.get_delivery(delivery_id)


@bp.post("/<uuid:report_schedule_id>/leave")
@bp.response(204)
@requires("reports:read")
def leave(report_schedule_id: UUID) -> Response:
    """Send it to me no more."""
    with transaction():
        actor = current_actor()
        schedules.leave(schedules.get_schedule(report_schedule_id, actor=actor), actor=actor)
        return Response(status=204)
