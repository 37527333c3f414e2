"""Short words to the customer between the told ones, so that urgent cases keep the rhythm they promise."""

from collections.abc import Generator, Iterator
from dataclasses import replace

from app.operations.sample.telling import Case, Step, step

Moment = tuple[int, str]
RHYTHM = {1: 1, 2: 2}  # working days between updates, by severity: the default of the clock `customer_update`
ENDS = frozenset({"resolve", "merge", "close_unresolved"})
WORDS = (
    "A short word as promised: work goes on as planned, and nothing has turned up that changes the date.",
    "Nothing new since my last note, and nothing to worry about either. You hear from me again as agreed.",
    "Today's step took longer than I thought; the plan holds. The next word comes on time.",
    "As promised, where we stand: on plan. If anything moves I will tell you before you notice.",
    "We are where we said we would be. Is there anything on your side that I should know?",
)


def with_check_ins(case: Case) -> Case:
    """The case with an update wherever the rhythm of its severity asks for one before the next told one."""
    every = RHYTHM.get(case.severity)
    if every is None:
        return case
    return replace(case, steps=tuple(_filled(case, every)))


def _filled(case: Case, every: int) -> Iterator[Step]:
    last: Moment | None = None
    for told in case.steps:
        last = yield from _until(case, last, (told.day, told.time), every)
        yield told
        if told.verb == "update":
            last = (told.day, told.time)
        elif told.verb in ENDS:
            last = None
    yield from _until(case, last, (case.days_ago, "24:00"), every)


def _until(case: Case, last: Moment | None, end: Moment, every: int) -> Generator[Step, None, Moment | None]:
    """Updates at the hour of the last one; returns the last there is now."""
    while last is not None and (last[0] + every, last[1]) < end:
        last = (last[0] + every, last[1])
        yield step(*last, "update", text=WORDS[(last[0] + len(case.key)) % len(WORDS)])
    return last
