"""Pages for executives: owners and teams as help and not as a blame list; causes and what would save most."""

from typing import Any

from flask import Response, request

from app.auth.guards import requires
from app.db import transaction
from app.http.paging import part
from app.http.panels import PanelBlueprint, page
from app.reports import causes, owner_pictures, owners, telling
from app.reports.asking import ask, calmly, read_question
from app.reports.reading import days_of

bp = PanelBlueprint("reports_owners", __name__)

SHOWN = 30


@bp.get("/reports/owners")
@requires("reports:read")
@calmly
def show_owners() -> Response:
    """Who carries what, where the time of missed cases went, and what would help; by name."""
    query, by_team = read_question(), request.args.get("by") == "team"
    with transaction(), ask(query) as asked:
        first, last = days_of(query, asked)
        found: dict[str, Any] = {}
        report_of = owners.teams_of if by_team else owners.owners_of

        def following(after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
            found.update(report_of(asked, first=first, last=last, after=after, limit=limit))
            return list(found["items"])

        shown, cursor = part(following, owners.position, limit=SHOWN)
        values: dict[str, Any] = {"found": found, "shown": shown, "cursor": cursor, "by_team": by_team}
        values |= {"telling": telling, "pictures": owner_pictures}
        if "cursor" in request.args:
            return page("reports/owners_more.html", **values)
        missed = None if by_team else owner_pictures.missed_chart(found["missed"])
        return page("reports/owners.html", load=owner_pictures.load_chart(shown), missed=missed, **values)


@bp.get("/reports/causes")
@requires("reports:read")
@calmly
def show_causes() -> Response:
    """Why cases were raised, what that costs, and the five whose prevention would save most."""
    query = read_question()
    with transaction(), ask(query) as asked:
        first, last = days_of(query, asked)
        found = causes.causes_of(asked, first=first, last=last)
        chart = owner_pictures.causes_chart(found)
        return page("reports/causes.html", found=found, chart=chart, telling=telling, pictures=owner_pictures)
