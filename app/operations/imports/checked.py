"""A row checked by the schema of the route that takes the same fields."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from app.accounts.errors import RowRefused
from app.http.parser import flatten


def checked_by(schema: type[Schema], values: Mapping[str, Any]) -> dict[str, Any]:
    """The loaded values; RowRefused names each field as the route would."""
    try:
        loaded: dict[str, Any] = schema().load(values)
    except ValidationError as error:
        faults = [(path.strip("/").replace("/", "."), detail) for path, detail in flatten(error.messages)]
        raise RowRefused(faults) from None
    return loaded
