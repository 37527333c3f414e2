"""What the form of an action shows beside the case: drafts, the handover, colleagues, cases like it."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import request

from app import clock
from app.auth.actor import current_actor
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.errors import NotFound
from app.escalations import overview, permissions
from app.escalations.models import Escalation
from app.escalations.tiers import tiers_above
from app.panels import case_words as words
from app.playbooks import intake
from app.texts import gettext as _

Values = Mapping[str, Any]
AUDIENCES = tuple(words.AUDIENCES)


def update(values: Values) -> dict[str, Any]:
    """The composer for one audience: its drafts, the one chosen as it would be now, the promises it keeps; of a task
    that an outage offers, what it offers."""
    if request.args.get("task"):
        return offered(values, request.args["task"])
    audience = request.args.get("audience", "customer")
    if audience not in AUDIENCES:
        raise NotFound
    drafts = [one for one in values["drafts"] if audience in one["audience"]]
    asked = request.args.get("draft")
    first = next((one["key"] for one in drafts if one["suggested"]), None)
    key = (asked or None) if asked is not None else first
    found = overview.preview_update(values["record"], audience, key, sender=current_actor(), now=clock.now())
    text = found["texts"].get(audience, found["text"])
    return {"audience": audience, "audience_drafts": drafts, "draft": key, "preview": found, "draft_text": text}


def offered(values: Values, task_id: str) -> dict[str, Any]:
    """What an outage has to say, as this customer would read it."""
    known = {str(task["id"]): task["id"] for task in values["open_tasks"]}
    if task_id not in known:
        raise NotFound
    found = overview.offer_of(values["record"], UUID(task_id), sender=current_actor(), now=clock.now())
    message = found["message"]
    more = {"audience": message["audience"][0], "audience_drafts": (), "draft": None, "draft_text": message["text"]}
    return {"offer": found, "offer_task": task_id, "preview": message, **more}


def handover(values: Values) -> dict[str, Any]:
    """The brief as far as the case can write it, and where the work may go."""
    path = overview.path_of(values["record"])
    above: Sequence[str] = tiers_above(values["case"]["tier"], path)
    aim = request.args.get("to_tier")
    draft = overview.draft_handover(
        values["case"]["id"], actor=current_actor(), now=clock.now(), to_tier=aim if aim in above else None
    )
    return {"above": above, "handover": draft}


def qualify(values: Values) -> dict[str, Any]:
    """Yes or no; of a no the handover with it."""
    answer = request.args.get("answer")
    able = bool(tiers_above(values["case"]["tier"], overview.path_of(values["record"])))
    return {"answer": answer, "able": able, **(handover(values) if answer == "no" and able else {"above": ()})}


def colleagues(values: Values) -> dict[str, Any]:
    """Whom a form may name."""
    return {"colleagues": overview.list_colleagues()}


def assign(values: Values) -> dict[str, Any]:
    mine = values["case"]["owner"] and values["case"]["owner"]["id"] == current_actor().user_id
    return {**colleagues(values), "teams": overview.list_teams(), "mine": mine}


def resolve(values: Values) -> dict[str, Any]:
    """What still stands between the case and its resolution."""
    required = [task for task in values["open_tasks"] if task["required"] and task["kind"] != "qualification"]
    unmet = [one for one in values["criteria"] if one.state == "open"]
    return {**colleagues(values), "required": required, "unmet": unmet}


def alike(values: Values) -> dict[str, Any]:
    """Cases that may be the same."""
    found = overview.duplicates_of(values["case"]["id"], actor=current_actor(), now=clock.now())
    return {"alike": found["items"]}


def decision(values: Values) -> dict[str, Any]:
    return {"choices": [(choice, words.word(words.CHOICES, choice)) for choice in words.CHOICES]}


def edit(values: Values) -> dict[str, Any]:
    """The reasons that may be chosen, the present one among them though it be retired, and what may be answered."""
    present = values["case"]["reason"]
    known = list_reasons(tenant_settings())
    return {
        "reasons": [(one.name, _(one.label)) for one in known if not one.retired or one.name == present],
        "answers": [one for one in values["answers"] if intake.is_key(one["key"])],
        "edit_version": edit_version(values["record"]),
    }


EDITED = (
    "title", "severity", "reason", "forecast_close_on", "restricted", "customer_statement", "desired_outcome", "impact",
    "answers",
)  # fmt: skip


def edit_version(record: Escalation) -> int:
    """Another number when a field that the form edits is not what it was; a note elsewhere changes nothing."""
    said = json.dumps([getattr(record, name) for name in EDITED], default=str, sort_keys=True)
    return zlib.crc32(said.encode())


def extension(values: Values) -> dict[str, Any]:
    """Whether the reader's word grants it."""
    return {"grants": permissions.grants_extension(values["standing"])}


def playbook(values: Values) -> dict[str, Any]:
    """The playbook that the case goes by, and those that could replace it."""
    state = overview.get_state(values["record"].id, actor=current_actor(), now=clock.now())
    others = [
        one for one in overview.list_playbooks() if str(one["id"]) != state["playbook_id"] or not state["is_current"]
    ]
    return {"present": state, "others": others}
