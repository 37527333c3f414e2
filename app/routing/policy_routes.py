"""Doors to the policy: its versions, validation, publishing, explanation and what rules may be made of."""

from typing import Any

from flask import Response, request

from app import clock
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.errors import Stale
from app.http import ApiBlueprint, PageArguments, answer, check_if_match, page, require_if_match, transaction
from app.routing import asking, offering, policies, publishing, queries, validating, versions
from app.routing import policy_schemas as schemas
from app.routing.errors import PolicyMoved
from app.routing.models import PolicyVersion
from app.routing.schemas import ExplainBody, ExplanationSchema


def guard_policy() -> None:
    """Every caller with the scope may see the policy."""


policy_bp = ApiBlueprint("policy", __name__, url_prefix="/api/v1/routing/policy", record_guard=guard_policy)
rules_bp = ApiBlueprint("rules", __name__, url_prefix="/api/v1/routing")
blueprints: list[ApiBlueprint] = [policy_bp, rules_bp]


@policy_bp.get("")
@policy_bp.response(200, schemas.PolicySchema)
@requires("routing:read")
def get_policy() -> Response:
    """The policy in force and the newest draft."""
    with transaction():
        return answer(schemas.PolicySchema, _policy())


@policy_bp.put("")
@policy_bp.arguments(schemas.PolicyBody)
@policy_bp.response(200, schemas.SavedPolicySchema)
@requires("routing:write")
def save_policy(body: dict[str, Any]) -> Response:
    """Save rules and weights as a new version; it decides nothing until it is published."""
    with transaction():
        policies.lock()
        require_if_match()
        _check_newest()
        saved = policies.save_policy(body["rules"], body["weights"], actor=current_actor(), now=clock.now())
        warnings = validating.warnings_of(policies.compiled(saved.number), now=clock.now())
        return answer(schemas.SavedPolicySchema, {**_policy(), "warnings": warnings})


@policy_bp.post("/validate")
@policy_bp.arguments(schemas.PolicyBody)
@policy_bp.response(200, schemas.CheckedSchema)
@requires("routing:read")
def validate_policy(body: dict[str, Any]) -> Response:
    """What is wrong with rules and weights, each with its pointer, and what is allowed but odd; nothing is saved."""
    with transaction():
        return answer(schemas.CheckedSchema, validating.validate(body["rules"], body["weights"], now=clock.now()))


@policy_bp.post("/publish")
@policy_bp.arguments(schemas.PublishBody)
@policy_bp.response(200, schemas.SavedPolicySchema)
@requires("routing:write")
def publish_policy(body: dict[str, Any]) -> Response:
    """Put a version in force, an older one too; open cases keep their owners.

    Users, teams and skills it names must be there still (409 `policy_outdated`; an older one is taken up all the same
    with a reason). While a case of the last 90 days would find no owner by it, only with a reason (409 `unrouted`, or
    `simulation_needed` when there are too many cases to look at at once).
    """
    with transaction():
        policies.lock()
        _check_newest()
        warnings = publishing.publish(body["number"], reason=body["reason"], actor=current_actor(), now=clock.now())
        return answer(schemas.SavedPolicySchema, {**_policy(), "warnings": warnings})


@policy_bp.get("/versions")
@policy_bp.arguments(PageArguments, location="query")
@policy_bp.response(200, schemas.VersionPage)
@requires("routing:read")
def list_versions(query: dict[str, Any]) -> Response:
    """Every version, newest first: who saved it, when it came into force, by whom and why."""
    with transaction():
        return page(
            schemas.VersionPage,
            query,
            lambda after, limit: versions.list_versions(before=after[0] if after else None, limit=limit),
            lambda version: [version.number],
        )


@policy_bp.get("/versions/<int:number>")
@policy_bp.response(200, schemas.VersionSchema)
@requires("routing:read")
def get_version(number: int) -> Response:
    """One version with its rules."""
    with transaction():
        return answer(schemas.VersionSchema, versions.get_version(number))


@rules_bp.get("/fields")
@rules_bp.response(200, schemas.RuleFieldsSchema)
@requires("routing:read")
def list_fields() -> Response:
    """What rules may be made of: fields with operators and words, value shapes, targets."""
    with transaction():
        return answer(schemas.RuleFieldsSchema, offering.offer())


@rules_bp.post("/explain")
@rules_bp.arguments(ExplainBody)
@rules_bp.response(200, ExplanationSchema)
@requires("routing:read")
def explain(body: dict[str, Any]) -> Response:
    """Who would get this body now, and why, by the current policy or a draft; nothing is stored."""
    with transaction():
        result = asking.ask(body, now=clock.now())
        return answer(ExplanationSchema, asking.explanation(result))


class _Newest:
    """The policy's ETag: the number of its newest version."""

    def __init__(self) -> None:
        self.version = policies.newest_number()


def _check_newest() -> None:
    """412 with the version that came between, and the one that was read: neither overwrites the other."""
    try:
        check_if_match(_Newest())
    except Stale as stale:
        newest = versions.get_version(policies.newest_number())
        saver = newest.created_by.email if newest.created_by else None
        raise PolicyMoved(
            f"Version {newest.number} was saved meanwhile: read it at /routing/policy/versions/{newest.number}",
            version=newest.number,
            if_match=request.headers["If-Match"],
            saved_by=saver,
            saved_at=newest.created_at.isoformat(),
        ) from stale


def _policy() -> dict[str, Any]:
    current: PolicyVersion = queries.get_policy_version(policies.current_number())
    return {"current": current, "draft": policies.find_draft(), "version": policies.newest_number()}
