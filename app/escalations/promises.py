"""Which clocks an action starts, meets and ends beside its own; the table of `Clocks` in one place."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text

from app.db import db
from app.escalations import lifecycle
from app.escalations.case import Change
from app.escalations.models import Escalation
from app.playbooks.definition import Playbook
from app.playbooks.models import Task
from app.sla import service as sla
from app.sla.ledger import INSTANT, Target
from app.sla.moving import align
from app.sla.targets import make_target

INTERNAL_UPDATES = ("account_team_update", "executive_update")
UPDATE_CLOCKS = ("customer_update", *INTERNAL_UPDATES)
ENDED_BY_RESOLVE = ("plan", "still_on_it", *UPDATE_CLOCKS)
TAKEN_UP_AGAIN = ("tier", *ENDED_BY_RESOLVE)
ENDED_BY_CLOSE = (*TAKEN_UP_AGAIN, "acknowledge", "respond", "reply", "close")

TOLD_SINCE = text(
    """
    select exists (select 1 from event where escalation_id = :id and kind = 'update' and at > :at
                   and facts -> 'audiences' ? 'customer')
    """
)
UNANSWERED = text(
    """
    select min(m.at) from event m where m.escalation_id = :id and m.kind = 'message' and m.at > :at
    and not exists (select 1 from event u where u.escalation_id = :id and u.kind = 'update' and u.at >= m.at
                    and u.facts -> 'audiences' ? 'customer')
    """
)
SAID = text(
    """
    select min(at) filter (where kind = 'message') as message,
           min(at) filter (where kind = 'update') as update,
           max(at) filter (where kind = 'update') as last_update,
           min(at) filter (where kind = 'message' and at > coalesce(told, '-infinity')) as unanswered
    from (select e.kind, e.at, max(e.at) filter (where e.kind = 'update') over () as told
          from event e where e.escalation_id = :id
          and (e.kind = 'message' or e.kind = 'update' and e.facts -> 'audiences' ? 'customer')) said
    """
)


def target_of(change: Change, kind: str) -> Target | None:
    """What is promised for this kind: by the service level or the settings, else by the playbook; None if nobody asks.

    A contract's word goes before our own procedure's.
    """
    return promised(change.record, change.basis, change.playbook, kind)


def promised(record: Escalation, basis: sla.Basis, playbook: Playbook | None, kind: str) -> Target | None:
    """As `target_of`, of a case that nothing is done to."""
    target = sla.find_default_target(kind, basis, severity=record.severity, tier=record.tier)
    if target is not None or playbook is None:
        return target
    stage = playbook.tier(record.tier) if kind == "tier" else None
    within = stage.within if stage else playbook.updates.get(kind)
    return make_target(within, day_seconds=basis.calendar.day_seconds) if within else None


def asked_from_the_start(change: Change) -> list[tuple[str, Target]]:
    """What begins when the case opens, beside `close` and `acknowledge`: the first answer to a customer or a system,
    and what is asked for: updates to colleagues, and a time for the first tier."""
    by_customer = change.record.raised_by_kind in ("customer", "system")
    kinds = [*(["respond"] if by_customer else []), *INTERNAL_UPDATES, "tier"]
    targets = [(kind, target_of(change, kind)) for kind in kinds]
    return [(kind, target) for kind, target in targets if target is not None]


def asked_of_tasks(change: Change, tasks: Iterable[Task]) -> list[tuple[Task, Target]]:
    """The tasks that are ready and have their time, which counts from then, unless somebody gave them another."""
    day_seconds = change.calendar.day_seconds
    timed = [task for task in tasks if task.ready_at and task.due and task.due_at is None]
    return [(task, make_target(task.due or {}, day_seconds=day_seconds)) for task in timed]


def close_promise(record: Escalation) -> Target:
    """The days promised at the raise, whatever levels and settings have said since."""
    zone = sla.zone_of(record.zone)
    days = record.close_target_at.astimezone(zone).date() - record.raised_at.astimezone(zone).date()
    return Target("calendar_days", days.days)


def enter_tier(change: Change, at: datetime) -> None:
    """The time of a tier counts from when it is entered, where service level or playbook give it one."""
    target = target_of(change, "tier")
    if target is not None:
        change.start_clock("tier", at, target)


def start(change: Change, kind: str, at: datetime) -> None:
    """Start a clock of this kind, or its next cycle; nothing while one of the kind still runs or if nobody asks."""
    running = change.clocks.get(kind)
    if running is not None and running.ended_at is None:
        return
    target = target_of(change, kind)
    if target is not None:
        change.start_clock(kind, at, target)


def restart(change: Change, kind: str, at: datetime) -> None:
    """End what runs of this kind, unmet, and start its next cycle."""
    change.start_clock(kind, at)


def run_out(change: Change, kind: str, *, because: str) -> None:
    """End a promise that was not kept, just after its due time: at one instant an end would come before the breach.

    One that is not due yet ends now, neither met nor broken.
    """
    running = change.clocks.get(kind)
    if running is None:
        return
    passed = running.due_at is not None and running.due_at <= change.now
    ended_at = running.due_at + INSTANT if running.due_at is not None and passed else change.now
    change.clocks.cancel(kind, at=ended_at, now=max(change.now, ended_at), because=because)


def acknowledged(change: Change, at: datetime) -> None:
    """The acknowledgement is given: work begins, with a plan to come and signs of it, of which this is the first."""
    change.clocks.fulfil("acknowledge", at, change.now)
    if change.clocks.get("plan") is None:
        start(change, "plan", at)
    change.clocks.fulfil("still_on_it", at, change.now)
    start(change, "still_on_it", at)


def owner_changed(change: Change) -> None:
    """A new owner makes the acknowledgement void; in `resolved` nothing starts, only the customer's word is awaited."""
    if change.record.status == "resolved":
        return
    change.record.acknowledged = False
    restart(change, "acknowledge", change.now)


def told(change: Change, audiences: list[str], at: datetime) -> None:
    """An update meets what was promised to its audiences when it was sent, and starts the next cycle."""
    if "customer" in audiences:
        if change.clocks.get("respond") is None and is_live(change):
            start(change, "respond", at)
        change.clocks.fulfil("respond", at, change.now)
        answered(change, at)
        next_update(change, "customer_update", at, begins=True)
    for audience in ("account_team", "executive"):
        if audience in audiences:
            next_update(change, f"{audience}_update", at, begins=False)


def is_live(change: Change) -> bool:
    return change.record.status in lifecycle.LIVE


def answered(change: Change, at: datetime) -> None:
    """The messages up to then are answered; of an update logged late, the first message after it starts `reply`."""
    change.clocks.meet("reply", at, change.now)
    if at < change.now and is_live(change):
        waiting_since = db.session.scalar(UNANSWERED, {"id": change.record.id, "at": at})
        if waiting_since is not None:
            start(change, "reply", waiting_since)


def next_update(change: Change, kind: str, at: datetime, *, begins: bool) -> None:
    """The next cycle counts from the latest update: one that was sent before the running cycle began starts none."""
    running = change.clocks.get(kind)
    if running is None and not begins:
        return
    change.clocks.meet(kind, at, change.now)
    overtaken = running is not None and at < running.started_at
    if not overtaken and change.record.status in ("open", "in_progress", "waiting"):
        start(change, kind, at)


def customer_spoke(change: Change, at: datetime) -> None:
    """The earliest unanswered message starts `reply`; of a colleague's raise the first starts `respond` as well.

    One that was written before the customer was last told something is answered already.
    """
    if change.record.status == "requested" or db.session.scalar(TOLD_SINCE, {"id": change.record.id, "at": at}):
        return
    if change.record.raised_by_kind == "colleague":
        start_earliest(change, "respond", at)
    start_earliest(change, "reply", at)


def start_earliest(change: Change, kind: str, at: datetime) -> None:
    """Later messages don't move the promise; one that turns out to be earlier begins it anew at its own moment."""
    running = change.clocks.get(kind)
    if running is not None and running.ended_at is None and at < running.started_at:
        change.start_clock(kind, at, because="earlier_message")
    elif running is None or kind == "reply":
        start(change, kind, at)


def answer_waiting_message(change: Change) -> None:
    """On approval, `respond` and `reply` count from what was said meanwhile: approval time is ours."""
    said = db.session.execute(SAID, {"id": change.record.id}).one()
    first = min((at for at in (said.message, said.update) if at is not None), default=None)
    if first is not None:
        start(change, "respond", first)
    if said.update is not None:
        change.clocks.meet("respond", said.update, change.now)
        start(change, "customer_update", said.last_update)
    if said.unanswered is not None:
        start(change, "reply", said.unanswered)


def resolved(change: Change, at: datetime) -> None:
    """Resolve meets `tier`, ends the promises of work, and starts the wait for the customer's word."""
    change.clocks.fulfil("tier", at, change.now, because="resolve")
    change.clocks.cancel(*ENDED_BY_RESOLVE, at=at, now=change.now, because="resolve")
    start(change, "verify", at)


def taken_up_again(change: Change, *, closed: bool) -> None:
    """A rejection or reopening takes up what resolve, or close, had met or ended; work has begun anew, so not
    `verify`."""
    again = change.clocks.reopen(ENDED_BY_CLOSE if closed else TAKEN_UP_AGAIN, at=change.now, now=change.now)
    align(change.clocks, again, change.basis, at=change.now)
