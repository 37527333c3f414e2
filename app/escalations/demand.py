"""What a raise says: who demands what of which account, the rows that come with it, and the cases that look alike."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.accounts.facts import AccountFacts
from app.accounts.models import Contact
from app.auth import queries as users
from app.db import Model, db, new_id, question
from app.errors import invalid
from app.escalations import likeness, words
from app.escalations.case import Act
from app.escalations.models import Escalation, EscalationContract, Link
from app.playbooks import intake
from app.rows import fresh


@dataclass(frozen=True)
class NewEscalation:
    """What a caller says of the problem; the account by id, or by the CRM's source and id.

    `id` is the case's own where it was made beforehand, so that what was foreseen of it comes true.
    """

    title: str
    severity: int
    account_id: UUID | None = None
    account: tuple[str, str] | None = None
    customer_statement: str | None = None
    desired_outcome: str | None = None
    impact: str | None = None
    reason: str = "other"
    raised_by_kind: str = "colleague"
    raised_by_email: str | None = None
    source: str = "api"
    external_refs: tuple[dict[str, Any], ...] = ()
    answers: dict[str, Any] = field(default_factory=dict)
    contract_ids: tuple[UUID, ...] | None = None
    about_user: str | None = None
    restricted: bool = False
    raised_at: datetime | None = None
    recurrence_of_id: UUID | None = None
    outage_id: UUID | None = None
    id: UUID | None = None


def new_escalation(body: dict[str, Any]) -> NewEscalation:
    """A loaded body of a raise as the use case takes it."""
    account = body.pop("account", None)
    raised_by = body.pop("raised_by", None) or {}
    refs = tuple(body.pop("external_refs", ()))
    contract_ids = body.pop("contract_ids", None)
    return NewEscalation(
        **body,
        account=(account["source"], account["external_id"]) if account else None,
        raised_by_kind=raised_by.get("kind", "colleague"),
        raised_by_email=raised_by.get("email"),
        external_refs=refs,
        contract_ids=tuple(contract_ids) if contract_ids is not None else None,
    )


# In one statement with who demands and how often: a raise has few of them.
_NEIGHBOURS = f"""
    with recursive {{found}}
    select (select c.id from contact c where c.account_id = :account and c.email = :email limit 1) as contact_id,
           (select count(*) from escalation where account_id = :account and reason = :reason
            and status not in ('declined', 'merged')) as repeats,
           (select coalesce(json_agg(json_build_object(
                'id', e.id, 'number', e.number, 'title', e.title, 'status', e.status, 'reason', e.reason,
                'account_id', e.account_id, 'account_name', a.name, 'raised_at', e.raised_at,
                'closed_at', e.closed_at, 'refs', found.refs, 'score', found.score, 'same_reason', found.same_reason,
                'same_account', found.same_account, 'same_group', found.same_group)
                order by {likeness.IN_ORDER}), '[]')
            from found join escalation e on e.id = found.id join account a on a.id = e.account_id
            where not e.restricted and e.about_user_id is distinct from :me) as duplicates
    """  # noqa: S608 - the parts are ours
NEIGHBOURS, OUTAGE_NEIGHBOURS = (
    question(_NEIGHBOURS.format(found=found), "contact_id repeats duplicates")
    for found in (likeness.NEAR, likeness.FOUND)
)


def raiser_of(new: NewEscalation, record: Escalation, contact_id: UUID | None) -> list[Model]:
    """The contact who demands: a customer needs an e-mail, and one not known yet becomes a contact of the account."""
    if new.raised_by_kind != "customer":
        return []
    email = record.raised_by_email if new.raised_by_email else None
    if email is None:
        raise invalid("raised_by.email", "expected the customer's e-mail when kind is customer")
    record.contact_id = contact_id
    if contact_id is not None:
        return []
    contact = Contact(id=new_id(), account_id=record.account_id, source="firsthand", external_id=email, email=email)
    record.contact_id = contact.id
    return [contact]


def find_about(email: str | None) -> UUID | None:
    if email is None:
        return None
    user = users.find_user_by_email(email)
    if user is None:
        raise invalid("about_user", "expected the e-mail of a user")
    return user.id


@dataclass(frozen=True)
class Neighbours:
    repeats: int
    duplicates: list[dict[str, Any]]
    contact_id: UUID | None


def list_neighbours(new: NewEscalation, record: Escalation, act: Act) -> Neighbours:
    """How often this account had this grievance, and which cases that anybody may see look like the same,
    and the contact of the raiser's address."""
    like = likeness.Likeness(record.account_id, new.title, new.customer_statement, new.reason, new.external_refs)
    values = {**like.parameters(act.now), "me": act.actor.user_id, "email": record.raised_by_email}
    asked = OUTAGE_NEIGHBOURS if new.reason == likeness.OUTAGE else NEIGHBOURS
    row = db.session.execute(asked, values).one()
    duplicates = [_shown(found) for found in row.duplicates[:10]]
    return Neighbours(row.repeats, duplicates, row.contact_id)


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    moments = {
        name: datetime.fromisoformat(found[name]) if found[name] else None for name in ("raised_at", "closed_at")
    }
    return {**found, **moments, "number": words.numbered(found["number"]), "reasons": likeness.reasons_of(found)}


def links_of(new: NewEscalation, record: Escalation, now: datetime) -> list[Model]:
    unique = {(ref["system"], ref["external_id"]): ref for ref in new.external_refs}
    return [
        fresh(
            Link,
            escalation_id=record.id,
            system=ref["system"],
            external_id=ref["external_id"],
            url=ref.get("url"),
            created_at=now,
        )
        for ref in unique.values()
    ]


def contracts_of(record: Escalation, account: AccountFacts) -> list[Model]:
    return [
        fresh(EscalationContract, escalation_id=record.id, contract_id=contract_id)
        for contract_id in account.touched_contract_ids
    ]


def raise_texts(record: Escalation) -> dict[str, str | None]:
    return {
        "title": record.title,
        "customer_statement": record.customer_statement,
        "desired_outcome": record.desired_outcome,
        "impact": record.impact,
        "raised_by_email": record.raised_by_email,
        **intake.texts_of(record.answers),
    }


def raise_facts(record: Escalation) -> dict[str, Any]:
    return {
        "severity": record.severity,
        "reason": record.reason,
        "source": record.source,
        "raised_by": record.raised_by_kind,
        "account": record.account_id,
        "completeness": record.completeness,
        **({"outage": record.outage_id} if record.outage_id else {}),
        "value": None if record.value_amount is None else f"{record.value_amount:.2f}",
        "currency": record.value_currency,
    }
