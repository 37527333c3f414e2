"""The pages behind links: one report for whoever holds the link, with nothing else of the tenant around it.

Reading is all that a GET does: a chat program that looks ahead changes nothing, and is counted as an opening.
"""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request

from app import clock
from app.auth.errors import LinkExpired, LinkUnknown
from app.auth.guards import public
from app.auth.links import open_link as open_signed
from app.auth.links import read_link as read_signed
from app.db import transaction
from app.errors import TooManyRequests
from app.http.panels import choose_language, pressed
from app.reports.errors import FactsBeingMade
from app.reports.exports import words
from app.reports.exports.asking import Answered
from app.reports.exports.pdf_files import RIGHT
from app.reports.sharing import deliveries, links
from app.reports.sharing.deliveries import KIND
from app.texts import noted

bp = Blueprint("shared_reports", __name__, template_folder="templates")

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
REFUSED: dict[type[Exception], tuple[int, str, str]] = {
    LinkUnknown: (
        404,
        noted("This link leads nowhere"),
        noted("It may have been cut short, it has ended, or what it led to is no longer for it to show."),
    ),
    TooManyRequests: (
        429,
        noted("This link was opened very often just now"),
        noted("Please try again in a minute."),
    ),
    FactsBeingMade: (
        503,
        noted("The figures are being made"),
        noted("Please try again in a minute: nothing is lost."),
    ),
}


@bp.get("/reports/shared/<token>")
@public
def shared(token: str) -> Response:
    """What a link shows: the report as of its moment, as its maker may read it now."""
    choose_language()
    try:
        tenant_id, secret_hash = links.read_link(token)
        with transaction(tenant=tenant_id):
            moments = {"now": clock.now(), "real_now": clock.real_now()}
            link, maker, answered = links.open_link(secret_hash, **moments, note=request.method == "GET")
            values = {"title": link.name, "ends_at": link.expires_at, "by": maker.name}
            return shown(answered, **values)
    except (LinkUnknown, LinkExpired, TooManyRequests, FactsBeingMade) as refused:
        return refusal(refused)


@bp.get("/reports/sent/<token>")
@public
def sent(token: str) -> Response:
    """What a mail's button leads its reader to: the report that went with it, as they may read it now."""
    choose_language()
    try:
        scope = open_signed(token) if request.method == "GET" else read_signed(token)
        if scope.subject != KIND:
            raise LinkUnknown
        with transaction(tenant=scope.tenant_id):
            title, answered = deliveries.open_sent(scope.subject_id, user_id=scope.user_id, now=clock.now())
            return shown(answered, title=title, ends_at=scope.expires_at, by=None)
    except (LinkUnknown, LinkExpired, TooManyRequests, FactsBeingMade) as refused:
        return refusal(refused)


def shown(answered: Answered, **values: Any) -> Response:
    """The report as a page by itself, made inside the transaction."""
    report, zone = answered.report, answered.frame.zone
    tables = [table for table in report.tables if table.paper]
    named = {"spelt": words.spelt, "large": words.large, "moment": words.moment, "right": RIGHT, "zone": zone}
    content = render_template(
        "sharing/shared.html", report=report, frame=answered.frame, tables=tables, **named, **values
    )
    return closed(make_response(content))


def refusal(refused: Exception) -> Response:
    """A page in plain words; whatever is wrong with a link, it is the same."""
    kind = LinkUnknown if isinstance(refused, LinkExpired) else type(refused)
    status, title, text = REFUSED[kind]
    return closed(make_response(render_template("panels/message.html", title=title, text=text), status))


def closed(response: Response) -> Response:
    """No cache keeps it, no search engine lists it, its address goes to nobody, and it stands in no frame."""
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Vary"] = "Accept-Encoding, Accept-Language"
    return pressed(response)
