"""A policy's form read as rules, and rules said beside each other; faults told where the form has them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import current_app, request
from marshmallow import fields

from app.auth.queries import list_active
from app.errors import Invalid, invalid
from app.http import Body
from app.http.forms import load_form
from app.routing import policies, rule_form, rule_words, teams
from app.routing import versions as kept
from app.routing.errors import PolicyMoved, PolicyRefused
from app.routing.policy import Fault
from app.routing.policy_schemas import PolicyBody
from app.routing.rule_form import RuleForm
from app.routing.rule_words import Names
from app.texts import gettext as _

MOST_TEAMS = 500


class RulesForm(Body):
    """The rules of the form as nested members, or as text; `do` is what a button of it asks for."""

    version = fields.Integer(required=True)
    rules = fields.Raw()
    weights = fields.Dict()
    text = fields.String()
    do = fields.String()


def load() -> dict[str, Any]:
    """The form; rules that are closed come with it as they are written, so that it may be long."""
    request.max_form_memory_size = current_app.config["MAX_CONTENT_LENGTH"]
    return load_form(RulesForm)


def rules_of(body: Mapping[str, Any]) -> list[RuleForm]:
    try:
        return rule_form.read(body.get("rules"))
    except rule_form.Unreadable as fault:
        raise Invalid(str(fault)) from None


def written(body: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any], rule_form.Places]:
    """Rules and weights as the API takes them, from fields or from the text."""
    if "text" in body:
        return _from_text(body["text"])
    rules, places = rule_form.write(rules_of(body))
    return rules, weights_of(body), places


def _from_text(text: str) -> tuple[list[Any], dict[str, Any], rule_form.Places]:
    try:
        said = json.loads(text)
    except json.JSONDecodeError as fault:
        raise invalid("text", _("line %(line)s: %(what)s") % {"line": fault.lineno, "what": fault.msg}) from None
    except RecursionError:
        raise invalid("text", _("nested too deep")) from None
    faults = PolicyBody().validate(said if isinstance(said, dict) else {})
    if faults or not isinstance(said, dict):
        raise invalid("text", _('expected {"rules": [...], "weights": {...}}'))
    return said["rules"], said.get("weights", {}), {"": "text"}


def weights_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The points that the form gives; a part left blank counts as usual."""
    return {name: rule_form.number(text) for name, text in (body.get("weights") or {}).items()}


def placed(refused: PolicyRefused, rules: Sequence[Any], places: Mapping[str, str]) -> PolicyRefused:
    """The same faults, each with the form's own field and the rule it is in."""
    errors = [
        {"pointer": f"/{_place(one['pointer'], places)}", "detail": named(one["pointer"], one["detail"], rules)}
        for one in refused.errors
    ]
    return PolicyRefused(refused.detail, errors=errors)


def _place(pointer: str, places: Mapping[str, str]) -> str:
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0] if "/" in pointer else ""
    return places.get(pointer, pointer.strip("/").replace("/", "."))


def named(pointer: str, detail: str, rules: Sequence[Any]) -> str:
    steps = pointer.split("/")
    if len(steps) < 3 or steps[1] != "rules" or not steps[2].isdecimal() or int(steps[2]) >= len(rules):
        return detail
    rule = rules[int(steps[2])]
    name = rule.get("name") if isinstance(rule, Mapping) else ""
    return _("Rule %(place)s “%(name)s”: %(detail)s") % {"place": int(steps[2]) + 1, "name": name, "detail": detail}


def said_of(faults: Iterable[Fault], version: Any) -> list[str]:
    return [named(fault.pointer, fault.detail, version.rules) for fault in faults]


def check_newest(version: int, yours: Sequence[Any]) -> None:
    """412 with what came between: who saved it, and each rule that differs from the form's."""
    newest = policies.newest_number()
    if version == newest:
        return
    found = kept.get_version(newest)
    who = found.created_by.name if found.created_by else _("somebody")
    names = names_in([*found.rules, *yours])
    both = [(label, now, mine) for label, now, mine in compare(found.rules, yours, names)] if yours else []
    detail = _("%(who)s saved version %(number)s on %(when)s.") % {
        "who": who, "number": newest, "when": f"{found.created_at:%Y-%m-%d %H:%M}"
    }  # fmt: skip
    raise PolicyMoved(detail, version=newest, both=both)


def compare(now: Sequence[Any], then: Sequence[Any], names: Names) -> list[tuple[str, str, str]]:
    """Each rule, by name, that is not the same in both: in words, once as it is now and once as it would be."""
    before, after = _by_name(now), _by_name(then)
    found = []
    for name in dict.fromkeys([*after, *before]):
        was, becomes = (_in_words(rules.get(name), names) for rules in (before, after))
        if was != becomes:
            found.append((name, was, becomes))
    return found


def _by_name(rules: Sequence[Any]) -> dict[str, tuple[int, Any]]:
    return {str(rule.get("name")): (place, rule) for place, rule in enumerate(rules, 1) if isinstance(rule, dict)}


def _in_words(placed: tuple[int, Any] | None, names: Names) -> str:
    if placed is None:
        return "–"
    place, rule = placed
    said = {"place": place, "when": rule_words.condition(rule), "who": rule_words.wanted(rule, names)}
    return _("%(place)s. %(when)s: %(who)s") % said


def names_in(rules: Iterable[Any]) -> Names:
    """Whom and which teams rules may name; two statements, one where they name no user."""
    targets = [rule.get(member) for rule in rules if isinstance(rule, Mapping) for member in ("target", "fallback")]
    ids = {_uuid(target.get("user_id")) for target in targets if isinstance(target, Mapping)} - {None}
    users = {str(user.id): user.email for user in list_active(ids=[id_ for id_ in ids if id_])}
    found = teams.list_names(limit=MOST_TEAMS)
    return Names(users, {str(id_): name for id_, name in found})


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(text)
    except (TypeError, ValueError, AttributeError):
        return None
