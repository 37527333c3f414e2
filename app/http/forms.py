"""A form of the panel as the body that the API takes: the same schema checks both.

Names are the API's: `a.b` for a member of a member, `list.0.x` for one of several, several values of one name for a
list of words. What is blank is left out, or null where the body may say so and the form asks for it.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, request
from marshmallow import Schema, ValidationError, fields

from app.errors import Invalid, Stale, invalid
from app.http.parser import UNSTORABLE, flatten
from app.http.schemas import AwareDateTime, the_one
from app.texts import gettext as _

SHORT_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
LOCAL_TIMES = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def load_form(schema: type[Schema], *, blank_is_null: bool = False) -> dict[str, Any]:
    """The request's form through `schema`; 422 with every fault by its field's name."""
    tree = _tree()
    return load_body(schema, read_fields(the_one(schema), tree, blank_is_null), tree)


def load_body(schema: type[Schema], body: Mapping[str, Any], tree: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a form was made into, through `schema`, with the same refusal; by `tree` faults have the form's names."""
    made = the_one(schema)
    try:
        loaded: dict[str, Any] = made.load(body)
    except ValidationError as error:
        errors = [
            {"pointer": _named(path, tree or {}) or "/", "detail": detail} for path, detail in flatten(error.messages)
        ]
        raise Invalid("; ".join(f"{one['pointer']}: {one['detail']}" for one in errors[:3]), errors=errors) from None
    return loaded


def load_partly(schema: type[Schema]) -> dict[str, Any]:
    """What of a form that is still being filled in can be read; its faults are nobody's business yet."""
    made = the_one(schema)
    try:
        loaded: dict[str, Any] = made.load(read_fields(made, _tree(), blank_is_null=False))
    except ValidationError as error:
        return dict(error.valid_data) if isinstance(error.valid_data, dict) else {}
    return loaded


class Lines(fields.List[Any]):
    """Several in one box, each on a line of its own."""


def check_version(
    version: int, changes: dict[str, Any], present: Mapping[str, Any], labels: Mapping[str, str]
) -> dict[str, Any]:
    """The form's changes without its `version`; 412 with both versions of each field that differs when it is older."""
    sent = changes.pop("version")
    if sent == version:
        return changes
    both = [
        (_(labels[name]), shown(present.get(name)), shown(said))
        for name, said in changes.items()
        if name in labels and shown(said) != shown(present.get(name))
    ]
    raise Stale(version=version, both=both)


def shown(value: Any) -> str:
    """A value as one reads it beside another."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return "\n".join(shown(one) for one in value) or "–"
    if isinstance(value, date):
        return value.isoformat()
    return "–" if value in (None, "") else str(value)


def _tree() -> dict[str, Any]:
    """The form's names as nested members; each leaf is the list of its values."""
    tree: dict[str, Any] = {}
    for name, values in request.form.lists():
        *path, last = name.split(".")
        here: Any = tree
        for step in path:
            here = here.setdefault(step, {}) if isinstance(here, dict) else None
        if not isinstance(here, dict) or last in here:
            raise invalid(name, "expected one value or several named ones, not both")
        here[last] = [UNSTORABLE.sub("", value).replace("\r\n", "\n") for value in values]
    return tree


def read_fields(schema: Schema, tree: Mapping[str, Any], blank_is_null: bool) -> dict[str, Any]:
    """The values of a schema's fields; a name it doesn't know stays, so that the schema refuses it."""
    body: dict[str, Any] = {}
    for name, said in tree.items():
        field = schema.fields.get(name)
        value = _read(field, said, blank_is_null) if field is not None else said
        if value is not None or (blank_is_null and field is not None and field.allow_none):
            body[name] = value
    return body


def _read(field: fields.Field[Any], said: Any, blank_is_null: bool) -> Any:
    if isinstance(field, fields.Nested):
        inside = read_fields(field.schema, said, blank_is_null) if isinstance(said, Mapping) else {}
        return inside or None
    if isinstance(field, fields.List):
        several = _read_list(field, said, blank_is_null)
        keeps_none = blank_is_null or isinstance(said, Mapping) or isinstance(field, Lines)
        return several if several or keeps_none else None
    if isinstance(field, fields.Dict) and isinstance(said, Mapping):
        return _read_dict(field, said, blank_is_null)
    if isinstance(said, Mapping):
        return said
    text = said[-1].strip()
    return _convert(field, text) if text else None


def _read_list(field: fields.List[Any], said: Any, blank_is_null: bool) -> list[Any]:
    if isinstance(field, Lines) and not isinstance(said, Mapping):
        said = [line for value in said for line in value.split("\n")]
    if isinstance(said, Mapping):
        inside = [_read(field.inner, said[key], blank_is_null) for key in sorted(said, key=_number)]
    else:
        inside = [_convert(field.inner, text) for value in said if (text := value.strip())]
    return [value for value in inside if value is not None]


def _named(path: str, tree: Mapping[str, Any]) -> str:
    """The path by the form's own names: of several, those left blank are counted there."""
    here: Any = tree
    names = []
    for part in path.split("/"):
        if part.isdecimal() and isinstance(here, Mapping):
            kept = [key for key in sorted(here, key=_number) if not _is_blank(here[key])]
            part = kept[int(part)] if int(part) < len(kept) else part
        names.append(part)
        here = here.get(part, here) if isinstance(here, Mapping) else here
    return "/".join(names)


def _is_blank(said: Any) -> bool:
    values = said.values() if isinstance(said, Mapping) else said
    return all(_is_blank(value) if isinstance(value, Mapping | list) else not value.strip() for value in values)


def _read_dict(field: fields.Dict, said: Mapping[str, Any], blank_is_null: bool) -> dict[str, Any] | None:
    """Values by keys that the form chose."""
    inner = field.value_field or fields.String()
    read = {key: _read(inner, value, blank_is_null) for key, value in said.items()}
    kept = {key: value for key, value in read.items() if value is not None or blank_is_null}
    return kept or None


def _number(key: str) -> tuple[int, str]:
    return (int(key), "") if SHORT_NUMBER.fullmatch(key) else (10**9, key)


def _convert(field: fields.Field[Any], text: str) -> Any:
    """What a strict body wants as a number, yes or no, or a moment with its offset; the rest stays for it to refuse."""
    if isinstance(field, fields.Integer) and SHORT_NUMBER.fullmatch(text):
        return int(text)
    if isinstance(field, fields.Decimal | fields.Float):
        return _number_of(text)
    if isinstance(field, fields.Boolean) and text in ("true", "false"):
        return text == "true"
    if isinstance(field, AwareDateTime):
        return with_offset(text)
    return text


def _number_of(text: str) -> Any:
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return text


def with_offset(text: str) -> str:
    """A browser's local time, read in the viewer's zone."""
    for form in LOCAL_TIMES:
        try:
            naive = datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
        return naive.replace(tzinfo=ZoneInfo(g.get("zone") or "UTC")).isoformat()
    return text
