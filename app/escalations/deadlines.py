"""What a person owns falls due: their open promises as a calendar (RFC 5545) that their own client subscribes to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from icalendar import Calendar, Event
from sqlalchemy import text

from app.db import db
from app.escalations.lifecycle import LIVE
from app.escalations.reminders import WHAT_TO_DO
from app.escalations.words import numbered

BEHIND, AHEAD = timedelta(days=90), timedelta(days=366)
MOST = 500  # the nearest first: a client reads the whole calendar each time
REFRESH = timedelta(hours=1)

LIST = text(
    """
    select c.id, c.kind, c.due_at, c.due_version,
           (select max(x.recorded_at) from clock_entry x
            where x.tenant_id = c.tenant_id and x.clock_id = c.id) as changed_at,
           e.number, e.title, e.severity, e.status, e.restricted, a.name as account, t.title as task
    from escalation e
    join clock c on c.tenant_id = e.tenant_id and c.escalation_id = e.id
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    left join task t on c.kind = 'task' and t.tenant_id = e.tenant_id and t.escalation_id = e.id
                        and t.id::text = c.subject
    where e.owner_id = :owner_id and e.status = any(cast(:live as text[]))
      and c.state in ('running', 'breached') and c.due_at between :since and :until
    order by c.due_at, c.id
    limit :most
    """
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One open promise of somebody's case and when it is due; in the order of LIST."""

    clock_id: UUID
    kind: str
    due_at: datetime
    due_version: int
    changed_at: datetime
    number: int
    title: str
    severity: int
    status: str
    restricted: bool
    account: str
    task: str | None

    @property
    def summary(self) -> str:
        """The fact in one line. Of a restricted case only its number: calendars are shared and lie on other servers."""
        if self.restricted:
            return f"{WHAT_TO_DO[self.kind]} · {numbered(self.number)}"
        return f"{self.account}: {self.task or WHAT_TO_DO[self.kind]} · {numbered(self.number)}"

    @property
    def description(self) -> str:
        if self.restricted:
            return "Restricted: the record says more."
        return f"{self.title} (severity {self.severity}, {self.status.replace('_', ' ')})"


def list_deadlines(owner_id: UUID, now: datetime) -> list[Deadline]:
    """The promises on this person's open cases that run or were broken, by due time, in one statement."""
    values = {"owner_id": owner_id, "live": list(LIVE), "since": now - BEHIND, "until": now + AHEAD, "most": MOST}
    return [Deadline(*row) for row in db.session.execute(LIST, values)]


def calendar_of(deadlines: Iterable[Deadline], *, name: str) -> bytes:
    """The calendar; the same deadlines give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Firsthand//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)  # what clients read that do not know RFC 7986
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for deadline in deadlines:
        calendar.add_component(_event(deadline))
    content: bytes = calendar.to_ical()
    return content


def _event(deadline: Deadline) -> Event:
    """A moment that blocks nobody's time; moved, it keeps its UID and its sequence rises."""
    event = Event()
    event.add("uid", f"{deadline.clock_id}@firsthand")
    event.add("dtstamp", deadline.changed_at)
    event.add("last-modified", deadline.changed_at)
    event.add("sequence", deadline.due_version - 1)
    event.add("dtstart", deadline.due_at)
    event.add("summary", deadline.summary)
    event.add("description", deadline.description)
    event.add("transp", "TRANSPARENT")
    if deadline.restricted:
        event.add("class", "CONFIDENTIAL")
    return event
