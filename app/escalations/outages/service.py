"""What pages do with outages: read them, act on them, and name who is hit."""

from app.escalations.likeness import OUTAGE
from app.escalations.outages.keeping import (
    change_outage,
    check_may_act,
    get_outage,
    may_act,
    open_outage,
    resolve,
    tell,
)
from app.escalations.outages.models import Outage
from app.escalations.outages.naming import rows_of
from app.escalations.outages.reading import get_view, list_board, list_cases, list_newest, list_open

__all__ = [
    "OUTAGE",
    "Outage",
    "change_outage",
    "check_may_act",
    "get_outage",
    "get_view",
    "list_board",
    "list_cases",
    "list_newest",
    "list_open",
    "may_act",
    "open_outage",
    "resolve",
    "rows_of",
    "tell",
]
