"""Changing what the record says."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete

from app.accounts import queries as accounts
from app.auth.reasons import check_reason
from app.auth.settings import tenant_settings
from app.db import db
from app.errors import invalid
from app.escalations import answering, deciding, holders
from app.escalations.case import Act, Change, begin, list_contract_ids
from app.escalations.climbing import vendor_texts
from app.escalations.errors import ReasonNeeded
from app.escalations.models import Escalation, EscalationContract
from app.escalations.outages import linking
from app.escalations.path import VENDOR_TIERS
from app.escalations.working import reweigh, set_forecast
from app.escalations.worth import snapshot_of, take_value

TEXTS = ("title", "desired_outcome", "impact")


def edit(escalation_id: UUID, *, act: Act, changes: dict[str, Any]) -> Escalation:
    """Change what the record says; a lower severity needs its reason and keeps the earlier due times."""
    outage = linking.find_open(changes.get("outage_id"))
    change = begin(escalation_id, "edit", act)
    record, open_before = change.record, answering.open_questions(change)
    texts = {name: changes[name] for name in TEXTS if name in changes and changes[name] != getattr(record, name)}
    for name, content in texts.items():
        setattr(record, name, content)
    facts: dict[str, Any] = {"fields": sorted(texts)}
    if "answers" in changes:
        facts |= answering.take_answers(change, changes, texts)
    if "reason" in changes and changes["reason"] != record.reason:
        check_reason(changes["reason"], tenant_settings())
        facts["reason"] = {"was": record.reason, "is": changes["reason"]}
        record.reason = changes["reason"]
    if "restricted" in changes and changes["restricted"] != record.restricted:
        facts["restricted"] = record.restricted = changes["restricted"]
    if changes.get("handover_brief"):
        texts["handover_brief"], record.brief_missing = changes["handover_brief"], False
    if "vendor" in changes:
        texts |= change_vendor(change, changes["vendor"])
    if "severity" in changes and changes["severity"] != record.severity:
        facts["severity"] = change_severity(change, changes["severity"], changes.get("severity_reason"))
        texts["severity_reason"] = changes.get("severity_reason")
    if "outage_id" in changes and changes["outage_id"] != record.outage_id:
        facts["outage"] = linking.move(change, outage)
    if "contract_ids" in changes:
        facts["contracts"] = change_contracts(change, changes["contract_ids"])
    if "forecast_close_on" in changes:
        set_forecast(change, changes["forecast_close_on"])
    facts |= answering.measure(change, open_before)
    if len(facts) > 1 or facts["fields"] or texts:
        change.note("edit", facts, texts)
    if "restricted" in facts:
        holders.follow(change, because="restricted")
        if record.restricted:
            deciding.ask_who_sees(change)
    answering.follow(change, open_before)
    change.sign_of_work(change.now)
    return change.save()


def change_vendor(change: Change, vendor: dict[str, Any]) -> dict[str, str | None]:
    """Whom to speak with at the vendor's, once the work is there or with management; the former stay in the path."""
    if change.record.tier not in VENDOR_TIERS:
        raise invalid("vendor", "expected once the work is with the vendor or with management")
    return vendor_texts(vendor)


def change_severity(change: Change, severity: int, reason: str | None) -> dict[str, int]:
    """A higher severity tightens running promises at once; a lower one keeps the earlier due of the running cycle."""
    was = change.record.severity
    if severity > was and not (reason or "").strip():
        raise ReasonNeeded(errors=[{"pointer": "/severity_reason", "detail": "expected why the severity falls"}])
    change.record.severity = severity
    change.clocks.retarget_severity(
        severity, basis=change.basis, at=change.now, now=change.now, lowered=severity > was, because="severity"
    )
    reweigh(change)
    return {"was": was, "is": severity}


def change_contracts(change: Change, contract_ids: list[UUID] | None) -> dict[str, Any]:
    """Other contracts touched: the value is taken anew and snapshotted."""
    record = change.record
    was = sorted(str(known) for known in list_contract_ids(record.id))
    wanted = tuple(contract_ids) if contract_ids is not None else None
    account = accounts.account_facts(record.account_id, contract_ids=wanted, now=change.now)
    change.account = account
    db.session.execute(delete(EscalationContract).where(EscalationContract.escalation_id == record.id))
    change.rows += [
        EscalationContract(escalation_id=record.id, contract_id=contract_id)
        for contract_id in account.touched_contract_ids
    ]
    take_value(record, account)
    change.rows.append(snapshot_of(record, account, change.now, cause="contracts"))
    return {"was": was, "is": sorted(str(contract_id) for contract_id in account.touched_contract_ids)}
