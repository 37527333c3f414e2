"""What the customer thinks of how their case was handled: asked once it was closed with their word, answered once.

Five steps from very poor to very good: the question is about this one case, and five buttons with words fit a phone;
zero to ten asks whether they would recommend us, which is about all of it. The link is signed, carries its tenant so
that the scope is set before the first read, and expires in real time; who holds it may answer and see nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select, text

from app.auth import queries as users
from app.auth.errors import LinkExpired, LinkUnknown
from app.db import current_tenant, db, new_id, tenant_row
from app.errors import Conflict
from app.escalations.case import Act, begin, by_engine
from app.escalations.lifecycle import CLOSED
from app.escalations.models import Escalation, Survey
from app.escalations.owning import named
from app.escalations.standing import lock_record
from app.escalations.words import numbered
from app.texts import noted

LIFETIME = timedelta(days=30)
PATH = "/survey/"
SCORES = {1: noted("Very poor"), 2: noted("Poor"), 3: noted("Neither"), 4: noted("Good"), 5: noted("Very good")}
MOST_COMMENT = 5_000

OPENED = text("update survey set openings = openings + 1, opened_at = coalesce(opened_at, :now) where id = :id")


class SurveyNotDue(Conflict):
    code, title = "survey_not_due", "A survey follows the customer's confirmation"


class SurveyAnswered(Conflict):
    code, title = "survey_answered", "The customer has answered already"


@dataclass(frozen=True)
class AskedSurvey:
    """`url` is to be sent to the customer, and leads nowhere from `expires_at` on."""

    id: UUID
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class SurveyKey:
    """What a link says of itself, before anything is looked up."""

    tenant_id: UUID
    survey_id: UUID


@dataclass(frozen=True)
class SurveyPage:
    """What its page shows: `open` to be answered, `answered`, or `over` because the case was taken up again."""

    state: str
    tenant: str
    number: str


def ask(escalation_id: UUID, *, act: Act, now: datetime) -> AskedSurvey:
    """A link for the customer of a case that was closed with their confirmation. `now` is real time.

    Asked again before they answered, it is another link to the same question.
    """
    change = begin(escalation_id, "survey", act)
    record = change.record
    if record.status != CLOSED or record.verification != "confirmed":
        raise SurveyNotDue
    survey = _of_this_closing(record)
    if survey is not None and survey.answered_at is not None:
        raise SurveyAnswered
    if survey is None:
        survey = Survey(
            id=new_id(), escalation_id=record.id, asked_by_id=act.actor.user_id, asked_at=change.now, openings=0
        )
        db.session.add(survey)
    expires_at = (now + LIFETIME).replace(microsecond=0)
    change.note("survey_asked", {"survey": survey.id, "expires_at": expires_at})
    change.save()
    return AskedSurvey(survey.id, make_url(survey.id, expires_at), expires_at)


def make_url(survey_id: UUID, expires_at: datetime) -> str:
    """The address at which this survey, of the tenant in scope, can be answered."""
    content = [current_tenant().hex, survey_id.hex, int(expires_at.timestamp())]
    return f"{current_app.config['BASE_URL']}{PATH}{_serializer().dumps(content)}"


def read_survey_link(token: str, *, now: datetime) -> SurveyKey:
    """What a link says, without looking anything up; `LinkUnknown` or `LinkExpired`. `now` is real time."""
    try:
        tenant, survey, expires_at = _serializer().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise LinkUnknown from None
    if datetime.fromtimestamp(expires_at, UTC) <= now:
        raise LinkExpired
    return SurveyKey(UUID(tenant), UUID(survey))


def open_survey(survey_id: UUID, *, now: datetime | None = None) -> SurveyPage:
    """What the page shows now; each opening at `now` (real time) is counted."""
    survey, record = _found(survey_id)
    if now is not None:
        db.session.execute(OPENED, {"id": survey_id, "now": now})
    return _page(survey, record)


def answer_survey(survey_id: UUID, *, score: int, comment: str | None, now: datetime) -> SurveyPage:
    """Keep the answer in the case and tell its owner, or their manager when they have left; a second one changes
    nothing and is told so. `now` is tenant time."""
    lock_record(_found(survey_id)[0].escalation_id)
    survey, record = _found(survey_id, lock=True)
    page = _page(survey, record)
    if page.state != "open":
        return page
    change = begin(record.id, "survey", by_engine(now))
    survey.score, survey.answered_at = score, now
    change.note("survey", {"survey": survey.id, "score": score}, {"comment": comment})
    owners = users.list_active(ids=[record.owner_id] if record.owner_id else [])
    owners = owners or users.list_managers(record.owner_id)
    subject = f"{named(record, change.account)}: the customer gave {score} of {max(SCORES)}"
    change.tell(owners, "survey", subject, comment or "They left no comment.")
    change.save()
    return SurveyPage("thanked", page.tenant, page.number)


def _found(survey_id: UUID, *, lock: bool = False) -> tuple[Survey, Escalation]:
    asked = select(Survey).where(Survey.id == survey_id).execution_options(populate_existing=True)
    survey = db.session.scalar(asked.with_for_update() if lock else asked)
    record = db.session.get(Escalation, survey.escalation_id) if survey else None
    if survey is None or record is None:
        raise LinkUnknown
    return survey, record


def _page(survey: Survey, record: Escalation) -> SurveyPage:
    state = "answered" if survey.answered_at is not None else "open" if _still_due(survey, record) else "over"
    return SurveyPage(state, tenant_row().name, numbered(record.number))


def _still_due(survey: Survey, record: Escalation) -> bool:
    """Whether the case is closed with the confirmation that the survey followed."""
    confirmed = record.status == CLOSED and record.verification == "confirmed"
    return confirmed and record.closed_at is not None and survey.asked_at >= record.closed_at


def _of_this_closing(record: Escalation) -> Survey | None:
    asked = (Survey.escalation_id == record.id, Survey.asked_at >= record.closed_at)
    return db.session.scalar(select(Survey).where(*asked).order_by(Survey.id.desc()).limit(1).with_for_update())


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        current_app.config["SECRET_KEY"], salt="survey", signer_kwargs={"digest_method": hashlib.sha256}
    )
