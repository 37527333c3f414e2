"""Moving the work up the path: the hop, its brief, and the question the next tier is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.auth import queries as users
from app.errors import invalid
from app.escalations import attempts, deciding, promises, tiers
from app.escalations.case import Act, Change, begin, made
from app.escalations.errors import BriefNeeded
from app.escalations.following import begin_tasks, note_tasks, question_of
from app.escalations.models import Escalation
from app.escalations.owning import hand_over, named, routing_input
from app.escalations.tasking import promise, settle
from app.playbooks import service as playbooks
from app.playbooks.models import Task
from app.routing import service as routing

VENDOR_TIER, VENDOR = "vendor", ("name", "contact", "reference")
RAN_OUT = "The tier's time ran out before it was answered."


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
    climb(change, hop)
    return change.save()


def climb(change: Change, hop: Hop) -> None:
    """The hop itself: what was asked in the tier below ends, the tier above is asked."""
    change.step("escalate")
    if not hop.brief and not hop.automatic and change.record.severity != 1:
        raise BriefNeeded(errors=[{"pointer": "/brief", "detail": "expected what was tried and what is asked"}])
    target, passed = reach(change, hop)
    end_questions(change, automatic=hop.automatic)
    was = change.record.tier
    change.record.tier = target
    change.record.brief_missing = not hop.brief
    if hop.automatic:
        promises.run_out(change, "tier", because="automatic_hop")
    else:
        change.clocks.fulfil("tier", change.now, change.now)
    promises.enter_tier(change, change.now)
    member = None if change.record.restricted else member_of(change, target)
    at_the_end = target == path_of(change)[-1] and is_empty(change, target, hop)
    task = None if at_the_end else qualification(change, target, member)
    facts = {"was": was, "tier": target, "reason": hop.reason, "automatic": hop.automatic, "passed_over": passed}
    change.note("escalate", {**facts, **made(task)}, {"brief": hop.brief, **vendor_texts(hop.vendor)})
    reroute(change)
    begin_tier(change, member)
    ask_tier(change, target, task, hop.brief)
    change.sign_of_work(change.now)


def end_questions(change: Change, *, automatic: bool) -> None:
    """Who moves the work up by hand has answered; what a hop of its own overtakes was not answered in time."""
    state = {"state": "waived", "reason": RAN_OUT} if automatic else {"state": "done"}
    for task in playbooks.list_open(change.record.id):
        if task.kind in ("qualification", "handover"):
            settle(change, task, state)
            change.note("task", {"task": task.id, "state": task.state}, {"reason": state.get("reason")})


def vendor_texts(vendor: Mapping[str, Any] | None) -> dict[str, str | None]:
    """The vendor's name, contact and reference as an event keeps them."""
    return {f"vendor_{key}": (vendor or {}).get(key) for key in VENDOR}


def reach(change: Change, hop: Hop) -> tuple[str, list[str]]:
    """The tier this hop reaches and those passed over: one whose team has nobody, or a vendor without a name."""
    current, path = change.record.tier, path_of(change)
    wanted = tiers.check_to_tier(current, hop.to_tier, path) if hop.to_tier else tiers.next_tier(current, path)
    passed: list[str] = []
    while True:
        if not is_empty(change, wanted, hop):
            return wanted, passed
        asked_for = hop.to_tier == wanted or (wanted == path[-1] and not hop.automatic)
        if wanted == VENDOR_TIER and asked_for:
            raise invalid("vendor", "expected the vendor's name and contact")
        if wanted == path[-1]:
            return wanted, passed
        passed.append(wanted)
        wanted = tiers.next_tier(wanted, path)


def path_of(change: Change) -> tuple[str, ...]:
    """The tiers of the case's playbook; all of them without one."""
    return change.playbook.path if change.playbook else tiers.TIERS


def is_empty(change: Change, tier: str, hop: Hop) -> bool:
    """Whether nobody is there to take it: no vendor named, or none of the tier's team eligible."""
    if tier == VENDOR_TIER:
        return not (hop.vendor or {}).get("name")
    return is_deserted(change, tier)


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
    restricted case, which the team may not see. At the end of the path its team is asked for the decision; None
    without one."""
    record, last = change.record, tier == tiers.TIERS[-1]
    if last and member is None:
        return None
    return playbooks.new_task(
        deciding.KIND if last else "qualification",
        deciding.TITLE if last else question_of(change.playbook, tier),
        escalation_id=record.id,
        assignee_id=member or record.owner_id,
        now=change.now,
        role="owner" if member is None else "tier",
    )


def ask_tier(change: Change, tier: str, task: Task | None, brief: str | None) -> None:
    """Who has the question is told it with the brief, or with what was tried; without one, management is asked to
    decide."""
    record = change.record
    if task is None:
        if not deciding.is_asked(record.id):
            deciding.ask(change, deciding.END_OF_PATH)
        return
    if task.role == "owner":
        task.assignee_id = record.owner_id
    change.rows.append(task)
    if task.assignee_id is not None:
        people = users.list_active(ids=[task.assignee_id])
        body = f"{task.title}\n\n{brief or attempts.told(record.id)}".strip()
        change.tell(people, "qualification", f"{named(record, change.account)}: moved up to {tier}", body)
