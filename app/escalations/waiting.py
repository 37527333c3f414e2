"""Waiting for the customer, a vendor or ourselves: one budget for the whole case, and the end of each wait."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from app.auth.settings import tenant_settings
from app.errors import invalid
from app.escalations.case import Act, Change, begin
from app.escalations.models import Escalation
from app.escalations.working import reweigh
from app.sla import service as sla


@dataclass(frozen=True)
class Wait:
    """Whom we wait for, why, and the day on which work resumes by itself."""

    party: str
    reason: str
    resume_on: date


def wait(escalation_id: UUID, *, act: Act, on: Wait) -> Escalation:
    """Wait for the customer, a vendor or ourselves; the budget is one for the whole case."""
    change = begin(escalation_id, "wait", act)
    was = change.record.status
    change.step("wait")
    resume_at = check_resume_on(change, on.resume_on)
    if was == "waiting":
        stop_waiting(change)
    record = change.record
    record.waiting_party, record.waiting_reason = on.party, on.reason
    record.waiting_since, record.resume_on = change.now, on.resume_on
    ends_at = budget_ends_at(change)
    record.wait_exhausted = ends_at <= change.now
    record.wake_at = resume_at if record.wait_exhausted else min(resume_at, ends_at)
    if not record.wait_exhausted:
        change.clocks.pause(change.now, change.now, party=on.party)
    facts = {"party": on.party, "resume_on": on.resume_on, "budget_ends_at": ends_at}
    change.note("wait", facts, {"reason": on.reason})
    change.sign_of_work(change.now)
    reweigh(change)
    return change.save()


def check_resume_on(change: Change, resume_on: date) -> datetime:
    """The first opening of that day; after today and at most 10 business days ahead."""
    today = change.now.astimezone(change.zone).date()
    limit = change.calendar.add(change.now, tenant_settings().resume_within_business_days * change.calendar.day_seconds)
    if not today < resume_on <= limit.astimezone(change.zone).date():
        raise invalid("resume_on", f"expected a day after {today} and up to {limit.astimezone(change.zone).date()}")
    return sla.first_opening(resume_on, change.basis)


def budget_ends_at(change: Change) -> datetime:
    """When the waits of this case have used up their budget, if it goes on waiting."""
    calendar, record = change.calendar, change.record
    left = tenant_settings().wait_budget_business_days * calendar.day_seconds - record.wait_used_seconds
    return calendar.add(change.now, left) if left > 0 else change.now


def stop_waiting(change: Change) -> None:
    """Count the wait against the budget and let the clocks run on: from now, or from when it ended by itself unseen."""
    record = change.record
    ends_at = min(change.now, record.wake_at or change.now)
    if record.waiting_since is not None:
        record.wait_used_seconds += max(0, change.calendar.between(record.waiting_since, ends_at))
    if not record.wait_exhausted:
        change.clocks.resume(ends_at, change.now)
    record.waiting_party = record.waiting_reason = None
    record.waiting_since = record.resume_on = record.wake_at = None
    record.wait_exhausted = False


def recount(record: Escalation, old: sla.Basis, new: sla.Basis, now: datetime) -> None:
    """A wait under way when the calendar changes: what has passed stays counted, the rest counts by the new one."""
    since, resume_on = record.waiting_since, record.resume_on
    if record.status != "waiting" or since is None or resume_on is None or old == new:
        return
    spent = old.calendar.between(since, now)
    left = tenant_settings().wait_budget_business_days * new.calendar.day_seconds - record.wait_used_seconds - spent
    record.wait_used_seconds += spent - new.calendar.between(since, now)
    record.wake_at = sla.first_opening(resume_on, new)
    if not record.wait_exhausted:
        record.wake_at = min(record.wake_at, new.calendar.add(now, max(left, 0)))


def resume(escalation_id: UUID, *, act: Act, because: str = "by_hand") -> Escalation:
    """Work goes on: by hand, by the customer's reply, or by itself on `resume_on`."""
    change = begin(escalation_id, "resume", act)
    resume_work(change, because)
    change.sign_of_work(change.now)
    return change.save()


def resume_work(change: Change, because: str, at: datetime | None = None) -> None:
    """Work goes on, said to be from `at` (now)."""
    party = change.record.waiting_party
    change.step("resume")
    stop_waiting(change)
    change.note("resume", {"because": because, "party": party}, at=at)
    reweigh(change)
