"""Doors to what was learnt from closed cases."""

from typing import Any

from flask import Response

from app import clock, queue
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.settings import current_version
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.routing.asking import case_of
from app.routing.errors import ExtraMissing
from app.routing.learning import asking, course, history, schemas, store
from app.routing.models import SuggestionModel
from app.routing.schemas import ExplainBody

bp = ApiBlueprint("suggestions", __name__, url_prefix="/api/v1/routing/suggestions")


@bp.get("/models")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.SuggestionModelPage)
@requires("routing:read")
def list_models(query: dict[str, Any]) -> Response:
    """The versions, newest first, with how good each is on cases it did not learn from, or why nothing was learnt."""
    with transaction():
        return page(
            schemas.SuggestionModelPage,
            query,
            lambda after, limit: [
                view(model) for model in store.list_models(before=after[0] if after else None, limit=limit)
            ],
            lambda shown: [shown["number"]],
        )


@bp.post("/train")
@bp.response(202, schemas.SuggestionModelSchema)
@requires("routing:write")
def train() -> Response:
    """Learn anew from the closed cases, in the background; the versions say when it is done."""
    if not course.is_installed():
        raise ExtraMissing(course.INSTALL)
    with transaction():
        wanted = store.want(clock.now(), closed=history.count_closed(), asked_by=current_actor().user_id)
        queue.wake("learn")
        headers = {"Location": "/api/v1/routing/suggestions/models"}
        return answer(schemas.SuggestionModelSchema, view(wanted), 202, headers)


@bp.post("/explain")
@bp.arguments(ExplainBody)
@bp.response(200, schemas.SuggestionsSchema)
@requires("routing:read")
def explain(body: dict[str, Any]) -> Response:
    """Who is likely to close a case raised with this body, how sure that is, and why; nothing is stored."""
    with transaction():
        return answer(schemas.SuggestionsSchema, asking.explain(case_of(body, now=clock.now())))


def view(model: SuggestionModel) -> dict[str, Any]:
    shown = ("number", "state", "problem", "asked_by", "asked_at", "trained_at", "cases", "measures")
    return {
        **{name: getattr(model, name) for name in shown},
        "current": model.number == current_version(store.CURRENT),
    }
