"""Moving the work up the path: the hop, its brief, and the question the next tier is asked."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.auth import queries as users
from app.errors import invalid
from app.escalations import deciding, promises, tiers
from app.escalations.case import Act, Change, begin, made
from app.escalations.errors import BriefNeeded
from app.escalations.models import Escalation
from app.escalations.owning import named, routing_input
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
    task = qualification(change, target)
    facts = {"was": was, "tier": target, "reason": hop.reason, "automatic": hop.automatic, "passed_over": passed}
    vendor = hop.vendor or {}
    texts = {"brief": hop.brief, **{f"vendor_{key}": vendor.get(key) for key in ("name", "contact", "reference")}}
    change.note("escalate", {**facts, **made(task)}, texts)
    qualify(change, target, task)
    change.sign_of_work(change.now)
    return change.save()


def reach(change: Change, hop: Hop) -> tuple[str, list[str]]:
    """The tier this hop reaches and those passed over: one whose team has nobody, or a vendor without a name."""
    current = change.record.tier
    wanted = tiers.check_to_tier(current, hop.to_tier) if hop.to_tier else tiers.next_tier(current)
    passed: list[str] = []
    while True:
        vendor_unnamed = wanted == "vendor" and not (hop.vendor or {}).get("name")
        if not vendor_unnamed and (wanted == "vendor" or not is_deserted(change, wanted)):
            return wanted, passed
        if hop.to_tier and vendor_unnamed:
            raise invalid("vendor", "expected the vendor's name and contact")
        if wanted == tiers.TIERS[-1]:
            return wanted, passed
        passed.append(wanted)
        wanted = tiers.next_tier(wanted)


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


def qualification(change: Change, tier: str) -> Task | None:
    """The tier's team gets the question "can it be resolved here?"; without a team the owner keeps it, as of a
    restricted case, which the team may not see. None at the end of the path, where no team is asked."""
    record = change.record
    member = None if record.restricted else member_of(change, tier)
    if tier == tiers.TIERS[-1] and member is None:
        return None
    title = deciding.TITLE if tier == tiers.TIERS[-1] else f"Can it be resolved here ({tier.replace('_', ' ')})?"
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
    change.rows.append(task)
    if task.assignee_id is not None:
        people = users.list_active(ids=[task.assignee_id])
        change.tell(people, "qualification", f"{named(record, change.account)}: moved up to {tier}", task.title)
