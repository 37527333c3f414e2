"""How a case stands by its playbook, section by section."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db import db
from app.escalations import criteria
from app.escalations.following import answers_of
from app.escalations.models import Escalation
from app.escalations.tiers import TIERS
from app.playbooks import intake
from app.playbooks import service as playbooks

VERSION = text(
    """
    select p.id as playbook_id, p.name, v.number, v.id as version_id, p.current_version_id = v.id as is_current
    from playbook_version v join playbook p on p.tenant_id = v.tenant_id and p.id = v.playbook_id where v.id = :id
    """
)
COUNTS = text(
    """
    select count(*) filter (where state = 'open' and ready_at is not null) as ready,
           count(*) filter (where state = 'open' and ready_at is null) as waiting,
           count(*) filter (where state = 'done') as done,
           count(*) filter (where state = 'waived') as waived,
           count(*) filter (where state = 'open' and required) as required_open
    from task where escalation_id = :id and key is not null
    """
)
NONE: dict[str, Any] = {"playbook_id": None, "name": None, "number": None, "version_id": None}


def state_of(record: Escalation) -> dict[str, Any]:
    """The version, and the state of its questions, tasks, tiers and exit criteria; three statements."""
    playbook = playbooks.find_playbook(record.playbook_version_id)
    asked, answers = intake.questions_for(playbook, record.reason), answers_of(record)
    counts = db.session.execute(COUNTS, {"id": record.id}).mappings().one()
    here = TIERS.index(record.tier)
    path = playbook.path if playbook else TIERS
    return {
        **_version(record.playbook_version_id),
        "questions": {
            "asked": len(asked),
            "missing": [asked[key] for key in intake.missing(answers, asked)],
            "completeness": record.completeness,
        },
        "tasks": dict(counts),
        "tiers": [{"tier": tier, "state": _place(TIERS.index(tier), here)} for tier in path],
        "ladders": list(playbook.ladders) if playbook else [],
        "exit_criteria": [
            {"key": one.key, "text": one.text, "state": one.state} for one in criteria.of_case(record, playbook)
        ],
    }


def _version(version_id: UUID | None) -> dict[str, Any]:
    if version_id is None:
        return {**NONE, "is_current": False}
    found = dict(db.session.execute(VERSION, {"id": version_id}).mappings().one())
    return {**found, "is_current": bool(found["is_current"])}


def _place(tier: int, here: int) -> str:
    return "current" if tier == here else "behind" if tier < here else "ahead"
