"""Whom history suggests for a case: the seam between a decision and what was learnt."""

from app.auth.settings import tenant_settings
from app.routing.inputs import RoutingInput
from app.routing.learning import store
from app.routing.learning.history import facts_of
from app.routing.people import Suggestion


def find(case: RoutingInput) -> tuple[Suggestion, ...]:
    """The likely owners, the likeliest first, none below the confidence the tenant set; nobody while it is unset or
    without a model. At most one statement, none when this process knows the model."""
    least = tenant_settings().suggestion_confidence
    found = store.find_current() if least is not None else None
    if least is None or found is None:
        return ()
    number, model = found
    likely = (s for s in model.suggest(facts_of(case)) if s.confidence >= least)
    return tuple(Suggestion(s.owner, s.confidence, s.reasons, number) for s in likely)
