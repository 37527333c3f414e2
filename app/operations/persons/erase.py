"""Erasure by law: what a person wrote and is named by goes, what happened stays and is signed as before.

In one transaction of the caller. The user becomes "erased person", inactive; so do contacts. Texts of the timeline go
with their salts, and its chain still verifies. A keyed hash of the address keeps imports from bringing them back.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, Text, cast, delete, func, select, text, update

from app import clock
from app.accounts.models import Account
from app.auth import service as auth
from app.auth.errors import DutyRequired
from app.auth.models import ERASED_DOMAIN, ERASED_NAME, ApiToken, CalendarFeed, User, UserIdentity
from app.auth.settings import current_version, tenant_settings
from app.db import db
from app.errors import Conflict
from app.escalations import service as escalations
from app.escalations.models import Escalation
from app.http.idempotency import IdempotencyKey
from app.integrations.models import DirectoryUser
from app.notifications.models import Intent, Preference
from app.operations.persons.tables import Person, contact_ids, is_append_only, tenant_tables, written_columns
from app.panels.embed.models import CrmIdentity
from app.reports import jobs as reports
from app.routing import service as routing
from app.routing.models import PolicyVersion, UserSkill

ROLES = ("owner_email", "csm_email", "sponsor_email")

# What they wrote, what they sent us, what they demanded and thought of what came of it, and every text that names them.
# A sender with an address is known by it alone: a namesake's messages stay.
FIND_TEXTS = text(
    """
    select t.id from event_text t join event e on e.id = t.event_id
    where t.text is not null and (
        t.text ~* case when t.field = 'from' and t.text ~ '@' then :address else :pattern end
        or e.actor_id = :user_id
        or exists (select 1 from event_text f where f.event_id = e.id and f.field = 'from'
                   and f.text ~* case when f.text ~ '@' then :address else :pattern end)
        or (e.kind in ('raise', 'request', 'verify', 'survey') or t.field like 'answer.%'
            or t.field in ('customer_statement', 'desired_outcome', 'impact'))
           and e.escalation_id = any(cast(:cases as uuid[])))
    union all
    select t.id from outage_text t join outage_event e on e.tenant_id = t.tenant_id and e.id = t.event_id
    where t.text is not null and (t.text ~* :pattern or e.actor_id = :user_id)
    """
)
FIND_CASES = text(
    """
    select id from escalation
    where lower(raised_by_email) = :email or contact_id = any(cast(:contacts as uuid[])) or requester_id = :user_id
    """
)


class StillNamed(Conflict):
    """Routing would have nobody where the policy names them."""

    code, title = "still_named", "The current routing policy names this person: publish one without them first"


def erase(person: Person, now: datetime) -> int:
    """Erase everything of this person; answers how many texts of timelines went. `now` is real time."""
    _refuse_while_needed(person)
    cases = _cases(person)
    texts = _erase_texts(person, cases)
    _erase_cases(person, cases)
    _erase_messages(person)
    escalations.erase_attachments(_id(person), clock.now())
    if person.user:
        _erase_user(person.user)
    for contact in person.contacts:
        contact.name, contact.email, contact.role = ERASED_NAME, None, None
    _erase_roles(person.email)
    db.session.flush()
    for table in tenant_tables():
        if not is_append_only(table):
            _replace(table, person.pattern)
    routing.forget_models()
    db.session.execute(text("select erase_mentions(:pattern, :mark)"), {"pattern": person.pattern, "mark": ERASED_NAME})
    auth.remember_erased(person.email, now)
    db.session.expire_all()
    return texts


def _refuse_while_needed(person: Person) -> None:
    """Whoever is on duty or in the policy must be replaced first: work would fall to nobody."""
    settings = tenant_settings()
    if person.email in (settings.duty_owner_email, settings.duty_deputy_email):
        raise DutyRequired
    current = PolicyVersion.number == current_version("policy")
    named = cast(PolicyVersion.rules, Text).op("~*")(f"{person.pattern}|{_id(person)}")
    if db.session.scalar(select(PolicyVersion.id).where(current, named)):
        raise StillNamed


def _cases(person: Person) -> list[UUID]:
    values = {"email": person.email, "contacts": contact_ids(person), "user_id": _id(person)}
    return list(db.session.scalars(FIND_CASES, values))


def _erase_texts(person: Person, cases: list[UUID]) -> int:
    values = {"pattern": person.pattern, "address": person.address_pattern, "user_id": _id(person), "cases": cases}
    found = list(db.session.scalars(FIND_TEXTS, values))
    reports.forget_root_causes(found)
    return escalations.erase_texts(found)


def _erase_cases(person: Person, cases: list[UUID]) -> None:
    """The words of their demands; the case itself goes on."""
    _run(
        update(Escalation).where(Escalation.id.in_(cases)),
        customer_statement=None,
        desired_outcome=None,
        impact=None,
        answers={},
        raised_by_email=None,
        version=Escalation.version + 1,
    )


def _erase_messages(person: Person) -> None:
    """What they were told, in inbox and outbox; the rows stay, so that nothing is sent a second time."""
    theirs = (Intent.user_id == _id(person)) | (func.lower(Intent.address) == person.email)
    _run(update(Intent).where(theirs, Intent.state == "pending"), state="suppressed", reason="erased")
    blank: dict[str, Any] = {"address": None, "subject": ERASED_NAME, "body": "", "why": None, "last_error": None}
    _run(update(Intent).where(theirs), **blank)


def _erase_user(user: User) -> None:
    email = f"erased-{user.id.hex}@{ERASED_DOMAIN}"
    tokens = select(ApiToken.id).where(ApiToken.user_id == user.id)
    _run(delete(IdempotencyKey).where(IdempotencyKey.principal_id.in_(tokens)))
    _run(delete(CalendarFeed).where(CalendarFeed.user_id == user.id))
    _run(delete(UserIdentity).where(UserIdentity.user_id == user.id))
    _run(delete(Preference).where(Preference.user_id == user.id))
    _run(delete(UserSkill).where(UserSkill.user_id == user.id))
    _run(delete(DirectoryUser).where(DirectoryUser.user_id == user.id))
    _run(delete(CrmIdentity).where(CrmIdentity.user_id == user.id))
    _run(update(ApiToken).where(ApiToken.user_id == user.id), name=ERASED_NAME)
    unknown = {"timezone": None, "calendar": None}
    auth.change_user(user, {"active": False, "name": ERASED_NAME, "email": email, **unknown})


def _erase_roles(email: str) -> None:
    for role in ROLES:
        column = getattr(Account, role)
        _run(update(Account).where(func.lower(column) == email), **{role: None, "version": Account.version + 1})


def _replace(table: Table, pattern: str) -> None:
    """Where a row still names them, the name gives way."""
    columns = [table.columns[name] for name in written_columns(table)]
    if not columns:
        return
    changes = ", ".join(
        f'"{c.name}" = cast(regexp_replace("{c.name}"::text, :pattern, :mark, \'gi\') as {_type(c)})' for c in columns
    )
    found = " or ".join(f'"{c.name}"::text ~* :pattern' for c in columns)
    statement = text(f'update "{table.name}" set {changes} where {found}')  # noqa: S608
    db.session.execute(statement, {"pattern": pattern, "mark": ERASED_NAME})


def _type(column: Any) -> str:
    return str(column.type.compile(dialect=db.engine.dialect))


def _run(statement: Any, **values: Any) -> None:
    statement = statement.values(**values) if values else statement
    db.session.execute(statement.execution_options(synchronize_session=False))


def _id(person: Person) -> UUID | None:
    return person.user.id if person.user else None
