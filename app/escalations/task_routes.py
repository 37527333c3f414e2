"""Doors to tasks: mine across cases; of one case to list, add, change, move with what hangs on them, and move back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.errors import NotFound
from app.escalations import bodies, cascading, covering, evidence, queries, service, task_bodies, task_schemas
from app.escalations.case import Act
from app.escalations.doors import act, bp
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.playbooks.models import Task

mine = ApiBlueprint("my-tasks", __name__, url_prefix="/api/v1/me")
blueprints = [mine]


@mine.get("/tasks")
@mine.arguments(task_bodies.MyTaskArguments, location="query")
@mine.response(200, task_schemas.MyTaskPage)
@requires("escalations:read")
def list_my_tasks(query: dict[str, Any]) -> Response:
    """My tasks in all cases and those of whom I cover: open ones by due time, those without one last; of `state` done
    or waived the last ended first."""
    user_id, now, state = current_actor().user_id, clock.now(), query.pop("state")
    if user_id is None:  # the engine owns nothing
        raise NotFound
    due_before = query.pop("due_before", None)
    with transaction():
        return page(
            task_schemas.MyTaskPage,
            query,
            lambda after, limit: covering.list_tasks(
                user_id, now, state=state, due_before=due_before, after=_position(after), limit=limit
            ),
            lambda task: [at.isoformat() if (at := task[covering.sorted_by(state)]) else None, str(task["id"])],
        )


def _position(after: list[Any] | None) -> tuple[datetime | None, UUID] | None:
    return (datetime.fromisoformat(after[0]) if after[0] else None, UUID(after[1])) if after else None


@bp.get("/<uuid:escalation_id>/tasks")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, task_schemas.TaskPage)
def list_tasks(arguments: dict[str, Any], escalation_id: UUID) -> Response:
    """The tasks of a case, oldest first."""
    with transaction():
        found = queries.get_visible(escalation_id, actor=current_actor(), now=clock.now())
        listed = queries.list_tasks(found.id, **arguments)
        return answer(task_schemas.TaskPage, {**listed, "items": evidence.shown(found.id, listed["items"])})


@bp.post("/<uuid:escalation_id>/tasks")
@requires("escalations:work")
@bp.arguments(task_bodies.NewTaskBody)
@bp.response(201, task_schemas.ShownTaskSchema)
def add_task(body: dict[str, Any], escalation_id: UUID) -> Response:
    """Ask something of the owner or a colleague; with `due_at` it has a clock of its own."""
    with transaction():
        doing = act(body)
        body.pop("role")
        return _shown(service.add_task(escalation_id, act=doing, new=service.NewTask(**body)), 201)


@bp.patch("/<uuid:escalation_id>/tasks/<uuid:task_id>")
@requires("escalations:work")
@bp.arguments(task_bodies.TaskBody)
@bp.response(200, task_schemas.ShownTaskSchema)
def change_task(body: dict[str, Any], escalation_id: UUID, task_id: UUID) -> Response:
    """Finish, waive or move a task; needs the task's ETag in If-Match. Who does it may finish it."""
    note = body.pop("note", None)
    with transaction():
        require_if_match()
        doing = Act(current_actor(), clock.now(), note=note)
        return _shown(service.change_task(escalation_id, task_id, act=doing, changes=body, check=check_if_match))


@bp.post("/<uuid:escalation_id>/tasks/<uuid:task_id>/move")
@requires("escalations:work")
@bp.arguments(task_bodies.MoveTaskBody)
@bp.response(200, task_schemas.TaskMoveSchema)
def move_task(body: dict[str, Any], escalation_id: UUID, task_id: UUID) -> Response:
    """Another due time, with what hangs on the task or without; `preview` only shows it. Takes the task's ETag."""
    doing = Act(current_actor(), clock.now(), note=body.pop("note", None))
    with transaction():
        moved = cascading.move(escalation_id, task_id, act=doing, check=check_if_match, **body)
        return answer(task_schemas.TaskMoveSchema, moved.view())


@bp.post("/<uuid:escalation_id>/tasks/moves/<uuid:move_id>/undo")
@requires("escalations:work")
@bp.arguments(bodies.ActionBody)
@bp.response(200, task_schemas.TaskMoveSchema)
def undo_move(body: dict[str, Any], escalation_id: UUID, move_id: UUID) -> Response:
    """Every task of a move is due as it was before; 409 when one of them was changed since."""
    doing = Act(current_actor(), clock.now(), note=body.pop("note", None))
    with transaction():
        return answer(task_schemas.TaskMoveSchema, cascading.undo(escalation_id, move_id, act=doing).view())


def _shown(task: Task, status: int = 200) -> Response:
    return answer(task_schemas.ShownTaskSchema, evidence.shown(task.escalation_id, [task])[0], status)
