"""A user as the directory wants them, read from a resource and checked as our own door checks one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from app.auth.schemas import UserBody
from app.http.parser import flatten
from app.http.schemas import the_one
from app.integrations.scim.attributes import ENTERPRISE, ROLE_WORDS
from app.integrations.scim.errors import InvalidValue

FIRST_ROLE = "csm"
SAID_AS = {"email": "userName", "name": "displayName", "role": "roles", "timezone": "timezone"}


@dataclass(frozen=True)
class Wish:
    """What our user is to be, and what the directory says beside it."""

    email: str
    name: str
    role: str
    timezone: str | None
    active: bool
    manager_id: UUID | None
    external_id: str | None
    given_name: str | None
    family_name: str | None
    title: str | None

    def of_user(self) -> dict[str, Any]:
        return {"email": self.email, "name": self.name, "role": self.role, "timezone": self.timezone}

    def of_link(self) -> dict[str, Any]:
        return {
            "external_id": self.external_id,
            "given_name": self.given_name,
            "family_name": self.family_name,
            "title": self.title,
        }


def read_wish(resource: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Wish:
    """The wish of a resource; `before` is the same user's where the new one does not say what to call them."""
    parts = resource.get("name") or {}
    given: dict[str, Any] = {
        "email": str(resource.get("userName") or "").strip().lower(),
        "name": called(resource, before),
        "role": _role(resource.get("roles") or []),
        "timezone": resource.get("timezone"),
    }
    _check(given)
    active = resource.get("active")
    return Wish(
        **given,
        active=True if active is None else active,
        manager_id=_manager(resource.get(ENTERPRISE) or {}),
        external_id=resource.get("externalId"),
        given_name=parts.get("givenName"),
        family_name=parts.get("familyName"),
        title=resource.get("title"),
    )


def _check(given: Mapping[str, Any]) -> None:
    try:
        the_one(UserBody).load(given)
    except ValidationError as error:
        faults = [f"{SAID_AS.get(path.lstrip('/'), path)}: {said}" for path, said in flatten(error.messages)]
        raise InvalidValue("; ".join(faults)) from None
    if given["role"] not in ROLE_WORDS:
        raise InvalidValue(f"roles: expected one of {', '.join(ROLE_WORDS)}")


def called(resource: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """What people see: the display name; where that was only the parts of the name, it follows them."""
    shown, parts = resource.get("displayName"), resource.get("name") or {}
    if before is None or shown != before.get("displayName"):
        return str(shown or parts.get("formatted") or _joined(parts) or resource.get("userName") or "")
    old = before.get("name") or {}
    if shown == old.get("formatted") and parts != old:
        new = parts.get("formatted") if _joined(parts) == _joined(old) else _joined(parts)
        return str(new or shown)
    return str(shown)


def _joined(parts: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (parts.get("givenName"), parts.get("familyName"))))


def _role(roles: list[dict[str, Any]]) -> str:
    """Of several the primary one counts, else the last, which is the one added latest."""
    named = [role for role in roles if role.get("value")]
    if not named:
        return FIRST_ROLE
    chosen = next((role for role in named if role.get("primary")), named[-1])
    return str(chosen["value"]).lower()


def _manager(extension: Mapping[str, Any]) -> UUID | None:
    value = (extension.get("manager") or {}).get("value")
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise InvalidValue("manager: expected the id of a user") from None
