"""The daily sums: what one day made known, as differences by day raised and days to close; and those of whole months.

Days that are over are summed once: nothing known in them changes any more. Months that are over are their days' sums
by month raised: what most questions ask for.
"""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, text

from app.db import db
from app.reports.models import CaseFact, CohortDay, CohortMonth, ReportCursor
from app.reports.standings import MEASURES, amount_of

_ADDED = ", ".join(f"{amount_of(name, 'f')} as {name}" for name in MEASURES)
_TAKEN = ", ".join(f"-({amount_of(name, 'p')}) as {name}" for name in MEASURES)
# Of an open case nothing is counted but that it was raised, and whether it is extended.
_OF_OPEN = {"raised": "-1", "extended": "-(f.was = 'extended')::int"}
_TAKEN_OF_OPEN = ", ".join(f"{_OF_OPEN.get(name, '0')} as {name}" for name in MEASURES)
_ANY = " or ".join(f"sum({name}) <> 0" for name in MEASURES)
# What becoming known of each fact that counts adds, and what the fact before it, which it ends, takes back.
DIFFERENCES = f"""
    select f.known_from, f.escalation_id, f.day_raised, coalesce(f.days, -1) as days, {_ADDED}
    from case_fact f where f.counts and f.known_from >= :since and f.known_from < :until
    union all
    select f.known_from, f.escalation_id, f.day_raised, -1 as days, {_TAKEN_OF_OPEN}
    from case_fact f
    where f.counts and f.was in ('open', 'extended') and f.known_from >= :since and f.known_from < :until
    union all
    select f.known_from, f.escalation_id, p.day_raised, coalesce(p.days, -1) as days, {_TAKEN}
    from case_fact f
    join case_fact p on p.tenant_id = f.tenant_id and p.escalation_id = f.escalation_id
                     and p.known_from < f.known_from and p.known_until = f.known_from
    where f.counts and f.was = 'more' and f.known_from >= :since and f.known_from < :until
"""  # noqa: S608 - the parts are ours
SUM_DAYS = text(
    f"""
    insert into cohort_day (tenant_id, id, ended_at, day_raised, days, {", ".join(MEASURES)})
    select current_setting('app.tenant_id')::uuid, gen_random_uuid(),
           (date_trunc('day', known_from at time zone :zone) + interval '1 day') at time zone :zone as ended_at,
           day_raised, days, {", ".join(f"sum({name})" for name in MEASURES)}
    from ({DIFFERENCES}) difference
    group by ended_at, day_raised, days
    having {_ANY}
    """  # noqa: S608 - the parts are ours
)
# Of the months that are over; the end of a day belongs to the month it ends.
SUM_MONTHS = text(
    f"""
    insert into cohort_month (tenant_id, id, ended_at, month_raised, days, {", ".join(MEASURES)})
    select current_setting('app.tenant_id')::uuid, gen_random_uuid(), month_end,
           date_trunc('month', day_raised::timestamp)::date as month, days,
           {", ".join(f"sum({name})" for name in MEASURES)}
    from (
        select d.*, (date_trunc('month', d.ended_at at time zone :zone - interval '1 microsecond')
                     + interval '1 month') at time zone :zone as month_end
        from cohort_day d where d.ended_at > coalesce((select max(ended_at) from cohort_month), '-infinity')
    ) day
    where month_end <= :until group by month_end, month, days having {_ANY}
    """  # noqa: S608 - the parts are ours
)


def sum_days(cursor: ReportCursor, zone: ZoneInfo) -> bool:
    """Sum the days that ended since the last one summed, all anew where none is said to be; whether there were any."""
    if cursor.known_until is None or cursor.after_id is not None:
        return False
    until = datetime.combine(cursor.known_until.astimezone(zone).date(), time(0), zone).astimezone(UTC)
    since = cursor.summed_until or db.session.scalar(select(func.min(CaseFact.known_from)).where(CaseFact.counts))
    if since is None or since >= until:
        return False
    if cursor.summed_until is None:
        db.session.execute(delete(CohortDay))
        db.session.execute(delete(CohortMonth))
    db.session.execute(SUM_DAYS, {"since": since, "until": until, "zone": zone.key})
    db.session.execute(SUM_MONTHS, {"until": until, "zone": zone.key})
    cursor.summed_until = until
    return True
