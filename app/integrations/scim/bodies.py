"""A resource as it was sent, brought into one form: names as we write them, lists as lists, truths as truths."""

from collections.abc import Mapping
from typing import Any

from app.integrations.scim.attributes import ENTERPRISE, Attribute, Kind, Path
from app.integrations.scim.errors import InvalidSyntax, InvalidValue

LONGEST = 500
TRUTHS = {"true": True, "false": False}


def read(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a body says of attributes kept here; None is what it clears. The rest, and what is ours to set, is left out.

    Keys count whatever their case, and may be paths (`name.givenName`), as some directories write them.
    """
    check_schemas(body, kind.urn)
    found: dict[str, Any] = {}
    for key, value in body.items():
        if key.lower() == ENTERPRISE.lower() and isinstance(value, dict):
            for name, inner in value.items():
                _read_one(kind, f"{ENTERPRISE}:{name}", inner, found)
        else:
            _read_one(kind, key, value, found)
    return found


def check_schemas(body: Mapping[str, Any], expected: str) -> None:
    """A body that names its schemas names the one that is expected; one that names none is taken at its word."""
    named = body.get("schemas")
    if named is None:
        return
    if not isinstance(named, list) or expected.lower() not in [str(urn).lower() for urn in named]:
        raise InvalidSyntax(f"schemas: expected a list with {expected}")


def _read_one(kind: Kind, key: str, value: Any, found: dict[str, Any]) -> None:
    path = kind.find(key)
    if path is None or path.attribute.is_ours:
        return
    holder, name = place(found, path), path.attribute.name
    if path.part and path.attribute.many:
        value = {path.part.name: value}
    elif path.part:
        holder[name] = {**(holder.get(name) or {}), path.part.name: coerced(path.part, value)}
        return
    holder[name] = coerced(path.attribute, value)


def place(resource: dict[str, Any], path: Path) -> dict[str, Any]:
    """Where in a resource the attribute stands: at its top, or below its extension."""
    return resource if path.urn is None else resource.setdefault(path.urn, {})


def coerced(attribute: Attribute, value: Any) -> Any:
    """A value in the form its attribute asks for; None and an empty text both say that there is none."""
    if attribute.many:
        values = value if isinstance(value, list) else [] if value is None else [value]
        return [one for one in (_single(attribute, each) for each in values) if one]
    return _single(attribute, value)


def _single(attribute: Attribute, value: Any) -> Any:
    if value is None or value == "":
        return None
    if attribute.type == "complex":
        return _complex(attribute, value)
    if attribute.type == "boolean":
        return _truth(attribute, value)
    if not isinstance(value, str) or len(value) > LONGEST:
        raise InvalidValue(f"{attribute.name}: expected a text of at most {LONGEST} characters")
    return value


def _complex(attribute: Attribute, value: Any) -> dict[str, Any]:
    """An object; its `value` alone may stand for it, as directories send managers and members."""
    if isinstance(value, str) and attribute.part("value"):
        value = {"value": value}
    if not isinstance(value, dict):
        raise InvalidValue(f"{attribute.name}: expected an object")
    parts = ((attribute.part(key), inner) for key, inner in value.items())
    read_parts = {part.name: _single(part, inner) for part, inner in parts if part and part.type != "reference"}
    return {name: inner for name, inner in read_parts.items() if inner is not None}


def _truth(attribute: Attribute, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in TRUTHS:
        return TRUTHS[value.lower()]
    raise InvalidValue(f"{attribute.name}: expected true or false")


def laid_over(resource: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """PUT: what is given takes the place of what was there; what is left out stays as it is."""
    extension = {**resource.get(ENTERPRISE, {}), **given.get(ENTERPRISE, {})}
    return {**resource, **given, **({ENTERPRISE: extension} if extension else {})}
