"""The chance to miss by hand, and learning from histories whose hazard is known."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log

import pytest

from app.reports.forecast import learning
from app.reports.forecast.base import base_model, shipped
from app.reports.forecast.course import Loads, looks_of
from app.reports.forecast.features import Case, Standing, State, standing_of
from app.reports.forecast.fit import learn
from app.reports.forecast.hazard import Hazard, UnknownForm
from app.reports.forecast.measures import auc, measure, reliability

BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TARGET = 30
CHANCES = {1: 0.10, 2: 0.03}  # of being closed on a day, by severity: what learning is to find
UNKNOWN = Hazard(-2.0, {})
TRUE = Hazard(0.0, {f"severity={severity}": log(chance / (1 - chance)) for severity, chance in CHANCES.items()})


def case_of(raised_at, severity, closed_after=None, *, owner="a", more=()):
    """Open from its raise, closed after so many days."""
    states = [State(raised_at, "in_progress", "open", severity, owner=owner), *more]
    target = raised_at + TARGET * DAY
    if closed_after is not None:
        at = raised_at + closed_after * DAY
        standing = "on_time" if at <= target else "late"
        states.append(replace(states[-1], known_from=at, status="closed", standing=standing, closed_at=at))
    return Case(raised_at, target, states)


def history(count, seed):
    """Cases raised one an hour, each day closed by the chance of its severity, whatever else."""
    chance, found = random.Random(seed), []
    for n in range(count):
        severity, day = 1 + n % 2, 1
        while chance.random() > CHANCES[severity]:
            day += 1
        found.append(case_of(BEGAN + timedelta(hours=n), severity, day - 0.5))
    return found


def looks(cases, known_until=BEGAN + 3650 * DAY):
    loads = Loads(cases)
    return [look for case in cases for look in looks_of(case, loads, known_until=known_until)]


@pytest.mark.parametrize(("left", "expected"), [(0, 1.0), (1, 0.5), (3, 0.125), (2.5, 0.5**2.5), (30, 0.5**30)])
def test_the_chance_to_miss_is_that_of_getting_through_each_day_left(left, expected):
    """With log-odds 0 a case is closed on a day or not, evenly."""
    standing = Standing(age=4, left=left, phase="in_progress", resolved=None, traits={})
    assert Hazard(0.0, {}).miss(standing) == pytest.approx(expected)


def test_a_trait_moves_every_day_and_a_day_its_own_chance():
    """Log-odds −1 with the trait: 1 − 1/(1+e) a day; +2 on the first day ahead: log-odds 1."""
    standing = Standing(age=0, left=2, phase="open", resolved=None, traits={"severity": "severity=4"})
    model = Hazard(0.0, {"severity=4": -1.0, "open_ahead=1": 2.0})
    e = 2.718281828
    assert model.miss(standing) == pytest.approx((1 / (1 + e)) * (e / (1 + e)))
    assert model.miss(standing, without="severity") == pytest.approx((1 / (1 + e**2)) * 0.5)


def test_learning_finds_the_hazard_that_made_the_history_and_says_shares_that_come_true():
    """By hand: 0.9³⁰ = 4.2 % of severity 1 miss and 0.97³⁰ = 40.1 % of severity 2."""
    cases = history(1500, seed=7)
    model = learn(looks(cases), UNKNOWN, pull=3.0, cases=len(cases))
    for severity, share in ((1, 0.9**30), (2, 0.97**30)):
        state = case_of(BEGAN, severity).states[0]
        standing = standing_of(BEGAN, BEGAN + TARGET * DAY, state, BEGAN, load=700)
        assert model.miss(standing) == pytest.approx(share, abs=0.05)
    later = looks(history(600, seed=8))
    found = measure(model, looks(cases), later)
    assert found.calibration_error < 0.06
    assert found.model.brier < min(found.share_so_far.brier, found.age_only.brier)
    assert found.model.auc > max(found.share_so_far.auc, found.age_only.auc)
    assert all(abs(one.said - one.missed) < 0.12 for one in found.reliability if one.forecasts > 300)


def test_learnt_from_little_it_stays_with_the_base():
    """Ten cases that closed at once, strongly drawn: the chance stays near the base's; weakly drawn it does not."""
    cases = [case_of(BEGAN + n * DAY, 2, 0.5) for n in range(10)]
    standing = looks(cases)[0].standing
    base = Hazard(-4.0, {})
    strong, weak = (learn(looks(cases), base, pull=pull, cases=10).miss(standing) for pull in (10_000.0, 0.1))
    assert strong == pytest.approx(base.miss(standing), abs=0.1)
    assert weak < 0.1


def test_what_becomes_known_later_changes_no_look():
    """Whatever follows, in this case and in every other, a look is what it would have been on that day."""
    chance, cases = random.Random(3), []
    for n in range(40):
        raised_at, status, more = BEGAN + n * DAY, "in_progress", []
        for day in sorted(chance.sample(range(1, 25), 4)):
            status = chance.choice(["in_progress", "waiting", "resolved"])
            at = raised_at + day * DAY + timedelta(hours=chance.randint(0, 20))
            more.append(State(at, status, "open", chance.randint(1, 4), owner=chance.choice("ab"), reroutes=day % 6,
                              resolved_at=at if status == "resolved" else None))  # fmt: skip
        cases.append(case_of(raised_at, 2, chance.choice([None, 26, 28, 45]), more=more))
    for case in cases:
        for look in looks_of(case, Loads(cases), known_until=BEGAN + 3650 * DAY):
            at = case.target_at - look.due_in * DAY
            then = [replace(c, states=[s for s in c.states if s.known_from <= at]) for c in cases]
            known = [c for c in then if c.states]
            own = next(c for c in known if c.raised_at == case.raised_at)
            alone = looks_of(own, Loads(known), known_until=at + timedelta(seconds=1))
            assert alone[-1].standing == look.standing


def test_what_is_learnt_at_a_moment_does_not_know_what_came_after_it():
    """Of a case closed on day 5, on day 3 nothing is known but that it was watched for three days."""
    case = case_of(BEGAN, 2, 5)
    first = looks_of(case, Loads([case]), known_until=BEGAN + 3 * DAY)[0]
    assert (first.closed_in, first.watched, first.missed) == (None, 3.0, None)
    then = looks_of(case, Loads([case]), known_until=BEGAN + 6 * DAY)[0]
    assert (then.closed_in, then.missed) == (5.0, False)


@pytest.mark.parametrize(
    ("standing", "missed"), [("unresolved", True), ("customer_silent", True), ("withdrawn", None), ("merged", None)]
)
def test_given_up_is_missed_and_withdrawn_is_not_known(standing, missed):
    ended = State(BEGAN + 4 * DAY, "closed", standing, 2, closed_at=BEGAN + 4 * DAY)
    case = case_of(BEGAN, 2, more=[ended])
    assert looks_of(case, Loads([case]), known_until=BEGAN + 90 * DAY)[0].missed is missed


def test_a_training_measures_on_what_it_could_not_know_and_draws_less_where_there_is_much():
    cases = history(600, seed=5)
    model, found = learning.train(cases, Loads(cases), UNKNOWN, BEGAN + 120 * DAY)
    assert model.cases == 600
    assert found.model.brier < found.age_only.brier
    assert found.forecasts > 1000
    with pytest.raises(learning.TooLittle, match="99 closed cases, expected at least 100"):
        learning.train(cases[:99], Loads(cases), UNKNOWN, BEGAN + 120 * DAY)
    with pytest.raises(learning.TooLittle, match="the base model tells the newest cases as well"):
        learning.train(cases, Loads(cases), TRUE, BEGAN + 120 * DAY)


def test_areas_and_tenths_by_hand():
    """Of those that missed 0.9 is over 0.1 and 0.5, 0.5 over 0.1 and level with 0.5: 3.5 of 4 pairs."""
    assert auc([0.9, 0.5, 0.5, 0.1], [True, True, False, False]) == 3.5 / 4
    assert auc([0.4], [True]) is None
    bins = reliability([0.02, 0.06, 0.91, 1.0], [False, True, True, True])
    assert [(one.least, one.forecasts, one.said, one.missed) for one in bins] == [
        (0.0, 2, 0.04, 0.5), (0.9, 2, 0.955, 1.0)
    ]  # fmt: skip


def test_the_base_model_is_stored_as_any_other_and_says_where_it_comes_from():
    model = base_model()
    assert Hazard.of(model.as_json()) == model
    assert (shipped()["cases"], "UCI" in shipped()["source"]) == (9202, True)
    with pytest.raises(UnknownForm):
        Hazard.of({**model.as_json(), "form": 0})


def test_by_the_base_model_a_resolved_case_closes_sooner_and_an_old_one_misses_more():
    def chance(age, status):
        at = BEGAN + age * DAY
        resolved_at = at - DAY if status == "resolved" else None
        state = State(at - DAY, status, "open", 2, owner="a", resolved_at=resolved_at)
        return base_model().miss(standing_of(BEGAN, BEGAN + TARGET * DAY, state, at, load=3))

    assert chance(5, "in_progress") < chance(20, "in_progress") < chance(28, "in_progress")
    assert chance(20, "resolved") < chance(20, "in_progress")
