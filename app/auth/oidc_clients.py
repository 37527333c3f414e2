"""What we are to a tenant's identity provider, and how we speak to it."""

from dataclasses import dataclass, field
from uuid import UUID

from authlib.integrations.requests_client import OAuth2Session
from flask import current_app
from sqlalchemy import select

from app.auth import sealing
from app.auth.errors import NoProvider
from app.auth.models import IdentityProvider
from app.auth.oidc_discovery import Metadata
from app.db import db
from app.outside import guard

SCOPE = "openid email profile"
CALLBACK = "/auth/callback"


@dataclass(frozen=True)
class Client:
    """What we are to a tenant's provider, and whom it may tell us of."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    email_matches: bool
    vouched_by: str
    required_claims: dict[str, str]


def redirect_uri() -> str:
    """Where every provider sends people back to; entered there letter by letter."""
    return f"{current_app.config['BASE_URL']}{CALLBACK}"


def purpose(provider_id: UUID) -> str:
    """What a provider's client secret is sealed for."""
    return f"identity_provider:{provider_id}"


def get_client() -> Client:
    """The provider of the tenant in scope; a tenant that does not exist has none either."""
    found = db.session.scalars(select(IdentityProvider)).one_or_none()
    if found is None:
        raise NoProvider
    secret = None if found.client_secret is None else sealing.unseal(found.client_secret, purpose=purpose(found.id))
    claims = found.required_claims
    return Client(found.issuer, found.client_id, secret, found.email_matches, found.vouched_by, claims)


def open_session(client: Client, metadata: Metadata) -> OAuth2Session:
    """Authlib's client of this provider; its calls outside are ours."""
    method = "none"
    if client.client_secret is not None:
        posts = "client_secret_basic" not in metadata.auth_methods and "client_secret_post" in metadata.auth_methods
        method = "client_secret_post" if posts else "client_secret_basic"
    made = OAuth2Session(
        client.client_id,
        client.client_secret,
        token_endpoint_auth_method=method,
        scope=SCOPE,
        redirect_uri=redirect_uri(),
        code_challenge_method="S256",
    )
    return guard(made)
