"""Trying the policy: who would get a case that nobody has raised, and who would have owned those of the past."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import fields

from app import clock
from app.accounts import search
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.queries import list_active
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.db import transaction
from app.errors import NotFound
from app.http import Body, decode_cursor, encode_cursor
from app.http import transaction as answering
from app.http.forms import load_form
from app.http.panels import PanelBlueprint, go, page
from app.queue import wake
from app.routing import asking, policies, rule_words, simulation_views, simulations
from app.routing.load_curves import curves_of
from app.routing.schemas import ExplainBody
from app.routing.simulation_jobs import SIMULATE
from app.routing.simulation_models import Simulation
from app.routing.simulation_schemas import DAY, SimulateBody
from app.texts import gettext as _

bp = PanelBlueprint("admin_trying_rules", __name__)

SHOWN = 20
ACCOUNTS_SHOWN = 8
PARTS = ("unrouted", "changed")


class TryForm(ExplainBody):
    """With the letters that the account was found by."""

    q = fields.String()


SimulateForm = Body.from_dict(
    {"number": SimulateBody().fields["number"], "from": fields.Date(validate=DAY), "to": fields.Date(validate=DAY)},
    name="SimulateForm",
)


@bp.get("/admin/rules/try")
@requires("routing:read")
def ask() -> Response:
    """A case to be made up."""
    with transaction():
        reasons = [(reason.name, _(reason.label)) for reason in list_reasons(tenant_settings())]
        return page("routing/try.html", reason_pairs=reasons, **_versions())


@bp.get("/admin/rules/accounts")
@requires("routing:read")
def find_accounts() -> Response:
    """The accounts that a few letters mean, to choose one."""
    typed = request.args.get("q", "").strip()
    with transaction():
        found = search.find_accounts(typed, email=None, after=None, limit=ACCOUNTS_SHOWN).items if typed else []
        return page("routing/try_accounts.html", accounts=found, typed=typed)


@bp.post("/admin/rules/explain")
@requires("routing:read")
def explain() -> Response:
    """Who would get it and why, in a sentence and in full; nothing is kept."""
    with transaction():
        told = asking.explanation(asking.ask(load_form(TryForm), now=clock.now()))
        ids = {one["id"] for one in told["candidates"]} | {id_ for found in told["excluded"].values() for id_ in found}
        names = {str(user.id): user.name for user in list_active(ids=[UUID(id_) for id_ in ids])}
        return page("routing/explained.html", told=told, names=names, words=rule_words)


@bp.get("/admin/rules/simulations")
@requires("routing:write")
def list_simulations() -> Response:
    """What was tried on the past, newest first, and a form to try another version or period."""
    after = decode_cursor(request.args.get("cursor"))
    with transaction():
        found = simulations.list_simulations(before=UUID(after[0]) if after else None, limit=SHOWN + 1)
        shown = found[:SHOWN]
        cursor = encode_cursor([str(shown[-1].id)]) if len(found) > SHOWN else None
        part = "routing/simulations_rows.html" if after else "routing/simulations.html"
        return page(part, simulations=shown, cursor=cursor, days=simulations.DAYS, **_versions())


@bp.post("/admin/rules/simulations")
@requires("routing:write")
def start() -> Response:
    """Replay a version over past cases in the background."""
    with answering():
        asked = load_form(SimulateForm)
        period = {"first": asked.get("from"), "last": asked.get("to")}
        made = simulations.start(number=asked.get("number"), **period, actor=current_actor(), now=clock.now())
        wake(SIMULATE)
        return go(f"/admin/rules/simulations/{made.id}")


@bp.get("/admin/rules/simulations/<uuid:simulation_id>")
@requires("routing:write")
def show(simulation_id: UUID) -> Response:
    """How far it is, and what came of it."""
    with transaction():
        simulation = simulations.get_simulation(simulation_id)
        values: dict[str, Any] = {"simulation": simulation, "right": _right(simulation)}
        if simulation.result:
            values |= {part: _cases(simulation_id, part, None) for part in PARTS}
            values["loads"] = _loads(simulation_id, None)
        return page("routing/simulation.html", **values)


@bp.get("/admin/rules/simulations/<uuid:simulation_id>/progress")
@requires("routing:write")
def progress(simulation_id: UUID) -> Response:
    """How far it is; once it has ended the page is read again."""
    with transaction():
        simulation = simulations.get_simulation(simulation_id)
        if simulation.ended_at is not None:
            return go(None)
        return page("routing/simulation_progress.html", simulation=simulation)


@bp.get("/admin/rules/simulations/<uuid:simulation_id>/cases/<part>")
@requires("routing:write")
def list_cases(simulation_id: UUID, part: str) -> Response:
    """More of the cases that nobody would own, or that another would."""
    if part not in PARTS:
        raise NotFound
    with transaction():
        simulations.get_simulation(simulation_id)
        after = decode_cursor(request.args.get("cursor"))
        cases = _cases(simulation_id, part, after[0] if after else None)
        return page("routing/simulation_cases.html", part=part, cases=cases, simulation_id=simulation_id)


@bp.get("/admin/rules/simulations/<uuid:simulation_id>/loads")
@requires("routing:write")
def list_loads(simulation_id: UUID) -> Response:
    """More owners' load curves."""
    with transaction():
        simulations.get_simulation(simulation_id)
        after = decode_cursor(request.args.get("cursor"))
        loads = _loads(simulation_id, UUID(after[0]) if after else None)
        return page("routing/simulation_loads.html", loads=loads, simulation_id=simulation_id)


@bp.post("/admin/rules/simulations/<uuid:simulation_id>/cancel")
@requires("routing:write")
def cancel(simulation_id: UUID) -> Response:
    """Stop it; what was found so far stays."""
    with answering():
        simulations.cancel(simulations.get_simulation(simulation_id, lock=True), now=clock.now())
        return go(None)


def _versions() -> dict[str, Any]:
    """The draft, if there is one, before the version in force."""
    draft, current = policies.find_draft(), policies.current_number()
    pairs = [(current, _("version %(number)s, which decides") % {"number": current})]
    if draft:
        pairs.insert(0, (draft.number, _("draft %(number)s") % {"number": draft.number}))
    return {"version_pairs": pairs, "versions": [number for number, _said in pairs]}


def _cases(simulation_id: UUID, part: str, after: int | None) -> Mapping[str, Any]:
    found = simulation_views.list_cases(
        simulation_id, {part: True}, actor=current_actor(), after=after, limit=SHOWN + 1
    )
    path = f"/panel/admin/rules/simulations/{simulation_id}/cases/{part}"
    more = encode_cursor([found[SHOWN - 1]["place"]], path=path) if len(found) > SHOWN else None
    return {"items": found[:SHOWN], "cursor": more}


def _loads(simulation_id: UUID, after: UUID | None) -> Mapping[str, Any]:
    found = simulation_views.list_loads(simulation_id, after=after, limit=SHOWN + 1)
    path = f"/panel/admin/rules/simulations/{simulation_id}/loads"
    more = encode_cursor([str(found[SHOWN - 1]["owner_id"])], path=path) if len(found) > SHOWN else None
    return {"items": [{**load, "curves": curves_of(load)} for load in found[:SHOWN]], "cursor": more}


def _right(simulation: Simulation) -> Mapping[str, Any] | None:
    """How often the first owner was the one who closed, in percent: as it was and as it would have been."""
    found = (simulation.result or {}).get("first_owner_right")
    if not found or not found["closed"]:
        return None
    return {"closed": found["closed"], **{side: round(found[side] * 100) for side in ("real", "predicted")}}
