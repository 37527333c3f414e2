"""The page on which a customer says how their case was handled; it needs no sign-in and no script."""

from typing import Any

from babel.numbers import format_decimal
from flask import Blueprint, Response, request

from app import clock, texts
from app.auth.errors import LinkExpired, LinkUnknown
from app.auth.guards import public
from app.db import transaction
from app.escalations import service as escalations
from app.http.panels import choose_language
from app.panels.pages import page
from app.texts import gettext as _
from app.texts import noted

bp = Blueprint("survey", __name__, template_folder="templates")

CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
MESSAGES = {
    "thanked": (
        noted("Thank you"),
        noted("Your answer is with the people who handled your case."),
    ),
    "answered": (
        noted("You have answered already"),
        noted("Thank you. Each of our questions can be answered once."),
    ),
    "over": (
        noted("This question is over"),
        noted("Your case was taken up again. We will ask you anew once it is done."),
    ),
}
UNKNOWN = (
    noted("This link leads nowhere"),
    noted("It may have been cut short. Please use it exactly as we sent it."),
)
EXPIRED = (
    noted("This link has expired"),
    noted("If you would still like to tell us something, please answer the mail it came in."),
)


@bp.get("/survey/<token>")
@public
def ask(token: str) -> Response:
    """The question, while it is open; each opening is counted."""
    now = clock.real_now()
    try:
        key = escalations.read_survey_link(token, now=now)
        with transaction(tenant=key.tenant_id):
            found = escalations.open_survey(key.survey_id, now=now if request.method == "GET" else None)
    except (LinkUnknown, LinkExpired) as refused:
        return refusal(refused)
    return shown(found)


@bp.post("/survey/<token>")
@public
def answer(token: str) -> Response:
    """Take the answer once; one without a score is asked for again, with what was typed."""
    score, comment = read_form()
    try:
        key = escalations.read_survey_link(token, now=clock.real_now())
        with transaction(tenant=key.tenant_id):
            if score is None or len(comment) > escalations.MOST_COMMENT:
                found = escalations.open_survey(key.survey_id)
                return shown(found, comment=comment, score=score)
            found = escalations.answer_survey(key.survey_id, score=score, comment=comment or None, now=clock.now())
    except (LinkUnknown, LinkExpired) as refused:
        return refusal(refused)
    return shown(found)


def read_form() -> tuple[int | None, str]:
    """The score if it is one of ours, and the comment without what no text holds."""
    said = request.form.get("score", "")
    scores = {str(score): score for score in escalations.SCORES}
    return scores.get(said), request.form.get("comment", "").replace("\x00", "").replace("\r\n", "\n").strip()


def refusal(refused: LinkUnknown | LinkExpired) -> Response:
    """The same page whatever there is or is not behind a link that we did not make, or no longer stand by."""
    title, text = EXPIRED if isinstance(refused, LinkExpired) else UNKNOWN
    return private("panels/message.html", refused.status, title=title, text=text)


def shown(found: escalations.SurveyPage, *, comment: str | None = None, score: int | None = None) -> Response:
    """The question, or what became of it; `comment` is what was typed in a form that is given back."""
    if found.state != "open":
        title, text = MESSAGES[found.state]
        return private("panels/message.html", 200 if found.state == "thanked" else 410, title=title, text=text)
    values: dict[str, Any] = {"found": found, "scores": escalations.SCORES, "most": escalations.MOST_COMMENT}
    choose_language()
    faults = faults_of(score, comment)
    status = 422 if comment is not None else 200
    return private("panels/survey.html", status, **values, comment=comment or "", score=score, faults=faults)


def faults_of(score: int | None, comment: str | None) -> dict[str, str]:
    """What to change in a form that is given back, by field; nothing in one shown for the first time."""
    if comment is None:
        return {}
    faults = {} if score else {"score": _("Choose one of the five.")}
    if len(comment) > escalations.MOST_COMMENT:
        most = format_decimal(escalations.MOST_COMMENT, locale=texts.language())
        faults["comment"] = _("Please say it in at most %(most)s characters.") % {"most": most}
    return faults


def private(template: str, status: int, **values: Any) -> Response:
    """A page that no cache keeps and whose address goes to nobody."""
    response = page(template, status, **values)
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
