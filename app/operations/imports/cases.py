"""Escalations from another system: each raised as its CRM would, at its own past moment, once per external id."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.accounts import service as accounts
from app.accounts.errors import RowRefused
from app.accounts.service import Outcome
from app.auth.actor import Actor
from app.db import db
from app.escalations import service as escalations
from app.escalations.models import Link
from app.escalations.raise_bodies import RaiseBody
from app.escalations.service import Act, NewEscalation
from app.operations.imports.checked import checked_by
from app.operations.imports.kinds import Kind

KEYS = ("source", "external_id", "account_external_id")
FIELDS = (
    "title",
    "severity",
    "customer_statement",
    "desired_outcome",
    "impact",
    "reason",
    "raised_by",
    "raised_at",
    "answers",
    "about_user",
    "restricted",
)


def check_case(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of POST /escalations with `source`, `external_id` and the account's external id."""
    fields = {name: value for name, value in values.items() if value is not None}
    keys: dict[str, str] = {}
    faults: list[tuple[str, str]] = []
    for name in KEYS:
        try:
            check = accounts.SOURCE if name == "source" else accounts.EXTERNAL_ID
            keys[name] = check(fields.pop(name, None))
        except ValueError as error:
            faults.append((name, str(error)))
    if faults:
        raise RowRefused(faults)
    account = {"source": keys["source"], "external_id": keys["account_external_id"]}
    return {**checked_by(RaiseBody, {**fields, "account": account}), **keys}


def write_cases(rows: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> list[Outcome]:
    return [_write_case(dict(row), actor, now) for row in rows]


def _write_case(row: dict[str, Any], actor: Actor, now: datetime) -> Outcome:
    source, external_id = row.pop("source"), row.pop("external_id")
    known = select(Link.escalation_id).where(Link.system == source, Link.external_id == external_id).limit(1)
    if (escalation_id := db.session.scalar(known)) is not None:
        return Outcome("unchanged", escalation_id)
    raised_by = row.pop("raised_by", None) or {"kind": "system"}
    new = NewEscalation(
        **{name: row[name] for name in FIELDS if name in row},
        account=(source, row["account_external_id"]),
        source=source,
        raised_by_kind=raised_by["kind"],
        raised_by_email=raised_by.get("email"),
        external_refs=({"system": source, "external_id": external_id, "url": None},),
    )
    return Outcome("created", escalations.raise_escalation(new, act=Act(actor=actor, now=now)).record.id)


ESCALATIONS = Kind(
    name="escalations",
    columns=frozenset({*FIELDS, *KEYS}),
    required=frozenset({"external_id", "account_external_id", "title", "severity"}),
    check=check_case,
    write=write_cases,
    members=frozenset({"raised_by", "answers"}),
    one_by_one=True,
)
