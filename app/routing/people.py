"""What a decision is made from, in types and as the record keeps it, so that it can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from app.routing.fields import freeze_facts, thaw_facts

NO_PERSON = "integration"


@dataclass(frozen=True)
class Person:
    """A user with what they hold now; ids and numbers only. `capacity` is what holds outside a team.

    `delegate_id` is whom they named for the time they are `absent`.
    """

    id: str
    active: bool
    role: str
    load: Decimal
    value_in_hand: Decimal
    capacity: Decimal
    last_assigned_at: datetime | None = None
    closed_for_account: int = 0
    absent: bool = False
    delegate_id: str | None = None

    def as_record(self) -> dict[str, Any]:
        return {
            "active": self.active,
            "role": self.role,
            "load": str(self.load),
            "value_in_hand": str(self.value_in_hand),
            "capacity": str(self.capacity),
            "last_assigned_at": self.last_assigned_at.isoformat() if self.last_assigned_at else None,
            "closed_for_account": self.closed_for_account,
            "absent": self.absent,
            "delegate_id": self.delegate_id,
        }

    @classmethod
    def of(cls, id_: str, record: Mapping[str, Any]) -> "Person":
        last = record["last_assigned_at"]
        return cls(
            id=id_,
            active=record["active"],
            role=record["role"],
            load=Decimal(record["load"]),
            value_in_hand=Decimal(record["value_in_hand"]),
            capacity=Decimal(record["capacity"]),
            last_assigned_at=datetime.fromisoformat(last) if last else None,
            closed_for_account=record["closed_for_account"],
            absent=record.get("absent", False),
            delegate_id=record.get("delegate_id"),
        )


@dataclass(frozen=True)
class TeamFacts:
    """A team with the capacity each member has in it."""

    id: str
    name: str
    lead_id: str | None
    members: Mapping[str, Decimal]

    def as_record(self) -> dict[str, Any]:
        members = {user_id: str(capacity) for user_id, capacity in self.members.items()}
        return {"name": self.name, "lead_id": self.lead_id, "members": members}

    @classmethod
    def of(cls, id_: str, record: Mapping[str, Any]) -> "TeamFacts":
        members = {user_id: Decimal(capacity) for user_id, capacity in record["members"].items()}
        return cls(id_, record["name"], record["lead_id"], members)


@dataclass(frozen=True)
class Inputs:
    """Everything a decision depends on but the policy. `lost` are those whose last place went meanwhile.

    `team_id` asks for this team instead of the rules; `duty` has the owner and deputy that are set, by position;
    `last_resort` is whoever is left when not even they can take it.
    """

    now: datetime
    today: date
    tie_key: str
    weight: Decimal
    facts: Mapping[str, Any]
    roles: Mapping[str, str]
    about_user_id: str | None
    exclude: frozenset[str]
    team_id: str | None
    people: Mapping[str, Person]
    teams: Mapping[str, TeamFacts]
    previous_owner_id: str | None
    duty: Mapping[str, str]
    lost: frozenset[str] = field(default_factory=frozenset)
    last_resort: str | None = None

    @cached_property
    def delegates(self) -> Mapping[str, str | None]:
        """Those who are absent, with whom they named."""
        return {person.id: person.delegate_id for person in self.people.values() if person.absent}

    def as_record(self) -> dict[str, Any]:
        """JSON's types, without names of people and with only the facts that the policy asks for."""
        return {
            "now": self.now.isoformat(),
            "today": self.today.isoformat(),
            "tie_key": self.tie_key,
            "weight": str(self.weight),
            "facts": freeze_facts(self.facts),
            "roles": dict(self.roles),
            "about_user_id": self.about_user_id,
            "exclude": sorted(self.exclude),
            "team_id": self.team_id,
            "people": {id_: person.as_record() for id_, person in self.people.items()},
            "teams": {id_: team.as_record() for id_, team in self.teams.items()},
            "previous_owner_id": self.previous_owner_id,
            "duty": dict(self.duty),
            "lost": sorted(self.lost),
            "last_resort": self.last_resort,
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Inputs":
        return cls(
            now=datetime.fromisoformat(record["now"]),
            today=date.fromisoformat(record["today"]),
            tie_key=record["tie_key"],
            weight=Decimal(record["weight"]),
            facts=thaw_facts(record["facts"]),
            roles=record["roles"],
            about_user_id=record["about_user_id"],
            exclude=frozenset(record["exclude"]),
            team_id=record["team_id"],
            people={id_: Person.of(id_, person) for id_, person in record["people"].items()},
            teams={id_: TeamFacts.of(id_, team) for id_, team in record["teams"].items()},
            previous_owner_id=record["previous_owner_id"],
            duty=record["duty"],
            lost=frozenset(record["lost"]),
            last_resort=record["last_resort"],
        )
