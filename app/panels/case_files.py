"""The files of a case: added with their progress, opened by a link of ten minutes, removed with a reason."""

from uuid import UUID

from flask import Response, current_app, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as plain_transaction
from app.escalations import bodies, overview
from app.escalations import service as escalations
from app.http import transaction
from app.http.panels import go, page
from app.panels.case_forms import doing, load
from app.panels.cases import bp

SPARE_BYTES = 1 << 20  # what a form adds around the file


@bp.post("/escalations/<uuid:escalation_id>/attachments")
@requires("escalations:work")
def add_file(escalation_id: UUID) -> Response:
    """Attach a file. An Idempotency-Key is not read: the same file stands once anyway."""
    limit: int = current_app.config["MAX_ATTACHMENT_BYTES"]
    with plain_transaction():
        escalations.check_room(escalation_id, act=doing({}), size=None)
    request.max_content_length = limit + SPARE_BYTES
    file = request.files.get("file")
    name, kind = (file.filename or "", file.mimetype) if file else ("", "")
    stream = file.stream if file else request.stream
    with escalations.arriving(stream, filename=name, media_type=kind) as got, plain_transaction():
        escalations.attach(escalation_id, act=doing({}), got=got)
        return go(f"/escalations/{escalation_id}/attachments")


@bp.get("/escalations/<uuid:escalation_id>/attachments/<uuid:attachment_id>/link")
@requires("escalations:read")
def link_file(escalation_id: UUID, attachment_id: UUID) -> Response:
    """An address of ten minutes, in place of the button that asked for it."""
    with plain_transaction():
        made = overview.link_to(escalation_id, attachment_id, actor=current_actor(), now=clock.now())
        return page("panels/case/file_link.html", link=made)


@bp.post("/escalations/<uuid:escalation_id>/attachments/<uuid:attachment_id>/remove")
@requires("escalations:work")
def remove_file(escalation_id: UUID, attachment_id: UUID) -> Response:
    """Delete the content and say why."""
    with transaction():
        body = load(bodies.ReasonBody, escalation_id)
        act = doing(body)
        escalations.remove_attachment(escalation_id, attachment_id, act=act, reason=body["reason"])
        return go(f"/escalations/{escalation_id}/attachments")
