"""Doors to outages: each opens its transactions and answers inside the last."""

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import ValidationError

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as plain_transaction
from app.errors import AppError
from app.escalations import drafting, queries, seals
from app.escalations import schemas as cases
from app.escalations.case import Act
from app.escalations.doors import bp as escalations
from app.escalations.outages import affecting, keeping, offers, reading, schemas
from app.escalations.timeline import OF_OUTAGES
from app.escalations.timeline_reads import list_events
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.playbooks import service as playbooks


def guard_outage(outage_id: UUID) -> None:
    """404 for what is not there, 403 for what is not theirs, before a faulty body is described."""
    with plain_transaction():
        outage = keeping.get_outage(outage_id)
        if request.method != "GET":
            keeping.check_may_act(outage, current_actor())


bp = ApiBlueprint("outages", __name__, url_prefix="/api/v1/outages", record_guard=guard_outage)


def act(body: dict[str, Any]) -> Act:
    return Act(actor=current_actor(), now=clock.now(), note=body.pop("note", None))


def shown(outage_id: UUID, status: int = 200) -> Response:
    """The outage as it is now, inside the open transaction."""
    view = reading.get_view(outage_id, actor=current_actor(), now=clock.now())
    location = {"Location": f"/api/v1/outages/{outage_id}"} if status == 201 else None
    return answer(schemas.OutageSchema, view, status, location)


def news_of(body: dict[str, Any]) -> keeping.News:
    return keeping.News(body["audience"], body.get("text"), body.get("texts", {}), body.get("channel"))


@bp.get("")
@requires("escalations:read")
@bp.arguments(schemas.OutageArguments, location="query")
@bp.response(200, schemas.OutagePage)
def list_outages(query: dict[str, Any]) -> Response:
    """Outages, newest first."""
    with transaction():
        return page(
            schemas.OutagePage,
            query,
            lambda after, limit: reading.list_outages(
                query, actor=current_actor(), after=UUID(after[0]) if after else None, limit=limit
            ),
            lambda found: [str(found["id"])],
        )


@bp.post("")
@requires("escalations:work")
@bp.arguments(schemas.OutageBody)
@bp.response(201, schemas.OutageSchema)
def open_outage(body: dict[str, Any]) -> Response:
    """One cause for what several accounts suffer, with somebody who answers for it."""
    with transaction():
        doing = act(body)
        owner, statement = body.get("owner_email"), body.get("statement")
        made = keeping.open_outage(body["title"], statement=statement, owner_email=owner, act=doing)
        return shown(made.id, 201)


@bp.get("/<uuid:outage_id>")
@requires("escalations:read")
@bp.response(200, schemas.OutageSchema)
def get_outage(outage_id: UUID) -> Response:
    """One outage, what was said last, and how far its cases are."""
    with transaction():
        return shown(outage_id)


@bp.patch("/<uuid:outage_id>")
@requires("escalations:work")
@bp.arguments(schemas.OutageChangeBody)
@bp.response(200, schemas.OutageSchema)
def change_outage(body: dict[str, Any], outage_id: UUID) -> Response:
    """Another title, statement or owner; needs If-Match."""
    with transaction():
        require_if_match()
        keeping.change_outage(outage_id, act=act(body), changes=body, check=check_if_match)
        return shown(outage_id)


@bp.post("/<uuid:outage_id>/updates")
@requires("escalations:work")
@bp.arguments(schemas.OutageUpdateBody)
@bp.response(200, schemas.OutageSchema)
def tell(body: dict[str, Any], outage_id: UUID) -> Response:
    """What is known now, offered to each open case: its owner gets a task with a draft on it and sends it, or not."""
    with transaction():
        keeping.tell(outage_id, act=act(body), news=news_of(body), check=check_if_match)
        return shown(outage_id)


@bp.post("/<uuid:outage_id>/resolve")
@requires("escalations:work")
@bp.arguments(schemas.OutageResolveBody)
@bp.response(200, schemas.OutageSchema)
def resolve(body: dict[str, Any], outage_id: UUID) -> Response:
    """The cause is gone: each open case is offered its resolution, and verified by its own customer."""
    with transaction():
        keeping.resolve(
            outage_id,
            act=act(body),
            summary=body["summary"],
            root_cause=body.get("root_cause"),
            preventable=body.get("preventable"),
            news=news_of(body),
            check=check_if_match,
        )
        return shown(outage_id)


@bp.get("/<uuid:outage_id>/timeline")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, cases.EventPage)
def get_timeline(arguments: dict[str, Any], outage_id: UUID) -> Response:
    """Every event of the outage, oldest first, with its hash."""
    with transaction():
        found = keeping.get_outage(outage_id)
        cursor, limit = arguments.get("cursor"), arguments["limit"]
        listed = list_events(found.id, kept=OF_OUTAGES, cursor=cursor, limit=limit)
        return answer(cases.EventPage, listed)


@bp.get("/<uuid:outage_id>/timeline/verify")
@requires("escalations:read")
@bp.response(200, cases.ChainSchema)
def verify_timeline(outage_id: UUID) -> Response:
    """Recompute the chain of hashes and compare it with the newest signed list that names it."""
    with transaction():
        return answer(cases.ChainSchema, seals.verify(keeping.get_outage(outage_id)))


@bp.get("/<uuid:outage_id>/escalations")
@requires("escalations:read")
@bp.arguments(schemas.CasesArguments, location="query")
@bp.response(200, cases.EscalationPage)
def list_cases(arguments: dict[str, Any], outage_id: UUID) -> Response:
    """Its cases that the caller may see, each with what the outage offered it last."""
    with transaction():
        found = keeping.get_outage(outage_id)
        listed = reading.list_cases(found.id, arguments, actor=current_actor(), now=clock.now())
        return answer(cases.EscalationPage, listed)


@bp.post("/<uuid:outage_id>/escalations")
@requires("escalations:work")
@bp.arguments(schemas.AffectBody)
@bp.response(200, schemas.HitsSchema)
def affect(body: dict[str, Any], outage_id: UUID) -> Response:
    """One case for each account that is hit, raised, linked or known already; what is wrong with one stops no other."""
    note = body.pop("note", None)
    rows = body.pop("accounts")
    with transaction(answered_later=True):
        keeping.check_may_act(keeping.get_outage(outage_id), current_actor())
    hits = [affect_row(outage_id, index, row, body, note) for index, row in enumerate(rows)]
    with transaction():
        counts = dict.fromkeys(("raised", "linked", "known", "rejected"), 0)
        for hit in hits:
            counts[hit["outcome"]] += 1
        return answer(schemas.HitsSchema, {"items": hits, **counts})


def affect_row(outage_id: UUID, index: int, row: Any, common: dict[str, Any], note: str | None) -> dict[str, Any]:
    """One account in a transaction of its own."""
    try:
        asked = schemas.AffectedBody().load(row)
        with plain_transaction():
            doing = Act(actor=current_actor(), now=clock.now(), note=note)
            hit = affecting.affect(outage_id, {**common, **asked}, act=doing)
            return {"index": index, **vars(hit), "errors": []}
    except ValidationError as fault:
        return _refused(index, "invalid", "The entry has faults", _faults(fault.messages))
    except AppError as refused:
        if refused.status >= 500:
            raise
        return _refused(index, refused.code, refused.detail, refused.errors)


def _refused(index: int, code: str, detail: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    return {"index": index, "outcome": "rejected", "code": code, "detail": detail, "errors": errors}


def _faults(messages: Any, pointer: str = "") -> list[dict[str, str]]:
    """marshmallow's tree of messages as a list of places and what was expected there."""
    if isinstance(messages, dict):
        return [
            one
            for name, below in messages.items()
            for one in _faults(below, pointer if name == "_schema" else f"{pointer}/{name}")
        ]
    return [{"pointer": pointer, "detail": str(message)} for message in messages]


@escalations.get("/<uuid:escalation_id>/tasks/<uuid:task_id>/draft")
@requires("escalations:read")
@escalations.response(200, schemas.OfferSchema)
def get_offer(escalation_id: UUID, task_id: UUID) -> Response:
    """What an outage offers to this case: sent as an update, or resolved with, under the task's id."""
    with transaction():
        now = clock.now()
        record = queries.get_visible(escalation_id, actor=current_actor(), now=now)
        task = playbooks.get_task(record.id, task_id)
        case = drafting.CaseOfDrafts(record, current_actor(), now, task.outage_event_id)
        return answer(schemas.OfferSchema, offers.shown(case, task))


blueprints = [bp]
