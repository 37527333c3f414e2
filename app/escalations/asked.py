"""What is asked of a case and what was answered, by whom and when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.auth.actor import Actor
from app.auth.reasons import check_reason
from app.auth.settings import tenant_settings
from app.db import db, new_id
from app.escalations.demand import NewEscalation
from app.escalations.following import answers_of
from app.escalations.owning import under
from app.escalations.queries import get_visible
from app.escalations.raising import find_account
from app.escalations.record import first_basis
from app.escalations.tiers import TIERS
from app.playbooks import intake
from app.playbooks import service as playbooks
from app.routing import facts

ANSWERED = text(
    """
    select distinct on (key) substr(said.field, case when said.field like 'answer.%' then 8 else 1 end) as key,
           e.recorded_at as at,
           case when u.id is null then null
                else json_build_object('id', u.id, 'email', u.email, 'name', u.name) end as by
    from event e cross join lateral jsonb_object_keys(e.text_hashes) as said (field)
    left join "user" u on u.tenant_id = e.tenant_id and u.id = e.actor_id
    where e.escalation_id = :id and e.kind in ('raise', 'request', 'edit')
    and (said.field like 'answer.%' or said.field = any(:own))
    order by key, e.seq desc
    """
)


def get_intake(escalation_id: UUID, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Each question asked for the case's reason with its answer, then what was answered without being asked."""
    record = get_visible(escalation_id, actor=actor, now=now)
    answers = answers_of(record)
    asked = intake.asked_for(playbooks.find_playbook(record.playbook_version_id), record.reason)
    keys = {question.key: question for question in asked}
    required = {question.key: question.ask for question in asked if question.required}
    given = _given(record.id)
    items = [
        {
            "key": key,
            "ask": keys[key].ask if key in keys else None,
            "required": key in required,
            "answer": answers.get(key),
            **(given.get(key, NEVER) if answers.get(key) else NEVER),
        }
        for key in (*keys, *sorted(answers.keys() - keys.keys()))
    ]
    return {"completeness": record.completeness, "missing": intake.missing(answers, required), "items": items}


NEVER: Mapping[str, Any] = {"answered_at": None, "answered_by": None}


def _given(escalation_id: UUID) -> dict[str, dict[str, Any]]:
    """When each question was last answered, and by whom."""
    rows = db.session.execute(ANSWERED, {"id": escalation_id, "own": list(intake.QUESTIONS)})
    return {row.key: {"answered_at": row.at, "answered_by": row.by} for row in rows}


def questions_before(body: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The playbook that a raise with this account, severity and reason would get now, and its questions; without one
    those of every case."""
    settings, found = tenant_settings(), None
    check_reason(body["reason"], settings)
    account = find_account(NewEscalation(title="", severity=body["severity"], account_id=body["account_id"]), now)
    if playbooks.has_playbooks():
        case = facts.routing_input(
            under(account, first_basis(account, body["severity"], now)),
            escalation_id=new_id(),
            severity=body["severity"],
            reason=body["reason"],
            raised_by_kind="colleague",
            raised_at=now,
            tier=TIERS[0],
        )
        today = now.astimezone(ZoneInfo(settings.timezone)).date()
        found = playbooks.find_playbook(playbooks.choose(case.facts, today=today, now=now))
    return {"playbook": found.name if found else None, "items": intake.asked_for(found, body["reason"])}
