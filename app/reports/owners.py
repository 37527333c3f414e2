"""Owners and teams as of a moment: what they carry, and what became of the cases raised in a span of days.

Help, not blame: by name, without rank or score; what is not on time is told by where the time went. Open cases count
with who holds them, others with the last of their owners, who stood in for somebody absent left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from app import texts
from app.auth.reasons import list_reasons
from app.auth.settings import tenant_settings
from app.reports import owners_sql
from app.reports.addresses import Addresses
from app.reports.cohorts import share
from app.reports.courses import AGES, PARTS
from app.reports.definitions import READER
from app.reports.money import Money, money_of
from app.reports.reading import Reading
from app.reports.summary import frame

Kind = Literal["owner", "team"]
CLOSING = ("raised", "on_time", "late", "unresolved", "customer_silent", "open_overdue", "open_not_due")
TODAYS = texts.noted(
    "Names, teams, who is in them and how much they take on are those of today, whatever moment is asked about."
)
NOTHING: Mapping[str, Any] = {"open": 0, "load": Decimal(0), "in_hand": [], **dict.fromkeys(AGES, 0)}


@dataclass
class Course:
    """What became of the cases of one owner or team: counts, and those by reason."""

    told: list[tuple[str | None, Mapping[str, int]]] = field(default_factory=list)

    @cached_property
    def counts(self) -> Counter[str]:
        return _added(counts for _, counts in self.told)

    @cached_property
    def reasons(self) -> dict[str, Counter[str]]:
        named = {reason for reason, _ in self.told if reason is not None}
        return {reason: _added(counts for of, counts in self.told if of == reason) for reason in named}


def _added(counted: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counts in counted:
        total.update(counts)
    return total


def owners_of(
    reading: Reading, *, first: date, last: date, after: list[Any] | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Everybody who holds or held a case that counts, and who is in a team today; by name, who follows `after`."""
    report = _Report("owner", reading, first, last)
    return {**report.page(after, limit), "missed": report.missed()}


def teams_of(
    reading: Reading, *, first: date, last: date, after: list[Any] | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Every team, as its members of today together; who is in two teams counts in both. By name."""
    return _Report("team", reading, first, last).page(after, limit)


class _Report:
    """What was found of all owners or teams, of which one page is told."""

    def __init__(self, kind: Kind, reading: Reading, first: date, last: date) -> None:
        self.kind, self.reading, self.money = kind, reading, money_of(reading)
        self.days = {"first": first, "last": last}
        self.held = {row["key"]: row for row in reading.ask(owners_sql.HELD[kind]).mappings()}
        self.courses: dict[UUID, Course] = defaultdict(Course)
        for key, reason, counts in reading.ask(owners_sql.SPENT_TIME[kind], **self.days):
            self.courses[key].told.append((reason, counts))

    def page(self, after: list[Any] | None, limit: int | None) -> dict[str, Any]:
        """The next by name, and where the list goes on."""
        whole = _people(self.reading, {*self.held, *self.courses}) if self.kind == "owner" else _teams(self.reading)
        left = [one for one in whole if after is None or position(one) > after]
        shown = left[:limit]
        return {
            **frame(self.reading, self.money),
            **self.days,
            "reader": READER,
            "todays": TODAYS,
            "items": [{**who, **self._figures(who)} for who in shown],
            "next": position(shown[-1]) if len(left) > len(shown) else None,
        }

    def _figures(self, who: Mapping[str, Any]) -> dict[str, Any]:
        told = _Figures(self.kind, who, self.reading, self.days, self.money)
        return told.of(self.held.get(who["id"], NOTHING), self.courses[who["id"]])

    def missed(self) -> dict[str, Any]:
        """Where the time of all cases that were not closed on time went, whoever had them."""
        together = Course([(None, counts) for course in self.courses.values() for _, counts in course.told])
        at = Addresses(self.reading, self.days)
        return {"count": together.counts["missed"], **at.figure("missed"), **_spent(together, at)}


def _people(reading: Reading, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    asked = {"ids": list(ids), "capacity": tenant_settings().capacity}
    found = [{**row, "teams": row["teams"] or []} for row in reading.ask(owners_sql.OWNERS, **asked).mappings()]
    return _by_name(found)


def _teams(reading: Reading) -> list[dict[str, Any]]:
    found = reading.ask(owners_sql.TEAMS, capacity=tenant_settings().capacity).mappings()
    return _by_name([dict(row) for row in found])


def _by_name(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=position)


def position(item: Mapping[str, Any]) -> list[Any]:
    """Where an owner or team stands in its list."""
    return [item["name"].casefold(), str(item["id"])]


@dataclass(frozen=True)
class _Figures:
    """The figures of one owner or team, each with its definition and the address of its rows."""

    kind: Kind
    who: Mapping[str, Any]
    reading: Reading
    days: Mapping[str, date]
    money: Money

    def of(self, held: Mapping[str, Any], course: Course) -> dict[str, Any]:
        at = Addresses(self.reading, self.days, {self.kind: str(self.who["id"])})
        capacity = self.who["capacity"]
        counts = course.counts
        ended, right = counts["ended"], counts["by_first_owner"]
        due = counts["raised"] - counts["open_not_due"]
        closing = {name: counts[name] for name in CLOSING}
        return {
            "open": {"count": held["open"], **at.figure("open")},
            "load": {
                "load": float(held["load"]),
                "capacity": capacity,
                "share": round(float(held["load"]) / float(capacity), 4) if capacity else None,
                **at.figure("load"),
            },
            "ageing": [{"age": age, "cases": held[age], **at.figure(f"aged_{age}")} for age in AGES],
            "value_in_hand": {**self.money.total(held["in_hand"]), **at.figure("value_in_hand")},
            "closing": {
                **closing,
                "closed": sum(counts[name] for name in ("on_time", "late", "unresolved", "customer_silent")),
                "share": share(counts["on_time"], due),
                **at.figure("on_time_share", rows="raised"),
                "rows_of": {name: at.rows(name) for name in CLOSING},
            },
            "missed": {"count": counts["missed"], **at.figure("missed"), **_spent(course, at)},
            "rerouted_away": {"count": counts["rerouted_away"], **at.figure("rerouted_away")},
            "rerouted_to": {"count": counts["rerouted_to"], **at.figure("rerouted_to")},
            "first_owner_right": {
                "ended": ended,
                "by_first_owner": right,
                "share": share(right, ended),
                **at.figure("first_owner_right"),
            },
        }


def _spent(course: Course, at: Addresses) -> dict[str, Any]:
    """By what the grievance was, and by where the time went; in words where it is so for half of them or more."""
    missed = course.counts["missed"]
    parts = [part for part in PARTS if course.counts[part.key]]
    labels = {reason.name: reason.label for reason in list_reasons(tenant_settings())}
    reasons = [
        {
            "reason": reason,
            "label": labels.get(reason, reason),
            "cases": counts["missed"],
            "parts": {part.key: counts[part.key] for part in PARTS if counts[part.key]},
            "rows": at.rows("missed", reason=reason),
        }
        for reason, counts in sorted(course.reasons.items(), key=lambda one: (-one[1]["missed"], one[0]))
        if counts["missed"]
    ]
    return {
        "reasons": reasons,
        "parts": [
            {"part": part.key, "cases": course.counts[part.key], **at.figure(f"missed_{part.key}")} for part in parts
        ],
        "help": _help(course.counts, missed),
    }


def _help(counts: Mapping[str, int], missed: int) -> list[dict[str, str]]:
    """Where the time of at least half of them went, the commonest first, and what would help."""
    common: Sequence[Any] = [part for part in PARTS if missed and counts[part.key] * 2 >= missed]
    return [
        {
            "part": part.key,
            "said": texts.gettext(part.said) % {"cases": counts[part.key], "missed": missed},
            "helps": texts.gettext(part.helps),
        }
        for part in sorted(common, key=lambda part: -counts[part.key])
    ]
