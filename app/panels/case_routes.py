"""The routes of a case's pages: the page itself, its forms, what it opens on request."""

from app.panels import case_contracts, case_edit, case_files, case_forms, case_more, case_moves, case_playbook
from app.panels.cases import bp

__all__ = ["MODULES", "bp"]

# Each module adds its own to the same blueprint.
MODULES = (case_edit, case_contracts, case_moves, case_playbook, case_files, case_forms, case_more)
