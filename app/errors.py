"""What can go wrong in words a caller can act on; rendered in one place, `app.http.problems`."""

from collections.abc import Sequence
from typing import Any


class FieldFault(ValueError):
    """What was given for a field cannot be meant; says which field and what was expected."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class AppError(Exception):
    """A refusal with an HTTP status and a stable code; `errors` names fields, `extra` adds members of the answer."""

    status = 400
    code = "bad_request"
    title = "Bad request"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[dict[str, Any]] = (),
        **extra: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = list(errors)
        self.extra = extra


class Unauthenticated(AppError):
    status, code, title = 401, "unauthenticated", "A valid token is needed"


class Forbidden(AppError):
    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(AppError):
    """Also what another tenant's id and a record the caller may not see look like."""

    status, code, title = 404, "not_found", "There is no such record"


class Conflict(AppError):
    status, code, title = 409, "conflict", "The present state does not allow this"


class Stale(AppError):
    status, code, title = 412, "stale", "The record has changed since it was read"


class Invalid(AppError):
    status, code, title = 422, "invalid", "The request has faults"


class MissingPrecondition(AppError):
    status, code, title = 428, "precondition_required", "If-Match is required here"


class TooManyRequests(AppError):
    status, code, title = 429, "too_many_requests", "Too many requests"


def invalid(field: str, detail: str, *, code: str | None = None) -> Invalid:
    """One field of the body is wrong: `field` is its path in dots or slashes, `detail` what was expected."""
    error = Invalid(f"{field}: {detail}", errors=[{"pointer": "/" + field.replace(".", "/"), "detail": detail}])
    if code:
        error.code = code
    return error


def invalid_parameter(parameter: str, detail: str) -> Invalid:
    """One query parameter is wrong."""
    return Invalid(f"{parameter}: {detail}", errors=[{"parameter": parameter, "detail": detail}])
