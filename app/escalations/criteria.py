"""Exit criteria: what must hold before a case is called resolved, of its playbook or agreed with its customer.

A row is kept once something was said of a criterion; until then the playbook's stands open by its version alone. What
was said of other words than the playbook's present ones does not count.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from app.auth.models import User
from app.db import db
from app.errors import Conflict, NotFound
from app.escalations.case import Act, Change, begin
from app.escalations.errors import ReasonNeeded
from app.escalations.lifecycle import IN_PROGRESS, OPEN, WAITING, StepNotAllowed, allowed
from app.escalations.models import Escalation, ExitCriterion
from app.playbooks.definition import Playbook

MOST_AGREED = 50
AGREED_KEY = "agreed-"  # a playbook's keys have no hyphen
NOTED = {"met": "criterion_met", "waived": "criterion_waived", "open": "criterion_opened"}
BEFORE_RESOLVED = frozenset({OPEN, IN_PROGRESS, WAITING})

ASK_AGAIN = text(
    """
    update exit_criterion set state = 'open', reason = null, settled_by_id = null, settled_at = null,
                              version = version + 1
    where escalation_id = :id and state = 'met'
    """
)


class TooManyCriteria(Conflict):
    code, title = "too_many_criteria", f"A case has at most {MOST_AGREED} exit criteria of its own"


@dataclass
class Criterion:
    """One criterion as it stands: by its row, else open."""

    key: str
    text: str
    row: ExitCriterion | None = None
    by: User | None = None

    def __post_init__(self) -> None:
        self.state = self.row.state if self.row else "open"
        self.version = self.row.version if self.row else 0


class Criteria:
    """All exit criteria of one case: the playbook's in its order, then those agreed for this case, oldest first."""

    def __init__(self, escalation_id: UUID, playbook: Playbook | None) -> None:
        asked = select(ExitCriterion, User).outerjoin(User, User.id == ExitCriterion.settled_by_id)
        rows = db.session.execute(asked.where(ExitCriterion.escalation_id == escalation_id).order_by(ExitCriterion.id))
        self.playbook = playbook
        self.kept: dict[str, tuple[ExitCriterion, User | None]] = {row.key: (row, user) for row, user in rows.all()}

    def __iter__(self) -> Iterator[Criterion]:
        for one in self.playbook.criteria if self.playbook else ():
            row, user = self.kept.get(one.key, (None, None))
            said = row is not None and row.text == one.text
            yield Criterion(one.key, one.text, row, user) if said else Criterion(one.key, one.text)
        for row, user in self.kept.values():
            if row.agreed_with is not None:
                yield Criterion(row.key, row.text, row, user)

    def in_state(self, state: str) -> list[str]:
        """The keys of the criteria in this state."""
        return sorted(one.key for one in self if one.state == state)

    def get(self, key: str) -> Criterion:
        found = next((one for one in self if one.key == key), None)
        if found is None:
            raise NotFound
        return found

    def settle(self, change: Change, criterion: Criterion, state: str, reason: str | None = None) -> None:
        """Met, waived with a reason, or open again; saying the same again changes nothing."""
        if criterion.state == state and (state != "waived" or (criterion.row and criterion.row.reason == reason)):
            return
        row, _ = self.kept.get(criterion.key, (None, None))
        if row is None:
            row = ExitCriterion(escalation_id=change.record.id, key=criterion.key)
            self.kept[criterion.key] = (row, None)
            db.session.add(row)
        row.text, row.state, row.reason = criterion.text, state, reason
        row.settled_by_id = change.act.actor.user_id if state != "open" else None
        row.settled_at = change.now if state != "open" else None
        change.note(NOTED[state], {"criterion": criterion.key}, {"reason": reason})


def of_case(record: Escalation, playbook: Playbook | None) -> Criteria:
    return Criteria(record.id, playbook)


def agree(escalation_id: UUID, *, act: Act, content: str, agreed_with: str) -> Criterion:
    """What this customer and we call solved, in their words: a criterion of this case alone."""
    change = _begin(escalation_id, act)
    criteria = of_case(change.record, change.playbook)
    agreed = [row for row, _ in criteria.kept.values() if row.agreed_with is not None]
    if len(agreed) >= MOST_AGREED:
        raise TooManyCriteria
    row = ExitCriterion(
        escalation_id=change.record.id, key=f"{AGREED_KEY}{len(agreed) + 1}", text=content, agreed_with=agreed_with
    )
    db.session.add(row)
    change.note("criterion_agreed", {"criterion": row.key}, {"text": content, "agreed_with": agreed_with})
    change.sign_of_work(change.now)
    change.save()
    return Criterion(row.key, row.text, row)


def change_criterion(
    escalation_id: UUID, key: str, *, act: Act, state: str, reason: str | None, check: Callable[[Criterion], None]
) -> Criterion:
    """Say early that a criterion is met or not needed, or take that back; resolving counts it."""
    change = _begin(escalation_id, act)
    criteria = of_case(change.record, change.playbook)
    criterion = criteria.get(key)
    check(criterion)
    if state == "waived" and not (reason or "").strip():
        raise ReasonNeeded(errors=[{"pointer": "/reason", "detail": "expected why the criterion is waived"}])
    criteria.settle(change, criterion, state, reason)
    change.sign_of_work(change.now)
    change.save()
    return of_case(change.record, change.playbook).get(key)


def ask_again(escalation_id: UUID) -> None:
    """The customer says it is not solved: what was held to be met is asked again, what was waived stays waived."""
    db.session.execute(ASK_AGAIN, {"id": escalation_id})


def join(loser_id: UUID, survivor_id: UUID) -> None:
    """In a merge, what was agreed with the merged case's customer holds for the survivor, the same words once."""
    kept = _agreed(survivor_id)
    words = {row.text for row in kept}
    number = len(kept)
    for row in _agreed(loser_id):
        if row.text not in words:
            number += 1
            row.escalation_id, row.key = survivor_id, f"{AGREED_KEY}{number}"
            words.add(row.text)


def _agreed(escalation_id: UUID) -> list[ExitCriterion]:
    asked = (ExitCriterion.escalation_id == escalation_id, ExitCriterion.agreed_with.is_not(None))
    return list(db.session.scalars(select(ExitCriterion).where(*asked).order_by(ExitCriterion.id)))


def _begin(escalation_id: UUID, act: Act) -> Change:
    """Criteria are spoken of until the case is resolved; from then on the customer has the word."""
    change = begin(escalation_id, "criterion", act)
    if change.record.status not in BEFORE_RESOLVED:
        raise StepNotAllowed("criterion", change.record.status, allowed(change.record.status))
    return change
