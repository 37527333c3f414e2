"""The form by which somebody raises an escalation: the body of the API, forgiving about what a page can do for them."""

import re
from typing import Any
from uuid import UUID

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from app.auth.reasons import Reason, list_reasons
from app.auth.settings import tenant_settings
from app.db import new_id
from app.errors import invalid
from app.escalations.bodies import SHORT
from app.escalations.raise_bodies import RaiseBody
from app.escalations.service import NewEscalation, new_escalation
from app.http.forms import load_form, load_partly
from app.playbooks.definition import MOST_QUESTIONS
from app.texts import gettext

LONGEST_TITLE = 90
SENTENCE_END = re.compile(r"(?<=[.!?…])\s|\n")
DEFAULT_SEVERITY = 3
LAST = "other"


class RaiseForm(RaiseBody):
    """A raise as the page sends it. `token` is the case's id, made when the form was shown; `offered` are the contracts
    that it showed, `kept` answers to questions of another reason, which wait there in case that one is chosen again."""

    title = fields.String(validate=SHORT)
    token = fields.String(required=True)
    offered = fields.List(fields.UUID(), load_default=list)
    kept = fields.Dict(keys=fields.String(), values=fields.String(), validate=validate.Length(max=MOST_QUESTIONS))

    @pre_load
    def fill_in(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """A title from the words, and who asked from whether a customer's address is meant to be there."""
        title = data.get("title") or suggested_title(data.get("customer_statement") or data.get("impact") or "")
        raised_by = dict(data.get("raised_by") or {})
        if raised_by.get("kind") != "customer":
            raised_by.pop("email", None)
        return {**data, **({"title": title} if title else {}), "raised_by": raised_by, "source": "panel"}

    @validates_schema(skip_on_field_errors=False)
    def says_something(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data.get("title"):
            raise ValidationError(gettext("Write what the customer said, as they said it"), "customer_statement")


def load_raise(account_id: UUID) -> NewEscalation:
    """The form's raise of this account, under the id that the form was given."""
    return _raise_of(account_id, load_form(RaiseForm))


def load_ahead(account_id: UUID) -> NewEscalation:
    """As much of it as can be read while it is being written."""
    said = load_partly(RaiseForm)
    said.pop("external_refs", None)  # the form has none: what stands there was made by hand
    return _raise_of(account_id, {"title": "", "severity": DEFAULT_SEVERITY, **said})


def _raise_of(account_id: UUID, body: dict[str, Any]) -> NewEscalation:
    """All contracts offered are what a raise touches by itself; some or none of them are what was chosen."""
    offered, chosen = set(body.pop("offered", ())), body.pop("contract_ids", [])
    if offered and set(chosen) != offered:
        body["contract_ids"] = chosen
    case_id = id_of(body.pop("token", ""))
    said = {name: value for name, value in body.items() if name not in ("account", "kept")}
    return new_escalation({**said, "account_id": account_id, "id": case_id})


def typed_answers() -> dict[str, str]:
    """What was typed into the questions of this reason and of those chosen before, by the questions' keys."""
    named = [(name.split(".", 1), text) for name, text in request.form.items() if text.strip()]
    return {path[1]: text for path, text in named if len(path) == 2 and path[0] in ("answers", "kept")}


def suggested_title(words: str) -> str:
    """The first sentence of what was said, cut between words where it is long."""
    first = SENTENCE_END.split(words.strip(), maxsplit=1)[0].strip().rstrip(".…")
    if len(first) <= LONGEST_TITLE:
        return first
    return first[:LONGEST_TITLE].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def reasons() -> list[Reason]:
    """What can be chosen, the one that says nothing last."""
    known = [reason for reason in list_reasons(tenant_settings()) if not reason.retired]
    return sorted(known, key=lambda reason: reason.name == LAST)


def new_token() -> str:
    """A new case's id for a form: the same form twice is one case, and a foreseen tie falls as it was shown."""
    return _signer().dumps(new_id().hex)


def id_of(token: str) -> UUID:
    try:
        return UUID(hex=_signer().loads(token))
    except (BadSignature, ValueError):
        raise invalid("token", "expected the token of this form: open it again") from None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="raise")
