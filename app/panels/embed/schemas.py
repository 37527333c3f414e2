"""Bodies and answers of connected CRMs, of who their users are here, and of ways into the panel."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.auth.schemas import origin
from app.http import AwareDateTime, Body, Page, PageArguments, Schema
from app.http.schemas import words
from app.panels.embed.kinds import KINDS


def origins() -> fields.List[Any]:
    """Whose pages may show the panel."""
    return fields.List(fields.String(validate=origin), validate=validate.Length(max=20))


def secret() -> fields.String:
    return fields.String(
        validate=words(8, 500),
        load_only=True,
        metadata={"description": "Salesforce: the consumer secret; HubSpot: the client secret. Never answered."},
    )


class InstallationBody(Body):
    """`external_key` is the organization id, the portal id, the installation's address or a word of one's own."""

    kind = fields.String(required=True, validate=validate.OneOf(tuple(KINDS)))
    name = fields.String(required=True, validate=words(1, 200))
    external_key = fields.String(required=True, validate=words(1, 300))
    account_source = fields.String(
        validate=words(1, 50), metadata={"description": "The `source` of the accounts that its records are."}
    )
    secret = secret()
    public_key = fields.String(validate=words(1, 10_000), metadata={"description": "Zendesk: the app's public key."})
    origins = origins()


class InstallationPatch(Body):
    name = fields.String(validate=words(1, 200))
    account_source = fields.String(validate=words(1, 50))
    secret = secret()
    public_key = fields.String(validate=words(1, 10_000))
    origins = origins()


class InstallationSchema(Schema):
    """`address` is entered in the CRM; null of the kind `generic`, whose backend asks with a token of the API."""

    id = fields.UUID()
    kind = fields.String()
    name = fields.String()
    external_key = fields.String()
    account_source = fields.String()
    public_key = fields.String(allow_none=True)
    has_secret = fields.Boolean()
    origins = fields.List(fields.String())
    address = fields.String(allow_none=True)
    created_at = AwareDateTime()


class InstallationList(PageArguments):
    kind = fields.String(validate=validate.OneOf(tuple(KINDS)))


class CrmUserBody(Body):
    user_email = fields.Email(required=True, validate=words(3, 254))


class CrmUserSchema(Schema):
    """`learnt`: by the address at a first sign-in; otherwise an admin said so."""

    external_id = fields.String()
    user_id = fields.UUID()
    user_email = fields.String()
    user_name = fields.String()
    learnt = fields.Boolean()
    created_at = AwareDateTime()


class WhoBody(Body):
    """Our user by address, or a CRM's by the connection and its id there."""

    email = fields.Email(validate=words(3, 254))
    installation_id = fields.UUID()
    external_id = fields.String(validate=words(1, 200))

    @validates_schema
    def one_way(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if set(data) not in ({"email"}, {"installation_id", "external_id"}):
            raise ValidationError("expected email, or installation_id with external_id")


class RecordBody(Body):
    source = fields.String(required=True, validate=words(1, 50))
    external_id = fields.String(required=True, validate=words(1, 200))


class LaunchBody(Body):
    """Whom to let in, where the panel opens and whose page shows it; without a record it opens at their work."""

    user = fields.Nested(WhoBody, required=True)
    account = fields.Nested(RecordBody)
    escalation_id = fields.UUID()
    origin = fields.String(load_default=None, allow_none=True, validate=origin)
    renewal = fields.String(
        load_default="host",
        validate=validate.OneOf(("host", "self")),
        metadata={"description": "Whether the page around the panel brings a new token each ten minutes, or nobody."},
    )

    @validates_schema
    def one_place(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if "account" in data and "escalation_id" in data:
            raise ValidationError("expected an account or an escalation, not both", "escalation_id")


class LaunchSchema(Schema):
    """Good once, for a minute; `launch_url` is the address for the frame, with the token in its fragment."""

    launch_url = fields.String(allow_none=True)
    token = fields.String(
        allow_none=True, metadata={"description": "Shown in this answer only; null when the answer is a replay."}
    )
    expires_at = AwareDateTime()


InstallationPage = Page(InstallationSchema)
CrmUserPage = Page(CrmUserSchema)
