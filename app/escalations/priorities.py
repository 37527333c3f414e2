"""Priority kept current: cases whose account changed since, and all once a day, in batches; with it, whose tasks are.

The record's version stays: nobody's edit fails because its place in a list moved.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text

from app import clock
from app.accounts import queries as accounts
from app.accounts.facts import AccountFacts
from app.accounts.priority import is_noted
from app.auth import queries as users
from app.auth.actor import UserRef
from app.auth.models import User
from app.db import Model, current_tenant, db
from app.escalations import holders, timeline
from app.escalations.holder_messages import PassedOnIn, told_of_tasks
from app.escalations.models import LIVE_SQL, Escalation
from app.escalations.urgency import is_urgent
from app.escalations.words import numbered
from app.escalations.worth import reprioritise, snapshot_of, take_value
from app.notifications import queries as wishes
from app.notifications import service as notifications
from app.notifications.quiet import Delivery, plan_delivery
from app.routing import service as routing
from app.rows import amend, array_of, insert_all

log = structlog.get_logger()

BATCH = 200

# Raw: what another transaction holds is passed by; it is measured there or found again.
# Three ways to a case: not measured today yet, its account changed of late, or a colleague or a team did or an
# absence ended, and a task is in the wrong hands. A change that was missed for longer than that is found by the day.
LIST_STALE = text(
    f"""
    select e.*, a.version as present_version from escalation e
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    where e.{LIVE_SQL} and e.id in (
        (select d.id from escalation d where d.{LIVE_SQL} and d.priority_on < :today limit :limit)
        union all
        (select c.id from account b join escalation c on c.tenant_id = b.tenant_id and c.account_id = b.id
         where b.changed_at > :lately and c.{LIVE_SQL} and c.account_version < b.version limit :limit)
        union all
        ({holders.MISPLACED} limit :limit)
    )
    order by e.id limit :limit for update of e skip locked
    """  # noqa: S608 - the statuses are ours
)
LATELY = timedelta(days=2)
USERS_LATELY = timedelta(hours=1)
LIST_CONTRACTS = text(
    """
    select t.escalation_id, array_agg(t.contract_id) as ids from escalation_contract t
    join contract c on c.tenant_id = t.tenant_id and c.id = t.contract_id and c.gone_at is null
    where t.escalation_id = any(cast(:ids as uuid[])) group by t.escalation_id
    """
)
LAST_CHANGES = text(
    "select account_id, max(at) as at from account_history where account_id = any(cast(:ids as uuid[])) group by 1"
)
KEPT = (
    "value_amount",
    "value_currency",
    "value_incomplete",
    "value_unconverted",
    "account_version",
    "priority_score",
    "priority_parts",
    "priority_on",
    "repeats",
    "event_count",
    "event_hash",
)
UPDATE_CASES = text(
    f"""
    update escalation e set {", ".join(f"{name} = r.{name}" for name in KEPT)}
    from jsonb_populate_recordset(null::escalation, cast(:rows as jsonb)) r
    where e.tenant_id = :tenant and e.id = r.id
    """  # noqa: S608 - column names are ours
)


@dataclass
class Measured:
    """What one batch appends beside the records themselves."""

    rows: list[Model] = field(default_factory=list)
    gone: list[tuple[Escalation, AccountFacts]] = field(default_factory=list)
    passed_on: list[PassedOnIn] = field(default_factory=list)


def reprioritise_batch(now: datetime, *, limit: int = BATCH) -> int:
    """Value, snapshot and priority of the next cases that need it, and whose tasks are; answers how many. At most
    thirteen statements."""
    lately = {
        "lately": now - LATELY,
        "users_lately": clock.real_now() - USERS_LATELY,
        "hour_ago": now - USERS_LATELY,
    }
    found = db.session.execute(
        LIST_STALE, {"today": accounts.tenant_today(now), **lately, "now": now, "limit": limit}
    ).all()
    if not found:
        return 0
    stale = {row.id: row.present_version for row in found}
    records = [_record(row) for row in found]
    facts = accounts.facts_for_many({record.account_id for record in records}, now=now)
    touched, changed_at = _contracts(records), _last_changes(records)
    measured, passed_on = Measured(), holders.pass_on((record.id for record in records), now=now)
    for record in records:
        _measure(record, stale[record.id], facts[record.account_id], touched, changed_at, measured, now)
        if moved := passed_on.get(record.id):
            _note_passed_on(record, facts[record.account_id], moved, measured, now)
    _save(records, measured, now)
    return len(records)


def _record(row: Any) -> Escalation:
    """Outside the session, so that nothing but UPDATE_CASES writes it."""
    return Escalation(**{name: value for name, value in row._mapping.items() if name != "present_version"})


def _contracts(records: Iterable[Escalation]) -> dict[UUID, set[UUID]]:
    rows = db.session.execute(LIST_CONTRACTS, {"ids": array_of([record.id for record in records])})
    return {row.escalation_id: set(row.ids) for row in rows}


def _last_changes(records: Iterable[Escalation]) -> dict[UUID, datetime]:
    rows = db.session.execute(LAST_CHANGES, {"ids": array_of({record.account_id for record in records})})
    return {row.account_id: row.at for row in rows}


def _measure(
    record: Escalation,
    present_version: int,
    account: AccountFacts,
    touched: dict[UUID, set[UUID]],
    changed_at: dict[UUID, datetime],
    measured: Measured,
    now: datetime,
) -> None:
    """Take the value if the account changed, and measure the priority; a change of 5 points or more is noted."""
    if record.account_version < present_version:
        account = _over_its_contracts(record, account, touched.get(record.id, set()), now)
        _take(record, account, measured, at=changed_at.get(record.account_id, now), now=now)
        record.account_version = present_version
    was = record.priority_score
    reprioritise(record, account, now)
    if is_noted(was, record.priority_score):
        facts = {"was": float(was), "is": float(record.priority_score), "parts": record.priority_parts}
        measured.rows += timeline.append(record, "priority", actor_id=None, at=now, now=now, facts=facts)


def _note_passed_on(
    record: Escalation, account: AccountFacts, moved: list[holders.PassedOn], measured: Measured, now: datetime
) -> None:
    kept = holders.facts_of(moved, "holder")
    measured.rows += timeline.append(record, holders.EVENT, actor_id=None, at=now, now=now, facts=kept)
    measured.passed_on.append((record, account, moved))


def _over_its_contracts(
    record: Escalation, account: AccountFacts, ids: Collection[UUID], now: datetime
) -> AccountFacts:
    """The account's facts over the contracts this case touches, read again only when they are not all of them."""
    if set(ids) == set(account.touched_contract_ids):
        return account
    return accounts.account_facts(record.account_id, contract_ids=sorted(ids), now=now)


def _take(record: Escalation, account: AccountFacts, measured: Measured, *, at: datetime, now: datetime) -> None:
    """The new value, snapshotted as of when the account changed; one that is gone keeps its last known value."""
    if account.account.is_gone:
        measured.gone.append((record, account))
    else:
        take_value(record, account)
    snapshot = snapshot_of(record, account, now, cause="account")
    amend(snapshot, at=max(at, record.raised_at))
    measured.rows.append(snapshot)


def _save(records: list[Escalation], measured: Measured, now: datetime) -> None:
    rows = [{"id": record.id, **{name: _stored(getattr(record, name)) for name in KEPT}} for record in records]
    db.session.execute(UPDATE_CASES, {"tenant": current_tenant(), "rows": json.dumps(rows, default=str)})
    insert_all(measured.rows)
    messages = [*(_told_of_gone(measured.gone, now) if measured.gone else ())]
    messages += told_of_tasks(measured.passed_on, now) if measured.passed_on else ()
    if messages and notifications.post_all(messages):
        notifications.wake_delivery()


def _stored(value: Any) -> Any:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def _told_of_gone(gone: list[tuple[Escalation, AccountFacts]], now: datetime) -> Iterable[notifications.Message]:
    """Owner and account owner's manager, and who stands in for them, hear once that the CRM lost the account."""
    ids = {record.owner_id for record, _ in gone} | {facts.owner.manager_id for _, facts in gone if facts.owner}
    people = {user.id: user for user in users.list_active(ids=[id_ for id_ in ids if id_])}
    chains = routing.read_chains(people, now=now)
    preferences = wishes.find_preferences({*people, *chains.people})
    for record, facts in gone:
        for user, why in _hearing_of_gone(record, facts, people, chains).items():
            delivery = plan_delivery(preferences.get(user.id), now, urgent=is_urgent(record.severity))
            yield _gone_message(record, facts, user, why, now, delivery)


def _hearing_of_gone(
    record: Escalation, facts: AccountFacts, people: Mapping[UUID, User], chains: routing.Chains
) -> dict[UserRef, str]:
    """Each person once, with why; never whom the case is about, and of a restricted one nobody of another line."""
    manager_id = facts.owner.manager_id if facts.owner else None
    owner = people.get(record.owner_id) if record.owner_id else None
    if record.restricted and (owner is None or owner.manager_id != manager_id):
        manager_id = None
    hearing: dict[UserRef, str] = {}
    for user_id, role in ((record.owner_id, "its owner"), (manager_id, "the manager of the account's owner")):
        user = people.get(user_id) if user_id else None
        if user is None or user.id == record.about_user_id:
            continue
        hearing[UserRef(user.id, user.email, user.name)] = f"You get this because you are {role}."
        if by := chains.stand_in(user.id, about_user_id=record.about_user_id):
            hearing.setdefault(by, f"You get this in place of {user.name}, who is absent and is {role}.")
    return hearing


def _gone_message(
    record: Escalation, facts: AccountFacts, user: UserRef, why: str, now: datetime, delivery: Delivery
) -> notifications.Message:
    return (
        user.id,
        user.email,
        "account_gone",
        f"{facts.account.name}: the CRM no longer has this account · {numbered(record.number)}",
        f"{record.title} goes on with the last known value.",
        why,
        record.id,
        None,
        f"account_gone:{record.id}:{user.id}:{facts.account.gone_at}",
        now,
        delivery.hold_until,
        delivery.channel,
    )
