"""Doors to simulations: for admins, who publish what they try."""

from typing import Any
from uuid import UUID

from flask import Response

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.http import ApiBlueprint, PageArguments, answer, page, transaction
from app.queue import wake
from app.routing import simulation_schemas as schemas
from app.routing import simulation_views, simulations
from app.routing.simulation_jobs import SIMULATE

bp = ApiBlueprint("simulations", __name__, url_prefix="/api/v1/routing")


@bp.post("/simulate")
@bp.arguments(schemas.SimulateBody)
@bp.response(202, schemas.SimulationSchema)
@requires("routing:write")
def simulate(body: dict[str, Any]) -> Response:
    """Replay a version or rules over past escalations, in the background; one at a time (409 `simulation_running`)."""
    with transaction():
        simulation = simulations.start(**body, actor=current_actor(), now=clock.now())
        wake(SIMULATE)
        location = {"Location": f"/api/v1/routing/simulations/{simulation.id}"}
        return answer(schemas.SimulationSchema, simulation, 202, location)


@bp.get("/simulations")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.SimulationPage)
@requires("routing:write")
def list_simulations(query: dict[str, Any]) -> Response:
    """The latest simulations, newest first."""
    with transaction():
        return page(
            schemas.SimulationPage,
            query,
            lambda after, limit: simulations.list_simulations(before=UUID(after[0]) if after else None, limit=limit),
            lambda simulation: [str(simulation.id)],
        )


@bp.get("/simulations/<uuid:simulation_id>")
@bp.response(200, schemas.SimulationSchema)
@requires("routing:write")
def get_simulation(simulation_id: UUID) -> Response:
    """How far it is, and what came of it."""
    with transaction():
        return answer(schemas.SimulationSchema, simulations.get_simulation(simulation_id))


@bp.get("/simulations/<uuid:simulation_id>/cases")
@bp.arguments(schemas.CaseArguments, location="query")
@bp.response(200, schemas.SimulatedCasePage)
@requires("routing:write")
def list_cases(query: dict[str, Any], simulation_id: UUID) -> Response:
    """Who would have owned what, and who did, in order of time."""
    with transaction():
        simulations.get_simulation(simulation_id)
        return page(
            schemas.SimulatedCasePage,
            query,
            lambda after, limit: simulation_views.list_cases(
                simulation_id, query, actor=current_actor(), after=after[0] if after else None, limit=limit
            ),
            lambda case: [case["place"]],
        )


@bp.get("/simulations/<uuid:simulation_id>/loads")
@bp.arguments(PageArguments, location="query")
@bp.response(200, schemas.OwnerLoadPage)
@requires("routing:write")
def list_loads(query: dict[str, Any], simulation_id: UUID) -> Response:
    """What each owner held by day, really and in the replay."""
    with transaction():
        simulations.get_simulation(simulation_id)
        return page(
            schemas.OwnerLoadPage,
            query,
            lambda after, limit: simulation_views.list_loads(
                simulation_id, after=UUID(after[0]) if after else None, limit=limit
            ),
            lambda load: [str(load["owner_id"])],
        )


@bp.post("/simulations/<uuid:simulation_id>/cancel")
@bp.response(200, schemas.SimulationSchema)
@requires("routing:write")
def cancel(simulation_id: UUID) -> Response:
    """Stop it; what was found so far stays."""
    with transaction():
        simulation = simulations.get_simulation(simulation_id, lock=True)
        simulations.cancel(simulation, now=clock.now())
        return answer(schemas.SimulationSchema, simulation)
