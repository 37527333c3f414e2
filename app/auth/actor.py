"""The caller of a use case, as every service function receives it."""

from dataclasses import dataclass, field
from uuid import UUID

from flask import g

from app.auth.roles import SCOPES_OF
from app.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class UserRef:
    """A colleague as other packages pass them on: enough to name and to reach them."""

    id: UUID
    email: str
    name: str


@dataclass(frozen=True)
class Actor:
    """A user with what they may do now; `user_id` is None for the engine itself."""

    user_id: UUID | None
    email: str
    name: str
    role: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    token_id: UUID | None = None

    @property
    def principal_id(self) -> UUID:
        """Whom idempotency keys belong to: the token, else the user."""
        principal = self.token_id or self.user_id
        if principal is None:
            raise Unauthenticated
        return principal

    @property
    def person_id(self) -> UUID:
        """The user behind the call; the engine is nobody."""
        if self.user_id is None:
            raise Unauthenticated
        return self.user_id

    @property
    def is_system(self) -> bool:
        return self.user_id is None

    def may(self, scope: str) -> bool:
        return scope in self.scopes


SYSTEM = Actor(user_id=None, email="", name="Firsthand", role="admin", scopes=SCOPES_OF["admin"])


def current_actor() -> Actor:
    """The caller of this request; guards have set it."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        raise Unauthenticated
    return actor
