"""What the engine does by itself when a promise runs out: hops, new owners, tasks, decisions asked for, verification
unanswered, lapses, ends of waits.

Each is the same use case a person has, acted by the engine; none counts as a human response, and one whose cause has
gone does nothing.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.auth import queries as users
from app.db import db
from app.escalations import climbing, deciding, lifecycle, promises, tiers, waiting, working
from app.escalations.case import Change, begin, by_engine
from app.escalations.closing import close
from app.escalations.models import Escalation
from app.escalations.owning import named
from app.playbooks import service as playbooks
from app.sla import service as sla


def hop(escalation_id: UUID, *, now: datetime, from_tier: str) -> bool:
    """The tier clock ran out: the work moves up, flagged until its brief is written; dropped if the tier changed.

    With nothing left above on its path, management is asked to decide.
    """
    record = get_record(escalation_id)
    if record is None or record.tier != from_tier or record.status not in ("open", "in_progress", "waiting"):
        return False
    playbook = playbooks.find_playbook(record.playbook_version_id)
    if playbook is not None and not tiers.tiers_above(record.tier, playbook.path):
        change = begin(escalation_id, "decision", by_engine(now))
        if not deciding.is_asked(escalation_id):
            deciding.ask(change, deciding.END_OF_PATH)
        change.save()
        return True
    climbing.escalate(escalation_id, act=by_engine(now), hop=climbing.Hop(reason="time", automatic=True))
    return True


def reassign(escalation_id: UUID, *, now: datetime, reason: str) -> None:
    """Routed afresh without the present owner, who is told why it is theirs no more."""
    change = begin(escalation_id, "assign", by_engine(now))
    previous = change.record.owner_id
    working.give(change, working.NewOwner(), reason=reason)
    if previous is not None and change.record.owner_id != previous:
        subject = f"{named(change.record, change.account)}: given to somebody else"
        change.tell(users.list_active(ids=[previous]), "reassigned", subject, reason)
    change.save()


def add_task(escalation_id: UUID, *, now: datetime, title: str, clock: str, step: str) -> None:
    """A task for the owner, who is told."""
    change = begin(escalation_id, "task", by_engine(now))
    owner_id = change.record.owner_id
    task = playbooks.new_task("ladder", title, escalation_id=escalation_id, assignee_id=owner_id, now=now)
    change.rows.append(task)
    change.note("task", {"task": task.id, "state": "open", "clock": clock, "step": step})
    owners = users.list_active(ids=[owner_id] if owner_id else [])
    change.tell(owners, "task", f"{named(change.record, change.account)}: a task for you", title)
    change.save()


def ask_decision(escalation_id: UUID, *, now: datetime, reason: str) -> None:
    """Management's decision is asked for, once until it is given."""
    change = begin(escalation_id, "decision", by_engine(now))
    deciding.ask(change, reason)
    change.save()


def verify_unanswered(escalation_id: UUID, *, now: datetime, at: datetime) -> bool:
    """The verify clock ran out after its reminders: closed, `verification: unanswered`, never reported as confirmed."""
    record = get_record(escalation_id)
    if record is None or record.status != "resolved":
        return False
    change = begin(escalation_id, "verify", by_engine(now))
    change.step("verify", unanswered=True)
    change.note("verify", {"unanswered": True}, at=at)
    promises.run_out(change, "verify", because="unanswered")
    close(change, outcome="resolved", at=at)
    change.record.verification = lifecycle.verification_of(unanswered=True)
    change.save()
    return True


def lapse(escalation_id: UUID, *, now: datetime) -> bool:
    """No sign of work: the acknowledgement lapses, `acknowledge` starts again, the manager knows."""
    record = get_record(escalation_id)
    if record is None or record.status not in ("in_progress", "waiting") or not record.acknowledged:
        return False
    change = begin(escalation_id, "acknowledge", by_engine(now))
    change.record.acknowledged = False
    promises.restart(change, "acknowledge", now)
    change.note("lapse", {"owner": change.record.owner_id})
    tell_manager(change, "lapsed", "no sign of work for five business days", "The acknowledgement lapsed.")
    change.save()
    return True


def wake_waiting(escalation_id: UUID, *, now: datetime) -> str | None:
    """The end of a wait's budget, or `resume_on`, at its own moment: what was done, or None if its cause has gone."""
    record = get_record(escalation_id)
    if record is None or record.status != "waiting" or record.wake_at is None or record.wake_at > now:
        return None
    change, ends_at = begin(escalation_id, "resume", by_engine(now)), record.wake_at
    resume_at = sla.first_opening(record.resume_on, change.basis) if record.resume_on else ends_at
    if resume_at <= ends_at:
        waiting.resume_work(change, "resume_on", ends_at)
        done = "resumed"
    else:
        use_up_budget(change, resume_at, ends_at)
        done = "budget_used"
    change.save()
    return done


def use_up_budget(change: Change, resume_at: datetime, at: datetime) -> None:
    """The status stays `waiting`, every paused clock runs from `at` on, the manager is told."""
    change.record.wait_exhausted = True
    change.record.wake_at = resume_at
    change.clocks.resume(at, change.now)
    change.note("wait_budget_used", {"resume_on": change.record.resume_on}, at=at)
    tell_manager(change, "wait_budget", "the waiting budget is used up", "Its clocks run again although it waits.")


def tell_manager(change: Change, kind: str, subject: str, body: str) -> None:
    """The owner's manager and the owner."""
    owner_id = change.record.owner_id
    people = [*users.list_managers(owner_id), *users.list_active(ids=[owner_id] if owner_id else [])]
    change.tell(people, kind, f"{named(change.record, change.account)}: {subject}", body)


def get_record(escalation_id: UUID) -> Escalation | None:
    return db.session.scalar(select(Escalation).where(Escalation.id == escalation_id).with_for_update())
