"""Doors to attachments: the file is the body, so that it flows through; its content is behind a link that expires."""

import unicodedata
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from werkzeug.http import dump_options_header
from werkzeug.wsgi import FileWrapper

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import public, requires, uploaded
from app.db import transaction as plain_transaction
from app.errors import NotFound
from app.escalations.attachments import filing, reading
from app.escalations.attachments.errors import refused
from app.escalations.attachments.kinds import SHOWN, TAKEN, kind_of
from app.escalations.attachments.models import Attachment
from app.escalations.attachments.names import safe_name
from app.escalations.attachments.receiving import received
from app.escalations.attachments.schemas import (
    AttachmentLinkSchema,
    AttachmentPage,
    AttachmentSchema,
    RemoveBody,
    UploadQuery,
)
from app.escalations.doors import act, bp
from app.http import PageArguments, answer, page, transaction
from app.store import get_store, key_of

content = Blueprint("attachments", __name__)
blueprints = [content]

ONE = "/<uuid:escalation_id>/attachments/<uuid:attachment_id>"
CSP = "default-src 'none'; sandbox; frame-ancestors 'none'"
PIECE_BYTES = 64 << 10
SPARE_BYTES = 1 << 20  # a body without a length is refused by us, who say the limit


@bp.post("/<uuid:escalation_id>/attachments")
@bp.arguments(UploadQuery, location="query")
@bp.response(201, AttachmentSchema)
@uploaded(*TAKEN)
@requires("escalations:work")
def add_attachment(query: dict[str, Any], escalation_id: UUID) -> Response:
    """Attach the body as a file; the same file again answers 200 with what is there. An Idempotency-Key is not read."""
    with plain_transaction():
        filing.check_room(escalation_id, act=act(), size=request.content_length)
    name = safe_name(query["filename"])
    if name is None:
        raise refused("parameter", "filename", "expected a name")
    kind = kind_of(name, request.mimetype or "")
    limit = current_app.config["MAX_ATTACHMENT_BYTES"]
    request.max_content_length = limit + SPARE_BYTES
    with received(request.stream, get_store(), name=name, kind=kind, limit=limit) as got, plain_transaction():
        # A sender who went away in the middle looks like the end of the file.
        if got.size < (request.content_length or 0):
            raise refused("pointer", "/", f"expected {request.content_length} bytes, as announced, not {got.size}")
        made_id, is_new = filing.attach(escalation_id, act=act(), got=got)
        made = reading.get_item(escalation_id, made_id, actor=current_actor(), now=clock.now())
        return answer(AttachmentSchema, made, 201 if is_new else 200)


@bp.get("/<uuid:escalation_id>/attachments")
@requires("escalations:read")
@bp.arguments(PageArguments, location="query")
@bp.response(200, AttachmentPage)
def list_attachments(query: dict[str, Any], escalation_id: UUID) -> Response:
    """The files of a case, oldest first; those removed or infected stand without their content."""
    with transaction():
        actor, now = current_actor(), clock.now()
        return page(
            AttachmentPage,
            query,
            lambda after, limit: reading.list_attachments(
                escalation_id, actor=actor, now=now, after=after, limit=limit
            ),
            lambda item: [str(item["id"])],
        )


@bp.get(ONE)
@requires("escalations:read")
@bp.response(200, AttachmentSchema)
def get_attachment(escalation_id: UUID, attachment_id: UUID) -> Response:
    """What is known of a file."""
    with transaction():
        found = reading.get_item(escalation_id, attachment_id, actor=current_actor(), now=clock.now())
        return answer(AttachmentSchema, found)


@bp.get(f"{ONE}/link")
@requires("escalations:read")
@bp.response(200, AttachmentLinkSchema)
def link_attachment(escalation_id: UUID, attachment_id: UUID) -> Response:
    """An address at which the content is for ten minutes; every opening is kept with the caller's name."""
    with transaction():
        made = reading.link_to(escalation_id, attachment_id, actor=current_actor(), now=clock.now())
        return answer(AttachmentLinkSchema, made)


@bp.post(f"{ONE}/remove")
@requires("escalations:work")
@bp.arguments(RemoveBody)
@bp.response(200, AttachmentSchema)
def remove_attachment(body: dict[str, Any], escalation_id: UUID, attachment_id: UUID) -> Response:
    """Delete the content and say why; name and hash stay."""
    with transaction():
        filing.remove(escalation_id, attachment_id, act=act(), reason=body["reason"])
        found = reading.get_item(escalation_id, attachment_id, actor=current_actor(), now=clock.now())
        return answer(AttachmentSchema, found)


@content.get(f"{reading.PATH}<token>")
@public
def open_attachment(token: str) -> Response:
    """The content behind a link, whole or a range; pictures may be shown, everything else is only saved."""
    found = reading.opened(token)
    try:
        file = get_store().reading(key_of(found.sha256, found.tenant_id))
    except FileNotFoundError:
        raise NotFound("The file is not in this store") from None
    response = Response(FileWrapper(file, PIECE_BYTES), headers=safe_headers(found), direct_passthrough=True)
    response.content_length = found.size
    response.set_etag(found.sha256.hex())
    response.call_on_close(file.close)
    response.make_conditional(request, accept_ranges=True, complete_length=found.size)
    return response


def said_name(name: str) -> dict[str, str]:
    """The name as every browser reads it: in ASCII, and in full beside it where that is not the same (RFC 6266)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return {"filename": plain} if plain == name else {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}


def safe_headers(found: Attachment) -> dict[str, str]:
    """A browser never runs it, guesses no other type, and keeps no copy that others find."""
    shown = found.media_type in SHOWN
    return {
        "Content-Type": found.media_type if shown else "application/octet-stream",
        "Content-Disposition": dump_options_header("inline" if shown else "attachment", said_name(found.name)),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": CSP,
        "Cache-Control": "private, no-store",
    }
