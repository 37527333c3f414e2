"""The HTTP door: blueprints, problem+json, ETags, Idempotency-Key, cursors and the OpenAPI document."""

from app.http.api import ApiBlueprint, api, init_app
from app.http.etags import answer, check_if_match, require_if_match
from app.http.idempotency import transaction
from app.http.paging import Page, PageArguments, decode_cursor, encode_cursor, page
from app.http.schemas import AwareDateTime, Body, Money, Query, Schema, split_words

__all__ = [
    "ApiBlueprint",
    "AwareDateTime",
    "Body",
    "Money",
    "Page",
    "PageArguments",
    "Query",
    "Schema",
    "answer",
    "api",
    "check_if_match",
    "decode_cursor",
    "encode_cursor",
    "init_app",
    "page",
    "require_if_match",
    "split_words",
    "transaction",
]
