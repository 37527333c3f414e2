"""What a clock's ledger holds and what it amounts to: entries, targets and states."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args

EntryType = Literal["activate", "reopen", "resume", "pause", "fulfil", "cancel", "breach", "retarget"]
TargetKind = Literal["calendar_days", "business_seconds", "fixed"]
StateName = Literal["running", "paused", "breached", "met", "missed", "cancelled"]
Flag = Literal["late_by_original", "logged_late", "long_pause"]

INSTANT = timedelta(microseconds=1)
RANK: Mapping[str, int] = {name: rank for rank, name in enumerate(get_args(EntryType))}
STANDING: frozenset[StateName] = frozenset(("running", "paused", "breached"))
ENDED: frozenset[StateName] = frozenset(("met", "missed", "cancelled"))
ALLOWED: Mapping[EntryType, frozenset[StateName]] = {
    "activate": frozenset(get_args(StateName)),
    "reopen": ENDED,
    "pause": frozenset(("running", "breached")),
    "resume": frozenset(("paused", "breached")),
    "fulfil": STANDING,
    "cancel": STANDING,
    "breach": frozenset(("running", "breached")),
    "retarget": STANDING,
}

# Each of these answers the one before it: a resume its pause, a reopening the end it undoes.
TURNS: frozenset[EntryType] = frozenset(("reopen", "resume", "pause", "fulfil", "cancel"))


class LedgerError(ValueError):
    """A ledger that cannot be read as a clock."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised: local calendar days, seconds of business time, or a moment (epoch seconds)."""

    kind: TargetKind
    value: int

    def __post_init__(self) -> None:
        if self.kind not in get_args(TargetKind) or (self.kind != "fixed" and self.value <= 0):
            raise LedgerError(f"a target needs a known kind and a positive value, got {self}")

    @classmethod
    def at(cls, moment: datetime) -> "Target":
        """A promise to be kept by a given moment, whole seconds."""
        return cls("fixed", int(moment.timestamp()))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Target":
        """The target that an `activate` or `retarget` entry carries as `target`."""
        return cls(cast(TargetKind, data["kind"]), int(data["value"]))

    def to_json(self) -> dict[str, Any]:
        """The form in which entries carry it."""
        return {"kind": self.kind, "value": self.value}

    @property
    def pauses(self) -> bool:
        """Only business time can stand still."""
        return self.kind == "business_seconds"


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of the ledger: what happened, when, when we knew, and in which order it was written.

    `activate` carries `target`; `retarget` carries `target` or, for an extension, `due_at`, and `because`;
    either may carry `calendar`, the version that counts from then on.
    """

    type: EntryType
    at: datetime
    recorded_at: datetime
    seq: int
    data: Mapping[str, Any] = field(default_factory=dict)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By moment, at one moment by the fixed order of types, then as written."""
    return sorted(entries, key=lambda entry: (entry.at, RANK[entry.type], entry.seq))


def moments_of(entries: Sequence[Entry], type_: EntryType, *, at: datetime, now: datetime) -> tuple[datetime, datetime]:
    """(at, recorded_at) under which a change is written: what happens now happens after what is known already.

    A machine whose time was set back stands still here until it has caught up. Of two changes at one instant, of which
    the second undoes the first, the second moves on by a microsecond, as the order of types would put it before.
    """
    known = max((entry.recorded_at for entry in entries), default=now)
    happens_now = at >= now
    if happens_now and now < known:
        at = max(at, known)
    last = max(((entry.at, RANK[entry.type]) for entry in entries if entry.type in TURNS), default=None)
    follows = type_ in TURNS and (happens_now or type_ not in ("fulfil", "cancel"))  # these can be learnt late
    if follows and last is not None and (at, RANK[type_]) <= last:
        at = last[0] + INSTANT if RANK[type_] <= last[1] else last[0]
    return at, max(at, now, known)


def known_by(entries: Iterable[Entry], as_of: datetime | None) -> list[Entry]:
    """What had happened and was recorded by `as_of`, in order."""
    if as_of is None:
        return in_order(entries)
    return in_order(entry for entry in entries if entry.at <= as_of and entry.recorded_at <= as_of)


@dataclass(frozen=True, slots=True)
class Move:
    """A due time was, became, and why."""

    at: datetime
    was: datetime
    becomes: datetime
    because: str

    def to_json(self) -> dict[str, str]:
        """As the API shows it: at, was, is, because."""
        return {
            "at": self.at.isoformat(),
            "was": self.was.isoformat(),
            "is": self.becomes.isoformat(),
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class State:
    """What a ledger amounts to at one moment. A paused clock has no due time.

    `not_before` is the last start, re-target, resume or reopen: steps up to then are passed over.
    `due_version` only grows with the ledger. `breaches` are the breach entries that hold in this cycle.
    `void` lists the sequence numbers of entries that changed nothing because facts overtook them.
    """

    state: StateName
    cycle: int
    due_version: int
    target: Target
    started_at: datetime
    cycle_started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    elapsed_seconds: int
    paused_seconds: int
    held: bool
    flags: tuple[Flag, ...]
    breached_at: datetime | None
    ended_at: datetime | None
    not_before: datetime
    moves: tuple[Move, ...]
    breaches: tuple[datetime, ...]
    void: tuple[int, ...]


def can(state: State, entry_type: EntryType) -> bool:
    """Whether such an entry would have an effect on a clock in this state."""
    if entry_type == "pause":
        return state.target.pauses and not state.held and state.state in ALLOWED["pause"]
    if entry_type == "resume":
        return state.held and state.state in ALLOWED["resume"]
    return state.state in ALLOWED[entry_type]


def moment(value: object) -> datetime:
    """A moment as entries carry it: aware, or ISO 8601 with offset; always UTC."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise LedgerError(f"a time without offset is refused: {value!r}")
    return at.astimezone(UTC)
