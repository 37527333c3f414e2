"""Every figure there is, by its key."""

from app.reports.definitions import ALL
from app.reports.owner_definitions import OF_OWNERS

FIGURES = {definition.key: definition for definition in (*ALL, *OF_OWNERS)}
