"""The record of a new case: what was said of it, and what is promised from its first moment."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.accounts.facts import AccountFacts
from app.auth.reasons import check_reason
from app.auth.settings import tenant_settings
from app.db import current_tenant, new_id
from app.errors import invalid
from app.escalations import lifecycle, timeline, words
from app.escalations.case import Act
from app.escalations.demand import NewEscalation, find_about
from app.escalations.models import Escalation
from app.playbooks import intake
from app.sla import service as sla
from app.sla.hours import FIRST_YEAR

# What a case begins with before anybody has done anything.
UNTOUCHED: dict[str, Any] = {
    "version": 1,
    "tier": words.TIERS[0],
    "acknowledged": False,
    "brief_missing": False,
    "assignment_failed": False,
    "outage_seq": 0,
    "event_count": 0,
    "event_hash": timeline.START,
    "reopens": 0,
    "wait_used_seconds": 0,
    "wait_exhausted": False,
}
AS_SAID = (
    "title",
    "customer_statement",
    "desired_outcome",
    "impact",
    "severity",
    "reason",
    "source",
    "answers",
    "restricted",
    "raised_by_kind",
    "recurrence_of_id",
    "outage_id",
)


def new_record(new: NewEscalation, account: AccountFacts, act: Act) -> Escalation:
    """The record before it has an owner; due times are the promise of close, 30 days unless the contract says."""
    raised_at, basis = raised_moment(new, act), first_basis(account, new.severity, act.now)
    return Escalation(
        id=new.id or new_id(),
        tenant_id=current_tenant(),
        account_id=account.account.id,
        recorded_at=act.now,
        **UNTOUCHED,
        **_as_said(new, act),
        **_as_promised(raised_at, basis),
    )


def first_basis(account: AccountFacts, severity: int, now: datetime) -> sla.Basis:
    """What a case of this account counts by if it is raised now."""
    return sla.basis(account.calendar, account.zone, level_names=account.service_levels, severity=severity, now=now)


def _as_said(new: NewEscalation, act: Act) -> dict[str, Any]:
    settings = tenant_settings()
    check_reason(new.reason, settings)
    answers = {**new.answers, **{key: getattr(new, key) for key in intake.QUESTIONS if getattr(new, key)}}
    asked = settings.approval.asked and not act.actor.is_system
    return {
        **{name: getattr(new, name) for name in AS_SAID},
        "completeness": intake.completeness(answers),
        "status": lifecycle.status_on_raise(new.raised_by_kind, approval_asked=asked),
        "raised_by_email": (new.raised_by_email or act.actor.email or "").lower() or None,
        "requester_id": act.actor.user_id,
        "about_user_id": find_about(new.about_user),
    }


def _as_promised(raised_at: datetime, basis: sla.Basis) -> dict[str, Any]:
    """What the clocks count by, and the promise of close, 30 days unless said."""
    close = sla.close_target(raised_at, basis)
    return {
        "calendar_version_id": basis.calendar_version_id,
        "zone": basis.zone,
        "ladder_number": basis.ladder_number,
        "service_level_version_id": basis.level_version_id,
        "raised_at": raised_at,
        "day_raised": raised_at.astimezone(ZoneInfo(tenant_settings().timezone)).date(),
        "close_target_at": close,
        "due_at": close,
        "resolve_by_at": sla.resolve_by(close, basis),
    }


def raised_moment(new: NewEscalation, act: Act) -> datetime:
    """Only an integration or an import may name a past moment; nobody a future one."""
    if new.raised_at is None:
        return act.now
    if act.actor.role not in ("integration", "admin") and not act.actor.is_system:
        raise invalid("raised_at", "only an integration or an import may set this")
    if new.raised_at > act.now:
        raise invalid("raised_at", f"expected a moment not later than now, {act.now.isoformat()}")
    if new.raised_at.astimezone(UTC).year < FIRST_YEAR:
        raise invalid("raised_at", f"expected a moment since {FIRST_YEAR}")
    return new.raised_at
