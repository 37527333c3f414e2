"""What a user and a group have here, as SCIM describes it (RFC 7643): one description for reading and for telling."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass(frozen=True)
class Attribute:
    """One attribute: `words` are the values it usually has, `refers_to` the kinds that a reference leads to."""

    name: str
    description: str
    type: str = "string"
    many: bool = False
    required: bool = False
    exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    words: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()
    parts: tuple["Attribute", ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether nobody but us sets it."""
        return self.mutability == "readOnly"

    def part(self, name: str) -> "Attribute | None":
        return next((part for part in self.parts if part.name.lower() == name.lower()), None)

    def describe(self) -> dict[str, Any]:
        """As `/Schemas` tells it (RFC 7643 §7)."""
        told: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "multiValued": self.many,
            "description": self.description,
            "required": self.required,
            "caseExact": self.exact,
            "mutability": self.mutability,
            "returned": self.returned,
            "uniqueness": self.uniqueness,
        }
        if self.words:
            told["canonicalValues"] = list(self.words)
        if self.refers_to:
            told["referenceTypes"] = list(self.refers_to)
        if self.parts:
            told["subAttributes"] = [part.describe() for part in self.parts]
        return told


@dataclass(frozen=True)
class Path:
    """An attribute in its place: below the `urn` of an extension or at the top, and perhaps one part of it."""

    urn: str | None
    attribute: Attribute
    part: Attribute | None = None

    @property
    def key(self) -> str:
        """One word for it, such as `name.givenName`; our names are unique across extensions."""
        return f"{self.attribute.name}.{self.part.name}" if self.part else self.attribute.name


@dataclass(frozen=True)
class Kind:
    """A kind of resource; `unkept` are attributes that SCIM knows and we don't keep, in lower case."""

    name: str
    endpoint: str
    description: str
    attributes: tuple[Attribute, ...]
    extension: tuple[Attribute, ...] = ()
    unkept: frozenset[str] = frozenset()

    @property
    def urn(self) -> str:
        return CORE + self.name

    @cached_property
    def _places(self) -> dict[str, tuple[str | None, Attribute]]:
        placed: dict[str, tuple[str | None, Attribute]] = {a.name.lower(): (ENTERPRISE, a) for a in self.extension}
        return placed | {a.name.lower(): (None, a) for a in (*COMMON, *self.attributes)}

    def find(self, text: str) -> Path | None:
        """The place of `name`, `name.part` or either with its schema in front; None for what is not kept here."""
        schema, name, part_name = split(text)
        placed = self._places.get(name.lower()) if self._is_known(schema) else None
        if placed is None:
            return None
        urn, attribute = placed
        part = attribute.part(part_name) if part_name else None
        return None if part_name and part is None else Path(urn, attribute, part)

    def _is_known(self, urn: str) -> bool:
        return urn.lower() in ("", self.urn.lower(), ENTERPRISE.lower() if self.extension else "")

    def is_unkept(self, text: str) -> bool:
        """Whether SCIM, or an extension that is not ours, may well have such an attribute."""
        urn, name, _ = split(text)
        return not self._is_known(urn) or name.lower() in self.unkept or name.lower() in self._places


def split(text: str) -> tuple[str, str, str]:
    """(schema, attribute, part) of an attribute's path; the dots of a schema's own name part nothing."""
    urn, _, rest = text.rpartition(":")
    name, _, part = rest.partition(".")
    return urn, name, part


def _ours(name: str, description: str, **options: Any) -> Attribute:
    return Attribute(name, description, mutability="readOnly", **options)


COMMON = (
    _ours("schemas", "The schemas that this resource follows", many=True, returned="always", exact=True),
    _ours("id", "Our identifier, for ever", exact=True, returned="always", uniqueness="server"),
    Attribute("externalId", "The identifier that the directory uses", exact=True),
    _ours(
        "meta",
        "About the resource itself",
        type="complex",
        parts=(
            _ours("resourceType", "User or Group", exact=True),
            _ours("created", "When it was made", type="dateTime"),
            _ours("lastModified", "When it last changed", type="dateTime"),
            _ours("location", "Where it is read", type="reference", exact=True, refers_to=("uri",)),
            _ours("version", "Its entity tag", exact=True),
        ),
    ),
)
_NAME = (
    Attribute("formatted", "The whole name; follows the given and the family name where they are known"),
    Attribute("familyName", "The family name"),
    Attribute("givenName", "The given name"),
)
_EMAIL = (
    _ours("value", "The address, which is the userName"),
    _ours("type", "Always work", words=("work",)),
    _ours("primary", "Always true", type="boolean"),
)
_GROUP = (
    _ours("value", "The group's id", exact=True),
    _ours("$ref", "Where the group is read", type="reference", exact=True, refers_to=("Group",)),
    _ours("display", "The group's name"),
)
_MANAGER = (
    Attribute("value", "The manager's id", exact=True),
    _ours("$ref", "Where the manager is read", type="reference", exact=True, refers_to=("User",)),
    _ours("displayName", "The manager's name"),
)
_MEMBER = (
    Attribute("value", "The member's id", exact=True, mutability="immutable"),
    _ours("$ref", "Where the member is read", type="reference", exact=True, refers_to=("User",)),
    Attribute("type", "Always User: groups do not stand in groups", mutability="immutable", words=("User",)),
    _ours("display", "The member's name"),
)
ROLE_WORDS = ("csm", "specialist", "manager", "executive", "admin")

UNKEPT = frozenset({
    "nickname", "profileurl", "usertype", "preferredlanguage", "locale", "password", "phonenumbers", "ims", "photos",
    "addresses", "entitlements", "x509certificates", "employeenumber", "costcenter", "organization", "division",
    "department",
})  # fmt: skip

USER = Kind(
    name="User",
    endpoint="/Users",
    description="A colleague",
    attributes=(
        Attribute("userName", "The e-mail address, in lower case", required=True, uniqueness="server"),
        Attribute("name", "The parts of the name", type="complex", parts=_NAME),
        Attribute("displayName", "The name that colleagues and customers see"),
        Attribute("title", "The job title"),
        Attribute("timezone", "An IANA time zone such as Europe/Oslo"),
        Attribute("active", "Whether the colleague may sign in and own work", type="boolean"),
        Attribute("emails", "The one address that messages go to", type="complex", many=True, parts=_EMAIL),
        Attribute(
            "roles",
            "The role; of several the primary one counts, else the last",
            type="complex",
            many=True,
            parts=(
                Attribute("value", "The role's name", words=ROLE_WORDS),
                Attribute("primary", "Whether this one counts", type="boolean"),
            ),
        ),
        _ours("groups", "The teams that the colleague is in", type="complex", many=True, parts=_GROUP),
    ),
    extension=(Attribute("manager", "The next above in the line", type="complex", parts=_MANAGER),),
    unkept=UNKEPT,
)
GROUP = Kind(
    name="Group",
    endpoint="/Groups",
    description="A team",
    attributes=(
        Attribute("displayName", "The team's name", required=True, uniqueness="server"),
        Attribute("members", "The colleagues in it", type="complex", many=True, parts=_MEMBER),
    ),
)
KINDS = (USER, GROUP)
