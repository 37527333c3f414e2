"""Following the playbook: which one a case gets, the tasks it asks for, and who holds the roles they belong to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.accounts.facts import AccountFacts
from app.auth import queries as users
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import db
from app.escalations.case import Change
from app.escalations.models import Escalation
from app.escalations.owning import routing_input
from app.escalations.tiers import TIERS
from app.playbooks import intake
from app.playbooks import service as playbooks
from app.playbooks.definition import Playbook
from app.playbooks.models import Task
from app.routing.models import Team


def take_playbook(change: Change, account: AccountFacts) -> None:
    """The published playbook whose condition holds, and how complete the answers are by its questions."""
    record = change.record
    if not playbooks.has_playbooks():
        return
    facts = routing_input(change, account).facts
    today = change.now.astimezone(ZoneInfo(tenant_settings().timezone)).date()
    record.playbook_version_id = playbooks.choose(facts, today=today, now=change.now)
    if change.playbook is not None:
        record.tier = change.playbook.path[0]
    record.completeness = intake.completeness(answers_of(record), questions_of(change))


def questions_of(change: Change) -> Mapping[str, str]:
    """What must be answered of this case."""
    return intake.questions_for(change.playbook, change.record.reason)


def answers_of(record: Escalation) -> dict[str, Any]:
    """What was answered, the three fields of the record among it."""
    return {**record.answers, **{key: said for key in intake.QUESTIONS if (said := getattr(record, key))}}


def begin_tasks(change: Change, account: AccountFacts, *, entered: bool, member_id: UUID | None = None) -> list[Task]:
    """The tasks of the work's beginning, or of the tier it has come to, whose team's `member_id` takes it."""
    playbook, record = change.playbook, change.record
    if playbook is None:
        return []
    return playbooks.plan_tasks(
        playbook,
        tier=record.tier,
        entered=entered,
        open_keys=[task.key for task in playbooks.list_open(record.id) if task.key] if entered else (),
        escalation_id=record.id,
        holders=holders_of(record, account, {task.role for task in playbook.tasks}, member_id),
        now=change.now,
    )


def first_question(change: Change) -> list[Task]:
    """The question of the path's first tier, asked of the owner from the beginning; none without a path."""
    record = change.record
    if change.playbook is None or change.playbook.tier(record.tier) is None or record.tier == TIERS[-1]:
        return []
    title = question_of(change.playbook, record.tier)
    asked: dict[str, Any] = {"escalation_id": record.id, "assignee_id": record.owner_id, "now": change.now}
    return [playbooks.new_task("qualification", title, **asked)]


def question_of(playbook: Playbook | None, tier: str) -> str:
    """What is asked of whoever qualifies the case in a tier."""
    stage = playbook.tier(tier) if playbook else None
    asked = stage.ask if stage else "Can it be resolved here?"
    return f"{asked.removesuffix('?')} ({tier.replace('_', ' ')})?"


def note_tasks(change: Change, tasks: Sequence[Task]) -> None:
    """The event that names what the playbook asked for: those ready at once, and those that wait."""
    if tasks:
        ready = [str(task.id) for task in tasks if task.ready_at]
        waiting = [str(task.id) for task in tasks if not task.ready_at]
        facts = {"version": change.record.playbook_version_id, "tasks": ready, "waiting": waiting}
        change.note("playbook", facts)


def holders_of(
    record: Escalation, account: AccountFacts, roles: Iterable[str], member_id: UUID | None = None
) -> dict[str, UUID | None]:
    """Who holds each of these roles; never whom the case is about, and of a restricted one only its owner's line."""
    wanted = {"owner", *roles} if not record.restricted else {"owner", "owner_manager"} & {"owner", *roles}
    found: dict[str, UUID | None] = {
        "owner": record.owner_id,
        "csm": account.csm.id if account.csm and account.csm.active else None,
        "account_owner": account.owner.id if account.owner and account.owner.active else None,
        "sponsor": account.sponsor.id if account.sponsor and account.sponsor.active else None,
        "tier": member_id,
    }
    if "owner_manager" in wanted:
        found["owner_manager"] = next((manager.id for manager in users.list_managers(record.owner_id)), None)
    if "team_lead" in wanted and record.team_id is not None:
        led = select(Team.lead_id).join(User, User.id == Team.lead_id).where(Team.id == record.team_id, User.active)
        found["team_lead"] = db.session.scalar(led)
    return {role: id_ for role, id_ in found.items() if role in wanted and id_ != record.about_user_id}
