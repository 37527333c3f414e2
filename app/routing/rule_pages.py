"""The routing policy as a form, as text, its history and its coming into force; the same doors as the API's."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, request
from marshmallow import fields

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.errors import Invalid
from app.http import decode_cursor, encode_cursor
from app.http import transaction as answering
from app.http.forms import load_form
from app.http.panels import PanelBlueprint, go, page
from app.routing import offering, policies, publishing, queries, rule_form, rule_moves, rule_words, validating
from app.routing import rule_reading as reading
from app.routing import versions as kept
from app.routing.choice import DEFAULT_WEIGHTS
from app.routing.errors import PolicyRefused, Unrouted
from app.routing.models import PolicyVersion
from app.routing.policy_schemas import PublishBody
from app.routing.rule_choices import Choices
from app.routing.rule_form import RuleForm

bp = PanelBlueprint("admin_rules", __name__)

SHOWN = 20
MOST_IN_FORM = 300


class PublishForm(PublishBody):
    version = fields.Integer(required=True)


@bp.get("/admin/rules")
@requires("routing:read")
def show() -> Response:
    """The newest draft, else the version in force, as a form; what it says for who may only read."""
    with transaction():
        values = _standing()
        version = values["version"]
        values["warnings"] = reading.said_of(
            validating.warnings_of(policies.compiled(version.number), now=clock.now()), version
        )
        if not current_actor().may("routing:write") or len(version.rules) > MOST_IN_FORM:
            return page("routing/rules_read.html", names=reading.names_in(version.rules), words=rule_words, **values)
        rules = [RuleForm(closed=rule) for rule in version.rules]
        return page("routing/rules.html", **values, **_form(rules, version.weights, values["newest"]))


@bp.get("/admin/rules/text")
@requires("routing:read")
def show_text() -> Response:
    """The same as text, for who would rather write it."""
    with transaction():
        values = _standing()
        version = values["version"]
        text = json.dumps({"rules": version.rules, "weights": version.weights}, indent=2, ensure_ascii=False)
        return page("routing/rules_text.html", text=text, **values)


@bp.post("/admin/rules/shape")
@requires("routing:write")
def shape() -> Response:
    """The form with a row more or less, a rule moved, opened or closed; nothing is saved."""
    with transaction():
        body = reading.load()
        rules = reading.rules_of(body)
        offered = offering.offer()
        names = reading.names_in([rule.closed for rule in rules if rule.closed is not None])
        try:
            rule_moves.fit(rules)
            focus = rule_moves.do(rules, body.get("do", ""), names.users)
        except rule_form.Unreadable as fault:
            raise Invalid(str(fault)) from None
        values = _form(rules, reading.weights_of(body), body["version"], focus=focus, offered=offered)
        return page("routing/rules_form.html", **values)


@bp.post("/admin/rules")
@requires("routing:write")
def save() -> Response:
    """Save the form as a new version; it decides nothing until it is published."""
    with answering():
        body = reading.load()
        rules, weights, places = reading.written(body)
        policies.lock()
        reading.check_newest(body["version"], rules)
        try:
            policies.save_policy(rules, weights, actor=current_actor(), now=clock.now())
        except PolicyRefused as refused:
            raise reading.placed(refused, rules, places) from refused
        return go("/admin/rules")


@bp.post("/admin/rules/check")
@requires("routing:read")
def check() -> Response:
    """What is wrong with the form as it stands, and what is probably not meant; nothing is saved."""
    with transaction():
        body = reading.load()
        rules, weights, _places = reading.written(body)
        checked = validating.validate(rules, weights, now=clock.now())
        found = [reading.named(fault.pointer, fault.detail, rules) for fault in (*checked.errors, *checked.warnings)]
        return page("routing/rules_checked.html", errors=len(checked.errors), found=found)


@bp.get("/admin/rules/versions")
@requires("routing:read")
def list_versions() -> Response:
    """Every version, newest first: who saved it, when it came into force, by whom and why."""
    after = decode_cursor(request.args.get("cursor"))
    with transaction():
        found = kept.list_versions(before=after[0] if after else None, limit=SHOWN + 1)
        shown = found[:SHOWN]
        cursor = encode_cursor([shown[-1].number]) if len(found) > SHOWN else None
        part = "routing/versions_rows.html" if after else "routing/versions.html"
        return page(part, versions=shown, cursor=cursor)


@bp.get("/admin/rules/versions/<int:number>")
@requires("routing:read")
def show_version(number: int) -> Response:
    """One version in words, beside the one in force, and what bringing it into force would need."""
    with transaction():
        version = kept.get_version(number)
        current = queries.get_policy_version(policies.current_number())
        checked = validating.validate(version.rules, version.weights, now=clock.now())
        names = reading.names_in([*version.rules, *current.rules])
        values: dict[str, Any] = {"version": version, "current": current, "newest": policies.newest_number()}
        values["differs"] = reading.compare(current.rules, version.rules, names)
        values["warnings"] = reading.said_of([*checked.errors, *checked.warnings], version)
        return page("routing/version.html", names=names, words=rule_words, **values)


@bp.post("/admin/rules/publish")
@requires("routing:write")
def publish() -> Response:
    """Put a version in force, an older one too; with a reason where cases would find no owner by it."""
    with answering():
        body = load_form(PublishForm)
        policies.lock()
        reading.check_newest(body["version"], [])
        try:
            publishing.publish(body["number"], reason=body["reason"], actor=current_actor(), now=clock.now())
        except Unrouted as refused:
            first = [f"{case['number']} ({case['failure'].replace('_', ' ')})" for case in refused.extra["cases"]]
            refused.errors = [{"pointer": "/reason", "detail": f"{refused.detail}. {', '.join(first)}"}]
            raise
        return go("/admin/rules/versions")


def _standing() -> dict[str, Any]:
    """The version in force, the draft if there is one, and of the two the one that is shown."""
    current: PolicyVersion = queries.get_policy_version(policies.current_number())
    draft = policies.find_draft()
    newest = draft.number if draft else policies.newest_number()
    return {"current": current, "draft": draft, "version": draft or current, "newest": newest}


def _form(
    rules: list[RuleForm], weights: Mapping[str, Any], version: int, *, focus: str = "", offered: Any = None
) -> dict[str, Any]:
    """What the form is made from."""
    names = reading.names_in([rule.closed for rule in rules if rule.closed is not None])
    return {
        "rules": rules,
        "weights": weights,
        "defaults": DEFAULT_WEIGHTS.points(),
        "form_version": version,
        "focus": focus,
        "fields": {one["name"]: one for one in offered["items"]} if offered else {},
        "choices": Choices(offered, names) if offered else None,
        "names": names,
        "words": rule_words,
        "dumps": json.dumps,
    }
