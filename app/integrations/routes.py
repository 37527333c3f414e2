"""The doors of the packages for other systems."""

from flask import Blueprint

from app.integrations.scim.routes import scim
from app.integrations.webhooks.routes import blueprints as webhooks

blueprints: list[Blueprint] = [scim, *webhooks]
