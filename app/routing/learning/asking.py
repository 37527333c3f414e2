"""Whom history suggests for a case, for a rule that asks and for a person who wants to know why."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import db
from app.routing.inputs import RoutingInput
from app.routing.learning import store
from app.routing.learning.history import facts_of


def explain(case: RoutingInput) -> dict[str, Any]:
    """The three likeliest owners with confidence and reasons, and whether a rule would take them; none without a
    model."""
    least, found = tenant_settings().suggestion_confidence, store.find_current()
    if found is None:
        return {"model": None, "suggestion_confidence": least, "items": []}
    number, model = found
    suggested = model.suggest(facts_of(case))
    named = db.session.scalars(select(User).where(User.id.in_([UUID(s.owner) for s in suggested])))
    users = {str(user.id): user for user in named}
    items = [
        {
            "owner": users.get(s.owner),
            "confidence": s.confidence,
            "sure_enough": least is not None and s.confidence >= least,
            "reasons": list(s.reasons),
        }
        for s in suggested
    ]
    return {"model": number, "suggestion_confidence": least, "items": items}
