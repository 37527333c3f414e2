"""A tenant for routing: colleagues in teams with skills, hours and work in hand, and a policy of many rules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from app.auth.models import User
from app.db import Model, new_id, transaction
from app.routing import service as routing
from app.routing.models import Absence, Membership, Skill, Team, UserSkill
from app.rows import insert_all
from app.sla import service as sla
from bench.book import SEGMENTS, analyze
from bench.ground import actor_of

NOW = datetime(2026, 3, 3, 13, 30, tzinfo=UTC)  # a Tuesday on which both coasts of the Atlantic are at work
REGIONS = ("DACH", "Nordics", "UK", "France", "Iberia", "Benelux", "East", "West", "Central", "South", "India", "Japan")
REASONS = tuple(f"reason {n}" for n in range(20))
PRODUCTS = tuple(f"Product {n}" for n in range(40))
SKILLS = ("SQL", "Networks", "Billing", "German", "French", "Security", "Migration", "Integrations")
ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata", None, None)
SHIFTS = {"early": ("06:00", "14:00"), "late": ("12:00", "20:00")}
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
USER_IDS: list[UUID] = []
ACCOUNT_IDS = [new_id() for _ in range(300)]


def fill(tenant_id: UUID, admin: User, *, rules: int, people: int, team_size: int) -> datetime:
    """The tenant's rows, its published calendars and its policy; answers the moment to decide at."""
    random = Random(1)
    with transaction(tenant=tenant_id):
        for name, window in SHIFTS.items():
            weekly = {day: [list(window)] for day in WORKDAYS}
            sla.publish_calendar(name, {"timezone": "UTC", "weekly": weekly}, now=NOW)
        users = [_user(n, random) for n in range(people)]
        USER_IDS[:] = [user.id for user in users]
        teams = [_team(n, random) for n in range(-(-people // team_size))]
        members = [
            Membership(team_id=teams[n // team_size].id, user_id=user.id, capacity=None, weight=_weight(random))
            for n, user in enumerate(users)
        ]
        insert_all([*users, *teams, *members, *_skills(users, random), *_absences(users, random)])
        insert_all(list(_work(users, random)))
    with transaction(tenant=tenant_id):
        written = [_rule(n, teams, random) for n in range(rules - 1)]
        rest = {"name": "the rest", "when": {"all": []}, "target": {"kind": "role", "role": "owner"}}
        last = {**rest, "fallback": _target(teams[-1])}
        number = routing.save_policy([*written, last], {}, actor=actor_of(admin), now=NOW).number
        routing.publish_policy(number, actor=actor_of(admin), now=NOW)
    analyze()
    return NOW


def new_case(random: Random) -> routing.RoutingInput:
    """A case of any account, with the facts a raise has."""
    account = random.randrange(len(ACCOUNT_IDS))
    severity, reason, value = random.randint(1, 4), random.choice(REASONS), Decimal(random.randrange(1, 500)) * 1000
    return routing.RoutingInput(
        escalation_id=new_id(),
        account_id=ACCOUNT_IDS[account],
        severity=severity,
        reason=reason,
        value=value,
        roles={
            "owner": USER_IDS[account % len(USER_IDS)],
            "csm": USER_IDS[account * 7 % len(USER_IDS)],
        },
        facts={
            "escalation.severity": severity,
            "escalation.reason": reason,
            "escalation.title": f"Nightly export fails for the {account}th time",
            "escalation.source": "zendesk",
            "escalation.raised_by_kind": "customer",
            "escalation.raised_at": NOW,
            "account.name": f"Account {account}",
            "account.segment": random.choice(SEGMENTS),
            "account.region": random.choice(REGIONS),
            "account.health": random.randrange(101),
            "account.attributes.product": random.choice(PRODUCTS),
            "value.amount": value,
            "value.renewal_on": NOW.date() + timedelta(days=random.randrange(400)),
        },
    )


def _user(n: int, random: Random) -> User:
    return User(
        id=new_id(),
        email=f"person{n}@example.com",
        name=f"Person {n}",
        role="specialist",
        timezone=random.choice(ZONES),
        calendar=random.choice((None, None, None, *SHIFTS)),
        created_at=NOW,
    )


def _team(n: int, random: Random) -> Team:
    return Team(
        id=new_id(),
        name=f"Team {n}",
        tier=None,
        lead_id=random.choice(USER_IDS),
        calendar=random.choice((None, None, *SHIFTS)),
        created_at=NOW,
    )


def _weight(random: Random) -> Decimal:
    return Decimal("0.5") if random.random() < 0.1 else Decimal(1)


def _skills(users: list[User], random: Random) -> Iterator[Model]:
    skills = [Skill(id=new_id(), name=name, created_at=NOW) for name in SKILLS]
    yield from skills
    for user in users:
        for skill in random.sample(skills, 3):
            yield UserSkill(user_id=user.id, skill_id=skill.id, level=random.randint(1, 5))


def _absences(users: list[User], random: Random) -> Iterator[Model]:
    """One in twenty is away, half of them with a delegate."""
    for user in random.sample(users, len(users) // 20):
        delegate = random.choice([None, random.choice(USER_IDS)])
        yield Absence(
            user_id=user.id,
            starts_at=NOW - timedelta(days=2),
            ends_at=NOW + timedelta(days=5),
            delegate_id=None if delegate == user.id else delegate,
            mode="cover",
            created_at=NOW,
        )


def _work(users: list[User], random: Random) -> Iterator[Model]:
    """Up to eight cases in hand, so that some are full, and a few that each closed before."""
    for user in users:
        for n in range(random.randrange(12)):
            severity = random.randint(1, 4)
            [row] = routing.assign(
                escalation_id=new_id(),
                account_id=random.choice(ACCOUNT_IDS),
                reason=random.choice(REASONS),
                owner_id=user.id,
                team_id=None,
                weight=routing.work_weight(severity, "open"),
                value=Decimal(random.randrange(1000)) * 1000,
                now=NOW - timedelta(hours=random.randrange(1, 500)),
            )
            if n >= 8:
                row.__dict__.update(released_at=NOW - timedelta(minutes=5), closed=True)
            yield row


def _rule(n: int, teams: list[Team], random: Random) -> dict[str, Any]:
    """By region and reason, by segment and value, by product, or by severity; every eighth asks for skills."""
    leaves = (
        [_leaf("account.region", "=", random.choice(REGIONS)),
         _leaf("escalation.reason", "in", _some(REASONS, random))],
        [_leaf("account.segment", "=", random.choice(SEGMENTS)), _leaf("value.amount", ">=", 490_000),
         _leaf("account.region", "in", _some(REGIONS, random))],
        [_leaf("account.attributes.product", "=", random.choice(PRODUCTS)), _leaf("account.health", "<", 50)],
        [_leaf("escalation.severity", "=", 1), _leaf("value.renewal_on", "within_days", 30),
         {"not": _leaf("account.region", "in", _some(REGIONS, random))}],
    )[n % 4]  # fmt: skip
    rule = {"name": f"rule {n}", "when": {"all": leaves}, "target": _target(random.choice(teams))}
    if n % 3 == 0:
        rule["fallback"] = {"kind": "previous_owner"}
    if n % 8 == 0:
        rule["required_skills"] = [{"skill": random.choice(SKILLS), "level": 2}]
        rule["preferred_skills"] = [{"skill": name, "level": 3} for name in random.sample(SKILLS, 2)]
    return rule


def _target(team: Team) -> dict[str, Any]:
    return {"kind": "team", "team_id": str(team.id)}


def _leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def _some(choices: tuple[str, ...], random: Random) -> list[str]:
    return random.sample(choices, 3)
