"""How SCIM answers: its media type, entity tags, refusals (RFC 7644 §3.12, §3.14), and how it is sent a body."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, json, request

from app.errors import Stale
from app.http.parser import unstorable
from app.integrations.scim.errors import TYPES, InvalidSyntax, InvalidValue
from app.integrations.scim.projection import Projection

MEDIA = "application/scim+json"
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimBlueprint(Blueprint):
    """Doors whose refusals are SCIM's own; they stand outside the API's description, for SCIM has its own."""

    @staticmethod
    def refusal(status: int, code: str, title: str, detail: str, **extra: Any) -> Response:
        """The SCIM document of a refusal; its status is a text. A faulty value is 400 here, not 422."""
        status = 400 if status == 422 else status
        body = {"schemas": [ERROR_SCHEMA], "status": str(status), "detail": detail}
        if kind := TYPES.get(code):
            body["scimType"] = kind
        return _response(body, status)


def _response(content: Mapping[str, Any], status: int = 200) -> Response:
    plain = request.accept_mimetypes.best_match((MEDIA, "application/json"), default=MEDIA)
    return current_app.response_class(json.dumps(content), status=status, mimetype=plain)


def answer(content: Mapping[str, Any]) -> Response:
    """A list, or something that describes us."""
    return _response(content)


def answer_resource(resource: Mapping[str, Any], projection: Projection, status: int = 200) -> Response:
    """One resource as asked for, with its tag and place; 304 to a reader who has this version."""
    tag = _tag(resource)
    if request.method == "GET" and request.if_none_match and request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        response = _response(projection.cut(resource), status)
        response.headers["Location"] = resource["meta"]["location"]
    response.set_etag(tag, weak=True)
    return response


def answer_nothing(version: int | None = None) -> Response:
    """204; with the tag of what was changed."""
    response = Response(status=204)
    if version is not None:
        response.set_etag(str(version), weak=True)
    return response


def _tag(resource: Mapping[str, Any]) -> str:
    version: str = resource["meta"]["version"]
    return version.removeprefix('W/"').removesuffix('"')


def check_if_match(version: int) -> None:
    """412 when the caller read another version; SCIM's tags are weak and compared as such, and need not be sent."""
    if request.if_match and not request.if_match.contains_weak(str(version)):
        raise Stale


def read_body() -> dict[str, Any]:
    """The JSON object that was sent."""
    try:
        body = json.loads(request.get_data(cache=True))
    except ValueError:
        raise InvalidSyntax("The body is not valid JSON") from None
    except RecursionError:
        raise InvalidSyntax("The body is nested too deeply") from None
    if not isinstance(body, dict):
        raise InvalidSyntax("The body: expected an object")
    if place := next(unstorable(body), None):
        raise InvalidValue(f"{place}: expected text without NUL or half a character")
    return body
