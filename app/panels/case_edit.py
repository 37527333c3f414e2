"""Editing a case's record, its tasks, exit criteria and links: forms that know which version they were written on."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading
from app.errors import NotFound, Stale, invalid
from app.escalations import bodies, overview, task_bodies
from app.escalations import service as escalations
from app.escalations.closure_schemas import AgreeBody, CriterionBody
from app.escalations.models import Escalation
from app.http import transaction
from app.http.panels import go, page
from app.panels import case_contexts as contexts
from app.panels import case_words as words
from app.panels.case_forms import doing, load
from app.panels.cases import bp, read
from app.panels.navigation import day
from app.playbooks.models import Task
from app.texts import gettext as _
from app.texts import noted

LABELS = {
    "title": noted("Title"),
    "severity": noted("Severity"),
    "reason": noted("Kind of grievance"),
    "forecast_close_on": noted("Closes on, as you see it"),
    "restricted": noted("Who sees it?"),
    "customer_statement": noted("The customer said"),
    "desired_outcome": noted("What would make it right"),
    "impact": noted("What it does to them"),
}


class EditForm(bodies.EditBody):
    version = fields.Integer(required=True)


class TaskForm(task_bodies.TaskBody):
    version = fields.Integer(required=True)


class CriterionForm(CriterionBody):
    version = fields.Integer(required=True)


class MergeForm(bodies.MergeBody):
    """Into one that was chosen, or one by its number."""

    into_id = fields.UUID()
    number = fields.String(validate=bodies.SHORT)


@bp.post("/escalations/<uuid:escalation_id>/edit")
@requires("escalations:work")
def edit(escalation_id: UUID) -> Response:
    """Change what the record says; who changed the same fields meanwhile is shown beside."""
    with transaction():
        changes = load(EditForm, escalation_id, blank_is_null=True)
        version = changes.pop("version")

        def check(record: Escalation) -> None:
            if contexts.edit_version(record) != version:
                raise Stale(version=contexts.edit_version(record), both=list(both(record, changes)))

        act = escalations.Act(current_actor(), clock.now(), check)
        done = escalations.edit(escalation_id, act=act, changes=changes)
        return go(f"/escalations/{done.id}")


def both(record: Escalation, changes: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    """Each field that the form has otherwise: what it says now, and what the form says."""
    now = {name: getattr(record, name) for name in LABELS} | dict(record.answers)
    yours = {**{name: changes[name] for name in LABELS if name in changes}, **changes.get("answers", {})}
    for name, said in yours.items():
        if (said or None) != (now.get(name) or None):
            label = _(LABELS[name]) if name in LABELS else name.replace("_", " ")
            yield label, shown(now.get(name)), shown(said)


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return day(value) if hasattr(value, "year") else "–" if value is None else str(value)


@bp.post("/escalations/<uuid:escalation_id>/merge")
@requires("escalations:work")
def merge(escalation_id: UUID) -> Response:
    """Into one of those that look like it, or one by its number."""
    with transaction():
        body = load(MergeForm, escalation_id)
        number, into_id = body.pop("number", None), body.get("into_id")
        into_id = into_id or (number and overview.find_by_number(number, actor=current_actor(), now=clock.now()))
        if into_id is None:
            raise invalid("number" if number else "into_id", _("expected the number of another escalation"))
        done = escalations.merge(escalation_id, act=doing(body), into_id=into_id, reason=body["reason"])
        return go(f"/escalations/{done.id}")


@bp.post("/escalations/<uuid:escalation_id>/tasks")
@requires("escalations:work")
def add_task(escalation_id: UUID) -> Response:
    """Ask something of the owner or a colleague."""
    with transaction():
        body = load(task_bodies.NewTaskBody, escalation_id)
        act = doing(body)
        body.pop("role")
        escalations.add_task(escalation_id, act=act, new=escalations.NewTask(**body))
        return go(f"/escalations/{escalation_id}")


@bp.get("/escalations/<uuid:escalation_id>/tasks/<uuid:task_id>")
@requires("escalations:read")
def show_task(escalation_id: UUID, task_id: UUID) -> Response:
    """One task with what can be done about it."""
    with reading():
        values = read(escalation_id)
        task = next((one for one in values["case"]["tasks"] if one["id"] == str(task_id)), None)
        if task is None:
            raise NotFound
        hangs = [one for one in values["open_tasks"] if one["key"] and task["key"] in one["after"]]
        mine = "edit" in values["allowed"] or task["assignee_id"] in values["my_places"]
        return page("panels/case/task.html", **values, task=task, hangs=hangs, may=mine)


@bp.post("/escalations/<uuid:escalation_id>/tasks/<uuid:task_id>")
@requires("escalations:work")
def change_task(escalation_id: UUID, task_id: UUID) -> Response:
    """Done, with what shows it; not needed, with the reason; or open again."""
    with transaction():
        body = load(TaskForm, escalation_id)
        check, act = of_version(body.pop("version")), doing(body)
        escalations.change_task(escalation_id, task_id, act=act, changes=body, check=check)
        return go(f"/escalations/{escalation_id}")


def of_version(version: int) -> Any:
    """Refuses a row that moved on since the form was made."""

    def check(row: Any) -> None:
        if row.version != version:
            raise Stale(version=row.version, both=[(_("Task"), f"{row.title}, {row.state}", _("as in the form"))]
                        if isinstance(row, Task) else [])  # fmt: skip

    return check


@bp.post("/escalations/<uuid:escalation_id>/exit-criteria")
@requires("escalations:work")
def agree(escalation_id: UUID) -> Response:
    """What this customer and we call solved."""
    with transaction():
        body = load(AgreeBody, escalation_id)
        act = doing(body)
        escalations.agree_criterion(escalation_id, act=act, content=body["text"], agreed_with=body["agreed_with"])
        return go(f"/escalations/{escalation_id}/exit-criteria")


@bp.post("/escalations/<uuid:escalation_id>/exit-criteria/<key>")
@requires("escalations:work")
def settle_criterion(escalation_id: UUID, key: str) -> Response:
    """Met, not needed, or open again."""
    with transaction():
        body = load(CriterionForm, escalation_id)
        check, act = of_version(body.pop("version")), doing(body)
        state, reason = body["state"], body.get("reason")
        escalations.change_criterion(escalation_id, key, act=act, state=state, reason=reason, check=check)
        return go(f"/escalations/{escalation_id}/exit-criteria")


@bp.post("/escalations/<uuid:escalation_id>/updates/preview")
@requires("escalations:read")
def preview(escalation_id: UUID) -> Response:
    """What is typed, as its reader will see it; nothing is kept."""
    with reading():
        overview.get_version(escalation_id, actor=current_actor(), now=clock.now())
        text, subject = request.form.get("text", ""), request.form.get("subject", "")
        gaps = len(words.GAP.findall(text)) + len(words.GAP.findall(subject))
        return page("panels/case/forms/received.html", text=text, subject=subject, gaps=gaps)


@bp.post("/escalations/<uuid:escalation_id>/survey")
@requires("escalations:work")
def survey(escalation_id: UUID) -> Response:
    """A link for the customer, shown once."""
    with transaction():
        asked = escalations.ask_survey(escalation_id, act=doing({}), now=clock.real_now())
        return page("panels/case/forms/survey_made.html", asked=asked)
