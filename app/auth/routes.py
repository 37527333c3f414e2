"""Doors to users, tokens and settings."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app import clock
from app.auth import changes as settings_changes
from app.auth import oidc_routes, provider_pages, queries, service, setting_pages, token_pages
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.auth.models import Tenant
from app.auth.reasons import list_reasons
from app.auth.schemas import (
    NewTokenSchema,
    ReasonsSchema,
    SettingsBody,
    SettingsSchema,
    TokenBody,
    TokenList,
    TokenPage,
    UserBody,
    UserList,
    UserPage,
    UserPatch,
    UserSchema,
)
from app.auth.settings import TenantSettings, tenant_settings
from app.errors import invalid
from app.http import ApiBlueprint, answer, check_if_match, page, require_if_match, transaction


def guard_user(user_id: UUID) -> None:
    with transaction():
        queries.get_user(user_id)


def guard_settings() -> None:
    """Every caller with the scope may see the settings."""


users = ApiBlueprint("users", __name__, url_prefix="/api/v1/users", record_guard=guard_user)
tokens = ApiBlueprint("tokens", __name__, url_prefix="/api/v1/tokens")
settings = ApiBlueprint("settings", __name__, url_prefix="/api/v1/settings", record_guard=guard_settings)
reasons = ApiBlueprint("reasons", __name__, url_prefix="/api/v1/reasons")
blueprints: list[Blueprint] = [
    users,
    tokens,
    settings,
    reasons,
    oidc_routes.bp,
    token_pages.bp,
    provider_pages.bp,
    setting_pages.bp,
]


@users.get("")
@users.arguments(UserList, location="query")
@users.response(200, UserPage)
@requires("users:read")
def list_users(query: dict[str, Any]) -> Response:
    """Colleagues by address."""
    with transaction():
        return page(
            UserPage,
            query,
            lambda after, limit: queries.list_users(query, after=after, limit=limit),
            lambda u: [u.email],
        )


@users.post("")
@users.arguments(UserBody)
@users.response(201, UserSchema)
@requires("users:write")
def create_user(body: dict[str, Any]) -> Response:
    """A new colleague; the tenant's first becomes its duty owner."""
    with transaction():
        user = service.create_user(**body, actor=current_actor(), now=clock.real_now())
        return answer(UserSchema, queries.get_user_view(user.id), 201, {"Location": f"/api/v1/users/{user.id}"})


@users.get("/<uuid:user_id>")
@users.response(200, UserSchema)
@requires("users:read")
def get_user(user_id: UUID) -> Response:
    """One colleague."""
    with transaction():
        return answer(UserSchema, queries.get_user_view(user_id))


@users.patch("/<uuid:user_id>")
@users.arguments(UserPatch)
@users.response(200, UserSchema)
@requires("users:write")
def change_user(body: dict[str, Any], user_id: UUID) -> Response:
    """Change a colleague; who is deactivated loses their tokens at once, and their work waits to be moved."""
    with transaction():
        user = queries.get_user(user_id, lock=True)
        require_if_match()
        check_if_match(user)
        service.change_user(user, body)
        return answer(UserSchema, queries.get_user_view(user_id))


@tokens.get("")
@tokens.arguments(TokenList, location="query")
@tokens.response(200, TokenPage)
@requires("tokens:write")
def list_tokens(query: dict[str, Any]) -> Response:
    """Tokens, newest first; never their secrets, which are not kept."""
    with transaction():
        return page(
            TokenPage,
            query,
            lambda after, limit: queries.list_tokens(query.get("user_id"), after=after, limit=limit),
            lambda token: [str(token["id"])],
        )


@tokens.post("")
@tokens.arguments(TokenBody)
@tokens.response(201, NewTokenSchema)
@requires("tokens:write")
def create_token(body: dict[str, Any]) -> Response:
    """A new token, shown in this answer and never again."""
    with transaction():
        email = body.pop("user_email", None) or current_actor().email
        user = queries.find_user_by_email(email)
        if user is None:
            raise invalid("user_email", "expected the address of a user of this tenant")
        token, plain = service.create_token(user, **body, now=clock.real_now(), actor=current_actor())
        made = {name: getattr(token, name) for name in NewTokenSchema().fields if hasattr(token, name)}
        return answer(NewTokenSchema, {**made, "user_email": user.email, "token": plain}, 201, once=("token",))


@tokens.delete("/<uuid:token_id>")
@tokens.response(204)
@requires("tokens:write")
def revoke_token(token_id: UUID) -> Response:
    """Revoke a token; it is refused from the next request on."""
    with transaction():
        service.revoke_token(queries.get_token(token_id), now=clock.real_now())
        return Response(status=204)


def _settings_answer(tenant: Tenant, settings: TenantSettings) -> Response:
    return answer(SettingsSchema, {**asdict(settings), "version": tenant.version})


@settings.get("")
@settings.response(200, SettingsSchema)
@requires("settings:read")
def get_settings() -> Response:
    """The settings in force: what the tenant set over the defaults."""
    with transaction():
        tenant = queries.get_tenant()
        return _settings_answer(tenant, TenantSettings.of(tenant.settings))


@settings.patch("")
@settings.arguments(SettingsBody)
@settings.response(200, SettingsSchema)
@requires("settings:write")
def change_settings(body: dict[str, Any]) -> Response:
    """Change settings; open cases keep the targets they started with."""
    with transaction():
        tenant = queries.get_tenant(lock=True)
        require_if_match()
        check_if_match(tenant)
        return _settings_answer(tenant, settings_changes.update_settings(tenant, body))


@reasons.get("")
@reasons.response(200, ReasonsSchema)
@requires("escalations:raise")
def get_reasons() -> Response:
    """The kinds of grievance, and whether each can mostly be prevented; retired ones stand among them."""
    with transaction():
        return answer(ReasonsSchema, {"items": list_reasons(tenant_settings())})
