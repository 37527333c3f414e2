"""Builds the sample tenant: people, accounts and routing on the first day, then eleven weeks of work."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import update

from app import clock
from app.accounts import service as accounts_service
from app.auth import queries as auth_queries
from app.auth import service as auth
from app.auth.actor import SYSTEM, Actor
from app.auth.models import Tenant, User
from app.auth.roles import SCOPES_OF
from app.db import current_tenant, db, tenant_scope, transaction
from app.escalations import jobs as escalations_jobs
from app.operations import daily, tenants
from app.operations.sample import accounts, people
from app.operations.sample.days import last_working_day
from app.operations.sample.player import Beat, Player, beats
from app.operations.sample.story import read_cases
from app.routing import service as routing
from app.sla import service as sla

DAYS_BACK = 80
Follow = Callable[[Sequence[Beat]], AbstractContextManager[Iterable[Beat]]]


def unfollowed(story: Sequence[Beat]) -> AbstractContextManager[Iterable[Beat]]:
    return nullcontext(story)


def build(*, now: datetime | None = None, follow: Follow = unfollowed) -> UUID:
    """A new sandbox tenant as of `now` (default: this moment), its clock brought there from eighty days before.

    `follow` may show how far the story is.
    """
    present = now or clock.real_now()
    tenant_id = tenants.set_up(people.TENANT, sandbox=True)
    with tenant_scope(tenant_id):
        begin = present - timedelta(days=DAYS_BACK)
        move_clock(begin)
        actors = make_people(begin)
        make_customers(begin, present)
        make_routing(actors["tomas"], begin)
        play(actors, present, follow)
        if now is None:
            set_offset(timedelta(0))
    return tenant_id


def move_clock(to: datetime) -> None:
    """Set the tenant's time, forward or back; nothing happens on the way."""
    set_offset(to - clock.real_now())


def set_offset(offset: timedelta) -> None:
    with transaction():
        db.session.execute(update(Tenant).where(Tenant.id == current_tenant()).values(clock_offset=offset))


def live_until(moment: datetime) -> None:
    """Have everything that happens by itself up to this moment happen, each thing at its own, as in the sandbox."""
    tenant_id = current_tenant()
    while (due := _next_due()) is not None and due.at <= moment:
        move_clock(due.at)
        if due.is_daily:
            daily.run_due_tenant(tenant_id, due.at)
        else:
            escalations_jobs.sweep_tenant(tenant_id, due.at)
            escalations_jobs.wake_waiting_tenant(tenant_id, due.at)
    move_clock(moment)


class Due(NamedTuple):
    """The next thing that happens by itself."""

    at: datetime
    is_daily: bool


def _next_due() -> Due | None:
    with transaction():
        moments = {False: escalations_jobs.next_moment(), True: daily.next_moment()}
    return min((Due(at, is_daily) for is_daily, at in moments.items() if at is not None), default=None)


def make_people(now: datetime) -> dict[str, Actor]:
    """Everybody by key with what they can do and when they work, and the settings that name them."""
    with transaction():
        for name, weekly in people.WORKING.items():
            sla.publish_calendar(name, {"weekly": weekly}, now=now)
        for skill in sorted({skill for person in people.PEOPLE for skill in person.skills}):
            routing.create_skill(skill, now=now)
        actors = {person.key: actor_of(_user(person, now)) for person in (*people.PEOPLE, people.HELPDESK)}
        auth.update_settings(auth_queries.get_tenant(lock=True), people.SETTINGS)
    return actors


def _user(person: people.Person, now: datetime) -> User:
    manager = f"{person.manager}@{people.DOMAIN}" if person.manager else None
    user = auth.create_user(
        person.email,
        name=person.name,
        role=person.role,
        manager_email=manager,
        timezone=person.zone,
        calendar=person.calendar,
        actor=SYSTEM,
        now=now,
    )
    routing.put_skills(user, [{"skill": skill, "level": level} for skill, level in person.skills.items()])
    return user


def actor_of(user: User) -> Actor:
    return Actor(user.id, user.email, user.name, user.role, SCOPES_OF[user.role])


def make_customers(now: datetime, present: datetime) -> None:
    """Accounts and what hangs on them; deals and renewals are counted from the present day."""
    today = present.date()
    with transaction():
        for region, zone in people.HOURS.items():
            hours = {"timezone": zone, "weekly": people.WEEKLY, "day_seconds": people.DAY_SECONDS}
            sla.publish_calendar(region, hours, now=now)
        write("accounts", accounts.account_rows(), now)
        write("contracts", accounts.contract_rows(today), now)
        write("contacts", accounts.contact_rows(), now)
        write("opportunities", accounts.opportunity_rows(today), now)
        write("rates", accounts.rate_rows(today, DAYS_BACK), now)
    daily.run_due_tenant(current_tenant())


def write(kind: str, raw: Iterable[Mapping[str, Any]], now: datetime) -> None:
    accounts_service.upsert_many(kind, [accounts_service.read_row(kind, row) for row in raw], now=now)


def make_routing(admin: Actor, now: datetime) -> None:
    """The teams, and a policy over the default one."""
    with transaction():
        for team in people.TEAMS:
            routing.upsert_team(
                team.name,
                tier=team.tier,
                lead_email=f"{team.lead}@{people.DOMAIN}",
                calendar=team.calendar,
                members=[_member(team, key) for key in team.members],
                now=now,
            )
        policy = routing.save_policy([dict(rule) for rule in people.RULES], {}, actor=admin, now=now)
        routing.publish_policy(policy.number, actor=admin, now=now)


def _member(team: people.TeamPlan, key: str) -> dict[str, Any]:
    return {
        "email": f"{key}@{people.DOMAIN}",
        "capacity": team.members[key],
        "weight": team.weights.get(key),
    }


def play(actors: Mapping[str, Actor], present: datetime, follow: Follow) -> None:
    """Every raise and step at its moment, the clock moved there before it, and between them what the CRM says."""
    origin = last_working_day(present)
    player, news = Player(actors, origin), deque(accounts.health_rows(origin))
    with follow(beats(read_cases(), origin)) as story:
        for beat in story:
            while news and news[0][0] <= beat.at:
                hear(*news.popleft())
            live_until(beat.at)
            player.play(beat)
    live_until(present)


def hear(at: datetime, row: Mapping[str, Any]) -> None:
    """An account is no longer as it was."""
    live_until(at)
    with transaction():
        write("accounts", [row], at)
