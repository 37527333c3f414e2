"""One training: learn from the older cases, measure on the newest, then learn from all. Pure but for its need of the
extra `learn`."""

from collections.abc import Sequence
from datetime import datetime
from importlib.util import find_spec

from app.reports.forecast.course import Loads, Look, looks_of
from app.reports.forecast.features import Case
from app.reports.forecast.hazard import Hazard
from app.reports.forecast.measures import Measures, measure

OLDER = 0.7
LEAST_CLOSED = 100
LEAST_TESTED = 50
CLEARLY = 0.001  # what the Brier score must gain: less is as likely chance
PULLS = (3.0, 30.0, 300.0)
INSTALL = "install the extra learn: pip install 'firsthand[learn]'"


class TooLittle(ValueError):
    """There is nothing to learn from, or nothing was gained; the text says what is missing."""


def is_installed() -> bool:
    """Whether this process could learn; forecasting needs nothing."""
    return all(find_spec(name) is not None for name in ("scipy", "numpy"))


def train(cases: Sequence[Case], loads: Loads, base: Hazard, known_until: datetime) -> tuple[Hazard, Measures]:
    """The model of all cases, and how good one is that knows only what was known when the newest 30 % began.

    How strongly it is drawn towards the base is chosen the same way among the older ones. TooLittle when the base says
    the newest part as well: then it goes on being asked.
    """
    ordered = sorted(cases, key=lambda case: case.raised_at)
    closed = sum(case.states[-1].closed_at is not None for case in ordered)
    if closed < LEAST_CLOSED:
        raise TooLittle(f"{closed} closed cases, expected at least {LEAST_CLOSED}")
    cut = _cut(ordered)
    older = [case for case in ordered if case.raised_at < cut]
    pull = _choose(older, loads, base, cut)
    found = _measured(ordered, loads, base, pull, cut, known_until)
    return _learnt(ordered, loads, base, pull, known_until), found


def _cut(ordered: Sequence[Case]) -> datetime:
    """The moment at which the newest part begins."""
    return ordered[int(len(ordered) * OLDER)].raised_at


def _choose(older: Sequence[Case], loads: Loads, base: Hazard, known_until: datetime) -> float:
    """The pull under which the newest of the older cases were told best."""
    cut = _cut(older)
    first, later = _looks(older, loads, cut), _looks(older, loads, known_until, since=cut)
    if not first or not any(one.missed is not None for one in later):
        return PULLS[-1]
    from app.reports.forecast.fit import learn

    tried = [(measure(learn(first, base, pull=pull, cases=0), first, later).model.brier, pull) for pull in PULLS]
    return min(tried)[1]


def _measured(
    cases: Sequence[Case], loads: Loads, base: Hazard, pull: float, cut: datetime, known_until: datetime
) -> Measures:
    past, later = _looks(cases, loads, cut), _looks(cases, loads, known_until, since=cut)
    tested = sum(one.missed is not None for one in later)
    if not past or tested < LEAST_TESTED:
        raise TooLittle(f"{tested} forecasts to measure by, expected at least {LEAST_TESTED}")
    from app.reports.forecast.fit import learn

    found, usual = (measure(model, past, later) for model in (learn(past, base, pull=pull, cases=0), base))
    if found.model.brier > usual.model.brier - CLEARLY:
        raise TooLittle(f"the base model tells the newest cases as well: {usual.model.brier} to {found.model.brier}")
    return found


def _learnt(cases: Sequence[Case], loads: Loads, base: Hazard, pull: float, known_until: datetime) -> Hazard:
    from app.reports.forecast.fit import learn

    return learn(_looks(cases, loads, known_until), base, pull=pull, cases=len(cases))


def _looks(cases: Sequence[Case], loads: Loads, until: datetime, *, since: datetime | None = None) -> list[Look]:
    """Of the cases that were known by then."""
    known = [case for case in cases if case.states[0].known_from < until]
    return [one for case in known for one in looks_of(case, loads, known_until=until, since=since)]
