"""The shapes in which a case is answered, made of its row without a statement: a list's line, the record, a raise."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.auth.reasons import preventable_by_default
from app.auth.settings import tenant_settings
from app.escalations import lifecycle
from app.escalations.case import basis_of
from app.escalations.models import Escalation
from app.escalations.raising import Raised
from app.escalations.silence import silence_of
from app.escalations.tiers import TIERS
from app.escalations.words import link_for_lessons, numbered

PLAIN = (
    "id",
    "title",
    "status",
    "outcome",
    "tier",
    "severity",
    "reason",
    "team_id",
    "raised_at",
    "close_target_at",
    "due_at",
    "resolve_by_at",
    "completeness",
    "assignment_failed",
    "brief_missing",
    "restricted",
    "version",
)
RECORD_PLAIN = (
    "verification",
    "customer_statement",
    "desired_outcome",
    "impact",
    "answers",
    "source",
    "recorded_at",
    "resolved_at",
    "closed_at",
    "reopens",
    "forecast_close_on",
)


def item_of(row: Mapping[Any, Any], now: datetime) -> dict[str, Any]:
    """A line of a list from its row."""
    live = row["status"] in lifecycle.LIVE
    owner = {"id": row["owner_id"], "email": row["owner_email"], "name": row["owner_name"]}
    account = {name: row[f"account_{name}"] for name in ("id", "name", "source", "external_id", "segment")}
    amount = row["value_amount"]
    return {
        **{name: row[name] for name in PLAIN},
        "number": numbered(row["number"]),
        "account": account,
        "owner": owner if row["owner_id"] else None,
        "overdue": live and row["due_at"] < now,
        "next_due": {"clock": row["next_kind"], "at": row["next_at"]} if row["next_kind"] else None,
        "priority": {"score": row["priority_score"], "parts": row["priority_parts"]},
        "value_at_stake": {
            "amount": None if amount is None else f"{amount:.2f}",
            "currency": row["value_currency"],
            "incomplete": row["value_incomplete"],
            "unconverted": row["value_unconverted"],
        },
        "merged_into": row["merged_into_id"],
    }


def case_of(row: Row[Any]) -> Escalation:
    """The case of such a row, outside the session."""
    return Escalation(**{column.name: row._mapping[column.name] for column in Escalation.__table__.columns})


def record_of(row: Row[Any], now: datetime) -> dict[str, Any]:
    found = row._mapping
    lists = ("external_refs", "contract_ids", "watchers", "forecast_slips")
    clocks = [_moments(one, "due_at", "original_due_at") for one in found["clocks"] or []]
    told = _moments(found["told"] or {}, *(found["told"] or {}))
    promised = [(one["kind"], one["state"], one["due_at"]) for one in clocks]
    return {
        **item_of(found, now),
        **{name: found[name] for name in RECORD_PLAIN},
        **{name: found[name] or [] for name in lists},
        "pending": [_moments(request, "asked_at", "until") for request in found["pending"] or []],
        "clocks": clocks,
        "silence": silence_of(found["status"], found["raised_at"], told, promised, now=now),
        **closure_of(found),
        "about_user": found["about_user"],
        "routing": found["routing"],
        "service_level": found["service_level"],
        "outage": found["outage"],
        "vendor": _moments(found["vendor"], "since") if found["vendor"] else None,
        "recurrence_of": found["recurrence_of_id"],
        "raised_by": {"kind": found["raised_by_kind"], "email": found["raised_by_email"]},
        "waiting": waiting_of(found),
        "preventable_by_default": preventable_by_default(found["reason"], tenant_settings()),
        "allowed": list(allowed_of(found)),
    }


def raised_of(raised: Raised, now: datetime) -> dict[str, Any]:
    """The answer to a raise, made from what was just written: no statement."""
    record, account = raised.record, raised.account.account
    row = {column.name: getattr(record, column.name) for column in Escalation.__table__.columns}
    owner, level = raised.owner, basis_of(record).level
    promised = [(one.kind, one.state, one.due_at) for one in raised.clocks]
    running = [one for one in raised.clocks if one.state == "running" and one.due_at is not None]
    first = min(running, key=lambda one: one.due_at or now, default=None)
    row |= {f"account_{name}": getattr(account, name) for name in ("name", "source", "external_id", "segment")}
    row |= {"owner_email": owner.email if owner else None, "owner_name": owner.name if owner else None}
    row |= {"next_kind": first.kind if first else None, "next_at": first.due_at if first else None, "pending": []}
    return {
        **item_of(row, now),
        **{name: row[name] for name in RECORD_PLAIN},
        "external_refs": list(raised.external_refs),
        "contract_ids": list(raised.account.touched_contract_ids),
        "watchers": [],
        "forecast_slips": [],
        "pending": [],
        "clocks": raised.clocks,
        "silence": silence_of(record.status, record.raised_at, {}, promised, now=now),
        **closure_of({"reason": record.reason}),
        "about_user": raised.about_user,
        "service_level": {"name": level.name, "number": level.number} if level else None,
        "routing": {"rule": raised.rule, "why": raised.why} if raised.why else None,
        "recurrence_of": record.recurrence_of_id,
        "raised_by": {"kind": record.raised_by_kind, "email": record.raised_by_email},
        "outage": {name: getattr(raised.outage, name) for name in ("id", "title", "state")} if raised.outage else None,
        "vendor": None,
        "waiting": None,
        "preventable_by_default": preventable_by_default(record.reason, tenant_settings()),
        "allowed": list(allowed_of(row)),
        "possible_duplicates": raised.duplicates,
        "approvers": raised.approvers,
        "warnings": list(raised.account.warnings),
    }


def closure_of(found: Mapping[Any, Any]) -> dict[str, Any]:
    """How the case ended: the customer's words on it, what they thought, what is done about it, and what was learnt
    from others like it."""
    survey = found.get("survey")
    return {
        "quality_control": [_moments(one, "at") for one in found.get("quality_control") or []],
        "survey": _moments(survey, "asked_at", "answered_at") if survey else None,
        "prevention": found.get("prevention") or [],
        "lessons": link_for_lessons(found["reason"]),
    }


def allowed_of(found: Mapping[Any, Any]) -> tuple[str, ...]:
    """The steps there are; with management nothing leads further up and nothing is asked but the decision."""
    extension_pending = any(request["kind"] == "extension" for request in found["pending"] or [])
    facts = lifecycle.Facts(acknowledgement_void=not found["acknowledged"], extension_pending=extension_pending)
    steps = lifecycle.allowed(found["status"], facts)
    return tuple(one for one in steps if found["tier"] != TIERS[-1] or one not in ("qualify", "escalate"))


def waiting_of(found: Mapping[Any, Any]) -> dict[str, Any] | None:
    if found["status"] != "waiting":
        return None
    return {
        "party": found["waiting_party"],
        "reason": found["waiting_reason"],
        "since": found["waiting_since"],
        "resume_on": found["resume_on"],
        "budget_used": found["wait_exhausted"],
    }


def _moments(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        **found,
        **{name: datetime.fromisoformat(found[name]) if found[name] else None for name in names},
    }
