"""Doors to the actions on a case: each is one POST, one use case, one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from app.auth.guards import requires
from app.db import db
from app.escalations import bodies, schemas, service
from app.escalations.case import Act
from app.escalations.doors import act, acted, bp, raised
from app.escalations.models import Escalation
from app.escalations.service import Raised
from app.http import transaction


@dataclass(frozen=True)
class UseCase:
    """An action as its doors open it: `run(escalation_id, body, act)` with a body as loaded by `schema`."""

    run: Callable[[UUID, dict[str, Any], Act], Escalation | Raised]
    schema: type[Any]


# Every action by the last word of its path: the panel's forms are doors to the same.
USE_CASES: dict[str, UseCase] = {}


def action(path: str, body_schema: type[Any], scope: str = "escalations:work") -> Callable[..., Any]:
    """A POST on one case: `view(escalation_id, body, act)` is the use case, its answer the record."""

    def register(use_case: Callable[[UUID, dict[str, Any], Act], Escalation | Raised]) -> Callable[..., Response]:
        def view(body: dict[str, Any], escalation_id: UUID) -> Response:
            with transaction():
                done = use_case(escalation_id, body, act(body))
                return raised(done) if isinstance(done, Raised) else acted(done)

        USE_CASES[path] = UseCase(use_case, body_schema)
        view.__name__ = use_case.__name__
        view.__doc__ = use_case.__doc__
        route: Callable[..., Response] = bp.post(f"/<uuid:escalation_id>/{path}")(
            requires(scope)(bp.arguments(body_schema)(bp.response(200, schemas.EscalationSchema)(view)))
        )
        return route

    return register


@action("approve", bodies.EmptyBody)
def approve(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Answer the pending request, of a raise or an extension, with yes."""
    return answer_pending(escalation_id, act, approved=True)


@action("decline", bodies.ReasonBody)
def decline(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Answer the pending request with no, and why; the asker is told."""
    return answer_pending(escalation_id, act, approved=False, reason=body["reason"])


def answer_pending(escalation_id: UUID, act: Act, *, approved: bool, reason: str | None = None) -> Escalation:
    """A request of a raise is answered before there can be one of an extension."""
    status = db.session.scalar(select(Escalation.status).where(Escalation.id == escalation_id))
    if status in ("requested", "declined"):
        return service.answer_raise(escalation_id, act=act, approved=approved, reason=reason)
    return service.answer_extension(escalation_id, act=act, approved=approved, reason=reason)


@action("acknowledge", bodies.EmptyBody)
def acknowledge(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The owner takes the case in hand; the acknowledge clock is met."""
    return service.acknowledge(escalation_id, act=act, at=body.get("at"))


@action("assign", bodies.AssignBody)
def assign(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A new owner by id, e-mail or team, or none of them: routed afresh without the present owner."""
    why = {"reason": body.pop("reason"), "misroute": body.pop("misroute", None)}
    return service.assign(escalation_id, act=act, to=service.NewOwner(**body), **why)


@action("escalate", bodies.EscalateBody)
def escalate(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Move the work up a tier with a handover brief."""
    return service.escalate(escalation_id, act=act, hop=service.Hop(**body))


@action("qualify", bodies.QualifyBody)
def qualify(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Answer the tier's question, can it be resolved here; a no with a brief also moves the work up."""
    return service.qualify(escalation_id, act=act, answer=service.Answer(**body))


@action("wait", bodies.WaitBody)
def wait(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Wait for the customer, a vendor or ourselves until a day."""
    return service.wait(escalation_id, act=act, on=service.Wait(**body))


@action("resume", bodies.EmptyBody)
def resume(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Work goes on."""
    return service.resume(escalation_id, act=act)


@action("resolve", bodies.ResolveBody)
def resolve(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The work is done, subject to the customer's word."""
    resolution = service.Resolution(
        summary=body["summary"],
        root_cause=body["root_cause"],
        preventable=body["preventable"],
        prevention=body.get("prevention"),
        waived=tuple(body.get("waived", ())),
        met=tuple(body.get("met", ())),
    )
    return service.resolve(escalation_id, act=act, resolution=resolution, at=body.get("at"))


@action("verify", bodies.VerifyBody)
def verify(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The customer's word: accepted closes the case, rejected takes the work up again."""
    at = body.pop("at", None)
    return service.verify(escalation_id, act=act, word=service.Word(**body), at=at)


@action("close-unresolved", bodies.CloseUnresolvedBody)
def close_unresolved(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A manager above the owner or an executive ends a case that was not resolved."""
    return service.close_unresolved(escalation_id, act=act, outcome=body["outcome"], reason=body["reason"])


@action("decision", bodies.DecisionBody)
def decision(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Record management's decision; what it says is done by its own call."""
    return service.record_decision(escalation_id, act=act, choice=body["choice"], reason=body["reason"])


@action("reopen", bodies.ReasonBody)
def reopen(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation | Raised:
    """Within the tenant's `reopen_days` the case goes on; later it raises a recurrence and answers 201 with it."""
    return service.reopen(escalation_id, act=act, reason=body["reason"])


@action("merge", bodies.MergeBody)
def merge(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Fold this case into the one raised first."""
    return service.merge(escalation_id, act=act, into_id=body["into_id"], reason=body["reason"])


@action("extend", bodies.ExtendBody)
def extend(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A later close date: granted to an approver, a request from everybody else."""
    return service.extend(escalation_id, act=act, extension=service.Extension(**body))


@action("plan", bodies.PlanBody)
def plan(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """The plan and the forecast close date."""
    return service.plan(
        escalation_id,
        act=act,
        content=body["plan"],
        forecast_close_on=body["forecast_close_on"],
        customer_agreed=body["customer_agreed"],
    )


@action("watch", bodies.WatchBody, scope="escalations:read")
def watch(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """Follow a case, or stop."""
    return service.set_watching(escalation_id, act=act, watching=body["watching"])


@action("attempts", bodies.AttemptBody)
def attempts(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """What was tried and what came of it."""
    return service.add_attempt(escalation_id, act=act, what=body["what"], result=body["result"], at=body.get("at"))


@action("updates", bodies.UpdateBody)
def updates(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """What we told an audience."""
    return service.add_update(
        escalation_id,
        act=act,
        audiences=body["audience"],
        channel=body["channel"],
        content=body.get("text"),
        at=body.get("at"),
        wording=service.Wording(body.get("draft"), body.get("subject"), body.get("texts", {}), body.get("task_id")),
    )


@action("messages", bodies.MessageBody, scope="escalations:feed")
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


@action("comments", bodies.CommentBody)
def comments(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A note among us."""
    return service.add_comment(escalation_id, act=act, content=body["text"])


@action("links", bodies.LinkBody, scope="escalations:feed")
def links(escalation_id: UUID, body: dict[str, Any], act: Act) -> Escalation:
    """A related ticket in another system."""
    return service.add_link(
        escalation_id, act=act, system=body["system"], external_id=body["external_id"], url=body.get("url")
    )


blueprints = [bp]
