"""Playbooks as pages: the list, a built-in one to adopt, an editor that tells faults by line, and how a book reads."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, current_app, request
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.db import transaction
from app.errors import Stale
from app.http import Body, decode_cursor, encode_cursor
from app.http import transaction as answering
from app.http.forms import load_form
from app.http.panels import PanelBlueprint, go, page
from app.playbooks import books, built_in
from app.playbooks.booklet import Book, book_of
from app.playbooks.errors import PlaybookRefused
from app.playbooks.schemas import PublishPlaybookBody
from app.playbooks.written import write_yaml
from app.texts import gettext as _

bp = PanelBlueprint("admin_playbooks", __name__)

SHOWN = 50
NEW = """\
name: A name that says when it is for
about: |
  What it is for, in a sentence or two.
questions:
  - key: since_when
    ask: Since when do they have it?
tasks:
  - key: first_call
    title: Call the customer
    role: owner
    due: {business_hours: 8}
    required: true
exit_criteria:
  - key: customer_agrees
    text: The customer says that it is solved.
"""


class BookForm(Body):
    """A playbook as text; `version` is the number of the one that it was made from, 0 of a new one."""

    text = fields.String(required=True)
    version = fields.Integer(load_default=0)


class PublishForm(PublishPlaybookBody):
    newest = fields.Integer(required=True)


@bp.get("/admin/playbooks")
@requires("settings:read")
def list_playbooks() -> Response:
    """Playbooks by name with the version in use, and the built-in ones to take over."""
    after = decode_cursor(request.args.get("cursor"))
    with transaction():
        models = books.list_playbooks(after=(after[0], UUID(after[1])) if after else None, limit=SHOWN + 1)
        shown = books.views(models[:SHOWN])
        cursor = encode_cursor([shown[-1]["name"], str(shown[-1]["id"])]) if len(models) > SHOWN else None
        if after:
            return page("playbooks/books_rows.html", books=shown, cursor=cursor)
        offered = [{**one, "book": _book(one["definition"])} for one in built_in.list_built_in()]
        return page("playbooks/books.html", books=shown, cursor=cursor, built_in=offered)


@bp.get("/admin/playbooks/new")
@requires("playbooks:write")
def new() -> Response:
    """The editor with a short book to begin with."""
    with transaction():
        return page("playbooks/edit.html", view=None, text=NEW, **_checked(NEW))


@bp.get("/admin/playbooks/built-in/<key>")
@requires("settings:read")
def show_built_in(key: str) -> Response:
    """A built-in book as people will meet it."""
    with transaction():
        definition = built_in.definition_of(key)
        return page("playbooks/built_in.html", key=key, book=_book(definition))


@bp.post("/admin/playbooks/built-in/<key>/adopt")
@requires("playbooks:write")
def adopt(key: str) -> Response:
    """Take it over as a book of one's own, still a draft."""
    with answering():
        model = books.save_playbook(built_in.definition_of(key), actor=current_actor(), now=clock.now())
        return go(f"/admin/playbooks/{model.id}")


@bp.get("/admin/playbooks/<uuid:playbook_id>")
@requires("settings:read")
def show(playbook_id: UUID) -> Response:
    """A book as people will meet it, in its newest version, and what may be done with it."""
    with transaction():
        view = books.views([books.get_playbook(playbook_id)])[0]
        versions = books.list_versions(playbook_id, after=None, limit=SHOWN)
        book = _book(view["draft"] or view["definition"])
        return page("playbooks/book.html", view=view, versions=versions, book=book)


@bp.get("/admin/playbooks/<uuid:playbook_id>/edit")
@requires("playbooks:write")
def edit(playbook_id: UUID) -> Response:
    """The editor with its newest version, or an older one to begin with."""
    with transaction():
        view = books.views([books.get_playbook(playbook_id)])[0]
        number = request.args.get("version", default=view["newest"], type=int)
        text = write_yaml(books.get_version(playbook_id, number).definition)
        return page("playbooks/edit.html", view=view, text=text, **_checked(text))


@bp.get("/admin/playbooks/<uuid:playbook_id>/text/<int:number>")
@requires("settings:read")
def export(playbook_id: UUID, number: int) -> Response:
    """A version as YAML to copy into files of one's own."""
    with transaction():
        view = books.views([books.get_playbook(playbook_id)])[0]
        text = write_yaml(books.get_version(playbook_id, number).definition)
        return page("playbooks/export.html", view=view, number=number, text=text)


@bp.post("/admin/playbooks/check")
@requires("settings:read")
def check() -> Response:
    """Faults of the text by line, or the book as people will meet it; nothing is kept."""
    with transaction():
        return page("playbooks/checked.html", **_checked(_load()["text"]))


@bp.post("/admin/playbooks")
@requires("playbooks:write")
def save() -> Response:
    """Save the text as the next version of the book of its name; nobody gets it before it is published."""
    with answering():
        body = _load()
        try:
            definition = books.read(body["text"]).content
        except PlaybookRefused as refused:
            raise _by_line(refused) from refused
        model = books.save_playbook(definition, actor=current_actor(), now=clock.now())
        view = books.views([model])[0]
        _check_base(view, body["version"], body["text"])
        return go(f"/admin/playbooks/{model.id}")


@bp.post("/admin/playbooks/<uuid:playbook_id>/publish")
@requires("playbooks:write")
def publish(playbook_id: UUID) -> Response:
    """Cases raised from now on get this version."""
    with answering():
        body = load_form(PublishForm)
        view = books.views([books.get_playbook(playbook_id)])[0]
        if body["newest"] != view["newest"]:
            raise Stale(_("Version %(number)s was saved meanwhile.") % {"number": view["newest"]})
        books.publish_playbook(playbook_id, body["number"])
        return go(f"/admin/playbooks/{playbook_id}")


@bp.post("/admin/playbooks/<uuid:playbook_id>/retire")
@requires("playbooks:write")
def retire(playbook_id: UUID) -> Response:
    """No case raised from now on gets it."""
    with answering():
        books.retire_playbook(playbook_id, now=clock.now())
        return go(f"/admin/playbooks/{playbook_id}")


def _load() -> dict[str, Any]:
    """The form, its text as typed, so that lines count from where the reader sees the first."""
    request.max_form_memory_size = current_app.config["MAX_CONTENT_LENGTH"]
    return {**load_form(BookForm), "text": request.form["text"].replace("\r\n", "\n")}


def _check_base(view: Mapping[str, Any], base: int, text: str) -> None:
    """412 with what was saved since the form was made; a book of this name that a new one did not know is one, too."""
    before = view["newest"] - 1
    if before == base:
        return
    found = books.get_version(view["id"], before)
    both = [(_("Playbook"), write_yaml(found.definition), text)]
    raise Stale(_("Version %(number)s was saved meanwhile.") % {"number": before}, version=before, both=both)


def _checked(text: str) -> dict[str, Any]:
    """Its faults by line, else the book."""
    try:
        return {"book": _book(books.read(text).content), "faults": []}
    except PlaybookRefused as refused:
        return {"book": None, "faults": [(one["line"], _where(one)) for one in refused.errors]}


def _by_line(refused: PlaybookRefused) -> PlaybookRefused:
    """The same faults, each of the one field there is, with its line."""
    errors = [
        {"pointer": "/text", "detail": _("Line %(line)s: %(what)s") % {"line": one["line"], "what": _where(one)}}
        for one in refused.errors
    ]
    return PlaybookRefused(refused.detail, errors=errors)


def _where(fault: Mapping[str, Any]) -> str:
    place = fault["pointer"].strip("/").replace("/", " › ")
    return f"{place}: {fault['detail']}" if place else str(fault["detail"])


def _book(definition: Mapping[str, Any]) -> Book:
    """As people will meet it, with the questions of each of the tenant's reasons."""
    reasons = [(reason.name, reason.label) for reason in list_reasons(tenant_settings()) if not reason.retired]
    return book_of(books.check(definition), reasons)
