"""Bodies and answers of the identity provider and of who is known there."""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate, validates

from app.auth.models import VOUCHING
from app.http import AwareDateTime, Body, Page, Schema
from app.http.schemas import words
from app.outside import OutsideFailed, check_url


def issuer(value: str) -> None:
    """An issuer as OpenID Connect writes it: https, without query and fragment, letter by letter the provider's own."""
    try:
        parts = urlsplit(check_url(value))
    except (OutsideFailed, ValueError) as fault:
        raise ValidationError("expected an address such as https://login.example.com") from fault
    if parts.query or parts.fragment or any(letter.isspace() for letter in value):
        raise ValidationError("expected an address without ? and #, as the provider writes it")


class ProviderSchema(Schema):
    """Where people sign in from outside a CRM; the client secret is kept and never shown."""

    issuer = fields.String()
    client_id = fields.String()
    has_secret = fields.Boolean()
    match_email = fields.Boolean(attribute="email_matches")
    vouched_by = fields.String()
    required_claims = fields.Dict(keys=fields.String(), values=fields.String())
    redirect_uri = fields.String(metadata={"description": "To be entered at the provider, letter by letter."})
    sign_in_url = fields.String(metadata={"description": "Where this tenant's people begin."})
    created_at = AwareDateTime()
    changed_at = AwareDateTime()


class ProviderBody(Body):
    """`client_secret`: left out, it stays; null, there is none (a public client, proved by PKCE alone)."""

    issuer = fields.String(required=True, validate=[words(1, 500), issuer], metadata={"format": "uri"})
    client_id = fields.String(required=True, validate=words(1, 500))
    client_secret = fields.String(allow_none=True, validate=words(1, 1000))
    match_email = fields.Boolean(
        attribute="email_matches",
        load_default=True,
        truthy={True},
        falsy={False},
        metadata={"description": "Whether a first sign-in finds its person by the verified e-mail address."},
    )
    vouched_by = fields.String(
        load_default=VOUCHING[0],
        validate=validate.OneOf(VOUCHING),
        metadata={"description": "The claim that verifies the address: `xms_edov` for Microsoft Entra ID."},
    )
    required_claims = fields.Dict(
        keys=fields.String(validate=words(1, 100)),
        values=fields.String(validate=words(1, 500)),
        load_default=dict,
        metadata={"description": "What the ID token must say besides, such as `hd` or `tid` of one organisation."},
    )

    @validates("required_claims")
    def few(self, value: dict[str, Any], **_: Any) -> None:
        if len(value) > 10:
            raise ValidationError("expected at most 10")


class FindingSchema(Schema):
    step = fields.String()
    ok = fields.Boolean()
    detail = fields.String()


class CheckSchema(Schema):
    """What a sign-in would meet at the provider, step by step."""

    ok = fields.Boolean()
    findings = fields.List(fields.Nested(FindingSchema))


class IdentitySchema(Schema):
    """An account at the provider and the colleague it opens the panel for."""

    id = fields.UUID()
    user_id = fields.UUID()
    user_email = fields.String()
    issuer = fields.String()
    subject = fields.String()
    linked_at = AwareDateTime()
    last_used_at = AwareDateTime(allow_none=True)


class IdentityBody(Body):
    """`subject` is the provider's own name of the account (the claim `sub`); the page of a refusal shows it."""

    subject = fields.String(required=True, validate=words(1, 255))
    user_email = fields.Email(required=True, validate=words(3, 254))


IdentityPage = Page(IdentitySchema)
