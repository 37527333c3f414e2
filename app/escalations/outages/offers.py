"""Answering an offer: a person sends the draft on its task as an update, or resolves with it; only then it is done."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.errors import NotFound, invalid
from app.escalations import drafting, tasking
from app.escalations.case import Change
from app.escalations.outages.models import OFFERS, RESOLUTION, UPDATE
from app.playbooks import service as playbooks
from app.playbooks.definition import Draft
from app.playbooks.drafts import gaps_left
from app.playbooks.models import Task

GREETING = "{% if customer.name %}Dear {{ customer.name }},{% else %}Good day,{% endif %}\n\n\n{{ outage.update }}\n\n"
NEXT = "{% if next_update.customer %}\nYou hear from us again by {{ next_update.customer | moment }}.\n\n{% endif %}\n"
ASK = "Please tell us whether everything works again for you: until then this stays open on our side.\n\n"
SIGNED = "{{ sender.name }}\n{{ us.name }}"
AMONG_US = {
    "account_team": "{{ account.name }} ({{ escalation.number }}): {{ outage.update_account_team }}",
    "executive": "{{ account.name }} ({{ escalation.number }}): {{ outage.update_executive }}",
}
# A playbook says it in its own words by a draft of this key.
KEYS = {UPDATE: "outage_update", RESOLUTION: "outage_resolution"}
DRAFTS = {
    UPDATE: Draft(
        key="",
        title="Where the outage stands",
        audience=("customer", *AMONG_US),
        subject="{{ outage.title }}: where it stands ({{ escalation.number }})",
        text=GREETING + NEXT + SIGNED,
        texts=AMONG_US,
    ),
    RESOLUTION: Draft(
        key="",
        title="The outage is over",
        audience=("customer", *AMONG_US),
        subject="{{ outage.title }}: is everything well again? ({{ escalation.number }})",
        text=GREETING + ASK + SIGNED,
        texts=AMONG_US,
    ),
}


def shown(case: drafting.CaseOfDrafts, task: Task) -> dict[str, Any]:
    """What an offer says on its case: the message as it would go out, and of an ended outage the resolution."""
    draft = draft_of(case, task)
    outage = case.found()["outage"]
    resolution = {
        "summary": outage["resolution"],
        "root_cause": outage["root_cause"],
        "preventable": (case.row["outage"] or {}).get("preventable"),
    }
    return {
        "task": task,
        "outage_id": case.record.outage_id,
        "channel": (case.row["outage"] or {}).get("channel"),
        "message": drafting.preview(case, draft, audience_of(case, draft)),
        "resolution": resolution if task.kind == RESOLUTION else None,
    }


def draft_of(case: drafting.CaseOfDrafts, task: Task) -> Draft:
    """The playbook's own draft for what outages offer, else ours."""
    if task.kind not in OFFERS:
        raise NotFound("There is no draft on this task")
    own = case.playbook.draft(KEYS[task.kind]) if case.playbook else None
    return own or DRAFTS[task.kind]


def audience_of(case: drafting.CaseOfDrafts, draft: Draft) -> list[str]:
    """Whom the outage's word is for, as far as the draft is written for them."""
    meant = (case.row["outage"] or {}).get("audiences") or draft.audience
    return [one for one in meant if one in draft.audience] or list(draft.audience)


def take(change: Change, task_id: UUID, field: str = "task_id") -> Task:
    """The open offer of the case that is answered now, locked."""
    try:
        task = playbooks.get_task(change.record.id, task_id)
    except NotFound:
        raise invalid(field, "there is no such task on this case") from None
    if task.kind not in OFFERS:
        raise invalid(field, "expected what an outage offers")
    if task.state != "open":
        raise invalid(field, f"this offer is {task.state} already: {task.reason or 'it was answered'}")
    return task


def written(
    change: Change, task: Task, audiences: Sequence[str], texts: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The texts as the sender left them; with none, the draft as it stands. Nothing in them is still to be filled."""
    case = drafting.CaseOfDrafts(change.record, change.act.actor, change.now, task.outage_event_id)
    draft = draft_of(case, task)
    drafting.check_audience(draft, audiences)
    if "customer" in audience_of(case, draft) and "customer" not in audiences:
        raise invalid("audience", "expected customer among them: that is whom this offer is for")
    if not any(said for name, said in texts.items() if name != "subject"):
        found = drafting.preview(case, draft, audiences)
        own = {f"text_{name}": said for name, said in found["texts"].items()}
        texts = {"subject": texts.get("subject") or found["subject"], "text": found["text"], **own}
    for name, said in texts.items():
        if gaps := gaps_left(draft, said or ""):
            place = name.replace("text_", "texts/", 1)
            raise invalid(place, f"is still to be filled: {', '.join(gaps)}", code="gaps_left")
    return dict(texts)


def done(change: Change, task: Task) -> None:
    """The offer is answered."""
    tasking.settle(change, task, {"state": "done"})
    change.note("task", {"task": task.id, "state": "done"})
