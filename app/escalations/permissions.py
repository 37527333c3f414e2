"""Who may do what to one escalation, decided from facts about the actor alone.

Scopes of a token are checked before; whether the case is visible at all is `may_see`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

Pending = Literal["raise", "extension"]

LOGS = frozenset({"attempt", "update", "message", "comment", "link", "attachment"})
OF_INTEGRATIONS = frozenset({"raise", "message", "link"})
OF_EVERYBODY = frozenset({"raise", "watch", "add_task"}) | LOGS
OF_THE_LINE = frozenset({"decision", "close-unresolved"})
ANSWERS = frozenset({"approve", "decline"})
OF_WHO_IS_ASKED = {"qualify": "qualification", "escalate": "handover", "decision": "decision"}


@dataclass(frozen=True)
class Actor:
    """What the rules ask about the one who calls.

    `is_delegate`: stands in for the owner during an absence. `acts_for_owner`: leads the owner's team.
    `above_owner`: anywhere above the owner in the line. `is_requester`: asked for what is pending, the raise
    or the extension. `is_approver`: an approver of the pending raise. Leading, standing above and approving count in
    person or in the place of somebody absent; `in_place_of` is who that is when it is not in person, `absent` all for
    whom the actor stands in. `asked`: by kind of task, whose answer is the actor's to give, their own or an
    absent colleague's: the question about the tier (`qualification`), the brief (`handover`), the `decision`.
    `has_task`: does some task of the case, for themselves or somebody absent.
    """

    role: str
    is_owner: bool = False
    is_delegate: bool = False
    acts_for_owner: bool = False
    above_owner: bool = False
    is_requester: bool = False
    is_approver: bool = False
    is_watching: bool = False
    is_about: bool = False
    in_place_of: UUID | None = None
    absent: frozenset[UUID] = frozenset()
    asked: Mapping[str, UUID] = field(default_factory=dict)
    has_task: bool = False


def in_places(
    actor: Actor,
    user_id: UUID,
    *,
    absent: Collection[UUID],
    owner_id: UUID | None,
    above: Sequence[UUID],
    lead_id: UUID | None,
) -> Actor:
    """The actor with what they may as themselves and for the `absent`; `above` is the owner's line, nearest first.

    Whose work it is never stands above it in somebody else's place: nobody grants what they ask for.
    """
    is_owner, is_delegate = owner_id == user_id, owner_id in absent
    bound = is_owner or is_delegate
    in_person = user_id in above or user_id == lead_id
    substituted = [id_ for id_ in (*(() if bound else above), lead_id) if id_ in absent]
    instead = owner_id if is_delegate else next(iter(substituted), None)
    return replace(
        actor,
        is_owner=is_owner,
        is_delegate=is_delegate,
        acts_for_owner=lead_id is not None and (lead_id == user_id or lead_id in absent),
        above_owner=user_id in above or (not bound and not set(absent).isdisjoint(above)),
        in_place_of=instead if is_delegate or not (is_owner or in_person) else None,
        absent=frozenset(absent),
    )


def as_approver(actor: Actor, user_id: UUID | None, approvers: Collection[UUID]) -> Actor:
    """The actor before a raise that waits for one of these approvers, of whom some may be absent."""
    if user_id in approvers:
        return replace(actor, is_approver=True)
    instead = next((id_ for id_ in approvers if id_ in actor.absent), None)
    return actor if instead is None else replace(actor, is_approver=True, in_place_of=instead)


def who_may(action: str, actor: Actor, *, pending: Pending = "raise") -> bool:
    """Whether this actor may do this; `pending` says which request an approve or decline would answer."""
    if actor.role == "integration":
        return action in OF_INTEGRATIONS
    if action in ANSWERS:
        return _may_answer(actor, pending)
    if action in OF_EVERYBODY or actor.role == "admin":
        return True
    if action in OF_THE_LINE:
        return actor.above_owner or actor.role == "executive" or OF_WHO_IS_ASKED.get(action) in actor.asked
    if action == "extend":
        return _works_on(actor) or actor.role == "executive"
    if action == "task":
        return _works_on(actor) or actor.has_task
    return _works_on(actor) or OF_WHO_IS_ASKED.get(action) in actor.asked


def grants_extension(actor: Actor) -> bool:
    """An extension is granted by whoever is above the owner, an executive or an admin; never by the owner."""
    if actor.is_owner or actor.role == "integration":
        return False
    return actor.above_owner or actor.role in {"executive", "admin"}


def may_see(actor: Actor, *, restricted: bool) -> bool:
    """Who a case is about never sees it; a restricted one only owner, line above, watchers and admins.

    Who stands in for the owner, or has to approve the raise, sees what they have to act on.
    """
    if actor.is_about or actor.role == "integration":
        return False
    if not restricted:
        return True
    in_place = actor.is_owner or actor.is_delegate or actor.is_approver
    return in_place or actor.above_owner or actor.is_watching or actor.role == "admin"


def _may_answer(actor: Actor, pending: Pending) -> bool:
    """Nobody answers their own request, whatever their role."""
    if actor.is_requester:
        return False
    if pending == "extension":
        return grants_extension(actor)
    return actor.is_approver or actor.role in {"executive", "admin"}


def _works_on(actor: Actor) -> bool:
    """Who works on the case for its owner; whom the tier asks only answers and hands up."""
    return actor.is_owner or actor.is_delegate or actor.acts_for_owner or actor.above_owner
