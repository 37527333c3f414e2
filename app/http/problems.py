"""Every error as `application/problem+json` (RFC 9457): one place, one shape, no inner detail leaked.

A blueprint whose callers know another shape gives it as its `refusal`, which takes what `problem` takes.
"""

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, json, request
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from app.errors import AppError, Stale

log = structlog.get_logger()
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
}


def problem(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
    """The refusal in the shape that the request's blueprint gives, else as a problem document."""
    shape: Callable[..., Response] = getattr(current_app.blueprints.get(request.blueprint or ""), "refusal", document)
    return shape(status, code, title, detail, **extra)


def document(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
    """`type, title, status, detail, code, request_id` and the error's own members."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": g.get("request_id"),
        **extra,
    }
    return current_app.response_class(json.dumps(body), status=status, mimetype="application/problem+json")


def render(error: AppError) -> Response:
    extra = dict(error.extra)
    if error.errors:
        extra["errors"] = error.errors
    response = problem(error.status, error.code, error.title, error.detail, **extra)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in extra:
        response.headers["Retry-After"] = str(extra["retry_after"])
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    response = problem(status, CODES.get(status, "http_error"), error.name, error.description or error.name)
    if status == 405 and "Allow" in error.get_response().headers:
        response.headers["Allow"] = error.get_response().headers["Allow"]
    return response


def _stale(error: StaleDataError) -> Response:
    return render(Stale())


def _database(error: OperationalError) -> Response:
    log.error("database_unavailable", error=str(error.orig))
    return problem(503, "unavailable", "The database does not answer", "Try again shortly", retry_after=5)


def _data(error: DataError) -> Response:
    log.warning("database_refused_value", error=str(error.orig))
    return problem(422, "invalid", "The request has faults", "A value is outside what can be stored")


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected_error", path=request.path)
    return problem(500, "internal", "Something went wrong on our side", "The request id leads to what happened")


def init_app(app: Flask) -> None:
    app.register_error_handler(AppError, render)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(DataError, _data)
    app.register_error_handler(Exception, _unexpected)
