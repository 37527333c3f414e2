"""Raising an escalation: the form, and what it shows while it is being filled in."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.accounts import queries as accounts
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.errors import AppError, NotFound
from app.escalations import beside_account, foreseeing, queries
from app.escalations import service as escalations
from app.escalations.foreseeing import Change
from app.escalations.service import Act, NewEscalation
from app.http import transaction
from app.http.panels import PanelBlueprint, go, page
from app.panels import raise_form, wording

bp = PanelBlueprint("panel_raise", __name__)


@bp.get("/accounts/<uuid:account_id>/raise")
@requires("escalations:raise")
def show(account_id: UUID) -> Response:
    """The form, with what a raise that says nothing yet would bring."""
    with transaction():
        accounts.check_account(account_id)
        token = raise_form.new_token()
        new = NewEscalation("", raise_form.DEFAULT_SEVERITY, account_id=account_id, id=raise_form.id_of(token))
        change = foreseeing.laid_out(new, actor=current_actor(), now=clock.now())
        contacts, names = beside_account.get_names(change.account)
        return page(
            "panels/raise.html",
            account=change.account.account,
            contracts=[part for part in change.account.value.parts if part.kind == "contract" and part.touched],
            names=names,
            contacts=contacts,
            token=token,
            reasons=raise_form.reasons(),
            severity=raise_form.DEFAULT_SEVERITY,
            questions=foreseeing.questions_beside(change),
            answers={},
            **_ahead(new, change),
        )


@bp.post("/accounts/<uuid:account_id>/raise/questions")
@requires("escalations:raise")
def ask(account_id: UUID) -> Response:
    """The questions of the playbook that such a raise would get; what was answered stays, asked or not."""
    with transaction():
        accounts.check_account(account_id)
        try:
            change = _laid_out(raise_form.load_ahead(account_id))
            questions = foreseeing.questions_beside(change)
        except AppError:
            questions = ()  # the part beside says what is wrong
        return page("panels/raise_questions.html", questions=questions, answers=raise_form.typed_answers())


@bp.post("/accounts/<uuid:account_id>/raise/ahead")
@requires("escalations:raise")
def foresee(account_id: UUID) -> Response:
    """Who would own it, by when it would be closed, and which cases look like it."""
    with transaction():
        accounts.check_account(account_id)
        try:
            new = raise_form.load_ahead(account_id)
            values = _ahead(new, _laid_out(new))
        except AppError as refused:
            values = {"problem": refused}
        return page("panels/raise_ahead.html", **values)


@bp.post("/accounts/<uuid:account_id>/raise")
@requires("escalations:raise")
def send(account_id: UUID) -> Response:
    """Raise it and go to its page; the same form sent again leads to the same case."""
    actor, now = current_actor(), clock.now()
    with transaction():
        accounts.check_account(account_id)
        new = raise_form.load_raise(account_id)
        if not queries.is_raised(new.id or account_id):
            escalations.raise_escalation(new, act=Act(actor, now))
        try:
            found = queries.get_visible(new.id or account_id, actor=actor, now=now)
        except NotFound:
            return page("panels/raise_sent.html", account_id=account_id)
        return go(f"/escalations/{found.id}")


def _laid_out(new: NewEscalation) -> Change:
    return foreseeing.laid_out(new, actor=current_actor(), now=clock.now())


def _ahead(new: NewEscalation, change: Change) -> dict[str, Any]:
    """What the part beside the button shows."""
    return {
        "foreseen": foreseeing.foresee(change),
        "title": new.title,
        "words": wording,
        "look_alikes": foreseeing.look_alike(new, change, actor=current_actor()),
        "zone": change.record.zone,
    }
