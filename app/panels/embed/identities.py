"""Who a CRM's user is here: by what an admin said, or by their address at the first sign-in, learnt for good.

The address counts once. From then on the CRM's own id decides, so that whoever takes over an address, or changes
theirs to somebody else's, does not become that person here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, select, text
from sqlalchemy.dialects.postgresql import insert

from app.auth import panel_sessions
from app.auth.models import User
from app.auth.queries import find_user_by_email
from app.auth.service import can_own
from app.auth.settings import tenant_settings
from app.db import current_tenant, db, new_id
from app.errors import NotFound, invalid
from app.panels.embed.errors import UserUnknown
from app.panels.embed.kinds import KINDS
from app.panels.embed.models import CrmIdentity, EmbedInstallation

# One who signs in at two places at once is learnt once.
LEARN = (
    insert(CrmIdentity)
    .on_conflict_do_nothing(index_elements=["tenant_id", "installation_id", "external_id"])
    .returning(CrmIdentity.id)
)
SAY = text(
    """
    insert into crm_identity (tenant_id, id, installation_id, external_id, user_id, learnt, created_at)
    values (:tenant, :id, :installation, :external_id, :user, false, :now)
    on conflict (tenant_id, installation_id, external_id) do update
        set user_id = excluded.user_id, learnt = false, created_at = excluded.created_at
    """
)


def find_user(installation: EmbedInstallation, external_id: str, email: str | None, *, now: datetime) -> User:
    """Our active user behind a CRM's; `email` is the address their CRM vouches for, None for none. `now` is real.

    `UserUnknown` when there is none, when they have left, and when the address is another CRM user's already.
    """
    theirs = _named(installation.id, external_id)
    known = db.session.scalar(select(User).join(CrmIdentity, CrmIdentity.user_id == User.id).where(theirs))
    user = known or (
        _by_email(installation, external_id, email) if email and tenant_settings().embed_match_email else None
    )
    if user is None or not can_own(user):
        raise UserUnknown(crm_user=external_id, crm_email=email, crm_name=installation.name)
    if known is None:
        _learn(installation, external_id, user, now)
    return user


def _named(installation_id: UUID, external_id: str) -> Any:
    return (CrmIdentity.installation_id == installation_id) & (CrmIdentity.external_id == external_id)


def _by_email(installation: EmbedInstallation, external_id: str, email: str) -> User | None:
    """The user with this address whom nobody else of this connection is yet: their own other sign-in, at this very
    moment, may have said so since the look by id."""
    user = find_user_by_email(email)
    taken = exists().where(
        CrmIdentity.installation_id == installation.id,
        CrmIdentity.external_id != external_id,
        CrmIdentity.user_id == User.id,
    )
    if user is None or db.session.scalar(select(User.id).where(User.id == user.id, taken)):
        return None
    return user


def _learn(installation: EmbedInstallation, external_id: str, user: User, now: datetime) -> None:
    values = {
        "tenant_id": current_tenant(),
        "id": new_id(),
        "installation_id": installation.id,
        "external_id": external_id,
        "user_id": user.id,
        "learnt": True,
        "created_at": now,
    }
    db.session.execute(LEARN.values(values))


def say(installation: EmbedInstallation, external_id: str, email: str, *, now: datetime) -> dict[str, Any]:
    """An admin says who a CRM's user is; what was learnt or said before gives way. `now` is real time."""
    external_id = own_form(installation, external_id)
    user = find_user_by_email(email)
    if user is None or not can_own(user):
        raise invalid("user_email", "expected the address of an active user of this tenant")
    values = {"tenant": current_tenant(), "id": new_id(), "installation": installation.id, "external_id": external_id}
    db.session.execute(SAY, {**values, "user": user.id, "now": now})
    return get_identity(installation.id, external_id)


def own_form(installation: EmbedInstallation, external_id: str, field: str = "external_id") -> str:
    """A CRM user's id in the form in which it is kept: Salesforce writes the same with 15 characters and with 18."""
    read = KINDS[installation.kind].read_id(external_id)
    if read is None:
        raise invalid(field, f"expected the id of a user of {installation.kind}")
    return read


def forget(installation: EmbedInstallation, external_id: str) -> None:
    """This CRM user is nobody here until they are said or learnt again; panels they have open end."""
    gone = (
        delete(CrmIdentity)
        .where(_named(installation.id, own_form(installation, external_id)))
        .returning(CrmIdentity.user_id)
    )
    user_id = db.session.scalar(gone)
    if user_id is None:
        raise NotFound
    panel_sessions.end_of([user_id])


def list_identities(installation_id: UUID, *, after: Sequence[Any] | None, limit: int) -> list[dict[str, Any]]:
    """Who the users of a connection are here, by the CRM's id."""
    statement = _identities(installation_id).order_by(CrmIdentity.external_id).limit(limit)
    if after:
        statement = statement.where(CrmIdentity.external_id > after[0])
    return [dict(row) for row in db.session.execute(statement).mappings()]


def get_identity(installation_id: UUID, external_id: str) -> dict[str, Any]:
    """One of them."""
    asked = _identities(installation_id).where(CrmIdentity.external_id == external_id)
    return dict(db.session.execute(asked).mappings().one())


def _identities(installation_id: UUID) -> Select[*tuple[Any, ...]]:
    columns = (CrmIdentity.external_id, CrmIdentity.user_id, CrmIdentity.learnt, CrmIdentity.created_at)
    return (
        select(*columns, User.email.label("user_email"), User.name.label("user_name"))
        .join(User, User.id == CrmIdentity.user_id)
        .where(CrmIdentity.installation_id == installation_id)
    )
