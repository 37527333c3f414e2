"""Pages for admins about service levels: what each promises in words, its versions, and the next by a form."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.auth import service as auth
from app.auth.guards import requires
from app.auth.settings import current_version
from app.db import transaction as reading
from app.errors import invalid
from app.http import transaction
from app.http.forms import check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.sla import levels
from app.sla.level import SEVERITIES, TIERS
from app.sla.schemas import ServiceLevelBody
from app.texts import gettext as _
from app.texts import noted

bp = PanelBlueprint("admin_levels", __name__)

SHOWN = 50
LABELS = {
    "respond": noted("First answer to the customer"),
    "reply": noted("Answer the customer"),
    "customer_update": noted("Tell the customer"),
    "account_team_update": noted("Tell the account team"),
    "executive_update": noted("Tell the executives"),
    "tiers": noted("Resolve in this tier"),
    "close_days": noted("Close"),
    "calendar": noted("Calendar"),
}


def numbers() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.Integer(strict=True))


class LevelForm(ServiceLevelBody):
    """The API's body, with numbers where a form has text."""

    version = fields.Integer(load_default=0)
    name = fields.String()
    respond = numbers()
    reply = numbers()
    customer_update = numbers()
    tiers = fields.Dict(keys=fields.String(), values=numbers())


def promises(definition: dict[str, Any]) -> dict[str, str]:
    """Each promise in words, by the field that makes it."""
    said = {name: _said(definition[name]) for name in LABELS if name in definition and name != "tiers"}
    for tier, target in (definition.get("tiers") or {}).items():
        said[f"tiers.{tier}"] = _said(target)
    return said


def _said(target: Any) -> str:
    if isinstance(target, int):
        return _("%(days)s days") % {"days": target}
    if isinstance(target, str):
        return target
    if set(target) <= set(SEVERITIES):
        days = ", ".join(str(target[one]) for one in SEVERITIES if one in target)
        return _("%(days)s business days by severity 1 to 4") % {"days": days}
    [(unit, number)] = target.items()
    return (_("%(number)s business hours") if unit == "business_hours" else _("%(number)s business days")) % {
        "number": number
    }


@bp.get("/admin/service-levels")
@requires("promises:write")
def list_levels() -> Response:
    """Service levels by name, each with what it promises."""
    with reading():
        found, cursor = part(
            lambda after, limit: levels.list_levels(after=(after[0], UUID(after[1])) if after else None, limit=limit),
            lambda level: [level.name, str(level.id)],
            limit=SHOWN,
        )
        versions = levels.list_versions([one.id for one in found])
        rows = [(one, versions[one.id][-1], promises(versions[one.id][-1].definition)) for one in found]
        return page("sla/levels.html", rows=rows, cursor=cursor, labels=LABELS)


@bp.get("/admin/service-levels/new")
@requires("promises:write")
def new_level() -> Response:
    """The form of a new service level."""
    with reading():
        return page("sla/level_form.html", level=None, number=0, said={}, **choices())


@bp.post("/admin/service-levels")
@requires("promises:write")
def publish_new() -> Response:
    """A new name; one that is taken, retired or not, gets its next version on its own page."""
    with transaction():
        body = load_form(LevelForm)
        body.pop("version")
        name = body.pop("name", "").strip()
        if not name:
            raise invalid("name", "expected a name")
        auth.begin_publishing("service_level")
        if levels.find_level(name) is not None:
            raise invalid("name", "is taken: open that service level to publish its next version")
        made = levels.publish_level(name, body, now=clock.now())
        return go(f"/admin/service-levels/{made.id}")


@bp.get("/admin/service-levels/<uuid:service_level_id>")
@requires("promises:write")
def show_level(service_level_id: UUID) -> Response:
    """What it promises, and what it promised before."""
    with reading():
        level = levels.get_level(service_level_id)
        versions = levels.list_versions([service_level_id])[service_level_id]
        rows = [(one, promises(one.definition)) for one in reversed(versions)]
        return page("sla/level.html", level=level, last=versions[-1], rows=rows, labels=LABELS)


@bp.get("/admin/service-levels/<uuid:service_level_id>/edit")
@requires("promises:write")
def edit_level(service_level_id: UUID) -> Response:
    """The present version as a form; what is published from it is the next."""
    with reading():
        level = levels.get_level(service_level_id)
        last = levels.list_versions([service_level_id])[service_level_id][-1]
        return page("sla/level_form.html", level=level, number=last.number, said=last.definition, **choices())


@bp.post("/admin/service-levels/<uuid:service_level_id>")
@requires("promises:write")
def publish_next(service_level_id: UUID) -> Response:
    """Its next version; a retired one is taken up again by it."""
    with transaction():
        level = levels.get_level(service_level_id)
        body = load_form(LevelForm)
        auth.begin_publishing("service_level")
        last = levels.list_versions([service_level_id])[service_level_id][-1]
        version = body.pop("version")
        if version != last.number:
            levels.check_definition(body, now=clock.now())
            present = promises(last.definition)
            wanted = {**dict.fromkeys(present), **promises(body), "version": version}
            check_version(last.number, wanted, present, {name: word(name) for name in wanted if name != "version"})
        levels.publish_level(level.name, body, now=clock.now())
        return go(f"/admin/service-levels/{service_level_id}")


@bp.post("/admin/service-levels/<uuid:service_level_id>/retire")
@requires("promises:write")
def retire(service_level_id: UUID) -> Response:
    """No case raised from now on gets it."""
    with transaction():
        levels.retire_level(service_level_id, now=clock.now())
        return go(f"/admin/service-levels/{service_level_id}")


@bp.app_template_global("promise_word")
def word(name: str) -> str:
    """What a promise is called."""
    field, _dot, tier = name.partition(".")
    return f"{_(LABELS[field])}: {tier.replace('_', ' ')}" if tier else _(LABELS[field])


def choices() -> dict[str, Any]:
    calendars = sorted(current_version("calendar") or {})
    return {"calendars": calendars, "severities": SEVERITIES, "tiers": TIERS}
