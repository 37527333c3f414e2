"""Connected CRMs: what an admin enters once, and the address at which each is then known.

The tenant stands in the address, so its scope is set before the first read, as with every address from outside.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.auth import panel_sessions
from app.auth.sealing import seal, unseal
from app.auth.settings import tenant_settings
from app.db import current_tenant, db, is_unique_violation, new_id
from app.errors import invalid
from app.panels.embed import zendesk
from app.panels.embed.errors import InstallationUnknown, KeyTaken
from app.panels.embed.kinds import KINDS, Kind
from app.panels.embed.models import CrmIdentity, EmbedInstallation

PATH = "/panel/embed/"
PROOFS = ("secret", "public_key")
KEY = "uq_embed_installation_tenant_id_kind_external_key"


def connect(fields: Mapping[str, Any], *, now: datetime) -> EmbedInstallation:
    """A new connection of `kind, name, external_key, account_source?, origins?` and its kind's proof. `now` is real."""
    kind = KINDS[fields["kind"]]
    key = kind.read_key(fields["external_key"])
    if key is None:
        raise invalid("external_key", f"expected {kind.key_form}")
    source = fields.get("account_source") or (key if fields["kind"] == "generic" else fields["kind"])
    made = EmbedInstallation(
        id=new_id(),
        kind=fields["kind"],
        name=fields["name"],
        external_key=key,
        account_source=source,
        origins=_distinct(fields["origins"]) if "origins" in fields else kind.origins(key),
        created_at=now,
    )
    _prove(made, kind, {name: fields[name] for name in PROOFS if name in fields})
    db.session.add(made)
    try:
        db.session.flush()
    except IntegrityError as error:
        if is_unique_violation(error, KEY):
            raise KeyTaken from error
        raise
    return made


def change(installation: EmbedInstallation, changes: Mapping[str, Any]) -> EmbedInstallation:
    """Change `name, account_source, origins` or the proof, which counts from now on.

    What was used stays so: the same secret may be entered again.
    """
    proofs = {name: changes[name] for name in PROOFS if name in changes}
    for name in ("name", "account_source"):
        if name in changes:
            setattr(installation, name, changes[name])
    if "origins" in changes:
        installation.origins = _distinct(changes["origins"])
    if proofs:
        _prove(installation, KINDS[installation.kind], proofs)
    db.session.flush()
    return installation


def _prove(installation: EmbedInstallation, kind: Kind, proofs: Mapping[str, str]) -> None:
    """Keep what proves the sender; a field that this kind does not know, or lacks, is refused."""
    for name in proofs:
        if name != kind.proof:
            raise invalid(name, f"a connection of the kind {installation.kind} has none")
    if kind.proof is None:
        return
    if kind.proof not in proofs:
        raise invalid(kind.proof, "Missing data for required field.")
    if kind.proof == "secret":
        installation.secret = seal(proofs["secret"], purpose=_purpose(installation)).encode()
    else:
        installation.public_key = _public_key(proofs["public_key"])


def _public_key(pem: str) -> str:
    try:
        return zendesk.read_key(pem).as_pem(private=False).decode()
    except ValueError:
        raise invalid("public_key", "expected the app's public RSA key in PEM, of at least 2048 bits") from None


def _purpose(installation: EmbedInstallation) -> str:
    return f"embed_installation:{installation.id}"


def secret_of(installation: EmbedInstallation) -> str:
    """What its CRM signs with; `SealBroken` when it was sealed under a key that has gone."""
    return unseal((installation.secret or b"").decode(), purpose=_purpose(installation))


def disconnect(installation: EmbedInstallation) -> None:
    """Its address opens nothing from now on; who its users were is forgotten with it, and panels they have open end."""
    users = select(CrmIdentity.user_id).where(CrmIdentity.installation_id == installation.id)
    panel_sessions.end_of(db.session.scalars(users).all())
    db.session.delete(installation)
    db.session.flush()


def get_installation(installation_id: UUID, *, kind: str | None = None, lock: bool = False) -> EmbedInstallation:
    """The connection, if it is of this kind; `InstallationUnknown` (404) of any other."""
    statement = select(EmbedInstallation).where(EmbedInstallation.id == installation_id)
    found = db.session.scalar(statement.with_for_update() if lock else statement)
    if found is None or kind not in (None, found.kind):
        raise InstallationUnknown
    return found


def list_installations(kind: str | None, *, after: Sequence[Any] | None, limit: int) -> Sequence[EmbedInstallation]:
    """Connections in the order in which they were made."""
    statement = select(EmbedInstallation).order_by(EmbedInstallation.id).limit(limit)
    if kind is not None:
        statement = statement.where(EmbedInstallation.kind == kind)
    if after:
        statement = statement.where(EmbedInstallation.id > UUID(after[0]))
    return db.session.scalars(statement).all()


def address_of(installation: EmbedInstallation) -> str | None:
    """Where its CRM sends people; none of the generic kind, whose backend asks with a token of the API."""
    if KINDS[installation.kind].proof is None:
        return None
    place = f"{current_tenant().hex}.{installation.id.hex}"
    return f"{current_app.config['BASE_URL']}{PATH}{installation.kind}/{place}"


def read_place(place: str) -> tuple[UUID, UUID]:
    """The tenant and the connection that an address names; `InstallationUnknown` of anything else."""
    tenant, dot, installation = place.partition(".")
    try:
        if not dot or len(tenant) != 32 or len(installation) != 32:
            raise ValueError
        return UUID(hex=tenant), UUID(hex=installation)
    except ValueError:
        raise InstallationUnknown from None


def allowed_origins() -> tuple[str, ...]:
    """Whose pages may show the tenant's panel: those of its settings and of everything it has connected."""
    listed = db.session.scalars(select(EmbedInstallation.origins).order_by(EmbedInstallation.id))
    return tuple(_distinct([*tenant_settings().embed_origins, *(origin for origins in listed for origin in origins)]))


def _distinct(origins: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(origins))
