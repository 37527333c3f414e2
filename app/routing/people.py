"""What a decision is made from, in types and as the record keeps it, so that it can be made again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from app.routing.fields import freeze_facts, thaw_facts
from app.routing.policy import Looked

NO_PERSON = "integration"


@dataclass(frozen=True)
class Hours:
    """What a working calendar says at the moment of the decision: `open_until` while open, else `opens_at` next.

    None for either: never. `overlap` is the share of the customer's open time until the first deadline in which it is
    open too, None when there is no such time.
    """

    open: bool
    open_until: datetime | None = None
    opens_at: datetime | None = None
    overlap: float | None = None

    def serves(self, *, by: datetime | None) -> bool:
        """Open now, or opening before that deadline."""
        return self.open or (self.opens_at is not None and by is not None and self.opens_at < by)

    @cached_property
    def record(self) -> dict[str, Any]:
        """One for all who keep these hours."""
        return {
            "open": self.open,
            "open_until": self.open_until.isoformat() if self.open_until else None,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "overlap": self.overlap,
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Hours":
        until, opens = record["open_until"], record["opens_at"]
        return cls(
            open=record["open"],
            open_until=datetime.fromisoformat(until) if until else None,
            opens_at=datetime.fromisoformat(opens) if opens else None,
            overlap=record["overlap"],
        )


@dataclass(frozen=True)
class Suggestion:
    """Whom history says is likely to close the case, how surely (0–1), why, and which version of the model says so."""

    user_id: str
    confidence: float
    reasons: tuple[str, ...] = ()
    model: int | None = None

    def as_record(self) -> dict[str, Any]:
        known = {"user_id": self.user_id, "confidence": self.confidence, "reasons": list(self.reasons)}
        return known | {"model": self.model}

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Suggestion":
        return cls(record["user_id"], record["confidence"], tuple(record["reasons"]), record.get("model"))


@dataclass(frozen=True)
class Person:
    """A user with what they hold now; ids and numbers only. `capacity` and `hours` are what holds outside a team.

    `delegate_id` is whom they named for the time they are `absent`, which ends at `absent_until`; `skills` are levels
    by folded name, of those that were asked for. Of records older than working hours `hours` is None, which excludes
    nobody.
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
    absent_until: datetime | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    hours: Hours | None = None

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
            "absent_until": self.absent_until.isoformat() if self.absent_until else None,
            "skills": dict(self.skills),
            "hours": self.hours.record if self.hours else None,
        }

    @classmethod
    def of(cls, id_: str, record: Mapping[str, Any], hours: Hours | None = None) -> "Person":
        """`hours`, where they are at hand, spare reading them from the record."""
        last, until, kept = record["last_assigned_at"], record.get("absent_until"), record.get("hours")
        person = cls.__new__(cls)
        person.__dict__.update(  # many are made for each decision, and a frozen class takes its fields one by one
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
            absent_until=datetime.fromisoformat(until) if until else None,
            skills=record.get("skills", {}),
            hours=hours or (Hours.of(kept) if kept else None),
        )
        return person


class People(Mapping[str, Person]):
    """People by id as a decision keeps them, each read only when asked for: of fifty a decision may look at ten.

    `hours`, where they are at hand, are the records' own.
    """

    def __init__(
        self, records: Mapping[str, Mapping[str, Any]], hours: Mapping[str, Hours | None] | None = None
    ) -> None:
        self.records = records
        self._hours = hours or {}
        self._read: dict[str, Person] = {}

    def __getitem__(self, id_: str) -> Person:
        person = self._read.get(id_)
        if person is None:
            person = self._read[id_] = Person.of(id_, self.records[id_], self._hours.get(id_))
        return person

    def __contains__(self, id_: object) -> bool:
        return id_ in self.records

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def absent(self) -> dict[str, str | None]:
        return {id_: row.get("delegate_id") for id_, row in self.records.items() if row.get("absent")}


def records_of(people: Mapping[str, Person]) -> Mapping[str, Mapping[str, Any]]:
    """How a decision keeps them."""
    if isinstance(people, People):
        return people.records
    return {id_: person.as_record() for id_, person in people.items()}


@dataclass(frozen=True)
class TeamFacts:
    """A team with the capacity each member has in it; `weights` of those whose score counts less than once, and
    `hours` of those who keep the team's."""

    id: str
    name: str
    lead_id: str | None
    members: Mapping[str, Decimal]
    weights: Mapping[str, float] = field(default_factory=dict)
    hours: Mapping[str, Hours] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "lead_id": self.lead_id,
            "members": {user_id: str(capacity) for user_id, capacity in self.members.items()},
            "weights": dict(self.weights),
            "hours": {user_id: hours.record for user_id, hours in self.hours.items()},
        }

    @classmethod
    def of(cls, id_: str, record: Mapping[str, Any], hours: Mapping[str, Hours] | None = None) -> "TeamFacts":
        """`hours`, where they are at hand, spare reading them from the record."""
        if hours is None:
            hours = {user_id: Hours.of(kept) for user_id, kept in record.get("hours", {}).items()}
        return cls(
            id=id_,
            name=record["name"],
            lead_id=record["lead_id"],
            members={user_id: Decimal(capacity) for user_id, capacity in record["members"].items()},
            weights=record.get("weights", {}),
            hours=hours,
        )


@dataclass(frozen=True)
class Inputs:
    """Everything a decision depends on but the policy.

    `lost` are those whose last place went meanwhile, `gone` those who were deactivated meanwhile. `team_id` asks for
    this team instead of the rules; `suggested` are the likely owners, the likeliest first; `duty` has the owner and
    deputy that are set, by position; `last_resort` is whoever is left when not even they can take it. `due_at` is when
    the acknowledge clock falls due.
    `looked`, where it is at hand, is what the policy to decide by says of the facts: it spares asking again.
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
    gone: frozenset[str] = field(default_factory=frozenset)
    due_at: datetime | None = None
    suggested: tuple[Suggestion, ...] = ()
    zone: str | None = None
    looked: Sequence[Looked] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def delegates(self) -> Mapping[str, str | None]:
        """Those who are absent, with whom they named."""
        if isinstance(self.people, People):
            return self.people.absent()
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
            "people": records_of(self.people),
            "teams": {id_: team.as_record() for id_, team in self.teams.items()},
            "previous_owner_id": self.previous_owner_id,
            "duty": dict(self.duty),
            "lost": sorted(self.lost),
            "last_resort": self.last_resort,
            "gone": sorted(self.gone),
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "suggested": [suggestion.as_record() for suggestion in self.suggested],
            "zone": self.zone,
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
            people=People(record["people"]),
            teams={id_: TeamFacts.of(id_, team) for id_, team in record["teams"].items()},
            previous_owner_id=record["previous_owner_id"],
            duty=record["duty"],
            lost=frozenset(record["lost"]),
            last_resort=record["last_resort"],
            gone=frozenset(record.get("gone", ())),
            due_at=datetime.fromisoformat(due) if (due := record.get("due_at")) else None,
            suggested=tuple(map(Suggestion.of, record.get("suggested", ()))),
            zone=record.get("zone"),
        )
