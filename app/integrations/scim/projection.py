"""Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644 §3.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.integrations.scim.attributes import ENTERPRISE, Kind

ALWAYS = ("schemas", "id")


@dataclass(frozen=True)
class Projection:
    """Keys such as `name` or `name.givenName`: only these, or all without these."""

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, kind: Kind, attributes: str | None, excluded: str | None) -> "Projection":
        """What is asked for counts before what is left out; names that are not kept here count for nothing."""
        return cls(_keys(kind, attributes) if attributes else None, _keys(kind, excluded or ""))

    def shows(self, name: str) -> bool:
        """Whether anything of this attribute is in the answer, so that it need not be read."""
        if self.only is None:
            return name not in self.without
        return any(key.partition(".")[0] == name for key in self.only)

    def cut(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, value in resource.items():
            kept = self.cut(value) if name == ENTERPRISE else self._cut_one(name, value)
            if kept is not None and (kept == value or kept not in ({}, [])):
                shown[name] = kept
        return shown

    def _cut_one(self, name: str, value: Any) -> Any:
        if name in ALWAYS or (self.only is not None and name in self.only):
            return value
        if self.only is None and name in self.without:
            return None
        if isinstance(value, list):
            return [part for part in (self._cut_one(name, one) for one in value) if part]
        if isinstance(value, Mapping):
            return {part: inner for part, inner in value.items() if self._keeps(f"{name}.{part}")}
        return value if self.only is None else None

    def _keeps(self, key: str) -> bool:
        return key not in self.without if self.only is None else key in self.only


def _keys(kind: Kind, names: str) -> frozenset[str]:
    keys = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        path = kind.find(name)
        if path is not None:
            keys.add(path.key)
        elif name.lower() == ENTERPRISE.lower():
            keys |= {attribute.name for attribute in kind.extension}
    return frozenset(keys)
