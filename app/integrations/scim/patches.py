"""PATCH (RFC 7644 §3.5.2): operations on a resource, also in the dialects of the directories that send them.

`op` in any case; an object without a path whose keys are paths; a list of values beside `remove`, which then removes
only these; a filter that finds nothing beside `add` or `replace`, which then makes the value it describes.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from app.integrations.scim.attributes import ENTERPRISE, Attribute, Kind, Path
from app.integrations.scim.bodies import check_schemas, coerced, place
from app.integrations.scim.elements import equalities, predicate
from app.integrations.scim.errors import Immutable, InvalidPath, InvalidSyntax, InvalidValue, NoTarget
from app.integrations.scim.filters import Filter, Target, parse_target

SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST = 1_000
ADD, REPLACE, REMOVE = "add", "replace", "remove"


def apply(kind: Kind, resource: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The resource after every operation in turn; nothing is kept of a body with one that cannot be done."""
    check_schemas(body, SCHEMA)
    operations = next((value for key, value in body.items() if key.lower() == "operations"), None)
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("Operations: expected a list with at least one operation")
    if len(operations) > MOST:
        raise InvalidValue(f"Operations: expected at most {MOST}")
    changed = deepcopy(dict(resource))
    for operation in operations:
        _apply_one(kind, changed, operation)
    return changed


def _apply_one(kind: Kind, resource: dict[str, Any], operation: Any) -> None:
    members = {key.lower(): value for key, value in operation.items()} if isinstance(operation, dict) else {}
    op, path = str(members.get("op")).lower(), members.get("path")
    if op not in (ADD, REPLACE, REMOVE):
        raise InvalidSyntax("op: expected add, replace or remove")
    if path is not None and not isinstance(path, str):
        raise InvalidPath("path: expected a text")
    if op != REMOVE and "value" not in members:
        raise InvalidValue(f"value: expected one beside {op}")
    if path and path.lower() not in (kind.urn.lower(), ENTERPRISE.lower()):
        _change(kind, resource, op, parse_target(path), members.get("value"), asked=True)
    else:
        _spread(kind, resource, op, f"{path}:" if path else "", members.get("value"))


def _spread(kind: Kind, resource: dict[str, Any], op: str, prefix: str, value: Any) -> None:
    """An operation without a path: each key of its value is one."""
    if op == REMOVE:
        raise NoTarget("path: expected one beside remove")
    if not isinstance(value, dict):
        raise InvalidValue("value: expected an object where there is no path")
    for key, inner in value.items():
        if key.lower() == ENTERPRISE.lower():
            _spread(kind, resource, op, f"{ENTERPRISE}:", inner)
        else:
            _change(kind, resource, op, parse_target(prefix + key), inner, asked=False)


def _change(kind: Kind, resource: dict[str, Any], op: str, target: Target, value: Any, *, asked: bool) -> None:
    """One attribute; what we don't keep is passed over, what is ours to set only where it came along unasked."""
    path = kind.find(f"{target.path}.{target.part}" if target.part else target.path)
    if path is None:
        if asked and not kind.is_unkept(target.path):
            raise InvalidPath(f"{target.path}: {kind.name} has no such attribute")
        return
    if path.attribute.is_ours:
        if asked:
            raise Immutable(f"{path.attribute.name}: this is ours to set")
        return
    if path.attribute.many:
        _change_list(place(resource, path), path, op, target.inner, value)
    elif target.inner is not None:
        raise InvalidPath(f"{path.attribute.name}: expected no filter, for it is no list")
    else:
        _change_single(place(resource, path), path, op, value)


def _change_single(holder: dict[str, Any], path: Path, op: str, value: Any) -> None:
    attribute, name = path.attribute, path.attribute.name
    new = None if op == REMOVE else coerced(path.part or attribute, value)
    if new is None and attribute.required:
        raise Immutable(f"{name}: this must have a value")
    if path.part:
        holder[name] = {**(holder.get(name) or {}), path.part.name: new}
    elif isinstance(new, dict):
        holder[name] = {**(holder.get(name) or {}), **new}
    else:
        holder[name] = new


def _change_list(holder: dict[str, Any], path: Path, op: str, inner: Filter | None, value: Any) -> None:
    attribute, name = path.attribute, path.attribute.name
    values: list[dict[str, Any]] = list(holder.get(name) or [])
    if inner is None and path.part is None:
        holder[name] = _whole_list(attribute, op, values, value)
        return
    is_meant = predicate(inner) if inner is not None else bool
    if op == REMOVE and path.part is None:
        holder[name] = [each for each in values if not is_meant(each)]
        return
    new, meant = _part_of(path, op, value), [is_meant(each) for each in values]
    if any(meant):
        holder[name] = [{**each, **new} if is_one else each for each, is_one in zip(values, meant, strict=True)]
    elif op != REMOVE:
        holder[name] = [*values, {**_described(attribute, inner), **new}]


def _part_of(path: Path, op: str, value: Any) -> dict[str, Any]:
    """What each chosen value takes up."""
    if path.part:
        return {path.part.name: None if op == REMOVE else coerced(path.part, value)}
    given = coerced(path.attribute, value)
    if len(given) != 1:
        raise InvalidValue(f"{path.attribute.name}: expected one value for those that the filter finds")
    return dict(given[0])


def _described(attribute: Attribute, inner: Filter | None) -> dict[str, Any]:
    """The value that a filter of equalities describes: `[type eq "work"]` is one of type work."""
    described = equalities(inner) if inner is not None else {}
    if described is None:
        raise NoTarget(f"{attribute.name}: the filter finds no value")
    parts = ((attribute.part(name), wanted) for name, wanted in described.items())
    return {part.name: coerced(part, wanted) for part, wanted in parts if part}


def _whole_list(attribute: Attribute, op: str, values: list[dict[str, Any]], value: Any) -> list[dict[str, Any]]:
    given: list[dict[str, Any]] = coerced(attribute, value)
    if op == REPLACE:
        return given
    if op == REMOVE:
        gone = {each.get("value") for each in given}
        return [each for each in values if each.get("value") not in gone] if value is not None else []
    known = {each.get("value") for each in given}
    return [each for each in values if each.get("value") not in known] + given
