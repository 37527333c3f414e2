"""What falls due for a person: promises of what they own and do, as a calendar (RFC 5545) for their own client."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from icalendar import Calendar, Event
from sqlalchemy import text

from app.db import db
from app.escalations.covering import MY_PLACES, in_my_place
from app.escalations.models import LIVE_SQL
from app.escalations.reminders import WHAT_TO_DO
from app.escalations.words import numbered

BEHIND, AHEAD = timedelta(days=90), timedelta(days=366)
MOST = 500  # the nearest to now: a client reads the whole calendar each time
REFRESH = timedelta(hours=1)

# A task is due to who does it, as its reminders go: a colleague's is not the owner's, but of a restricted case it is.
# What is due to somebody absent is due to who covers for them as well.
LIST = text(
    f"""
    with recursive {MY_PLACES}, mine (escalation_id, subject, doer_id) as (
        select e.id, null, e.owner_id from escalation e
        where e.{LIVE_SQL} and {in_my_place("e.owner_id", "e.about_user_id")}
        union all
        select e.id, t.id::text, t.assignee_id
        from task t join escalation e on e.tenant_id = t.tenant_id and e.id = t.escalation_id
        where t.state = 'open' and e.{LIVE_SQL} and t.assignee_id <> e.owner_id and not e.restricted
          and e.about_user_id is distinct from cast(:me as uuid) and {in_my_place("t.assignee_id", "e.about_user_id")}
    )
    select c.id, c.kind, c.due_at, c.due_version,
           (select max(x.recorded_at) from clock_entry x
            where x.tenant_id = c.tenant_id and x.clock_id = c.id) as changed_at,
           e.number, e.title, e.severity, e.status, e.restricted, a.name as account, t.title as task,
           case when mine.doer_id <> :me then doer.email end as covering
    from mine
    join escalation e on e.id = mine.escalation_id
    join clock c on c.tenant_id = e.tenant_id and c.escalation_id = e.id
                    and (mine.subject is null or (c.kind = 'task' and c.subject = mine.subject))
    join account a on a.tenant_id = e.tenant_id and a.id = e.account_id
    join "user" doer on doer.tenant_id = e.tenant_id and doer.id = mine.doer_id
    left join task t on c.kind = 'task' and t.tenant_id = e.tenant_id and t.escalation_id = e.id
                        and t.id::text = c.subject
    where c.state in ('running', 'breached') and c.due_at between :since and :until
      and (mine.subject is not null or e.restricted or t.assignee_id is null or t.assignee_id = e.owner_id)
    order by abs(extract(epoch from c.due_at - :now)), c.id
    limit :most
    """  # noqa: S608 - the parts are ours
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One open promise of somebody's case or task and when it is due; in the order of LIST."""

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
    covering: str | None = None

    @property
    def summary(self) -> str:
        """The fact in one line. Of a restricted case only its number: calendars are shared and lie on other servers."""
        if self.restricted:
            return f"{WHAT_TO_DO[self.kind]} · {numbered(self.number)}"
        covering = f" (covering: {self.covering})" if self.covering else ""
        return f"{self.account}: {self.task or WHAT_TO_DO[self.kind]} · {numbered(self.number)}{covering}"

    @property
    def description(self) -> str:
        if self.restricted:
            return "Restricted: the record says more."
        return f"{self.title} (severity {self.severity}, {self.status.replace('_', ' ')})"


def list_deadlines(user_id: UUID, now: datetime, *, most: int = MOST) -> list[Deadline]:
    """The promises of this person's open cases and tasks, and of those they cover for somebody absent, that run or were
    broken, the nearest to now, by due time; in one statement."""
    values = {"me": user_id, "now": now, "since": now - BEHIND, "until": now + AHEAD, "most": most}
    found = [Deadline(*row) for row in db.session.execute(LIST, values)]
    return sorted(found, key=lambda one: (one.due_at, one.clock_id))


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
