"""Where reports read, and as of when they may answer.

Reads go to the replica where one is set. The facts say themselves up to which moment they are final, so the lag that an
answer names is that of the fold and the replica together.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.orm import Session

from app.auth.actor import Actor
from app.auth.settings import tenant_settings
from app.db import current_tenant, db, set_scope
from app.errors import invalid_parameter
from app.escalations.models import Escalation
from app.escalations.queries import visible_to
from app.reports.errors import FactsBeingMade
from app.reports.models import ReportCursor
from app.reports.whose import Only

# A plan that suits any moment and any days is several times slower than one made for those that are asked for.
PLAN_AFRESH = func.set_config("plan_cache_mode", "force_custom_plan", True)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # so that days and years before a moment are days and years too
MONTHS = 12


@dataclass(frozen=True)
class Reading:
    """One question about one moment: where it is read, what is answered for (`as_of`, at most `lag_seconds` before what
    was asked), that day in the tenant's zone, the cases this reader may not see, and the accounts it is only about;
    of a figure's rows those of some `people`, of one `cause`, a reason, and of one root cause in words."""

    session: Session
    as_of: datetime
    lag_seconds: float
    zone: ZoneInfo
    hidden: tuple[UUID, ...]
    only: Only | None = None
    people: tuple[UUID, ...] | None = None
    cause: str | None = None
    root_cause: str | None = None

    @property
    def today(self) -> date:
        return self.as_of.astimezone(self.zone).date()

    def ask(self, question: Any, **values: Any) -> Any:
        """Execute with what every question knows: the moment, its day, the hidden cases, the accounts."""
        accounts = None if self.only is None else list(self.only.ids)
        known = {"as_of": self.as_of, "today": self.today, "hidden": list(self.hidden), "accounts": accounts}
        part = {"cause": self.cause, "root_cause": self.root_cause}
        people = None if self.people is None else list(self.people)
        return self.session.execute(question, {**known, "people": people, **part, **values})


@contextmanager
def reading(as_of: datetime | None, *, actor: Actor, now: datetime, only: Only | None = None) -> Iterator[Reading]:
    """A question as of a moment, now unless said. One between the last final moment and now is answered for that."""
    asked = now if as_of is None else as_of
    if asked > now:
        raise invalid_parameter("as_of", f"expected a moment not later than now, {now.isoformat()}")
    if asked < EARLIEST:
        raise invalid_parameter("as_of", f"expected a moment from {EARLIEST.date()} on")
    with _session() as session:
        final = _final(session)
        answered = min(asked, final)
        zone = ZoneInfo(tenant_settings().timezone)
        lag = round((asked - answered).total_seconds(), 3)
        yield Reading(session, answered, lag, zone, _hidden_from(actor, session, now), only)


def days_of(query: Mapping[str, Any], asked: Reading) -> tuple[date, date]:
    """The days raised that are asked for; the last twelve calendar months unless said."""
    last: date = query.get("last") or asked.today
    if last < EARLIEST.date():
        raise invalid_parameter("to", f"expected a day from {EARLIEST.date()} on")
    month = last.year * 12 + last.month - MONTHS
    first: date = query.get("first") or date(month // 12, month % 12 + 1, 1)
    if first > last:
        raise invalid_parameter("from", f"expected a day up to {last}")
    return first, last


def _final(session: Session) -> datetime:
    row = session.execute(select(ReportCursor.known_until, ReportCursor.after_id, PLAN_AFRESH)).one_or_none()
    if row is None or row.known_until is None or row.after_id is not None:
        raise FactsBeingMade
    final: datetime = row.known_until
    return final


def _hidden_from(actor: Actor, session: Session, now: datetime) -> tuple[UUID, ...]:
    """What this reader may not see today is in none of their figures, whenever they ask about."""
    hideable = or_(Escalation.restricted, Escalation.about_user_id.is_not(None))
    asked = select(Escalation.id).where(and_(hideable, not_(visible_to(actor, now))))
    return tuple(session.scalars(asked))


@contextmanager
def _session() -> Iterator[Session]:
    """The request's own transaction, or one on the replica in the same scope."""
    if not current_app.config["REPLICA_URL"]:
        yield db.session()
        return
    with Session(db.engines["replica"]) as session:
        set_scope(session, current_app.config["APP_ROLE"], current_tenant())
        yield session
