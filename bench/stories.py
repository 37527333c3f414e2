"""A few cases played through the services, as cases go: what a benchmark's three years are copies of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.auth.actor import Actor
from app.auth.models import User
from app.db import transaction
from app.escalations import service
from app.escalations.case import Act
from bench.book import CRM, REASONS

PACES = (0.5, 0.7, 0.9, 1.0, 1.2, 1.4)  # every story goes quicker and slower
SPACE_HOURS = 2.6  # so that the day's hours and the week's days are all met
DONE = service.Resolution(summary="It runs again.", root_cause="A full disk", preventable=True)
ELSEWHERE = service.Resolution(summary="The other side mended it.", root_cause="Their network", preventable=False)
YES = service.Word(accepted=True, confirmed_by="Pat", channel="call")
NO = service.Word(accepted=False, confirmed_by="Pat", channel="call")
# (days after the raise, what is done, with what); the number before is how many of twenty go like this.
Step = tuple[float, Callable[..., Any], dict[str, Any]]
TAKEN: Step = (0.1, service.acknowledge, {})
TOLD: Step = (
    0.3,
    service.add_update,
    {"audiences": ["customer"], "channel": "email", "content": "We are on it.", "at": None},
)


def _resolved(day: float, how: service.Resolution = DONE) -> Step:
    return (day, service.resolve, {"resolution": how})


def _answered(day: float, word: service.Word = YES) -> Step:
    return (day, service.verify, {"word": word})


def _up(day: float) -> Step:
    return (day, service.escalate, {"hop": service.Hop(reason="time", brief="All that was tried.")})


def _ended(day: float, outcome: str) -> Step:
    return (day, service.close_unresolved, {"outcome": outcome, "reason": "So be it."})


STORIES: tuple[tuple[int, tuple[Step, ...]], ...] = (
    (5, (TAKEN, TOLD, _resolved(11), _answered(12.5))),
    (3, (TAKEN, TOLD, _resolved(1.5, ELSEWHERE), _answered(3))),
    (2, (TAKEN, _up(5), TOLD, _resolved(19), _answered(21))),
    (2, (TAKEN, TOLD, _up(9), _up(18), _resolved(37), _answered(39))),
    (2, (TAKEN, TOLD, _resolved(7), _answered(8), (10, service.reopen, {"reason": "Again."}), _resolved(16),
         _answered(18))),
    (1, (TAKEN, TOLD, _resolved(6), _answered(7, NO), _resolved(15, ELSEWHERE), _answered(17))),
    (1, (TAKEN, (2, service.wait, {"days": 10}), (9, service.resume, {}), _resolved(24), _answered(26))),
    (1, (TAKEN, TOLD, (20, service.extend, {"days": 25}), _resolved(35), _answered(36))),
    (1, (TAKEN, TOLD, (1, service.assign, {"other": True}), _resolved(10), _answered(12))),
    (1, (_ended(5, "withdrawn"),)),
    (1, (TAKEN, TOLD, (44, service.record_decision, {"choice": "close_unresolved", "reason": "No way."}),
         _ended(45, "unresolved"))),
)  # fmt: skip
LONGEST = timedelta(days=75)


@dataclass(frozen=True)
class Teller:
    """Who plays them: an admin, who may do everything, and a colleague who takes over."""

    tenant_id: UUID
    admin: Actor
    other: User

    def tell(self, began: datetime) -> list[UUID]:
        """Play every story from `began` on; each is named as often as cases go like it."""
        told: list[UUID] = []
        paced = [(often, steps, pace) for pace in PACES for often, steps in STORIES]
        for n, (often, steps, pace) in enumerate(paced):
            at = began + timedelta(hours=n * SPACE_HOURS)
            told += often * [self._play(n, at, steps, pace)]
        return told

    def _play(self, n: int, at: datetime, steps: tuple[Step, ...], pace: float) -> UUID:
        new = service.NewEscalation(
            account=(CRM, f"A{n}"),
            title=f"Story {n}",
            customer_statement="Nothing works.",
            severity=1 + n % 4,
            reason=REASONS[n % len(REASONS)],
            raised_by_kind="system",
        )
        with transaction(tenant=self.tenant_id):
            case = service.raise_escalation(new, act=Act(self.admin, at)).record.id
        for days, use_case, values in steps:
            moment = at + timedelta(days=days * pace)
            with transaction(tenant=self.tenant_id):
                use_case(case, act=Act(self.admin, moment), **self._values(use_case, values, moment))
        return case

    def _values(self, use_case: Callable[..., Any], values: dict[str, Any], now: datetime) -> dict[str, Any]:
        """What only the moment or the people decide."""
        if use_case is service.wait:
            until = (now + timedelta(days=values["days"])).date()
            return {"on": service.Wait(party="customer", reason="logs", resume_on=until)}
        if use_case is service.extend:
            until = now + timedelta(days=values["days"])
            return {"extension": service.Extension(until=until, reason="A part is late.", customer_agreed=True)}
        if use_case is service.assign:
            return {"to": service.NewOwner(owner_id=self.other.id), "reason": "Load."}
        return values
