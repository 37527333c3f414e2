"""What waits, over all tenants, as numbers alone: read by the finder role, which sees when things are due, not what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from app.db import finding

COUNT = text(
    """
    select
      (select coalesce(max(extract(epoch from (:now + t.clock_offset - c.first))), 0)::float
       from tenant t cross join lateral
         (select min(next_step_at) as first from clock
          where tenant_id = t.id and next_step_at <= :now + t.clock_offset) c) as lag_seconds,
      (select count(*) from tenant t join clock c on c.tenant_id = t.id
       where c.next_step_at <= :now + t.clock_offset) as due_steps,
      (select count(*) from clock where problem is not null) as clocks_set_aside,
      (select count(*) from tenant t join intent i on i.tenant_id = t.id
       where i.state = 'pending' and i.hold_until <= :now + t.clock_offset) as messages_due,
      (select count(*) from intent where state = 'dead') as dead_letters
    """
)


@dataclass(frozen=True)
class Backlog:
    """`lag_seconds`: how far the oldest due step of a clock is behind its tenant's now."""

    lag_seconds: float
    due_steps: int
    clocks_set_aside: int
    messages_due: int
    dead_letters: int


def read_backlog(real_now: datetime) -> Backlog:
    with finding() as session:
        return Backlog(*session.execute(COUNT, {"now": real_now}).one())
