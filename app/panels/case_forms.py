"""The actions of a case as forms: each is shown only to who may do it now, and is a door to what the API's is."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.errors import Conflict, Invalid, NotFound
from app.escalations import overview
from app.escalations import service as escalations
from app.escalations.action_routes import USE_CASES
from app.http import transaction
from app.http.forms import load_form
from app.http.panels import go, page
from app.panels import case_contexts as contexts
from app.panels.cases import bp, read

Context = Callable[[Mapping[str, Any]], dict[str, Any]]

# What the form of an action shows beside the case.
CONTEXTS: Mapping[str, Context] = {
    "updates": contexts.update,
    "escalate": contexts.handover,
    "qualify": contexts.qualify,
    "assign": contexts.assign,
    "resolve": contexts.resolve,
    "merge": contexts.alike,
    "decision": contexts.decision,
    "edit": contexts.edit,
    "tasks": contexts.colleagues,
    "extend": contexts.extension,
    "playbook": contexts.playbook,
}
FORMS = {
    "acknowledge", "approve", "assign", "attachments", "attempts", "close-unresolved", "comments", "decision",
    "decline", "edit", "escalate", "exit-criteria", "extend", "links", "merge", "messages", "plan", "playbook",
    "qualify", "reopen", "resolve", "resume", "survey", "tasks", "updates", "verify", "wait",
}  # fmt: skip


class NotNow(Conflict):
    code, title = "not_now", "This is not to be done now, or not by you"


@bp.get("/escalations/<uuid:escalation_id>/<action>")
@requires("escalations:read")
def form(escalation_id: UUID, action: str) -> Response:
    """The form of one action, if the reader may do it now."""
    with transaction():
        values = read(escalation_id)
        if action not in FORMS:
            raise NotFound
        if values["case"]["survivor"]:
            return page("panels/case/merged.html", **values)
        if action not in values["allowed"]:
            raise NotNow
        more = CONTEXTS[action](values) if action in CONTEXTS else {}
        return page(f"panels/case/forms/{action}.html", **{**values, **more})


@bp.post("/escalations/<uuid:escalation_id>/<any(messages, links):action>")
@requires("escalations:feed")
def feed(escalation_id: UUID, action: str) -> Response:
    """What the customer said, or a ticket elsewhere: whoever may tell us of it."""
    return done(escalation_id, action)


@bp.post("/escalations/<uuid:escalation_id>/<any(watch):action>")
@requires("escalations:read")
def watch(escalation_id: UUID, action: str) -> Response:
    """Follow a case, or stop: whoever may read it."""
    return done(escalation_id, action)


@bp.post("/escalations/<uuid:escalation_id>/<action>")
@requires("escalations:work")
def act(escalation_id: UUID, action: str) -> Response:
    """Do it: everything else needs the right to work on cases."""
    return done(escalation_id, action)


def done(escalation_id: UUID, action: str) -> Response:
    """By the same schema and the same use case as the API, with the same refusals."""
    use_case = USE_CASES.get(action)
    if use_case is None:
        raise NotFound
    with transaction():
        body = load(use_case.schema, escalation_id)
        case = use_case.run(escalation_id, body, doing(body))
        return go(f"/escalations/{case.record.id if isinstance(case, escalations.Raised) else case.id}")


def load(schema: type[Any], escalation_id: UUID, *, blank_is_null: bool = False) -> dict[str, Any]:
    """The form as its body; of a case that the caller may not see nothing is said of the form's faults."""
    try:
        return load_form(schema, blank_is_null=blank_is_null)
    except Invalid:
        overview.get_version(escalation_id, actor=current_actor(), now=clock.now())
        raise


def doing(body: dict[str, Any]) -> escalations.Act:
    """Who acts now; takes the note out of the body."""
    return escalations.Act(current_actor(), clock.now(), note=body.pop("note", None))
