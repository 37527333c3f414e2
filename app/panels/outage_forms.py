"""What the owner of an outage does from its pages: open it, tell, end, change it, and name who is hit."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from app import clock
from app.auth import queries as users
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations.bodies import ActionBody, text
from app.escalations.outages import schemas
from app.escalations.outages import service as outages
from app.escalations.outages.routes import act, affect_row, news_of
from app.http import transaction
from app.http.forms import Lines, check_version, load_form
from app.http.panels import go, page
from app.panels import case_words as words
from app.panels.outage_view import OUTCOMES, refusals
from app.panels.outages import bp, read
from app.texts import noted

LABELS = {"title": noted("Title"), "statement": noted("What is known of it"), "owner_email": noted("Owner")}


class OutageChangeForm(schemas.OutageChangeBody):
    version = fields.Integer(required=True)


class AffectForm(ActionBody):
    """One account or case on a line; `title` is the outage's unless said."""

    lines = Lines(fields.String(validate=validate.Length(1, 300)), required=True,
                  validate=validate.Length(1, schemas.MOST_ACCOUNTS))  # fmt: skip
    title = schemas.title(required=False)
    severity = fields.Integer(required=True, strict=True, validate=validate.Range(1, 4))
    impact = text(allow_none=True)


@bp.post("/outages/new")
@requires("escalations:work")
def open_outage() -> Response:
    """One cause for what several accounts suffer."""
    with transaction():
        body = load_form(schemas.OutageBody)
        statement, owner = body.get("statement"), body.get("owner_email")
        made = outages.open_outage(body["title"], statement=statement, owner_email=owner, act=act(body))
        return go(f"/outages/{made.id}")


@bp.post("/outages/<uuid:outage_id>/update")
@requires("escalations:work")
def tell(outage_id: UUID) -> Response:
    """What is known now, offered to each open case."""
    with transaction():
        check_mine(outage_id)
        body = load_form(schemas.OutageUpdateBody)
        outages.tell(outage_id, act=act(body), news=news_of(body))
        return go(f"/outages/{outage_id}")


@bp.post("/outages/<uuid:outage_id>/resolve")
@requires("escalations:work")
def resolve(outage_id: UUID) -> Response:
    """The cause is gone; each case is offered its resolution."""
    with transaction():
        check_mine(outage_id)
        body = load_form(schemas.OutageResolveBody)
        said: dict[str, Any] = {name: body.get(name) for name in ("root_cause", "preventable")}
        outages.resolve(outage_id, act=act(body), summary=body["summary"], news=news_of(body), **said)
        return go(f"/outages/{outage_id}")


@bp.post("/outages/<uuid:outage_id>/edit")
@requires("escalations:work")
def change(outage_id: UUID) -> Response:
    """Another title, statement or owner; who changed them meanwhile is shown beside."""
    with transaction():
        check_mine(outage_id)
        changes = load_form(OutageChangeForm, blank_is_null=True)

        def check(outage: outages.Outage) -> None:
            owner = users.get_user(outage.owner_id).email
            present = {"title": outage.title, "statement": outage.statement, "owner_email": owner}
            check_version(outage.version, changes, present, LABELS)

        outages.change_outage(outage_id, act=act(changes), changes=changes, check=check)
        return go(f"/outages/{outage_id}")


@bp.post("/outages/<uuid:outage_id>/accounts")
@requires("escalations:work")
def affect(outage_id: UUID) -> Response:
    """A case for each that is hit, in a transaction of its own; what was not taken comes back with why."""
    with transaction(answered_later=True):
        check_mine(outage_id)
        body = load_form(AffectForm)
        lines = list(dict.fromkeys(line.strip() for line in body.pop("lines")))
        rows = outages.rows_of(lines, actor=current_actor(), now=clock.now())
    note = body.pop("note", None)
    common = {**body, "reason": outages.OUTAGE}
    hits = [
        hit_of(outage_id, index, line, row, common, note)
        for index, (line, row) in enumerate(zip(lines, rows, strict=True))
    ]
    with transaction():
        values: dict[str, Any] = {"hits": hits, "outcomes": OUTCOMES, "typed": {**body, "lines": refusals(hits)}}
        return page("panels/outages/accounts.html", **read(outage_id), **values, words=words)


def hit_of(
    outage_id: UUID, index: int, line: str, row: dict[str, Any], common: dict[str, Any], note: str | None
) -> dict[str, Any]:
    """What became of one line."""
    if "fault" in row:
        return {"line": line, "outcome": "rejected", "detail": row["fault"], "errors": []}
    return {"line": line, **affect_row(outage_id, index, row, common, note)}


def check_mine(outage_id: UUID) -> None:
    """Of an outage that is not the caller's to act on, nothing is said of the form's faults."""
    outages.check_may_act(outages.get_outage(outage_id), current_actor())
