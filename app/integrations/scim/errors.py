"""Refusals of SCIM (RFC 7644 §3.12)."""

from app.errors import AppError


class InvalidFilter(AppError):
    """The filter cannot be read, or asks of an attribute what cannot be asked of it."""

    status, code, title = 400, "invalidFilter", "The filter cannot be read"


class InvalidPath(AppError):
    status, code, title = 400, "invalidPath", "The path does not lead to an attribute"


class InvalidSyntax(AppError):
    status, code, title = 400, "invalidSyntax", "The body does not have the form that was expected"


class InvalidValue(AppError):
    status, code, title = 400, "invalidValue", "A value is missing or not of the kind that was expected"


class NoTarget(AppError):
    status, code, title = 400, "noTarget", "The path finds nothing to change"


class Immutable(AppError):
    """What is ours to set, or what must always have a value."""

    status, code, title = 400, "mutability", "This attribute cannot be changed in this way"


class NotOffered(AppError):
    """What SCIM knows and we have not: said by the configuration as well."""

    status, code, title = 501, "not_offered", "This operation is not offered"


# Our codes, where SCIM has a word for them; its own errors bear its word as their code.
TYPES = {
    **{error.code: error.code for error in (InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue)},
    **{error.code: error.code for error in (NoTarget, Immutable)},
    "bad_request": "invalidSyntax",
    "invalid": "invalidValue",
    "email_taken": "uniqueness",
    "team_name_taken": "uniqueness",
}
