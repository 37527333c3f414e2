"""The routes of outages: their pages and what is done from them."""

from app.panels import outage_case, outage_forms
from app.panels.outages import bp

__all__ = ["MODULES", "bp"]

# Each module adds its own to the same blueprint.
MODULES = (outage_forms, outage_case)
