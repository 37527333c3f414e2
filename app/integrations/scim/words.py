"""How SCIM writes moments, and where it reads resources."""

from datetime import UTC, datetime
from uuid import UUID

from flask import current_app

BASE = "/scim/v2"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def url(rest: str) -> str:
    return f"{current_app.config['BASE_URL']}{BASE}{rest}"


def user_url(user_id: UUID) -> str:
    return url(f"/Users/{user_id}")


def group_url(team_id: UUID) -> str:
    return url(f"/Groups/{team_id}")
