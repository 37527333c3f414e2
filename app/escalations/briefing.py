"""Reading what the draft of a handover brief is made from."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.auth.actor import Actor
from app.escalations import handover, queries, tiers
from app.escalations.history import way_of
from app.escalations.models import Escalation
from app.escalations.path import Stage, tried
from app.escalations.words import CHOICE_MEANS, CHOICES
from app.playbooks import service as playbooks
from app.playbooks.definition import Playbook


def draft_handover(escalation_id: UUID, *, actor: Actor, now: datetime, to_tier: str | None) -> dict[str, Any]:
    """The draft of the brief for the next tier, or for one above it, in parts and as one text."""
    record = queries.get_visible(escalation_id, actor=actor, now=now)
    way = way_of(record)
    aim = tiers.check_to_tier(record.tier, to_tier, way.path) if to_tier else tiers.next_tier(record.tier, way.path)
    attempts = tried(way.stages)
    ground = handover.Ground(
        title=record.title,
        customer_statement=record.customer_statement,
        impact=record.impact,
        desired_outcome=record.desired_outcome,
        value=value_of(record),
        why=why_up(way.stages),
        asked=asked_of(playbooks.find_playbook(record.playbook_version_id), aim),
        attempts=attempts,
        earlier=way.earlier_attempts,
    )
    return {
        "to_tier": aim,
        "problem": record.customer_statement,
        "impact": ground.impact,
        "desired_outcome": ground.desired_outcome,
        "value_at_stake": ground.value,
        "reason": ground.why,
        "asked": ground.asked,
        "tried": attempts,
        "not_again": handover.not_again(attempts),
        "earlier_attempts": way.earlier_attempts,
        "brief": handover.draft_of(ground),
    }


def value_of(record: Escalation) -> str | None:
    """`120000.00 USD`; one that is not known in full says so."""
    if record.value_amount is None:
        return None
    return f"{record.value_amount:.2f} {record.value_currency}{' (incomplete)' if record.value_incomplete else ''}"


def why_up(stages: Sequence[Stage]) -> str | None:
    """The reason the present tier gave for its no."""
    answer = next((stage.answer for stage in stages if stage.state == "current"), None)
    return answer.reason.replace("_", " ") if answer and answer.word == "no" and answer.reason else None


def asked_of(playbook: Playbook | None, tier: str) -> str:
    """What the next tier is asked, as its playbook says it."""
    if tier == tiers.TIERS[-1]:
        return "A decision: " + "; ".join(CHOICE_MEANS[choice][0] for choice in CHOICES)
    stage = playbook.tier(tier) if playbook else None
    return (stage.ask if stage else "Can it be resolved here?").removesuffix("?") + "?"
