"""Pages for admins about ladders: who is told when, on a line for each kind of promise, and the next version."""

from typing import Any

from flask import Response
from marshmallow import fields, validate

from app import clock
from app.auth import service as auth
from app.auth.guards import requires
from app.db import transaction as reading
from app.errors import Invalid, NotFound
from app.http import Body, transaction
from app.http.forms import check_version, load_body, load_form
from app.http.panels import PanelBlueprint, go, page
from app.sla import ladders, rungs
from app.sla.basis import Basis, basis, find_default_target
from app.sla.ladder import ACTIONS, AUDIENCES, MOST_STEPS
from app.sla.models import LadderVersion
from app.sla.schemas import LadderBody
from app.sla.targets import CLOCK_KINDS
from app.texts import noted

bp = PanelBlueprint("admin_ladders", __name__)

SPARE_ROWS = 2
USUAL_DAYS = 5.0  # a promise whose length its level or playbook says
WHEN = {
    "share": noted("% of the way"),
    "before_days": noted("days before"),
    "before_hours": noted("hours before"),
    "before_minutes": noted("minutes before"),
    "due": noted("when due"),
    "after_days": noted("days after"),
    "after_hours": noted("hours after"),
    "after_minutes": noted("minutes after"),
    "written": noted("as written, such as -P1DT2H"),
}
EVERY = {"days": noted("days"), "hours": noted("hours"), "minutes": noted("minutes"), "written": noted("as written")}


class StepForm(Body):
    """A step as one chooses it; a row whose `when` is blank is none."""

    when = fields.String(load_default="", validate=validate.OneOf(tuple(WHEN)))
    amount = fields.String(load_default="")
    audience = fields.List(fields.String(), load_default=list)
    action = fields.String(load_default="notify")
    every = fields.String(load_default="")
    unit = fields.String(load_default="days", validate=validate.OneOf(tuple(EVERY)))
    times = fields.Integer(strict=True)


class LadderForm(Body):
    version = fields.Integer(required=True)
    steps = fields.List(
        fields.Nested(StepForm), load_default=list, validate=validate.Length(max=MOST_STEPS + SPARE_ROWS)
    )


@bp.get("/admin/ladders")
@requires("promises:write")
def list_ladders() -> Response:
    """Each kind of promise with the line of its reminders."""
    with reading():
        counts_by = basis(now=clock.now())
        rows = [(one[-1], drawn(one[-1], counts_by)) for one in ladders.list_ladders()]
        return page("sla/ladders.html", rows=rows, when=WHEN, every=EVERY, due_x=rungs.DUE_X)


def drawn(version: LadderVersion, counts_by: Basis) -> list[rungs.Rung]:
    """The steps on their line, to scale with what is promised to most."""
    day_seconds = counts_by.calendar.day_seconds
    target = find_default_target(version.kind, counts_by)
    span = USUAL_DAYS
    if target is not None:
        span = target.value if target.kind == "calendar_days" else target.value / day_seconds
    return rungs.draw(version.steps, span_days=span, day_seconds=day_seconds)


@bp.get("/admin/ladders/<kind>")
@requires("promises:write")
def edit_ladder(kind: str) -> Response:
    """One kind: its line, its versions and the form of the next."""
    with reading():
        versions = ladders.get_ladder(kind) if kind in CLOCK_KINDS else []
        if not versions:
            raise NotFound
        counts_by = basis(now=clock.now())
        values: dict[str, Any] = {"kind": kind, "last": versions[-1], "rungs": drawn(versions[-1], counts_by)}
        values |= {"older": [(one, drawn(one, counts_by)) for one in reversed(versions[:-1])]}
        values |= {"when": WHEN, "every": EVERY, "spare": SPARE_ROWS, "due_x": rungs.DUE_X}
        return page("sla/ladder.html", **values, audiences=AUDIENCES, actions=ACTIONS)


@bp.post("/admin/ladders/<kind>")
@requires("promises:write")
def publish_ladder(kind: str) -> Response:
    """The next steps of this kind; open cases keep theirs until they are applied to them."""
    with transaction():
        form = load_form(LadderForm)
        if kind not in CLOCK_KINDS:
            raise NotFound
        auth.begin_publishing("ladder")
        last = ladders.get_ladder(kind)[-1]
        places = [place for place, row in enumerate(form["steps"]) if row["when"]]
        steps = [step_of(form["steps"][place]) for place in places]
        said = {"version": form["version"], "steps": lines(steps)}
        check_version(last.number, said, {"steps": lines(last.steps)}, {"steps": noted("Reminders")})
        body = load_body(LadderBody, {"kind": kind, "steps": steps})
        try:
            ladders.publish_ladder(kind, body["steps"], now=clock.now())
        except Invalid as error:
            raise in_form(error, places) from error
        return go(f"/admin/ladders/{kind}")


def step_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the form as the API takes a step."""
    step = {name: row[name] for name in ("audience", "action")}
    step["offset"] = rungs.write_offset(row["when"], row["amount"])
    if row["every"]:
        step["repeat"] = {"every": rungs.write_length(row["unit"], row["every"]), "times": row.get("times")}
    return step


def lines(steps: list[dict[str, Any]]) -> list[str]:
    """Steps as two versions are shown beside each other."""
    return [
        f"{step['offset']} {', '.join(step.get('audience') or ())} {step.get('action', 'notify')}" for step in steps
    ]


def in_form(error: Invalid, places: list[int]) -> Invalid:
    """The same faults at the rows and fields of the form."""
    names = {"offset": "amount", "repeat/every": "every", "repeat/times": "times"}

    def pointer(said: str) -> str:
        _root, _steps, number, field = [*said.split("/", 3), "", ""][:4]
        at = places[int(number)] if number.isdecimal() and int(number) < len(places) else 0
        return f"/steps/{at}/{names.get(field, field or 'amount')}"

    errors = [{**one, "pointer": pointer(one["pointer"])} for one in error.errors]
    return Invalid(error.detail, errors=errors)
