"""The replay and the load by day, by hand-made cases."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.routing.people import Person, TeamFacts
from app.routing.policy import Policy, compile_policy
from app.routing.simulation import Away, History, Hold, Past, Replay, Workforce
from app.routing.simulation_load import Span, daily_load, days_of

DAY0 = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANN, BEN, CAL = "a" * 8, "b" * 8, "c" * 8
TEAM = "00000000-0000-0000-0000-000000000001"
TO_TEAM: dict[str, Any] = {"name": "desk", "when": {"all": []}, "target": {"kind": "team", "team_id": TEAM}}


def at(days: float) -> datetime:
    return DAY0 + timedelta(days=days)


def person(id_: str, **given: Any) -> Person:
    given.setdefault("capacity", Decimal(24))
    return Person(id=id_, active=True, role="csm", load=Decimal(0), value_in_hand=Decimal(0), **given)


def past(n: int, begins: float, ends: float | None = None, **given: Any) -> Past:
    facts: Mapping[str, Any] = given.pop("facts", {})
    given = {"account_id": "acme", "reason": "billing", "weight": Decimal(3), "closed": ends is not None, **given}
    return Past(
        id=f"case {n}",
        at=at(begins),
        today=at(begins).date(),
        ended_at=None if ends is None else at(ends),
        value=Decimal(100),
        facts=facts,
        roles={},
        **given,
    )


def policy(*rules: dict[str, Any]) -> Policy:
    return compile_policy(1, list(rules), {})


def replay(*rules: dict[str, Any], members: Mapping[str, int], absences: tuple[Away, ...] = ()) -> Replay:
    people = {id_: person(id_) for id_ in (*members, CAL)}
    team = TeamFacts(TEAM, "Desk", None, {id_: Decimal(capacity) for id_, capacity in members.items()})
    return Replay(policy(*rules), Workforce(people, {TEAM: team}, absences, {"duty_owner": CAL}))


def owners(run: Replay, *cases: Past) -> list[str | None]:
    return [run.step(case).owner_id for case in cases]


def test_a_case_is_in_hand_until_it_really_ended() -> None:
    """Ann has room for one case of 3. The first lasts two days: the one a day later finds nobody and falls to the duty
    owner; the one at the very moment the first ends fits."""
    run = replay(TO_TEAM, members={ANN: 5})
    assert owners(run, past(1, 0, 2), past(2, 1), past(3, 2)) == [ANN, CAL, ANN]


def test_what_was_in_hand_before_counts_and_is_given_back() -> None:
    run = replay(TO_TEAM, members={ANN: 5})
    run.hold(Hold(ANN, "bolt", "other", Decimal(4), Decimal(0), at(-9), at(1), True), counts=False)
    assert owners(run, past(1, 0), past(2, 1)) == [CAL, ANN]


def test_who_was_absent_then_is_passed_over_then() -> None:
    """Ann is away on the second and third day; her delegate has no room."""
    run = replay(TO_TEAM, members={ANN: 24, BEN: 0}, absences=(Away(ANN, at(1), at(3), BEN),))
    assert owners(run, past(1, 0), past(2, 1), past(3, 2.9), past(4, 3)) == [ANN, CAL, CAL, ANN]


def test_an_absence_that_follows_another_at_once_holds() -> None:
    run = replay(TO_TEAM, members={ANN: 24}, absences=(Away(ANN, at(2), at(4), None), Away(ANN, at(0), at(2), None)))
    assert owners(run, past(1, 1), past(2, 2), past(3, 3), past(4, 4)) == [CAL, CAL, CAL, ANN]


def test_the_previous_owner_is_the_replays_own_else_historys() -> None:
    previous = {
        "name": "again",
        "when": {"all": []},
        "target": {"kind": "previous_owner"},
        "fallback": TO_TEAM["target"],
    }
    run = replay(previous, members={BEN: 24})
    run.people[ANN] = person(ANN)
    run.history["acme"] = History(last_owner={"billing": ANN})
    assert owners(run, past(1, 0), past(2, 1, reason="security"), past(3, 2, reason="security")) == [ANN, BEN, BEN]


def test_counts_are_the_replays_own_where_the_record_has_none() -> None:
    """The third case: two earlier ones with this reason and one in history, one of the two still open."""
    asked = {
        "all": [
            {"field": "counts.repeats", "op": "=", "value": 3},
            {"field": "counts.open_escalations", "op": "=", "value": 1},
        ]
    }
    rules = ({**TO_TEAM, "name": "again", "when": asked, "target": {"kind": "team", "team_id": TEAM}},)
    run = replay(*rules, {**TO_TEAM, "target": {"kind": "role", "role": "owner"}}, members={ANN: 24})
    run.history["acme"] = History(earlier={"billing": 1})
    outcomes = [run.step(case) for case in (past(1, 0, 1), past(2, 0.5), past(3, 2))]
    assert [outcome.rule for outcome in outcomes] == [None, None, "again"]
    kept = run.step(past(4, 3, facts={"counts.repeats": 3, "counts.open_escalations": 1}))
    assert kept.rule == "again"


def test_closed_cases_make_a_colleague_known_to_the_account() -> None:
    """Equal but for the case Ben closed for the account: 20 of 40 points of affinity are his."""
    run = replay(TO_TEAM, members={ANN: 24, BEN: 24})
    run.hold(Hold(BEN, "acme", "other", Decimal(1), Decimal(0), at(-9), at(-5), True))
    assert owners(run, past(1, 0)) == [BEN]


def test_days_are_the_tenants_and_cut_to_the_period() -> None:
    """Berlin's clocks went forward on 29 March 2026: that day has 23 hours."""
    since, until = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, 3, tzinfo=UTC)
    days = days_of(since, until, ZoneInfo("Europe/Berlin"))
    assert [(day.on, (day.ends_at - day.starts_at) / timedelta(hours=1)) for day in days] == [
        (date(2026, 3, 28), 11),
        (date(2026, 3, 29), 23),
        (date(2026, 3, 30), 5),
    ]


def test_a_days_load_is_its_mean_and_its_peak() -> None:
    """First day: 4 for half of it. Second: 4 all day, 2 more for six hours: mean 4.5, peak 6. Third: handed over at its
    first moment, 2 for two that had 4."""
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    days = days_of(begin, begin + timedelta(days=3), ZoneInfo("UTC"))
    hours = [begin + timedelta(hours=h) for h in (12, 48, 24, 30)]
    spans = [
        Span(hours[0], hours[1], Decimal(4)),
        Span(hours[2], hours[3], Decimal(2)),
        Span(hours[1], None, Decimal(2)),
    ]
    assert daily_load(spans, days) == [
        (Decimal("2.00"), Decimal("4.00")),
        (Decimal("4.50"), Decimal("6.00")),
        (Decimal("2.00"), Decimal("2.00")),
    ]


@given(
    st.lists(
        st.tuples(st.integers(-50, 150), st.integers(0, 100), st.sampled_from([1, 2, 3, 4])),
        max_size=12,
    )
)
def test_means_add_up_to_the_work_that_was_there(written: list[tuple[int, int, int]]) -> None:
    """Over all days the mean, times the day's length, is each span's part of the period times its weight."""
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    end = begin + timedelta(hours=96)
    moment = [begin + timedelta(hours=h) for h in range(-50, 260)]
    spans = [Span(moment[50 + s], moment[50 + s + length], Decimal(w)) for s, length, w in written]
    loads = daily_load(spans, days_of(begin, end, ZoneInfo("UTC")))
    there = sum(w * max(min(s + length, 96) - max(s, 0), 0) for s, length, w in written)
    assert abs(float(sum(mean for mean, _ in loads)) * 24 - there) <= 4 * 24 * 0.005
    assert all(mean <= peak for mean, peak in loads)
