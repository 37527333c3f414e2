"""Upserts in sets: rows are checked one by one, and written with one statement for a thousand of them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.accounts import kinds, tree
from app.accounts.errors import RowRefused
from app.accounts.kinds import ACCOUNT, CONTRACT, OPPORTUNITY, Kind
from app.accounts.models import AccountHistory
from app.accounts.tree import Forest, Key
from app.accounts.upsert_sql import statement
from app.auth import queries as users
from app.auth.models import ERASED_NAME
from app.db import db, new_id
from app.rows import insert_all

OWN_ANCESTOR = "expected an account that does not stand below this one: it would be its own ancestor"
MISSING = "required for a new record"
MAX_TRIES = 5
ADDRESSES = ("email", "owner_email", "csm_email", "sponsor_email")
PERSONAL = ("email", "role")  # of a contact, beside the name


@dataclass(frozen=True)
class Row:
    """One checked record; `account_external_id` for those below an account, of the same source."""

    source: str
    external_id: str
    fields: Mapping[str, Any]
    account_external_id: str = ""

    @property
    def key(self) -> Key:
        return self.source, self.external_id

    @property
    def account_key(self) -> Key:
        return self.source, self.account_external_id


@dataclass
class Outcome:
    """`created, updated, unchanged, stale` with the record's id, or `rejected` with its faults."""

    outcome: str = ""
    id: UUID | None = None
    account_id: UUID | None = None
    faults: list[tuple[str, str]] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def reject(self, name: str, detail: str) -> None:
        self.outcome = "rejected"
        self.faults.append((name, detail))


@dataclass
class _Work:
    """A row on its way: `key` is where it goes once aliases are followed."""

    row: Row
    outcome: Outcome
    key: tuple[Any, ...]
    account_id: UUID | None = None


def apply(kind: Kind, rows: Sequence[Row], *, now: datetime) -> list[Outcome]:
    """Write these rows in their order; the answer has one outcome for each. The caller's transaction holds it all."""
    works = [_Work(row, Outcome(), row.key) for row in _without_erased(rows)]
    if kind is ACCOUNT:
        _place_accounts(works)
    else:
        _place_below(works)
    for batch in _rounds(work for work in works if not work.outcome.outcome):
        _write(kind, batch, now=now)
    _note(kind, works, now=now)
    return [work.outcome for work in works]


def _without_erased(rows: Sequence[Row]) -> list[Row]:
    """A record that names somebody erased by law lands without them."""
    sent = {row.fields[name].lower() for row in rows for name in ADDRESSES if row.fields.get(name)}
    gone = users.find_erased(sent)
    return [_without(row, gone) for row in rows] if gone else list(rows)


def _without(row: Row, gone: set[str]) -> Row:
    named = [name for name in ADDRESSES if (row.fields.get(name) or "").lower() in gone]
    if not named:
        return row
    blank = dict.fromkeys([*named, *(PERSONAL if "email" in named else ())])
    return replace(row, fields={**row.fields, **blank, **({"name": ERASED_NAME} if "email" in named else {})})


def _place_accounts(works: list[_Work]) -> None:
    """Follow aliases and refuse an account that would be its own ancestor, in the order the rows came."""
    parents = [(w.row.source, w.row.fields["parent_external_id"]) for w in works if w.row.fields.get(_PARENT)]
    if parents:
        tree.lock()
    forest = tree.load([*(w.row.key for w in works), *parents])
    latest: dict[Key, datetime | None] = {}
    for work in works:
        work.key = key = forest.survivor(work.row.key)
        node = forest.by_key.get(key)
        held = latest.get(key, node.source_updated_at if node else None)
        sent = work.row.fields.get("source_updated_at")
        if sent is not None and held is not None and sent < held:
            continue
        _refuse_account(work, forest, is_new=node is None and key not in latest)
        if not work.outcome.outcome:
            latest[key] = sent or held


def _refuse_account(work: _Work, forest: Forest, *, is_new: bool) -> None:
    """Refuse what can't be written, so that a row further down is judged by what stands then."""
    fields = work.row.fields
    for name in ACCOUNT.missing(given(ACCOUNT, fields)) if is_new else ():
        work.outcome.reject(name, MISSING)
    if _PARENT in fields and not work.outcome.outcome:
        parent = fields[_PARENT]
        if not forest.set_parent(forest.survivor(work.row.key), (work.row.source, parent) if parent else None):
            work.outcome.reject(_PARENT, OWN_ANCESTOR)


_PARENT = "parent_external_id"


def _place_below(works: list[_Work]) -> None:
    """Find the account of each row; without one the row is refused."""
    forest = tree.load({work.row.account_key for work in works})
    for work in works:
        account = forest.find(work.row.account_key)
        if account is None:
            name = work.row.account_external_id
            work.outcome.reject("account_external_id", f"expected a known account: {work.row.source} has no {name!r}")
            continue
        work.account_id = account.id
        work.key = (account.id, *work.row.key)


def _rounds(works: Iterable[_Work]) -> Iterator[list[_Work]]:
    """Batches in which each record stands once, so that several rows of one record apply in their order."""
    waiting = list(works)
    while waiting:
        first: dict[tuple[Any, ...], _Work] = {}
        later: list[_Work] = []
        for work in waiting:
            if first.setdefault(work.key, work) is not work:
                later.append(work)
        yield sorted(first.values(), key=lambda w: w.row.key)
        waiting = later


def _write(kind: Kind, works: list[_Work], *, now: datetime) -> None:
    """A record that somebody else inserted meanwhile has no outcome and is tried again, now as a change."""
    waiting = works
    for _ in range(MAX_TRIES):
        values = {"rows": json.dumps([_written(kind, n, w) for n, w in enumerate(waiting)], default=_plain), "now": now}
        for row in db.session.execute(statement(kind.name), values):
            _record(kind, waiting[row.n], row)
        waiting = [work for work in waiting if not work.outcome.outcome]
        if not waiting:
            return
    raise RuntimeError(f"{len(waiting)} rows were neither there nor insertable in {MAX_TRIES} tries")


def _written(kind: Kind, n: int, work: _Work) -> dict[str, Any]:
    source, external_id = work.key[-2:]
    written = {"n": n, "id": new_id(), "given": given(kind, work.row.fields)}
    written |= {"source": source, "external_id": external_id, "account_id": work.account_id}
    for name, value in work.row.fields.items():
        if name == "escalator":
            written |= {f"escalator_{member}": part for member, part in (value or {}).items()}
        else:
            written[name] = value
    return written


def given(kind: Kind, fields: Mapping[str, Any]) -> int:
    """The bits of the fields that came: one left out keeps its value."""
    return sum(kind.bits[name] for name in fields if name in kind.bits)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _record(kind: Kind, work: _Work, row: Any) -> None:
    outcome = work.outcome
    if row.outcome == "incomplete":
        for name in kind.missing(given(kind, work.row.fields)):
            outcome.reject(name, MISSING)
    elif row.outcome and row.outcome.startswith("refused_"):
        _, name, detail = kind.refusals[int(row.outcome.removeprefix("refused_"))]
        outcome.reject(name, detail)
    elif row.outcome:
        outcome.outcome, outcome.id, outcome.account_id = row.outcome, row.id, row.account_id
        outcome.changes = row.changes


def _note(kind: Kind, works: list[_Work], *, now: datetime) -> None:
    """Keep what decides open cases as history and raise the versions of the accounts it concerns."""
    changed = [work.outcome for work in works if work.outcome.outcome in ("created", "updated")]
    if kind is ACCOUNT:
        histories = [(o.account_id, o.changes) for o in changed if o.changes]
        moved = [o.account_id for o in changed if o.account_id and _PARENT in o.changes]
        below = tree.touch(moved, now=now, roots=False, deep=True) if moved else []
    elif kind in (CONTRACT, OPPORTUNITY):
        by_account = _by_account(changed)
        histories = [(account, {kind.name: ids}) for account, ids in by_account.items()]
        below = tree.touch(by_account, now=now, roots=True, deep=kind is CONTRACT) if by_account else []
    else:
        return
    above = [(account, {"above": str(root)}) for account, root in below]
    insert_all(
        AccountHistory(account_id=account, at=now, recorded_at=now, changes=changes)
        for account, changes in [*histories, *above]
    )


def _by_account(outcomes: Iterable[Outcome]) -> dict[UUID, list[str]]:
    by_account: dict[UUID, list[str]] = {}
    for outcome in outcomes:
        if outcome.account_id is not None:
            by_account.setdefault(outcome.account_id, []).append(str(outcome.id))
    return by_account


def check_row(kind: Kind, raw: Mapping[str, Any]) -> Row:
    """A raw record with its `source`, `external_id` and, below an account, `account_external_id`, checked."""
    fields = dict(raw)
    faults: list[tuple[str, str]] = []
    names = {"source": kinds.SOURCE, "external_id": kinds.EXTERNAL_ID}
    if kind.below_account:
        names["account_external_id"] = kinds.EXTERNAL_ID
    keys = dict.fromkeys(names, "")
    for name, check in names.items():
        try:
            keys[name] = check(fields.pop(name, None))
        except ValueError as error:
            faults.append((name, str(error)))
    try:
        fields = kinds.check_fields(kind, fields)
    except RowRefused as refused:
        faults += refused.faults
    if faults:
        raise RowRefused(faults)
    return Row(**keys, fields=fields)
