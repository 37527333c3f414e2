"""The page of one case: what to do next, what is promised, what was said; its parts stay fresh."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Response, make_response, render_template, request
from markupsafe import Markup

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.errors import NotFound
from app.escalations import overview
from app.http.panels import PanelBlueprint, page
from app.panels import case_words as words
from app.panels import event_words, wording
from app.panels.case_view import (
    bar_words,
    initials,
    iso_day,
    offered,
    pairs,
    sentence,
    sentence_of,
    timeline_view,
    token_of,
    view_of,
)

bp = PanelBlueprint("panel_cases", __name__)

SAID_BY: tuple[Callable[..., Any], ...] = (initials, iso_day, sentence, pairs, words.gaps)
for written in SAID_BY:
    bp.add_app_template_filter(written)

PARTS = ("head", "next", "facts", "clocks", "tried", "tasks")
MOST = overview.MOST_EVENTS


@bp.get("/escalations/<uuid:escalation_id>")
@requires("escalations:read")
def show(escalation_id: UUID) -> Response:
    """The case; a merged one leads to its survivor."""
    with transaction():
        values = read(escalation_id)
        if values["case"]["survivor"]:
            return page("panels/case/merged.html", **values)
        parts = render_parts(values)
        return page("panels/case/show.html", **values, parts_of=parts, seen=seen_of(parts))


def read(escalation_id: UUID) -> dict[str, Any]:
    """What the pages of a case are made from."""
    now, actor = clock.now(), current_actor()
    found = overview.get_overview(escalation_id, actor=actor, now=now)
    values = view_of(found, actor=actor, now=now)
    return {
        **values,
        "sentence": sentence_of(values["next"]),
        "offered": offered(values["case"], values["allowed"]),
        "bar_words": bar_words,
        "ended_words": wording.ended,
        "now": now,
    }


def render_parts(values: dict[str, Any]) -> dict[str, Markup]:
    """Each part that is kept fresh, by name."""
    return {name: Markup(render_template(f"panels/case/{name}.html", **values)) for name in PARTS}  # noqa: S704


def seen_of(parts: Mapping[str, str]) -> str:
    """What the page shows of each part, in the order of `PARTS`, so that only what changed is sent."""
    return ".".join(sign_of(part) for part in parts.values())


def sign_of(part: str) -> str:
    return f"{zlib.crc32(part.encode()):08x}"


@bp.get("/escalations/<uuid:escalation_id>/live")
@requires("escalations:read")
def live(escalation_id: UUID) -> Response:
    """The parts that are not as the page shows them; 204 when nothing changed. Forms are in none of them."""
    with transaction():
        version = overview.get_version(escalation_id, actor=current_actor(), now=clock.now())
        if request.args.get("version") == token_of(version, clock.now()):
            return make_response("", 204)
        values = read(escalation_id)
        parts = render_parts(values)
        known = dict(zip(PARTS, request.args.get("seen", "").split("."), strict=False))
        changed = [(name, part) for name, part in parts.items() if known.get(name) != sign_of(part)]
        shown = request.args.get("newest", 0, type=int)
        more = {"changed": changed, "seen": seen_of(parts), "shown_newest": shown, "newer": values["newest"] > shown}
        return page("panels/case/live.html", **values, **more)


@bp.get("/escalations/<uuid:escalation_id>/timeline")
@requires("escalations:read")
def timeline(escalation_id: UUID) -> Response:
    """The timeline, all of it or by a filter, page by page."""
    show = request.args.get("show", "all")
    if show not in event_words.FILTERS:
        raise NotFound
    kinds, before = event_words.FILTERS[show][1], request.args.get("before", type=int)
    with transaction():
        record, case = overview.get_case(escalation_id, actor=current_actor(), now=clock.now())
        events, sent = [], []
        if kinds is None or kinds:
            events = overview.list_timeline(record.id, limit=MOST + 1, kinds=sorted(kinds or ()), before=before)
        if show in ("all", "reminders") and before is None:
            sent = overview.list_reminders(record.id, now=clock.now())
        values = timeline_view(record.id, events, sent, show=show)
        template = "days" if before else "timeline"
        return page(f"panels/case/{template}.html", **values, zone=case["zone"])


@bp.get("/escalations/<uuid:escalation_id>/timeline/<int:seq>")
@requires("escalations:read")
def event(escalation_id: UUID, seq: int) -> Response:
    """One line of the timeline in full, under an address of its own."""
    with transaction():
        record, case = overview.get_case(escalation_id, actor=current_actor(), now=clock.now())
        found = [one for one in overview.list_timeline(record.id, limit=1, before=seq + 1) if one["seq"] == seq]
        if not found:
            raise NotFound
        shown = timeline_view(record.id, found, ())
        return page("panels/case/event.html", case=case, event=found[0], zone=case["zone"], words=words, **shown)
