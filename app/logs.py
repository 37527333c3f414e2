"""Structured logs, one JSON object a line, each with the request's id; secrets are never given to it."""

import logging
import re
import sys

import structlog
from flask import Flask, Response, g, request
from structlog.tracebacks import ExceptionDictTransformer

from app import clock
from app.db import new_id

# Frames without their locals: what a caller sent, or a token, never reaches a log.
TRACES = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
# Asked every few seconds by machines: a line each would bury the rest.
UNLOGGED = ("/healthz", "/readyz", "/metrics")
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


def configure(log_format: str, log_level: str) -> None:
    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            TRACES if log_format == "json" else structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[log_level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )


log = structlog.get_logger()


def begin_request() -> None:
    """A request id from the caller when it is a plain word, else our own; in every line and answer."""
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if REQUEST_ID.match(sent) else str(new_id())
    g.began = clock.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def end_request(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if request.path in UNLOGGED and response.status_code < 400:
        return response
    log.info(
        "request",
        method=request.method,
        path=_path(),
        status=response.status_code,
        ms=round((clock.monotonic() - g.get("began", clock.monotonic())) * 1000, 1),
    )
    return response


def _path() -> str:
    """The path; of one that is itself a secret only the route."""
    rule = request.url_rule.rule if request.url_rule else ""
    return rule if "<token>" in rule else request.path


def init_app(app: Flask) -> None:
    app.before_request(begin_request)
    app.after_request(end_request)
