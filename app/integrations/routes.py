"""The doors of the packages for other systems."""

from flask import Blueprint

from app.integrations.scim.routes import scim

blueprints: list[Blueprint] = [scim]
