"""Short words to the customer between the told ones, so that urgent cases keep the rhythm they promise."""

from collections.abc import Iterable, Iterator

Moment = tuple[int, str]
RHYTHM = {1: 1, 2: 2}  # working days between updates, by severity: the default of the clock `customer_update`
ENDS = frozenset({"resolve", "merge", "close_unresolved"})
END_OF_DAY = "24:00"
WORDS = (
    "A short word as promised: work goes on as planned, and nothing has turned up that changes the date.",
    "Nothing new since my last note, and nothing to worry about either. You hear from me again as agreed.",
    "Today's step took longer than I thought; the plan holds. The next word comes on time.",
    "As promised, where we stand: on plan. If anything moves I will tell you before you notice.",
    "We are where we said we would be. Is there anything on your side that I should know?",
)


def check_ins(
    told: Iterable[tuple[int, str, str]], *, severity: int, until: int, seed: int
) -> Iterator[tuple[int, str, str]]:
    """Day, time and text of an update wherever the rhythm of the severity asks for one before the next told one.

    `told` has day, time and verb of each step in order; `until` is the day of the present.
    """
    every = RHYTHM.get(severity)
    if every is None:
        return
    last: Moment | None = None
    for day, time, verb in (*told, (until, END_OF_DAY, "")):
        while last is not None and (last[0] + every, last[1]) < (day, time):
            last = (last[0] + every, last[1])
            yield *last, WORDS[(last[0] + seed) % len(WORDS)]
        if verb == "update":
            last = (day, time)
        elif verb in ENDS:
            last = None
