"""The contracts that a case touches: chosen among the account's, they make what is at stake."""

import zlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields

from app import clock
from app.accounts import queries as accounts
from app.accounts.value import Part
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction as reading
from app.errors import Stale
from app.escalations import overview
from app.escalations import service as escalations
from app.escalations.models import Escalation
from app.http import Body, transaction
from app.http.panels import go, page
from app.panels.case_forms import NotNow, load
from app.panels.cases import bp, read
from app.texts import gettext as _


class ContractsForm(Body):
    """None chosen is none touched."""

    version = fields.Integer(required=True)
    contract_ids = fields.List(fields.UUID(), load_default=list)


@bp.get("/escalations/<uuid:escalation_id>/contracts")
@requires("escalations:read")
def choose_contracts(escalation_id: UUID) -> Response:
    """The account's contracts, those touched marked."""
    with reading():
        values = read(escalation_id)
        if "edit" not in values["allowed"]:
            raise NotNow
        touched = [UUID(str(one)) for one in values["case"]["contract_ids"]]
        contracts = contracts_of(values["record"], touched)
        names = overview.names_of_value(contracts)
        more: dict[str, Any] = {"contracts": contracts, "names": names, "contracts_version": version_of(touched)}
        return page("panels/case/forms/contracts.html", **values, **more)


@bp.post("/escalations/<uuid:escalation_id>/contracts")
@requires("escalations:work")
def touch_contracts(escalation_id: UUID) -> Response:
    """Other contracts touched; the value is taken anew."""
    with transaction():
        body = load(ContractsForm, escalation_id)

        def check(record: Escalation) -> None:
            known = overview.list_contract_ids(record.id)
            if version_of(known) != body["version"]:
                both = [(_("Contracts it touches"), named(record, known), named(record, body["contract_ids"]))]
                raise Stale(version=version_of(known), both=both)

        act = escalations.Act(current_actor(), clock.now(), check)
        done = escalations.edit(escalation_id, act=act, changes={"contract_ids": body["contract_ids"]})
        return go(f"/escalations/{done.id}/value")


def contracts_of(record: Escalation, touched: list[UUID]) -> list[Part]:
    """Every contract that may be touched."""
    facts = accounts.account_facts(record.account_id, contract_ids=touched, now=clock.now(), rank=False)
    return [part for part in facts.value.parts if part.kind == "contract"]


def named(record: Escalation, ids: Iterable[UUID]) -> str:
    """What the CRM calls them."""
    wanted = {str(one) for one in ids}
    names: dict[str, Any] = overview.names_of_value(contracts_of(record, []))
    return ", ".join(sorted(names.get(one, one) for one in wanted)) or "–"


def version_of(ids: Iterable[UUID]) -> int:
    """Another number when others are touched."""
    return zlib.crc32(" ".join(sorted(str(one) for one in ids)).encode())
