"""Pages for admins about users: who they are, what they can do and when they are away.

They stand here and not beside the users, since teams, skills and absences belong to a person's page.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request
from marshmallow import fields, pre_load

from app import clock
from app.auth import queries
from app.auth import service as auth
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.roles import ROLES
from app.auth.schemas import UserBody, UserPatch
from app.auth.settings import current_version, tenant_settings
from app.db import transaction as reading
from app.http import transaction
from app.http.forms import check_version, load_form
from app.http.paging import part
from app.http.panels import PanelBlueprint, go, page
from app.routing import absences, holding, schemas, skills
from app.routing.skill_schemas import MasteriesBody
from app.texts import noted

bp = PanelBlueprint("admin_users", __name__)

SHOWN = 50
MOST_SKILLS = 200
ABSENCES_SHOWN = 20
ROLE_WORDS = {
    "csm": noted("CSM"),
    "specialist": noted("Specialist"),
    "manager": noted("Manager"),
    "executive": noted("Executive"),
    "admin": noted("Admin"),
    "integration": noted("Program"),
}
LABELS = {
    "email": noted("E-mail address"),
    "name": noted("Name"),
    "role": noted("Role"),
    "manager_email": noted("Manager"),
    "timezone": noted("Time zone"),
    "calendar": noted("Working hours"),
    "active": noted("Active"),
}


class UserForm(UserPatch):
    version = fields.Integer(required=True)


class SkillsForm(MasteriesBody):
    """Rows that are blank, or whose level is none, are no skills."""

    version = fields.Integer(required=True)
    skills = fields.List(MasteriesBody._declared_fields["skills"].inner, load_default=list)  # type: ignore[attr-defined]

    @pre_load
    def drop(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        rows = data.get("skills") or []
        return {**data, "skills": [row for row in rows if row.get("skill") and row.get("level") != 0]}


@bp.get("/admin/users")
@requires("users:write")
def list_users() -> Response:
    """Colleagues by address, found by a part of name or address, role and whether they are active."""
    asked = {name: value for name in ("q", "role", "active") if (value := request.args.get(name, "").strip()[:200])}
    filters: dict[str, Any] = {name: value for name, value in asked.items() if name != "active"}
    if asked.get("active") in ("true", "false"):
        filters["active"] = asked["active"] == "true"
    with reading():
        found, cursor = part(
            lambda after, limit: queries.list_users(filters, after=after, limit=limit),
            lambda user: [user.email],
            limit=SHOWN,
        )
        is_part = "cursor" in request.args or request.headers.get("HX-Target") == "found"
        values: dict[str, Any] = {"users": found, "cursor": cursor, "asked": asked, "roles": ROLE_WORDS}
        template = "routing/users_rows.html" if is_part else "routing/users.html"
        return page(template, path=f"/admin/users?{urlencode(asked)}", **values)


@bp.get("/admin/users/new")
@requires("users:write")
def new_user() -> Response:
    """The form of a new colleague."""
    with reading():
        return page("routing/user_new.html", **choices())


@bp.post("/admin/users")
@requires("users:write")
def add_user() -> Response:
    """A new colleague; the page of theirs comes next."""
    with transaction():
        user = auth.create_user(**load_form(UserBody), actor=current_actor(), now=clock.real_now())
        return go(f"/admin/users/{user.id}")


@bp.get("/admin/users/<uuid:user_id>")
@requires("users:write")
def show_user(user_id: UUID) -> Response:
    """One colleague: the form, their skills, their teams and their absences."""
    now = clock.now()
    with reading():
        user = queries.get_user_view(user_id)
        listed, more = absences_of(user_id)
        values = {"user": user, "absences": listed, "more": more, "now": now, "mode": tenant_settings().absence_mode}
        values["known_skills"] = skills.list_skills(after=None, limit=MOST_SKILLS)
        values["hanging"] = holding.what_hangs_on(user_id, now=clock.real_now())
        return page("routing/user.html", **values, **choices())


@bp.get("/admin/users/<uuid:user_id>/absences")
@requires("users:write")
def more_absences(user_id: UUID) -> Response:
    """Earlier absences of theirs."""
    with reading():
        user = queries.get_user_view(user_id)
        listed, more = absences_of(user_id)
        return page("routing/absence_rows.html", user=user, absences=listed, more=more, now=clock.now())


def absences_of(user_id: UUID) -> tuple[Any, str | None]:
    return part(
        lambda after, limit: absences.list_absences(
            user_id, before=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None, limit=limit
        ),
        lambda absence: [absence.starts_at.isoformat(), str(absence.id)],
        limit=ABSENCES_SHOWN,
        path=f"/panel/admin/users/{user_id}/absences",
    )


@bp.post("/admin/users/<uuid:user_id>")
@requires("users:write")
def change_user(user_id: UUID) -> Response:
    """Change who they are, or whether they are active."""
    with transaction():
        user = auth.get_user(user_id, lock=True)
        present = vars(queries.get_user_view(user_id))
        changes = check_version(user.version, load_form(UserForm, blank_is_null=True), present, LABELS)
        auth.change_user(user, changes)
        return go(f"/admin/users/{user_id}")


@bp.get("/admin/users/<uuid:user_id>/deactivate")
@requires("users:write")
def before_deactivating(user_id: UUID) -> Response:
    """What happens to their work, tokens and teams, told before it does."""
    with reading():
        user, settings = queries.get_user_view(user_id), tenant_settings()
        hanging = holding.what_hangs_on(user_id, now=clock.real_now())
        on_duty = user.email in (settings.duty_owner_email, settings.duty_deputy_email)
        return page("routing/user_deactivate.html", user=user, hanging=hanging, on_duty=on_duty)


@bp.post("/admin/users/<uuid:user_id>/skills")
@requires("users:write")
def put_skills(user_id: UUID) -> Response:
    """All that they master, and how well."""
    with transaction():
        user = auth.get_user(user_id, lock=True)
        body = load_form(SkillsForm)
        present = [f"{one.skill} {one.level}" for one in skills.list_masteries(user_id)]
        wanted = [f"{one['skill']} {one['level']}" for one in body["skills"]]
        check_version(
            user.version,
            {"version": body["version"], "skills": wanted},
            {"skills": present},
            {"skills": noted("Skills")},
        )
        skills.put_skills(user, body["skills"])
        return go(f"/admin/users/{user_id}")


@bp.post("/admin/users/<uuid:user_id>/absences")
@requires("absences:write")
def add_absence(user_id: UUID) -> Response:
    """A time away, with whoever stands in."""
    with transaction():
        body = load_form(schemas.AbsenceBody)
        absences.add_absence(user_id, **body, actor=current_actor(), now=clock.now())
        return go(f"/admin/users/{user_id}")


@bp.post("/admin/users/<uuid:user_id>/absences/<uuid:absence_id>/end")
@requires("absences:write")
def end_absence(user_id: UUID, absence_id: UUID) -> Response:
    """Back early, or not away after all."""
    with transaction():
        absence = absences.get_absence(user_id, absence_id, lock=True)
        absences.end_absence(absence, actor=current_actor(), now=clock.now())
        return go(f"/admin/users/{user_id}")


def choices() -> dict[str, Any]:
    """What the forms offer: roles, calendars and colleagues."""
    return {
        "roles": {role: ROLE_WORDS[role] for role in ROLES},
        "calendars": sorted(current_version("calendar") or {}),
        "colleagues": queries.list_colleagues(),
    }
