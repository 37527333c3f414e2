"""How every page is answered: whole, and closed to what is not ours."""

from typing import Any

from flask import Response, make_response, render_template

from app.http.panels import choose_language

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(template: str, status: int, **values: Any) -> Response:
    choose_language()
    response = make_response(render_template(template, **values), status)
    response.headers["Content-Security-Policy"] = CSP
    return response
