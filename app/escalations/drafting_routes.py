"""Doors to message drafts: those of a case, what they would say, what they may name."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.escalations import drafting, queries
from app.escalations import drafting_schemas as schemas
from app.escalations.doors import bp
from app.http import ApiBlueprint, answer, transaction
from app.playbooks.definition import Draft
from app.playbooks.draft_fields import fields_with, list_fields
from app.playbooks.draft_filters import FILTERS

fields_bp = ApiBlueprint("draft-fields", __name__, url_prefix="/api/v1/drafts")
unsaved_bp = ApiBlueprint("unsaved-drafts", __name__, url_prefix="/api/v1/playbooks/drafts")
blueprints = [fields_bp, unsaved_bp]


def case_of(escalation_id: UUID) -> drafting.CaseOfDrafts:
    """A case that the caller sees."""
    now = clock.now()
    record = queries.get_visible(escalation_id, actor=current_actor(), now=now)
    return drafting.CaseOfDrafts(record, current_actor(), now)


@bp.get("/<uuid:escalation_id>/drafts")
@requires("escalations:read")
@bp.response(200, schemas.DraftsSchema)
def list_drafts(escalation_id: UUID) -> Response:
    """The message drafts of the case's playbook, those that suit its status first."""
    with transaction():
        return answer(schemas.DraftsSchema, {"items": drafting.list_drafts(case_of(escalation_id))})


@bp.post("/<uuid:escalation_id>/drafts/<key>/preview")
@requires("escalations:read")
@bp.arguments(schemas.DraftPreviewBody)
@bp.response(200, schemas.DraftPreviewSchema)
def preview_draft(body: dict[str, Any], escalation_id: UUID, key: str) -> Response:
    """What this draft says on the case now, what is still to be filled, and which promises sending it keeps."""
    with transaction():
        case = case_of(escalation_id)
        return answer(schemas.DraftPreviewSchema, drafting.preview(case, case.get_draft(key), body.get("audience")))


@unsaved_bp.post("/preview")
@unsaved_bp.arguments(schemas.UnsavedDraftBody)
@unsaved_bp.response(200, schemas.DraftPreviewSchema)
@requires("escalations:read")
def preview_unsaved(body: dict[str, Any]) -> Response:
    """What a template that is not saved would say on a case; its faults come with place and line."""
    with transaction():
        case = case_of(body.pop("escalation_id"))
        audience = tuple(body.pop("audience"))
        return answer(schemas.DraftPreviewSchema, drafting.preview(case, Draft(key="", audience=audience, **body)))


@fields_bp.get("/fields")
@fields_bp.response(200, schemas.DraftFieldsSchema)
@requires("escalations:read")
def list_draft_fields() -> Response:
    """What a message draft may name, and the filters that write it."""
    with transaction():
        named = [{"field": path, **vars(one)} for path, one in list_fields(fields_with({}))]
        filters = [{"name": name, "takes": one.takes, "about": one.about} for name, one in FILTERS.items()]
        return answer(schemas.DraftFieldsSchema, {"fields": named, "filters": filters})
