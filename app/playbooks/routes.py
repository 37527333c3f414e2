"""Doors."""

from app.http import ApiBlueprint

blueprints: list[ApiBlueprint] = []
