"""Doors to imports: the body is read as it flows in, so a file of any size needs little memory."""

from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from werkzeug.exceptions import UnsupportedMediaType

from app.auth.actor import current_actor
from app.auth.guards import requires, streamed
from app.db import transaction
from app.errors import NotFound
from app.http import ApiBlueprint, answer, decode_cursor, encode_cursor
from app.operations.imports import kinds, queries
from app.operations.imports.errors import TooLarge
from app.operations.imports.rows import MEDIA
from app.operations.imports.runner import run_import
from app.operations.imports.schemas import ImportedSchema, ImportList, ImportQuery, ImportSchema

SPARE_BYTES = 1 << 20  # a body without a length is refused by the import itself, which says the limit

imports = ApiBlueprint("imports", __name__, url_prefix="/api/v1/imports")


@imports.post("/<kind>")
@imports.arguments(ImportQuery, location="query")
@imports.response(202, ImportedSchema)
@streamed
@requires("imports:write")
def start_import(query: dict[str, Any], kind: str) -> Response:
    """Import CSV or NDJSON as it streams in; good rows land, bad ones are listed with line and reason."""
    chosen = kinds.kind_of(kind)
    if chosen is None:
        raise NotFound(f"There is no kind {kind}; there are {', '.join(kinds.NAMES)}")
    if request.mimetype not in MEDIA:
        raise UnsupportedMediaType(f"Send {' or '.join(MEDIA)}")
    limit = current_app.config["MAX_IMPORT_BYTES"]
    if (request.content_length or 0) > limit:
        raise TooLarge(f"expected at most {limit} bytes, the file has {request.content_length}")
    request.max_content_length = limit + SPARE_BYTES
    report = run_import(
        chosen,
        request.stream,
        ndjson=request.mimetype == "application/x-ndjson",
        actor=current_actor(),
        limit=limit,
        dry_run=query["dry_run"],
    )
    made_id = None if query["dry_run"] else report.id
    done = {"id": made_id, "state": "done", "dry_run": query["dry_run"], "total": report.total, **report.counts}
    location = {"Location": f"/api/v1/imports/{made_id}"} if made_id else {}
    return answer(ImportedSchema, done, 202, location)


@imports.get("/<uuid:import_id>")
@imports.arguments(ImportList, location="query")
@imports.response(200, ImportSchema)
@requires("imports:write")
def get_import(query: dict[str, Any], import_id: UUID) -> Response:
    """How far an import is, and a page of the rows it refused."""
    with transaction():
        found = queries.get_import(import_id)
        limit = query["limit"]
        faults = queries.list_faults(import_id, after=decode_cursor(query.get("cursor")), limit=limit + 1)
        shown = faults[:limit]
        more = encode_cursor([shown[-1].line, str(shown[-1].id)]) if len(faults) > limit else None
        columns = {column.key: getattr(found, column.key) for column in found.__table__.columns}
        return answer(ImportSchema, {**columns, "errors": shown, "next_cursor": more})
