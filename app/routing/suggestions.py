"""Whom history suggests for a case: the seam between a decision and what was learnt."""

from datetime import datetime

from app.routing.inputs import RoutingInput
from app.routing.people import Suggestion


def find(facts: RoutingInput, *, now: datetime) -> tuple[Suggestion, ...]:
    """The likely owners, the likeliest first, none below the confidence the tenant set; nobody without a model."""
    return ()
