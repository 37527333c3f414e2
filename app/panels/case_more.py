"""What the page of a case opens on request: its value line by line, the decision on its owner, every reminder, cases
like it, and the whole record to print."""

from typing import Any
from uuid import UUID

from flask import Response, request

from app import clock
from app.accounts import queries as accounts
from app.auth.actor import current_actor
from app.auth.guards import requires
from app.db import transaction
from app.escalations import overview
from app.http.panels import page
from app.panels import case_words as words
from app.panels.case_timeline import days_of, line_of, lines_of
from app.panels.cases import bp, read

MOST_PRINTED = 1_000
DOSSIER_PAGE = 100


@bp.get("/escalations/<uuid:escalation_id>/value")
@requires("escalations:read")
def value(escalation_id: UUID) -> Response:
    """Every line that the value adds, at the rate of the day."""
    with transaction():
        now = clock.now()
        record, case = overview.get_case(escalation_id, actor=current_actor(), now=now)
        touched = [UUID(str(one)) for one in case["contract_ids"]]
        facts = accounts.account_facts(record.account_id, contract_ids=touched, now=now, rank=False)
        names = overview.names_of_value(facts.value.parts)
        return page("panels/case/value.html", case=case, value=facts.value, names=names, words=words)


@bp.get("/escalations/<uuid:escalation_id>/routing")
@requires("escalations:read")
def routing(escalation_id: UUID) -> Response:
    """Each decision on the owner: the rules looked at, who could take it and who could not."""
    with transaction():
        record, case = overview.get_case(escalation_id, actor=current_actor(), now=clock.now())
        found = overview.list_decisions(record.id, actor=current_actor(), limit=50)
        names = {str(one["id"]): one["name"] for one in (*found["people"], *found["teams"])}
        return page("panels/case/routing.html", case=case, decisions=found["items"][::-1], names=names, words=words)


@bp.get("/escalations/<uuid:escalation_id>/schedule")
@requires("escalations:read")
def schedule(escalation_id: UUID) -> Response:
    """What will be told to whom as things stand, and what was told, held back or passed over."""
    with transaction():
        record, case = overview.get_case(escalation_id, actor=current_actor(), now=clock.now())
        found = overview.schedule_of(record, clock.now())
        values: dict[str, Any] = {"upcoming": found["upcoming"], "sent": found["sent"][::-1]}
        return page("panels/case/schedule.html", case=case, words=words, zone=case["zone"], **values)


@bp.get("/escalations/<uuid:escalation_id>/duplicates")
@requires("escalations:read")
def duplicates(escalation_id: UUID) -> Response:
    """Cases that may be the same, each with why."""
    with transaction():
        values = read(escalation_id)
        found = overview.duplicates_of(escalation_id, actor=current_actor(), now=clock.now())
        return page("panels/case/duplicates.html", **values, alike=found["items"])


@bp.get("/escalations/<uuid:escalation_id>/print")
@requires("escalations:read")
def whole(escalation_id: UUID) -> Response:
    """Everything on one page, nothing folded."""
    with transaction():
        values = read(escalation_id)
        events = overview.list_timeline(escalation_id, limit=MOST_PRINTED)
        sent = [line for line in overview.list_reminders(escalation_id, now=clock.now()) if line["held_until"] is None]
        values["days"] = days_of(lines_of(events, sent))
        return page("panels/case/print.html", **values)


@bp.get("/escalations/<uuid:escalation_id>/dossier")
@requires("escalations:read")
def dossier(escalation_id: UUID) -> Response:
    """What management decides on: what may be decided and everything that was done, oldest first."""
    cursor = request.args.get("cursor")
    with transaction():
        now = clock.now()
        found = overview.get_dossier(escalation_id, actor=current_actor(), now=now, limit=DOSSIER_PAGE, cursor=cursor)
        done = [(line_of(event_of(one)), words.word(words.TIERS, one["tier"])) for one in found["items"]]
        values = {"case": found["escalation"], "done": done, "more": found["next_cursor"], "case_id": escalation_id}
        if cursor is not None:
            return page("panels/case/dossier_rows.html", **values, zone=None)
        stages = [one["stage"] for one in found["path"]]
        more = {"options": found["options"], "asked": found["asked"], "stages": stages, "now": now, "words": words}
        return page("panels/case/dossier.html", **values, **more, zone=None)


def event_of(one: dict[str, Any]) -> dict[str, Any]:
    """A line of the dossier as the timeline's lines are made from."""
    by = one["by"]["name"] if one["by"] else None
    return {**one, "actor": by, "acting_for": None, "recorded_at": one["at"]}
