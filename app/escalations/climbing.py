"""Moving the work up the path: the hop, its brief, and the question the next tier is asked."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.auth import queries as users
from app.errors import invalid
from app.escalations import deciding, promises, tiers
from app.escalations.case import Act, Change, begin, made
from app.escalations.errors import BriefNeeded
from app.escalations.following import begin_tasks, note_tasks
from app.escalations.models import Escalation
from app.escalations.owning import hand_over, named, routing_input
from app.escalations.tasking import promise
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.routing import service as routing


@dataclass(frozen=True)
class Hop:
    """One move up the path: why, what was tried, and to which tier if one is skipped."""

    reason: str
    brief: str | None = None
    to_tier: str | None = None
    vendor: dict[str, Any] | None = None
    automatic: bool = False


def escalate(escalation_id: UUID, *, act: Act, hop: Hop) -> Escalation:
    """Move the work up a tier with a brief; a severity-1 or automatic hop may lack it and is flagged until written."""
    change = begin(escalation_id, "escalate", act)
    change.step("escalate")
    if not hop.brief and not hop.automatic and change.record.severity != 1:
        raise BriefNeeded(errors=[{"pointer": "/brief", "detail": "expected what was tried and what is asked"}])
    target, passed = reach(change, hop)
    was = change.record.tier
    change.record.tier = target
    change.record.brief_missing = not hop.brief
    if hop.automatic:
        promises.run_out(change, "tier", because="automatic_hop")
    else:
        change.clocks.fulfil("tier", change.now, change.now)
    promises.enter_tier(change, change.now)
    member = None if change.record.restricted else member_of(change, target)
    task = qualification(change, target, member)
    facts = {"was": was, "tier": target, "reason": hop.reason, "automatic": hop.automatic, "passed_over": passed}
    vendor = hop.vendor or {}
    texts = {"brief": hop.brief, **{f"vendor_{key}": vendor.get(key) for key in ("name", "contact", "reference")}}
    change.note("escalate", {**facts, **made(task)}, texts)
    reroute(change)
    begin_tier(change, member)
    qualify(change, target, task)
    change.sign_of_work(change.now)
    return change.save()


def reach(change: Change, hop: Hop) -> tuple[str, list[str]]:
    """The tier this hop reaches and those passed over: one whose team has nobody, or a vendor without a name."""
    current, path = change.record.tier, path_of(change)
    wanted = tiers.check_to_tier(current, hop.to_tier, path) if hop.to_tier else tiers.next_tier(current, path)
    passed: list[str] = []
    while True:
        vendor_unnamed = wanted == "vendor" and not (hop.vendor or {}).get("name")
        if not vendor_unnamed and (wanted == "vendor" or not is_deserted(change, wanted)):
            return wanted, passed
        if hop.to_tier and vendor_unnamed:
            raise invalid("vendor", "expected the vendor's name and contact")
        if wanted == path[-1]:
            return wanted, passed
        passed.append(wanted)
        wanted = tiers.next_tier(wanted, path)


def question_of(change: Change, tier: str) -> str:
    """What is asked of whoever qualifies the case in a tier."""
    stage = change.playbook.tier(tier) if change.playbook else None
    asked = stage.ask if stage else "Can it be resolved here?"
    return f"{asked.removesuffix('?')} ({tier.replace('_', ' ')})?"


def path_of(change: Change) -> tuple[str, ...]:
    """The tiers of the case's playbook; all of them without one."""
    return change.playbook.path if change.playbook else tiers.TIERS


def is_deserted(change: Change, tier: str) -> bool:
    """Whether the tier has a team and nobody in it is eligible; without a team the owner keeps the work."""
    return routing.find_team_of_tier(tier) is not None and member_of(change, tier) is None


def member_of(change: Change, tier: str) -> UUID | None:
    """Who of the tier's team would take it, routed like an owner; None without a team or anybody eligible."""
    team = routing.find_team_of_tier(tier)
    if team is None:
        return None
    found = routing.explain(routing_input(change, change.account), now=change.now, team_id=team.id)
    return found.owner_id if found.team_id == team.id and found.failure is None else None


def reroute(change: Change) -> None:
    """The owner keeps the case, unless the path gives it to the team of the tier it has come to, if there is one."""
    record, stage = change.record, change.playbook.tier(change.record.tier) if change.playbook else None
    team = routing.find_team_of_tier(record.tier) if stage and stage.reroute and not record.restricted else None
    if team is None:
        return
    facts, previous = routing_input(change, change.account), record.owner_id
    routed = routing.route(facts, actor=change.act.actor, now=change.now, cause="hop", team_id=team.id)
    hand_over(change, change.account, routed, cause="hop")
    if record.owner_id != previous:
        promises.owner_changed(change)


def begin_tier(change: Change, member: UUID | None) -> None:
    """What the playbook asks for in the tier the work has come to."""
    tasks = begin_tasks(change, change.account, entered=True, member_id=member)
    for task, target in promises.asked_of_tasks(change, tasks):
        promise(change, task, target)
    note_tasks(change, tasks)
    change.rows += tasks


def qualification(change: Change, tier: str, member: UUID | None) -> Task | None:
    """The tier's team gets the question "can it be resolved here?"; without a team the owner keeps it, as of a
    restricted case, which the team may not see. None at the end of the path, where no team is asked."""
    record = change.record
    if tier == tiers.TIERS[-1] and member is None:
        return None
    title = deciding.TITLE if tier == tiers.TIERS[-1] else question_of(change, tier)
    return playbooks.new_task(
        "qualification",
        title,
        escalation_id=record.id,
        assignee_id=member or record.owner_id,
        now=change.now,
        role="owner" if member is None else "tier",
    )


def qualify(change: Change, tier: str, task: Task | None) -> None:
    """Who has the question is told; without one, management is asked to decide."""
    record = change.record
    if task is None:
        if not deciding.is_asked(record.id):
            deciding.ask(change, "The work has come to the end of its path.")
        return
    if task.role == "owner":
        task.assignee_id = record.owner_id
    change.rows.append(task)
    if task.assignee_id is not None:
        people = users.list_active(ids=[task.assignee_id])
        change.tell(people, "qualification", f"{named(record, change.account)}: moved up to {tier}", task.title)
