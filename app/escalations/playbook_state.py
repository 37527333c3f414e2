"""How a case stands by its playbook, section by section."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.auth.actor import Actor
from app.escalations import criteria, queries
from app.escalations.following import answers_of
from app.escalations.tiers import TIERS
from app.playbooks import intake
from app.playbooks import service as playbooks

# Beside a case.
BESIDE = {
    "version": """
        select json_build_object('playbook_id', p.id, 'name', p.name, 'number', v.number, 'version_id', v.id,
                                 'is_current', p.current_version_id is not distinct from v.id)
        from playbook_version v join playbook p on p.tenant_id = v.tenant_id and p.id = v.playbook_id
        where v.tenant_id = escalation.tenant_id and v.id = escalation.playbook_version_id
    """,
    "tasks": """
        select json_build_object('ready', count(*) filter (where state = 'open' and ready_at is not null),
                                 'waiting', count(*) filter (where state = 'open' and ready_at is null),
                                 'done', count(*) filter (where state = 'done'),
                                 'waived', count(*) filter (where state = 'waived'),
                                 'required_open', count(*) filter (where state = 'open' and required))
        from task where task.tenant_id = escalation.tenant_id and task.escalation_id = escalation.id
        and key is not null
    """,
}
NONE: dict[str, Any] = {"playbook_id": None, "name": None, "number": None, "version_id": None, "is_current": False}


def get_state(escalation_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The version, and the state of its questions, tasks, tiers and exit criteria; two statements."""
    record, beside = queries.get_visible_with(escalation_id, BESIDE, actor=actor, now=now)
    playbook = playbooks.find_playbook(record.playbook_version_id)
    asked, answers = intake.questions_for(playbook, record.reason), answers_of(record)
    here = TIERS.index(record.tier)
    path = playbook.path if playbook else TIERS
    return {
        **(beside["version"] or NONE),
        "questions": {
            "asked": len(asked),
            "missing": [asked[key] for key in intake.missing(answers, asked)],
            "completeness": record.completeness,
        },
        "tasks": beside["tasks"],
        "tiers": [{"tier": tier, "state": _place(TIERS.index(tier), here)} for tier in path],
        "ladders": list(playbook.ladders) if playbook else [],
        "exit_criteria": [
            {"key": one.key, "text": one.text, "state": one.state} for one in criteria.of_case(record, playbook)
        ],
    }


def _place(tier: int, here: int) -> str:
    return "current" if tier == here else "behind" if tier < here else "ahead"
