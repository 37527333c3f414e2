"""Outages as pages: what is going on, who owns it, what its cases were told, and everything its owner can do."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading_only
from app.errors import NotFound
from app.escalations import overview
from app.escalations.outages import service as outages
from app.http import decode_cursor, encode_cursor
from app.http.panels import PanelBlueprint, page
from app.panels import case_words as words
from app.panels.outage_view import days_of_outage, last_said, offer_words

bp = PanelBlueprint("panel_outages", __name__)
bp.add_app_template_filter(offer_words)

SHOWN = 20
FORMS = ("update", "resolve", "edit", "accounts")


@bp.get("/outages")
@requires("escalations:read")
def board() -> Response:
    """Open ones first, each with its owner, how many of its cases the reader may see, and the last word."""
    actor, after = current_actor(), decode_cursor(request.args.get("cursor"))
    with reading_only():
        found = outages.list_board(
            actor=actor, now=clock.now(), after=(after[0], UUID(after[1])) if after else None, limit=SHOWN + 1
        )
        shown = [{**one, "said": last_said(one["last_word"])} for one in found[:SHOWN]]
        cursor = encode_cursor([shown[-1]["state"], str(shown[-1]["id"])]) if len(found) > SHOWN else None
        values: dict[str, Any] = {
            "outages": shown,
            "cursor": cursor,
            "first": after is None,
            "may_open": actor.may("escalations:work"),
        }
        return page("panels/outages/rows.html" if after else "panels/outages/index.html", **values)


@bp.get("/outages/<uuid:outage_id>")
@requires("escalations:read")
def show(outage_id: UUID) -> Response:
    """What is known, what its cases were offered and sent, and what happened; or a further page of its cases."""
    cursor, here = request.args.get("cursor"), f"/outages/{outage_id}"
    with reading_only():
        if cursor is not None:
            outages.get_outage(outage_id)
            return page("panels/outages/cases.html", **cases_of(outage_id, cursor), words=words, here=here)
        values = {**read(outage_id), **cases_of(outage_id, None), **timeline_of(outage_id, None)}
        return page("panels/outages/show.html", **values, words=words, here=here)


def read(outage_id: UUID) -> dict[str, Any]:
    """The outage, and whether the reader may act on it."""
    actor, now = current_actor(), clock.now()
    outage = outages.get_view(outage_id, actor=actor, now=now)
    may = actor.may("escalations:work") and outages.may_act(outage["owner"]["id"], actor)
    return {"outage": outage, "said": last_said(outage["last_word"]), "may_act": may}


def cases_of(outage_id: UUID, cursor: str | None) -> dict[str, Any]:
    """A page of its cases that the reader may see."""
    asked = {"sort": "due", "limit": SHOWN, **({"cursor": cursor} if cursor else {})}
    found = outages.list_cases(outage_id, asked, actor=current_actor(), now=clock.now())
    return {"cases": found["items"], "more_cases": found["next_cursor"]}


def timeline_of(outage_id: UUID, before: int | None) -> dict[str, Any]:
    """A page of its timeline, newest first."""
    events = outages.list_newest(outage_id, before=before, limit=SHOWN + 1)
    shown = events[:SHOWN]
    more = shown[-1]["seq"] if len(events) > SHOWN else None
    return {"days": days_of_outage(shown), "earlier": more}


@bp.get("/outages/<uuid:outage_id>/timeline")
@requires("escalations:read")
def timeline(outage_id: UUID) -> Response:
    """What happened before."""
    with reading_only():
        outages.get_outage(outage_id)
        values = timeline_of(outage_id, request.args.get("before", type=int))
        return page("panels/outages/days.html", **values, here=f"/outages/{outage_id}")


@bp.get("/outages/new")
@requires("escalations:work")
def new() -> Response:
    """The form to open one."""
    with reading_only():
        return page("panels/outages/new.html", colleagues=overview.list_colleagues())


@bp.get("/outages/<uuid:outage_id>/<form>")
@requires("escalations:work")
def form(outage_id: UUID, form: str) -> Response:
    """The form of one action, for who may act on the outage."""
    with reading_only():
        outages.check_may_act(outages.get_outage(outage_id), current_actor())
        if form not in FORMS:
            raise NotFound
        more: dict[str, Any] = {"colleagues": overview.list_colleagues()} if form == "edit" else {}
        return page(f"panels/outages/{form}.html", **read(outage_id), **more, words=words, hits=(), typed={})
