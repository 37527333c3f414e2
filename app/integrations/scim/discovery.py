"""What we offer, told to whoever sets a directory up (RFC 7644 §4)."""

from collections.abc import Sequence
from typing import Any

from app.integrations.scim.attributes import ENTERPRISE, KINDS, USER, Attribute, Kind
from app.integrations.scim.lists import MOST, SCHEMA
from app.integrations.scim.words import url

CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
DEFINITION = "urn:ietf:params:scim:schemas:core:2.0:Schema"


def configuration() -> dict[str, Any]:
    """Patching, filters, sorting and tags; no bulk and no passwords."""
    return {
        "schemas": [CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token of ours that names the scope scim",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": url("/ServiceProviderConfig")},
    }


def resource_types() -> list[dict[str, Any]]:
    return [_resource_type(kind) for kind in KINDS]


def _resource_type(kind: Kind) -> dict[str, Any]:
    extensions = [{"schema": ENTERPRISE, "required": False}] if kind.extension else []
    return {
        "schemas": [RESOURCE_TYPE],
        "id": kind.name,
        "name": kind.name,
        "endpoint": kind.endpoint,
        "description": kind.description,
        "schema": kind.urn,
        "schemaExtensions": extensions,
        "meta": {"resourceType": "ResourceType", "location": url(f"/ResourceTypes/{kind.name}")},
    }


def definitions() -> list[dict[str, Any]]:
    """The schemas with the attributes that are kept here."""
    told = [_definition(kind.urn, kind.name, kind.description, kind.attributes) for kind in KINDS]
    return [*told, _definition(ENTERPRISE, "EnterpriseUser", "Who stands above a colleague", USER.extension)]


def _definition(urn: str, name: str, description: str, attributes: Sequence[Attribute]) -> dict[str, Any]:
    return {
        "schemas": [DEFINITION],
        "id": urn,
        "name": name,
        "description": description,
        "attributes": [attribute.describe() for attribute in attributes],
        "meta": {"resourceType": "Schema", "location": url(f"/Schemas/{urn}")},
    }


def listed(resources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All of them, for these lists are short."""
    return {
        "schemas": [SCHEMA],
        "totalResults": len(resources),
        "startIndex": 1,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }
