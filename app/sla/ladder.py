"""Ladders: which steps a clock takes before and after its due time, whom they reach and what they do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

from app.sla.offsets import LadderError, Length, Offset, parse_length, parse_offset

AUDIENCES = (
    "owner",
    "owner_manager",
    "team_lead",
    "account_owner",
    "csm",
    "sponsor",
    "watchers",
    "next_tier",
    "approver",
    "approver_manager",
    "admins",
)
ACTIONS = ("notify", "escalate", "reassign", "task", "decision", "close")
MOST_STEPS = 50
SHORTEST_REPEAT = 3600


@dataclass(frozen=True, slots=True)
class Repeat:
    """A step comes again `every` so long, `times` in all (None: until the clock ends)."""

    every: str
    times: int | None = None
    length: Length = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", parse_length(self.every, "repeat/every"))
        if self.times is not None and not 1 <= self.times <= 1000:
            raise LadderError("repeat/times", "expected a number from 1 to 1000, or null")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a ladder; its offset is kept as written."""

    offset: str
    audience: tuple[str, ...]
    action: str = "notify"
    repeat: Repeat | None = None
    when: Offset = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "when", parse_offset(self.offset, "offset"))
        if self.action not in ACTIONS:
            raise LadderError("action", f"expected one of {', '.join(ACTIONS)}, got {self.action!r}")
        for name in self.audience:
            if name not in AUDIENCES:
                raise LadderError("audience", f"expected some of {', '.join(AUDIENCES)}, got {name!r}")
        if len(set(self.audience)) < len(self.audience):
            raise LadderError("audience", "names somebody twice")
        if self.action == "notify" and not self.audience:
            raise LadderError("audience", "somebody must be told")
        if self.repeat and self.when.before_due:
            raise LadderError("repeat", "only a step at or after the due time repeats")


Ladder = tuple[Step, ...]


class OwnLadders(NamedTuple):
    """Ladders that go before the tenant's: the number they are kept under, and the kinds of clock they are for."""

    number: int
    kinds: frozenset[str]


def make_ladder(steps: Iterable[Step]) -> Ladder:
    """A ladder whose steps do not collide: no two say the same action at the same offset."""
    seen: dict[tuple[Offset, str], int] = {}
    ladder = tuple(steps)
    for index, step in enumerate(ladder):
        first = seen.setdefault((step.when, step.action), index)
        if first != index:
            raise LadderError(f"{index}/offset", f"collides with step {first}: same offset and action")
    return ladder


def parse_ladder(steps: object) -> Ladder:
    """A ladder from `[{offset, audience, action?, repeat?: {every, times?}}]`; errors name the field."""
    if not isinstance(steps, Sequence) or isinstance(steps, str):
        raise LadderError("", "expected a list of steps")
    return make_ladder(_parse_step(step, index) for index, step in enumerate(steps))


def ladder_for(kind: str, steps: object) -> Ladder:
    """As `parse_ladder`, of a ladder that a clock of this kind can climb."""
    ladder = parse_ladder(steps)
    if len(ladder) > MOST_STEPS:
        raise LadderError(str(MOST_STEPS), f"expected at most {MOST_STEPS} steps")
    _check_repeats(ladder)
    _check_closing(kind, ladder)
    return ladder


def find_faults(kind: str, steps: object) -> list[LadderError]:
    """Why a clock of this kind cannot climb these steps: the first fault of each step, else that of the whole."""
    each: list[Callable[[], object]] = []
    if isinstance(steps, Sequence) and not isinstance(steps, str) and len(steps) <= MOST_STEPS:
        each = [partial(_parse_step, step, index) for index, step in enumerate(steps)]
    return _raised(each) or _raised([partial(ladder_for, kind, steps)])


def _raised(readings: Iterable[Callable[[], object]]) -> list[LadderError]:
    faults = []
    for read in readings:
        try:
            read()
        except LadderError as error:
            faults.append(error)
    return faults


def _check_repeats(ladder: Ladder) -> None:
    """What comes again, however often, must not bury anybody."""
    for index, step in enumerate(ladder):
        repeat = step.repeat
        if repeat and repeat.length.days == 0 and repeat.length.seconds < SHORTEST_REPEAT:
            raise LadderError(f"{index}/repeat/every", "expected PT1H or more")


def _check_closing(kind: str, ladder: Ladder) -> None:
    """An unanswered verification closes the case at its due time, and nothing else does."""
    closing = [(index, step.offset) for index, step in enumerate(ladder) if step.action == "close"]
    if kind == "verify" and [offset for _, offset in closing] != ["0"]:
        raise LadderError("", 'expected a step that closes the case: {"offset": "0", "action": "close"}')
    if kind != "verify" and closing:
        raise LadderError(f"{closing[0][0]}/action", "only the customer's silence, the clock verify, closes a case")


def _parse_step(step: object, index: int) -> Step:
    fields = _fields(step, str(index), ("offset", "audience", "action", "repeat"))
    audience = fields.get("audience") or ()
    if not isinstance(audience, Sequence) or isinstance(audience, str):
        raise LadderError(f"{index}/audience", "expected a list")
    try:
        repeat = _parse_repeat(fields["repeat"]) if fields.get("repeat") else None
        return Step(cast(str, fields.get("offset")), tuple(audience), fields.get("action", "notify"), repeat)
    except LadderError as error:
        raise LadderError(f"{index}/{error.field}", error.detail) from error


def _parse_repeat(repeat: object) -> Repeat:
    fields = _fields(repeat, "repeat", ("every", "times"))
    times = fields.get("times")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool)):
        raise LadderError("repeat/times", "expected a whole number or null")
    return Repeat(cast(str, fields.get("every")), times)


def _fields(value: object, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise LadderError(where, f"expected an object with {', '.join(known)}")
    for name in value:
        if name not in known:
            raise LadderError(f"{where}/{name}", f"unknown field, expected one of {', '.join(known)}")
    return value


def ladder_to_json(ladder: Ladder) -> list[dict[str, Any]]:
    """The form that `parse_ladder` reads."""
    return [
        {
            "offset": step.offset,
            "audience": list(step.audience),
            "action": step.action,
            "repeat": {"every": step.repeat.every, "times": step.repeat.times} if step.repeat else None,
        }
        for step in ladder
    ]


_DAILY_AT_MOST_FIVE = Repeat("P1D", times=5)
_CLOSE = make_ladder(
    (
        Step("50%", ("owner",)),
        Step("-P7D", ("owner", "csm")),
        Step("-P3D", ("owner", "owner_manager")),
        Step("-P1D", ("owner", "owner_manager", "account_owner")),
        Step("0", ("owner", "csm", "owner_manager", "account_owner", "sponsor")),
        Step("+P1D", ("owner", "owner_manager"), repeat=Repeat("P1D")),
        Step("+P7D", ("sponsor",), repeat=Repeat("P7D")),
    )
)
_OTHERS = make_ladder(
    (
        Step("75%", ("owner",)),
        Step("0", ("owner", "owner_manager")),
        Step("+P1D", ("owner", "owner_manager"), repeat=_DAILY_AT_MOST_FIVE),
    )
)
_DECIDE = make_ladder(
    (
        Step("75%", ("approver",)),
        Step("0", ("approver", "approver_manager")),
        Step("+P1D", ("approver", "approver_manager", "admins"), repeat=_DAILY_AT_MOST_FIVE),
    )
)
_VERIFY = make_ladder((Step("50%", ("owner",)), Step("80%", ("owner",)), Step("0", (), "close")))
_TIER = make_ladder((*_OTHERS, Step("0", ("next_tier",), "escalate")))

DEFAULT_LADDERS: Mapping[str, Ladder] = {
    "decide": _DECIDE,
    "close": _CLOSE,
    "verify": _VERIFY,
    "tier": _TIER,
    **dict.fromkeys(
        (
            "acknowledge",
            "respond",
            "reply",
            "customer_update",
            "account_team_update",
            "executive_update",
            "plan",
            "still_on_it",
            "task",
        ),
        _OTHERS,
    ),
}
