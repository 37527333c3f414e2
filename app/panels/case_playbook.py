"""Another playbook for a case in flight: what it would change is shown, then done exactly so."""

from uuid import UUID

from flask import Response

from app.auth.guards import requires
from app.db import transaction as reading
from app.escalations import service as escalations
from app.escalations.playbook_schemas import PreviewBody, ReplaceBody
from app.http import transaction
from app.http.panels import go, page
from app.panels import case_words as words
from app.panels.case_forms import doing, load
from app.panels.cases import bp
from app.texts import noted

WHAT = {
    "kept": ("good", noted("kept")),
    "new": ("soon", noted("new")),
    "ended": ("paused", noted("ended")),
    "stays": ("quiet", noted("stays as it ended")),
    "retargeted": ("soon", noted("moved")),
    "started": ("soon", noted("begins")),
    "renamed": ("soon", noted("asks for what is missing now")),
    "done": ("good", noted("done")),
}
CHANGES = {
    "title": noted("its title"),
    "role": noted("who does it"),
    "required": noted("whether it is required"),
    "customer_visible": noted("whether the customer knows of it"),
    "after": noted("what it waits for"),
}


@bp.post("/escalations/<uuid:escalation_id>/playbook/preview")
@requires("escalations:work")
def preview_playbook(escalation_id: UUID) -> Response:
    """What becomes of every task, promise, reminder, tier and criterion, with the form that confirms it."""
    with reading():
        body = load(PreviewBody, escalation_id)
        found = escalations.preview_playbook(escalation_id, body["playbook_id"], act=doing({})).view()
        values = {"shown": found, "playbook_id": body["playbook_id"], "case_id": escalation_id}
        return page("panels/case/replacement.html", **values, words=words, what=WHAT, changes=CHANGES)


@bp.post("/escalations/<uuid:escalation_id>/playbook")
@requires("escalations:work")
def replace_playbook(escalation_id: UUID) -> Response:
    """Another playbook, exactly as shown; refused when it would do something else by now."""
    with transaction():
        body = load(ReplaceBody, escalation_id)
        act = doing(body)
        escalations.replace_playbook(escalation_id, act=act, **body)
        return go(f"/escalations/{escalation_id}")
