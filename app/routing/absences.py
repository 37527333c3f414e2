"""Who is away and when: absences as rows, and who stands in for the absent at a moment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select, text, update

from app.auth import service as auth
from app.auth.actor import Actor, UserRef
from app.auth.models import User
from app.auth.settings import MOVE, tenant_settings
from app.db import db
from app.errors import Forbidden, invalid
from app.routing.circles import refuse_circle, take_turn_to_name
from app.routing.delegates import find_stand_in
from app.routing.errors import AbsenceOver, AbsencesOverlap, NoSuchAbsence
from app.routing.models import Absence
from app.rows import array_of

# The people asked for and, through chains, whom those of them name who are absent now.
CHAINS = text(
    """
    with recursive away as (
        select user_id, delegate_id, ends_at from absence where starts_at <= :now and ends_at > :now
    ), named (id) as (
        select id from unnest(cast(:ids as uuid[])) as asked (id)
        union
        select away.delegate_id from away join named on named.id = away.user_id
    )
    select u.id, u.email, u.name, u.active, away.user_id is not null as absent, away.delegate_id
    from named join "user" u on u.id = named.id left join away on away.user_id = u.id
    """
)


@dataclass(frozen=True)
class Chains:
    """Whom the absent named: `people` are these and whoever their chains lead through, as far as they are active."""

    people: Mapping[UUID, UserRef]
    delegates: Mapping[UUID, UUID | None]

    def stand_in(self, absent_id: UUID, *, about_user_id: UUID | None) -> UserRef | None:
        """Who stands in for somebody absent on one case, None for nobody, or if they are present; a chain breaks at
        whom the case is about."""
        if absent_id not in self.delegates:
            return None

        def serves(id_: UUID) -> bool:
            return id_ in self.people and id_ != about_user_id

        found = find_stand_in(absent_id, self.delegates, serves=serves)
        return self.people[found] if found is not None else None


@dataclass(frozen=True)
class AbsenceView:
    """An absence as answered, its delegate named."""

    id: UUID
    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    delegate_id: UUID | None
    delegate_email: str | None
    mode: str
    created_at: datetime


def check_may(user_id: UUID, actor: Actor) -> None:
    """An absence is the person's own business, their line's and the admins'."""
    if actor.role == "admin" or actor.user_id == user_id or actor.user_id in auth.line_above(user_id):
        return
    raise Forbidden("Only the person, their line above and admins may say when they are away")


def add_absence(
    user_id: UUID,
    *,
    starts_at: datetime,
    ends_at: datetime,
    delegate_email: str | None = None,
    mode: str | None = None,
    actor: Actor,
    now: datetime,
) -> Absence:
    """A time away that is not over yet and overlaps no other of the person's; `mode` defaults to the tenant's.

    Delegates never lead back to the person.
    """
    if delegate_email:
        take_turn_to_name()
    auth.get_user(user_id, lock=True)  # two absences said at once cannot both find the time free
    check_may(user_id, actor)
    mode = mode or tenant_settings().absence_mode
    if ends_at <= starts_at:
        raise invalid("ends_at", "expected a moment after starts_at")
    if ends_at <= now:
        raise invalid("ends_at", f"expected a moment after now, {now.isoformat()}")
    _refuse_overlap(user_id, starts_at, ends_at)
    delegate_id = _delegate(delegate_email, user_id) if delegate_email else None
    if delegate_id:
        refuse_circle(user_id, delegate_id, starts_at=starts_at, ends_at=ends_at)
    absence = Absence(
        user_id=user_id,
        starts_at=starts_at,
        ends_at=ends_at,
        delegate_id=delegate_id,
        mode=mode,
        next_at=starts_at if mode == MOVE else None,
        created_at=now,
    )
    db.session.add(absence)
    db.session.flush()
    return absence


def _delegate(email: str, user_id: UUID) -> UUID:
    delegate = auth.find_user_by_email(email)
    if delegate is None or not delegate.active or delegate.role == "integration":
        raise invalid("delegate_email", "expected the address of an active colleague")
    if delegate.id == user_id:
        raise invalid("delegate_email", "expected somebody else: nobody stands in for themselves")
    return delegate.id


def _refuse_overlap(user_id: UUID, starts_at: datetime, ends_at: datetime) -> None:
    """The end is not part of an absence, so one may begin where another ends."""
    asked = select(Absence).where(Absence.user_id == user_id, Absence.starts_at < ends_at, Absence.ends_at > starts_at)
    other = db.session.scalars(asked.order_by(Absence.starts_at).limit(1)).first()
    if other is not None:
        span = f"{other.starts_at.isoformat()} to {other.ends_at.isoformat()}"
        raise AbsencesOverlap(f"There is an absence from {span} already", absence_id=str(other.id))


def end_absence(absence: Absence, *, actor: Actor, now: datetime) -> None:
    """One that has begun ends now and stays on record, and what was moved for it is offered again; one to come is taken
    back; one that is over stays as it is."""
    check_may(absence.user_id, actor)
    if absence.ends_at <= now:
        raise AbsenceOver
    if absence.starts_at < now:
        absence.ends_at = now
        _look_now(absence.user_id, now)
    else:
        db.session.delete(absence)
    db.session.flush()


def _look_now(user_id: UUID, now: datetime) -> None:
    """What waits for the person's return, also from an absence before, waits no longer."""
    db.session.flush()
    waiting = (Absence.user_id == user_id, Absence.ends_at <= now, Absence.next_at.is_not(None))
    db.session.execute(update(Absence).where(*waiting).values(next_at=now))


def away_until(user_id: UUID, *, now: datetime) -> datetime | None:
    """When somebody who is absent now is back; None for who is there."""
    asked = (Absence.user_id == user_id, Absence.starts_at <= now, Absence.ends_at > now)
    return db.session.scalar(select(Absence.ends_at).where(*asked))


def list_due(now: datetime) -> list[UUID]:
    """The absences for which there is something to do by now, the earliest first."""
    due = select(Absence.id).where(Absence.next_at <= now).order_by(Absence.next_at, Absence.id)
    return list(db.session.scalars(due))


def get_absence(user_id: UUID, absence_id: UUID, *, lock: bool = False) -> Absence:
    asked = select(Absence).where(Absence.id == absence_id, Absence.user_id == user_id)
    absence = db.session.scalar(asked.with_for_update() if lock else asked)
    if absence is None:
        raise NoSuchAbsence
    return absence


def get_view(absence_id: UUID) -> AbsenceView:
    return _view(*db.session.execute(_views().where(Absence.id == absence_id)).one())


def list_absences(user_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int) -> list[AbsenceView]:
    """A person's absences, latest start first, from `before` on."""
    asked = _views().where(Absence.user_id == user_id)
    if before:
        at, id_ = before
        asked = asked.where((Absence.starts_at < at) | ((Absence.starts_at == at) & (Absence.id < id_)))
    rows = db.session.execute(asked.order_by(Absence.starts_at.desc(), Absence.id.desc()).limit(limit))
    return [_view(*row) for row in rows]


def _views() -> Select[Absence, str]:
    return select(Absence, User.email).outerjoin(User, User.id == Absence.delegate_id)


def _view(absence: Absence, delegate_email: str | None) -> AbsenceView:
    columns = {name: getattr(absence, name) for name in AbsenceView.__dataclass_fields__ if name != "delegate_email"}
    return AbsenceView(**columns, delegate_email=delegate_email)


def find_stand_ins(
    user_ids: Collection[UUID], *, now: datetime, about_user_id: UUID | None = None
) -> Mapping[UUID, UserRef | None]:
    """Those of these users who are absent, with who stands in for each, None for nobody; one statement.

    Whom the case is about is no delegate of it.
    """
    chains = read_chains(user_ids, now=now)
    return {id_: chains.stand_in(id_, about_user_id=about_user_id) for id_ in user_ids if id_ in chains.delegates}


def read_chains(user_ids: Collection[UUID], *, now: datetime) -> Chains:
    """What `find_stand_ins` goes by, for many cases at once; one statement."""
    rows = db.session.execute(CHAINS, {"ids": array_of(user_ids), "now": now}).all() if user_ids else []
    return Chains(
        people={row.id: UserRef(row.id, row.email, row.name) for row in rows if row.active},
        delegates={row.id: row.delegate_id for row in rows if row.absent},
    )
