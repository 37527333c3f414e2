"""What new holders of roles are told where many cases are looked at together."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from app.accounts.facts import AccountFacts
from app.auth import queries as users
from app.auth.models import User
from app.escalations.holders import PassedOn, by_person, subject_of
from app.escalations.models import Escalation
from app.escalations.urgency import is_urgent
from app.notifications import queries as wishes
from app.notifications.quiet import plan_delivery
from app.notifications.service import Message
from app.routing import service as routing

PassedOnIn = tuple[Escalation, AccountFacts, list[PassedOn]]
Hearing = Mapping[UUID, tuple[str, str]]


def told_of_tasks(passed_on: Sequence[PassedOnIn], now: datetime) -> Iterable[Message]:
    """Each new holder, and who stands in for one that is absent, hears once for each case of what can be begun."""
    told = [(record, account, by_person(moved)) for record, account, moved in passed_on]
    people = {user.id: user for user in users.list_active(ids=list({id_ for *_, titles in told for id_ in titles}))}
    chains = routing.read_chains(people, now=now)
    preferences = wishes.find_preferences({*people, *chains.people})
    for record, account, titles in told:
        subject = f"{account.account.name}: {subject_of(record.title, record.number)}"
        for user in (people[id_] for id_ in titles if id_ in people):
            by = chains.stand_in(user.id, about_user_id=record.about_user_id)
            hearing = _hearing(user, (by.id, by.email) if by else None)
            for id_, (email, why) in hearing.items():
                delivery = plan_delivery(preferences.get(id_), now, urgent=is_urgent(record.severity))
                body, key = "\n".join(titles[user.id]), f"task:{record.id}:{record.event_count}:{user.id}:{id_}"
                hold = (delivery.hold_until, delivery.channel)
                yield (id_, email, "task", subject, body, why, record.id, None, key, now, *hold)


def _hearing(user: User, stand_in: tuple[UUID, str] | None) -> Hearing:
    """By id the address, and why they hear of it."""
    hearing = {user.id: (user.email, "You get this because you hold the role now.")}
    if stand_in is not None:
        id_, email = stand_in
        hearing.setdefault(id_, (email, f"You get this in place of {user.name}, who is absent."))
    return hearing
