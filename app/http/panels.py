"""Pages of the panel: HTML parts that a page in another site's frame asks for with its bearer.

The frame may have an opaque origin, so every answer is open to `Origin: null`, without cookies or credentials: what
opens it is the bearer in its header.
"""

import gzip
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, make_response, render_template, request

from app import texts
from app.http import idempotency

FRAGMENT_CSP = "default-src 'none'; frame-ancestors 'none'"
CORS = {
    "Access-Control-Allow-Origin": "null",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, HX-Request, HX-Target, HX-Trigger,"
    " HX-Trigger-Name, HX-Current-URL, HX-Boosted",
    # What htmx asks of every answer: a browser complains of each that it may not read.
    "Access-Control-Expose-Headers": "HX-Trigger, HX-Trigger-After-Swap, HX-Trigger-After-Settle, HX-Location, HX-Push,"
    " HX-Push-Url, HX-Redirect, HX-Refresh, HX-Replace-Url, HX-Reselect, HX-Reswap, HX-Retarget, X-Request-Id",
    "Access-Control-Max-Age": "7200",
}
SMALL = 1_000


class PanelBlueprint(Blueprint):
    """A package's pages under `/panel`: opened by a panel session only, closed until `requires` opens them."""

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, url_prefix="/panel", template_folder="templates", **options)
        self.before_request(choose_language)
        self.after_request(finish)

    @staticmethod
    def refusal(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
        """Why something was not done, beside the form that asked for it; `errors` name its fields.

        Where a page was asked for, a page says it: the ways on stay there.
        """
        faults = [(_name(one), one["detail"]) for one in extra.get("errors") or ()]
        values = {"status": status, "code": code, "title": title, "detail": detail, "faults": faults, "extra": extra}
        choose_language()
        whole = request.method == "GET" and request.headers.get("HX-Target") == "page"
        return make_response(render_template(f"panels/refused{'_page' if whole else ''}.html", **values), status)

    @staticmethod
    def replay(kept: idempotency.IdempotencyKey) -> Response:
        """What was asked for twice was done once: the panel goes where it went then, or reads its page again."""
        return go(kept.body or None)


def choose_language() -> None:
    texts.set_language(request.accept_languages.best_match(texts.LANGUAGES) or "en")


def finish(response: Response) -> Response:
    """Headers of a part of a page, and its text made small on the way."""
    response.headers["Content-Security-Policy"] = FRAGMENT_CSP
    response.headers["Vary"] = "Origin, Accept-Encoding, Accept-Language"
    if request.headers.get("Origin") == "null":
        response.headers.update(CORS)
    return pressed(response)


def pressed(response: Response) -> Response:
    """The answer as gzip, if it is long enough and the browser takes it."""
    large = not response.is_streamed and (response.content_length or 0) > SMALL
    if large and "Content-Encoding" not in response.headers and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(gzip.compress(response.get_data(), 5))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _name(error: Mapping[str, Any]) -> str:
    """The form's name of a field that a fault points to."""
    pointer: str = error.get("pointer") or error.get("parameter") or ""
    return pointer.lstrip("#").strip("/").replace("/", ".")


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page's content, made inside the transaction; an answer to a form is noted under its Idempotency-Key."""
    response = make_response(render_template(template, **values), status)
    if request.method == "POST":
        idempotency.keep(response, "")
    return response


def go(path: str | None, **events: Any) -> Response:
    """Done: the panel goes to `path`, one of its own such as `/escalations/…`, or reads its page again."""
    response: Response = current_app.response_class("", status=200, mimetype="text/html")
    response.headers["HX-Trigger"] = current_app.json.dumps({"fh-go": {"path": path, **events}})
    if request.method == "POST":
        idempotency.keep(response, path or "")
    return response


def zone(default: str) -> str:
    """The viewer's time zone, else this one."""
    return g.get("zone") or default


def init_app(app: Flask) -> None:
    """Templates speak the request's `language()`; `translate` is for a text that a variable holds."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(translate=texts.gettext, language=texts.language)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
