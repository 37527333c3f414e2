"""Doors to a case: each route loads its body, opens one transaction and answers inside it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import db
from app.db import transaction as plain_transaction
from app.escalations import case, queries, schemas, seals, service
from app.escalations.case import Act
from app.escalations.models import Escalation
from app.escalations.service import NewEscalation, Raised
from app.escalations.words import numbered
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, require_if_match, transaction
from app.playbooks.models import Task
from app.routing import service as routing
from app.routing.models import Decision


def guard_record(escalation_id: UUID, **others: Any) -> None:
    """404 for what the caller may not see, before a faulty body is described."""
    with plain_transaction():
        record = case.lock_record(escalation_id)
        case.check_seen(record, case.standing_of(record, current_actor()), current_actor())


bp = ApiBlueprint("escalations", __name__, url_prefix="/api/v1/escalations", record_guard=guard_record)
blueprints = [bp]


def act(body: dict[str, Any] | None = None) -> Act:
    """Who acts now, under which precondition; takes the note out of the body."""
    note = body.pop("note", None) if body else None
    return Act(actor=current_actor(), now=clock.now(), check=check_if_match, note=note)


def record(escalation_id: UUID, status: int = 200) -> Response:
    """The record as it is now, inside the open transaction."""
    found = queries.get_record(escalation_id, actor=current_actor(), now=clock.now())
    return answer(schemas.EscalationSchema, found, status)


def acted(changed: Escalation, status: int = 200) -> Response:
    """The answer of an action; an integration, which reads nothing, gets what it needs to go on."""
    if current_actor().role == "integration":
        brief = {"id": changed.id, "number": numbered(changed.number), "status": changed.status}
        return answer(schemas.EscalationSchema, {**brief, "version": changed.version}, status)
    return record(changed.id, status)


@bp.post("")
@requires("escalations:raise")
@bp.arguments(schemas.RaiseBody)
@bp.response(201, schemas.RaisedSchema)
def raise_escalation(body: dict[str, Any]) -> Response:
    """Link the demand to its account and value, give it to its owner, start its promises."""
    with transaction():
        return raised(service.raise_escalation(new_escalation(body), act=act()))


def new_escalation(body: dict[str, Any]) -> NewEscalation:
    """The body as the use case takes it."""
    account = body.pop("account", None)
    raised_by = body.pop("raised_by", None) or {}
    refs = tuple(body.pop("external_refs", ()))
    contract_ids = body.pop("contract_ids", None)
    return NewEscalation(
        **body,
        account=(account["source"], account["external_id"]) if account else None,
        raised_by_kind=raised_by.get("kind", "colleague"),
        raised_by_email=raised_by.get("email"),
        external_refs=refs,
        contract_ids=tuple(contract_ids) if contract_ids is not None else None,
    )


def raised(result: Raised) -> Response:
    """201 with owner, why, and every due time."""
    location = {"Location": f"/api/v1/escalations/{result.record.id}"}
    return answer(schemas.RaisedSchema, queries.raised_of(result, clock.now()), 201, location)


@bp.get("")
@requires("escalations:read")
@bp.arguments(schemas.ListArguments, location="query")
@bp.response(200, schemas.EscalationPage)
def list_escalations(arguments: dict[str, Any]) -> Response:
    """Cases by status, tier, severity, owner, account, team, due; sorted by due unless said."""
    with transaction():
        page = queries.list_escalations(arguments, actor=current_actor(), now=clock.now())
        return answer(schemas.EscalationPage, page)


@bp.get("/<uuid:escalation_id>")
@requires("escalations:read")
@bp.response(200, schemas.EscalationSchema)
def get_escalation(escalation_id: UUID) -> Response:
    """The record; a merged one shows where it leads."""
    with transaction():
        return record(escalation_id)


@bp.patch("/<uuid:escalation_id>")
@requires("escalations:work")
@bp.arguments(schemas.EditBody)
@bp.response(200, schemas.EscalationSchema)
def edit_escalation(body: dict[str, Any], escalation_id: UUID) -> Response:
    """Change what the record says; needs If-Match."""
    with transaction():
        return acted(service.edit(escalation_id, act=Act(current_actor(), clock.now(), precondition), changes=body))


def precondition(found: Escalation) -> None:
    require_if_match()
    check_if_match(found)


def action(path: str, body_schema: type[Any], scope: str = "escalations:work") -> Callable[..., Any]:
    """A POST on one case: `view(escalation_id, body, act)` is the use case, its answer the record."""

    def register(use_case: Callable[[UUID, dict[str, Any], Act], Escalation | Raised]) -> Callable[..., Response]:
        def view(body: dict[str, Any], escalation_id: UUID) -> Response:
            with transaction():
                done = use_case(escalation_id, body, act(body))
                return raised(done) if isinstance(done, Raised) else acted(done)

        view.__name__ = use_case.__name__
        view.__doc__ = use_case.__doc__
        route: Callable[..., Response] = bp.post(f"/<uuid:escalation_id>/{path}")(
            requires(scope)(bp.arguments(body_schema)(bp.response(200, schemas.EscalationSchema)(view)))
        )
        return route

    return register


@action("approve", schemas.EmptyBody)
def approve(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Answer the pending request, of a raise or an extension, with yes."""
    return answer_pending(escalation_id, act, approved=True)


@action("decline", schemas.ReasonBody)
def decline(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Answer the pending request with no, and why; the asker is told."""
    return answer_pending(escalation_id, act, approved=False, reason=body["reason"])


def answer_pending(escalation_id: UUID, act: Act, *, approved: bool, reason: str | None = None) -> Escalation:
    """A request of a raise is answered before there can be one of an extension."""
    status = db.session.scalar(select(Escalation.status).where(Escalation.id == escalation_id))
    if status in ("requested", "declined"):
        return service.answer_raise(escalation_id, act=act, approved=approved, reason=reason)
    return service.answer_extension(escalation_id, act=act, approved=approved, reason=reason)


@action("acknowledge", schemas.EmptyBody)
def acknowledge(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The owner takes the case in hand; the acknowledge clock is met."""
    return service.acknowledge(escalation_id, act=act, at=body.get("at"))


@action("assign", schemas.AssignBody)
def assign(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A new owner by id, e-mail or team, or none of them: routed afresh without the present owner."""
    reason = body.pop("reason")
    return service.assign(escalation_id, act=act, to=service.NewOwner(**body), reason=reason)


@action("escalate", schemas.EscalateBody)
def escalate(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Move the work up a tier with a handover brief."""
    return service.escalate(escalation_id, act=act, hop=service.Hop(**body))


@action("wait", schemas.WaitBody)
def wait(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Wait for the customer, a vendor or ourselves until a day."""
    return service.wait(escalation_id, act=act, on=service.Wait(**body))


@action("resume", schemas.EmptyBody)
def resume(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Work goes on."""
    return service.resume(escalation_id, act=act)


@action("resolve", schemas.ResolveBody)
def resolve(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The work is done, subject to the customer's word."""
    resolution = service.Resolution(
        summary=body["summary"],
        root_cause=body["root_cause"],
        preventable=body["preventable"],
        prevention=body.get("prevention"),
        waived=tuple(body.get("waived", ())),
    )
    return service.resolve(escalation_id, act=act, resolution=resolution, at=body.get("at"))


@action("verify", schemas.VerifyBody)
def verify(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The customer's word: accepted closes the case, rejected takes the work up again."""
    at = body.pop("at", None)
    return service.verify(escalation_id, act=act, word=service.Word(**body), at=at)


@action("close-unresolved", schemas.CloseUnresolvedBody)
def close_unresolved(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A manager above the owner or an executive ends a case that was not resolved."""
    return service.close_unresolved(escalation_id, act=act, outcome=body["outcome"], reason=body["reason"])


@action("decision", schemas.DecisionBody)
def decision(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Record management's decision; what it says is done by its own call."""
    return service.decide(escalation_id, act=act, choice=body["choice"], reason=body["reason"])


@action("reopen", schemas.ReasonBody)
def reopen(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation | Raised:
    """Within 14 days the case goes on; later the call raises a recurrence and answers 201 with it."""
    return service.reopen(escalation_id, act=act, reason=body["reason"])


@action("merge", schemas.MergeBody)
def merge(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Fold this case into the one raised first."""
    return service.merge(escalation_id, act=act, into_id=body["into_id"], reason=body["reason"])


@action("extend", schemas.ExtendBody)
def extend(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A later close date: granted to an approver, a request from everybody else."""
    return service.extend(escalation_id, act=act, extension=service.Extension(**body))


@action("plan", schemas.PlanBody)
def plan(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The plan and the forecast close date."""
    return service.plan(
        escalation_id,
        act=act,
        content=body["plan"],
        forecast_close_on=body["forecast_close_on"],
        customer_agreed=body["customer_agreed"],
    )


@action("watch", schemas.WatchBody, scope="escalations:read")
def watch(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Follow a case, or stop."""
    return service.set_watching(escalation_id, act=act, watching=body["watching"])


@action("attempts", schemas.AttemptBody)
def attempts(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """What was tried and what came of it."""
    return service.add_attempt(escalation_id, act=act, what=body["what"], result=body["result"], at=body.get("at"))


@action("updates", schemas.UpdateBody)
def updates(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """What we told an audience."""
    return service.add_update(
        escalation_id,
        act=act,
        audiences=body["audience"],
        channel=body["channel"],
        content=body["text"],
        at=body.get("at"),
    )


@action("messages", schemas.MessageBody, scope="escalations:feed")
def messages(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """What the customer said."""
    return service.add_message(
        escalation_id,
        act=act,
        sender=body["from"],
        channel=body["channel"],
        content=body["text"],
        at=body.get("at"),
        external_id=body.get("external_id"),
    )


@action("comments", schemas.CommentBody)
def comments(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A note among us."""
    return service.add_comment(escalation_id, act=act, content=body["text"])


@action("links", schemas.LinkBody, scope="escalations:feed")
def links(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A related ticket in another system."""
    return service.add_link(
        escalation_id, act=act, system=body["system"], external_id=body["external_id"], url=body.get("url")
    )


@bp.get("/<uuid:escalation_id>/timeline")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.EventPage)
def get_timeline(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """Every event, oldest first, with its hash."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor())
        page = queries.list_events(found.id, cursor=arguments.get("cursor"), limit=arguments["limit"])
        return answer(schemas.EventPage, page)


@bp.get("/<uuid:escalation_id>/timeline/verify")
@requires("escalations:read")
@bp.response(200, schemas.ChainSchema)
def verify_timeline(escalation_id: UUID) -> Response:
    """Recompute the chain of hashes and compare it with the newest signed list that names it."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor())
        return answer(schemas.ChainSchema, seals.verify(found))


@bp.get("/<uuid:escalation_id>/routing")
@requires("escalations:read")
@bp.response(200, schemas.DecisionsSchema)
def get_routing(escalation_id: UUID) -> Response:
    """The decision records, oldest first."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor())
        asked = select(Decision).where(Decision.escalation_id == found.id).order_by(Decision.at, Decision.id)
        items = [{**vars(d), "rules": routing.describe(d)} for d in db.session.scalars(asked.limit(200))]
        return answer(schemas.DecisionsSchema, {"items": items, "next_cursor": None})


@bp.get("/<uuid:escalation_id>/tasks")
@requires("escalations:read")
@bp.response(200, schemas.TaskPage)
def list_tasks(escalation_id: UUID) -> Response:
    """The tasks of a case, oldest first."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor())
        asked = select(Task).where(Task.escalation_id == found.id).order_by(Task.created_at, Task.id)
        return answer(schemas.TaskPage, {"items": list(db.session.scalars(asked.limit(200))), "next_cursor": None})


@bp.patch("/<uuid:escalation_id>/tasks/<uuid:task_id>")
@requires("escalations:work")
@bp.arguments(schemas.TaskBody)
@bp.response(200, schemas.TaskSchema)
def change_task(body: dict[str, Any], escalation_id: UUID, task_id: UUID) -> Response:
    """Finish, waive or move a task; needs the task's ETag in If-Match."""
    note = body.pop("note", None)
    with transaction():
        require_if_match()
        doing = Act(current_actor(), clock.now(), note=note)
        task = service.change_task(escalation_id, task_id, act=doing, changes=body, check=check_if_match)
        return answer(schemas.TaskSchema, task)
