"""What was learnt from cases that were resolved, to be found again by the next one of the same kind.

The words of a case are kept when it is resolved; what is shown of it is read from its timeline, so that what is erased
there is shown nowhere.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal_column, or_, select, text, true, tuple_

from app.accounts.models import Account
from app.auth.actor import Actor
from app.db import current_tenant, db, new_id
from app.errors import invalid_parameter
from app.escalations import timeline
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.escalations.words import numbered

MOST_ATTEMPTS = 20

# The tenant is one of the words, so that the index of all tenants' words is walked for this one alone.
WORDS = """
    array_to_tsvector(array['#' || cast(:tenant as text)]) || coalesce((
        select lesson_words(string_agg(t.text, ' ' order by e.seq))
        from event e join event_text t on t.tenant_id = e.tenant_id and t.event_id = e.id
        where e.escalation_id = {case}
          and (e.kind, t.field) in (('raise', 'title'), ('raise', 'customer_statement'), ('attempt', 'what'),
               ('attempt', 'result'), ('resolve', 'summary'), ('resolve', 'root_cause'), ('resolve', 'prevention'))),
        cast('' as tsvector))
"""
KEEP = text(
    f"""
    insert into lesson (tenant_id, id, escalation_id, words) values (:tenant, :id, :case, {WORDS.format(case=":case")})
    on conflict (tenant_id, escalation_id) do update set words = excluded.words
    """  # noqa: S608 - the part is ours
)
KEEP_AGAIN = text(
    f"""
    update lesson set words = {WORDS.format(case="lesson.escalation_id")}
    where escalation_id in (select escalation_id from event_text where id = any(:ids))
    """  # noqa: S608 - the part is ours
)
TRIED = f"""
    (select json_agg(json_build_object('what', a.what, 'result', a.result) order by a.seq)
     from (select e.seq, max(t.text) filter (where t.field = 'what') as what,
                  max(t.text) filter (where t.field = 'result') as result
           from event e join event_text t on t.tenant_id = e.tenant_id and t.event_id = e.id
           where e.tenant_id = escalation.tenant_id and e.escalation_id = escalation.id and e.kind = 'attempt'
           group by e.seq order by e.seq desc limit {MOST_ATTEMPTS}) a)
"""  # noqa: S608 - the part is ours
RESOLVED = """
    (select json_build_object('preventable', e.facts -> 'preventable', 'texts',
        (select json_object_agg(t.field, t.text) from event_text t
         where t.tenant_id = e.tenant_id and t.event_id = e.id))
     from event e
     where e.tenant_id = escalation.tenant_id and e.escalation_id = escalation.id and e.kind = 'resolve'
     order by e.seq desc limit 1)
"""
PREVENTION = """
    (select json_agg(json_build_object('id', p.id, 'action', p.action, 'state', p.state, 'due_on', p.due_on)
                     order by p.due_on, p.id)
     from prevention_action p where p.tenant_id = escalation.tenant_id and p.escalation_id = escalation.id)
"""
PLAIN = ("title", "reason", "severity", "status", "verification", "reopens", "resolved_at", "closed_at")


def keep(escalation_id: UUID) -> None:
    """Make a case that was just resolved one to be found, by all that was said of it so far."""
    db.session.execute(KEEP, {"tenant": current_tenant(), "id": new_id(), "case": escalation_id})


def erase_texts(event_text_ids: Sequence[UUID]) -> int:
    """Erasure by law: texts with their salts, and their words in what is searched."""
    erased = timeline.erase_texts(list(event_text_ids))
    db.session.execute(KEEP_AGAIN, {"tenant": current_tenant(), "ids": list(event_text_ids)})
    return erased


def list_lessons(
    asked: Mapping[str, Any], *, actor: Actor, now: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """Resolved cases that the caller may see, newest first, in one statement; every word of `q` must begin a word of
    the case."""
    found = _found(asked, after).subquery("found")
    answers = {"tried": TRIED, "resolved": RESOLVED, "prevention": PREVENTION}
    seen = (
        select(
            Escalation.id,
            Escalation.number,
            *(getattr(Escalation, name) for name in PLAIN),
            Account.id.label("account_id"),
            Account.name.label("account"),
            *(literal_column(part).label(name) for name, part in answers.items()),
        )
        .join(Account, Account.id == Escalation.account_id)
        .where(Escalation.id == found.c.id, visible_to(actor, now))
        .offset(literal_column("0"))
        .lateral("seen")
    )
    query = select(seen).select_from(found).join(seen, true())
    query = query.order_by(found.c.resolved_at.desc(), found.c.id.desc()).limit(limit)
    return [_view(row) for row in db.session.execute(query)]


def _found(asked: Mapping[str, Any], after: tuple[datetime, UUID] | None) -> Select[UUID, datetime | None]:
    """The cases asked for in their order, whoever asks. Fences (`offset 0`) have who may see them asked one by one,
    until there are enough: of a restricted case that is a walk up the line."""
    query = select(Escalation.id, Escalation.resolved_at).where(*_filters(asked))
    if after is not None:
        query = query.where(tuple_(Escalation.resolved_at, Escalation.id) < after)
    return query.order_by(Escalation.resolved_at.desc(), Escalation.id.desc()).offset(literal_column("0"))


def _filters(asked: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """Resolved and not taken up again; what was closed as not resolved teaches something else."""
    found: list[ColumnElement[bool]] = [
        Escalation.resolved_at.is_not(None),
        or_(Escalation.outcome.is_(None), Escalation.outcome == "resolved"),
    ]
    if "reason" in asked:
        found.append(Escalation.reason == asked["reason"])
    if "account" in asked:
        found.append(Escalation.account_id == asked["account"])
    if "q" in asked:
        if not re.search(r"[^\W_]", asked["q"]):
            raise invalid_parameter("q", "expected at least one word")
        found.append(Escalation.id.in_(select(func.find_lessons(asked["q"]))))
    return found


def _view(row: Any) -> dict[str, Any]:
    said = row.resolved or {}
    texts = said.get("texts") or {}
    return {
        **{name: getattr(row, name) for name in PLAIN},
        "id": row.id,
        "number": numbered(row.number),
        "account": {"id": row.account_id, "name": row.account},
        "summary": texts.get("summary"),
        "root_cause": texts.get("root_cause"),
        "preventable": said.get("preventable"),
        "tried": row.tried or [],
        "prevention": row.prevention or [],
    }
