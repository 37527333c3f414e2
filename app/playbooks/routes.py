"""Doors to playbooks: JSON, or YAML as teams keep it in their own files."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires, takes
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, transaction
from app.playbooks import books, built_in, pages, schemas
from app.playbooks.errors import PlaybookRefused
from app.playbooks.written import write_yaml

YAML = "application/yaml"  # RFC 9512
SENT = {"requestBody": {"required": True, "content": {YAML: {"schema": {"type": "string"}}}}}


def guard_playbook(playbook_id: UUID, **others: Any) -> None:
    with transaction():
        books.get_playbook(playbook_id)


bp = ApiBlueprint("playbooks", __name__, url_prefix="/api/v1/playbooks", record_guard=guard_playbook)
files_bp = ApiBlueprint("playbook_files", __name__, url_prefix="/api/v1/playbook-files")
built_in_bp = ApiBlueprint("built_in_playbooks", __name__, url_prefix="/api/v1/built-in-playbooks")
blueprints: list[Blueprint] = [bp, files_bp, built_in_bp, pages.bp]


@bp.get("")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.PlaybookPage)
@requires("settings:read")
def list_playbooks(query: dict[str, Any]) -> Response:
    """Playbooks by name: drafts, published and retired ones."""
    with transaction():
        return page(
            schemas.PlaybookPage,
            query,
            lambda after, limit: books.views(
                books.list_playbooks(after=(after[0], UUID(after[1])) if after else None, limit=limit)
            ),
            lambda view: [view["name"], str(view["id"])],
        )


@bp.post("")
@bp.arguments(schemas.PlaybookBody)
@bp.response(201, schemas.PlaybookSchema)
@requires("playbooks:write")
def save_playbook(body: dict[str, Any]) -> Response:
    """Save a playbook, or the next version of the one of its name; nobody gets it before it is published."""
    with transaction():
        return _saved(body["definition"])


@bp.get("/<uuid:playbook_id>")
@bp.response(200, schemas.PlaybookSchema)
@requires("settings:read")
def get_playbook(playbook_id: UUID) -> Response:
    """One playbook: what it says now, and what is drafted."""
    with transaction():
        return answer(schemas.PlaybookSchema, books.views([books.get_playbook(playbook_id)])[0])


@bp.get("/<uuid:playbook_id>/versions")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.PlaybookVersionPage)
@requires("settings:read")
def list_versions(query: dict[str, Any], playbook_id: UUID) -> Response:
    """All versions of one playbook, newest first."""
    with transaction():
        books.get_playbook(playbook_id)
        return page(
            schemas.PlaybookVersionPage,
            query,
            lambda after, limit: books.list_versions(playbook_id, after=after, limit=limit),
            lambda version: [version.number],
        )


@bp.get("/<uuid:playbook_id>/versions/<int:number>.yaml")
@bp.response(200, content_type=YAML)
@requires("settings:read")
def export_version(playbook_id: UUID, number: int) -> Response:
    """One version as YAML, to be kept in files of your own."""
    with transaction():
        return Response(write_yaml(books.get_version(playbook_id, number).definition), mimetype=YAML)


@bp.post("/<uuid:playbook_id>/publish")
@bp.arguments(schemas.PublishPlaybookBody)
@bp.response(200, schemas.PlaybookSchema)
@requires("playbooks:write")
def publish_playbook(body: dict[str, Any], playbook_id: UUID) -> Response:
    """Cases raised from now on get this version; open ones keep theirs."""
    with transaction():
        check_if_match(books.get_playbook(playbook_id))
        published = books.publish_playbook(playbook_id, body["number"])
        return answer(schemas.PlaybookSchema, books.views([published])[0])


@bp.post("/<uuid:playbook_id>/retire")
@bp.response(200, schemas.PlaybookSchema)
@requires("playbooks:write")
def retire_playbook(playbook_id: UUID) -> Response:
    """No case raised from now on gets it; open ones keep it. Publishing it again takes it up."""
    with transaction():
        check_if_match(books.get_playbook(playbook_id))
        return answer(schemas.PlaybookSchema, books.views([books.retire_playbook(playbook_id, now=clock.now())])[0])


@files_bp.post("")
@files_bp.doc(**SENT)
@files_bp.response(201, schemas.PlaybookSchema)
@takes(YAML)
@requires("playbooks:write")
def import_playbook() -> Response:
    """Save a playbook written as YAML; each fault comes with its line."""
    with transaction():
        return _saved(books.read(_sent()).content)


@files_bp.post("/check")
@files_bp.doc(**SENT)
@files_bp.response(200, schemas.CheckedPlaybookSchema)
@takes(YAML)
@requires("settings:read")
def check_playbook() -> Response:
    """Whether a playbook written as YAML can be meant; nothing is kept."""
    with transaction():
        understood = books.check(books.read(_sent()).content)
        found = {
            "name": understood.name,
            "questions": len(understood.questions),
            "tasks": len(understood.tasks),
            "tiers": understood.path,
            "criteria": len(understood.criteria),
            "drafts": len(understood.drafts),
            "ladders": list(understood.ladders),
        }
        return answer(schemas.CheckedPlaybookSchema, found)


@built_in_bp.get("")
@built_in_bp.response(200, schemas.BuiltInsSchema)
@requires("settings:read")
def list_built_in() -> Response:
    """The playbooks that come with the product."""
    with transaction():
        return answer(schemas.BuiltInsSchema, {"items": built_in.list_built_in()})


@built_in_bp.post("/<key>/adopt")
@built_in_bp.arguments(schemas.AdoptBody)
@built_in_bp.response(201, schemas.PlaybookSchema)
@requires("playbooks:write")
def adopt(body: dict[str, Any], key: str) -> Response:
    """Take one over as a playbook of your own, to be changed; published at once if you say so."""
    with transaction():
        model = books.save_playbook(built_in.definition_of(key), actor=current_actor(), now=clock.now())
        if body["publish"]:
            model = books.publish_playbook(model.id)
        return _answered(model)


def _saved(definition: dict[str, Any]) -> Response:
    return _answered(books.save_playbook(definition, actor=current_actor(), now=clock.now()))


def _answered(model: Any) -> Response:
    location = {"Location": f"/api/v1/playbooks/{model.id}"}
    return answer(schemas.PlaybookSchema, books.views([model])[0], 201, location)


def _sent() -> str:
    """The body as text."""
    if request.mimetype != YAML:
        raise UnsupportedMediaType(f"Send {YAML}")
    try:
        return request.get_data(cache=True).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlaybookRefused("Expected UTF-8") from error
