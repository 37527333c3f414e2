"""Reminding of prevention actions: on the day one is due and every week after, once, as long as it is open.

From the first week after the day on, the manager of who promised it hears too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text

from app.accounts.queries import tenant_today
from app.auth import queries as users
from app.auth.actor import Actor, UserRef
from app.auth.models import User
from app.auth.settings import tenant_settings
from app.db import db
from app.escalations.models import Escalation
from app.escalations.prevention import REMINDED
from app.escalations.queries import visible_to
from app.escalations.words import numbered
from app.notifications import queries as wishes
from app.notifications import service as notifications
from app.notifications.quiet import plan_delivery
from app.routing import service as routing

log = structlog.get_logger()

BATCH = 500

# Days that nobody worked are not made up for: the next reminder is the first of its weeks that has not come yet.
DUE = text(
    """
    with due as (
        select id from prevention_action where state = 'open' and remind_on <= :today
        order by remind_on, id limit :limit for update skip locked
    )
    update prevention_action p set remind_on = p.due_on + 7 * ((:today - p.due_on) / 7 + 1), version = p.version + 1
    from due, escalation e, account a
    where p.id = due.id and e.tenant_id = p.tenant_id and e.id = p.escalation_id
      and a.tenant_id = e.tenant_id and a.id = e.account_id
    returning p.id, p.version, p.action, p.due_on, p.owner_id, p.escalation_id, e.number, e.title, e.restricted,
              e.about_user_id, e.owner_id as case_owner_id, a.name as account
    """
)


def remind(now: datetime) -> int:
    """Post today's reminders, inside the caller's transaction; answers how many."""
    today, count = tenant_today(now), 0
    while rows := db.session.execute(DUE, {"today": today, "limit": BATCH}).all():
        count += notifications.post_all(list(_messages(rows, today, now)))
    if count:
        notifications.wake_delivery()
    return count


def _messages(rows: Sequence[Any], today: date, now: datetime) -> Iterator[notifications.Message]:
    people = {user.id: user for user in users.list_active(ids={id_ for row in rows for id_ in _holders(row)})}
    on_duty = users.list_active(emails=[tenant_settings().duty_owner_email or ""])
    admins = users.list_active(roles=["admin"])
    late = {row.id: (today - row.due_on).days for row in rows}
    managers = _managers(people.values()) if any(late.values()) else {}
    chains = routing.read_chains({*people, *managers}, now=now)
    reached = {*people, *managers, *chains.people}
    reached.update(user.id for user in (*on_duty, *admins))
    known = {**people, **managers, **{user.id: user for user in admins}}
    preferences = wishes.find_preferences(reached)
    for row in rows:
        hearing = _hearing(row, people, on_duty, admins, chains)
        if late[row.id]:
            hearing = {**_above(row, people, managers, chains, now), **hearing}
        if not hearing:
            log.warning("prevention_reminds_nobody", prevention=str(row.id))
        for user, why in hearing.items():
            delivery = plan_delivery(preferences.get(user.id), now, urgent=False)
            said = f"was due {late[row.id]} days ago" if late[row.id] else "is due today"
            yield (
                user.id,
                user.email,
                REMINDED,
                f"{row.account}: what keeps it from happening again {said} · {numbered(row.number)}",
                f"{row.action}\nPromised when {_case_name(row, known.get(user.id), now)} was resolved.",
                why,
                row.escalation_id,
                None,
                f"{REMINDED}:{row.id}:{today}:{row.version}:{user.id}",
                now,
                delivery.hold_until,
                delivery.channel,
            )


def _holders(row: Any) -> list[UUID]:
    return [id_ for id_ in (row.owner_id, row.case_owner_id) if id_ is not None and id_ != row.about_user_id]


def _holder(row: Any, people: Mapping[UUID, User]) -> User | None:
    return next((people[id_] for id_ in _holders(row) if id_ in people), None)


def _managers(people: Iterable[User]) -> dict[UUID, User]:
    ids = {user.manager_id for user in people if user.manager_id is not None}
    return {user.id: user for user in users.list_active(ids=list(ids))} if ids else {}


def _case_name(row: Any, hearer: User | None, now: datetime) -> str:
    """Its title, but of a restricted case only to who sees it: an action's owner may have left its line since."""
    if row.restricted and (hearer is None or not _sees(row.escalation_id, hearer, now)):
        return "this case"
    return f"“{row.title}”"


def _sees(escalation_id: UUID, user: User, now: datetime) -> bool:
    seen = visible_to(Actor(user.id, user.email, user.name, user.role), now)
    return db.session.scalar(select(Escalation.id).where(Escalation.id == escalation_id, seen)) is not None


def _hearing(
    row: Any,
    people: Mapping[UUID, User],
    on_duty: Sequence[User],
    admins: Sequence[User],
    chains: routing.Chains,
) -> dict[UserRef, str]:
    """Its owner; when they have left, who owned the case, else who is on duty or the admins; and who stands in for the
    absent, but of a restricted case only in person."""
    holder = _holder(row, people)
    if holder is None:
        return _left_to(row, on_duty, admins)
    role = "its owner" if holder.id == row.owner_id else "the owner of the case, and its own has left"
    hearing = {UserRef(holder.id, holder.email, holder.name): f"You get this because you are {role}."}
    by = chains.stand_in(holder.id, about_user_id=row.about_user_id)
    if by is not None and not row.restricted:
        hearing.setdefault(by, f"You get this in place of {holder.name}, who is absent.")
    return hearing


def _above(
    row: Any,
    people: Mapping[UUID, User],
    managers: Mapping[UUID, User],
    chains: routing.Chains,
    now: datetime,
) -> dict[UserRef, str]:
    """The manager of who promised it, and who stands in for them; of a restricted case only who sees it, in person."""
    holder = _holder(row, people)
    manager = managers.get(holder.manager_id) if holder is not None and holder.manager_id is not None else None
    if holder is None or manager is None or manager.id == row.about_user_id:
        return {}
    if row.restricted and not _sees(row.escalation_id, manager, now):
        return {}
    why = f"it is overdue and you are the manager of {holder.name}, whose it is."
    hearing = {UserRef(manager.id, manager.email, manager.name): f"You get this because {why}"}
    by = chains.stand_in(manager.id, about_user_id=row.about_user_id)
    if by is not None and not row.restricted:
        hearing.setdefault(by, f"You get this in place of {manager.name}, who is absent.")
    return hearing


def _left_to(row: Any, on_duty: Sequence[User], admins: Sequence[User]) -> dict[UserRef, str]:
    """Who is on duty, but not of a restricted case, which only admins still see; the admins too where nobody is."""
    duty = [] if row.restricted else [user for user in on_duty if user.id != row.about_user_id]
    role = "on duty" if duty else "an admin"
    return {
        UserRef(user.id, user.email, user.name): f"You get this because its owner has left and you are {role}."
        for user in duty or admins
        if user.id != row.about_user_id
    }
