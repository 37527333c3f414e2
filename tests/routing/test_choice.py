from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routing.choice import (
    DEFAULT_CAPACITY,
    Candidate,
    Weights,
    affinity_share,
    choose,
    free_share,
    has_room,
    rest_share,
    tie_hash,
    work_weight,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def person(id: str, **more: Any) -> Candidate:
    return Candidate(id, **({"overlap": 1.0} | more))


def test_the_score_is_the_printed_one() -> None:
    # ann: 40·½ + 30·(1 − 6/24) + 15·0.8 + 10·(1 − 300/400) + 5·0.2 = 20 + 22.5 + 12 + 2.5 + 1 = 58
    # bob: 40·0 + 30·(1 − 0/24) + 15·1 + 10·(1 − 100/400) + 5·1 = 30 + 15 + 7.5 + 5 = 57.5
    ann = person("ann", affinity=0.5, load=Decimal(6), overlap=0.8, value_in_hand=Decimal(300), rest=0.2)
    bob = person("bob", value_in_hand=Decimal(100))
    ranking = choose([bob, ann], tie_key="ESC-1042")
    assert [(r.candidate.id, r.score) for r in ranking.ranked] == [("ann", 58.0), ("bob", 57.5)]
    assert ranking.ranked[0].parts == {
        "affinity": 20,
        "capacity": 22.5,
        "overlap": 12,
        "value": 2.5,
        "rest": 1,
    }
    assert ranking.winner == ann
    assert ranking.left_out == ()


def test_without_overlap_the_part_is_left_out_and_the_record_says_so() -> None:
    ranking = choose([person("ann", overlap=None), person("bob")], tie_key="k")
    assert ranking.left_out == ("overlap",)
    assert [r.score for r in ranking.ranked] == [45.0, 45.0]
    assert all("overlap" not in r.parts for r in ranking.ranked)
    assert ranking.as_record()["left_out"] == ["overlap"]


def test_an_unknown_overlap_of_somebody_excluded_changes_nothing() -> None:
    ranking = choose([person("ann"), person("eve", overlap=None, excluded="absent")], tie_key="k")
    assert ranking.left_out == ()


def test_the_excluded_are_listed_by_code_and_never_win() -> None:
    people = [
        person("zoe", affinity=1.0, excluded="absent"),
        person("max", affinity=1.0, excluded="over_capacity"),
        person("amy", affinity=1.0, excluded="absent"),
        person("bob"),
    ]
    ranking = choose(people, tie_key="k")
    assert ranking.winner == people[3]
    assert ranking.excluded == {"absent": ("amy", "zoe"), "over_capacity": ("max",)}


def test_the_value_in_the_hands_of_the_excluded_still_counts_in_the_teams() -> None:
    away = person("zoe", value_in_hand=Decimal(300), excluded="absent")
    ranking = choose([person("bob", value_in_hand=Decimal(100)), away], tie_key="k")
    assert ranking.ranked[0].parts["value"] == 7.5


def test_nobody_eligible_has_no_winner() -> None:
    assert choose([], tie_key="k").winner is None
    assert choose([person("zoe", excluded="absent")], tie_key="k").winner is None


def test_weights_of_the_policy_are_used_and_kept() -> None:
    weights = Weights(affinity=0, capacity=0, overlap=0, value=0, rest=100)
    ranking = choose([person("ann", rest=0.25)], tie_key="k", weights=weights)
    assert ranking.ranked[0].score == 25.0
    assert ranking.as_record()["weights"]["rest"] == 100


def test_ties_fall_by_the_stable_hash_which_differs_from_case_to_case() -> None:
    people = [person(name) for name in ("ann", "bob", "cid", "dee")]
    by_hash = sorted(people, key=lambda c: tie_hash("ESC-1042", c.id))
    assert [r.candidate for r in choose(people, tie_key="ESC-1042").ranked] == by_hash
    winners = {choose(people, tie_key=f"ESC-{n}").winner for n in range(40)}
    assert winners == set(people)


def test_the_tie_hash_never_changes_between_releases() -> None:
    # sha256 of "ESC-1042\nann", computed with sha256sum.
    assert tie_hash("ESC-1042", "ann") == "133e9afb3417c404c338f813d1cacfe94bdabc13a9e2f4889ec2bb7e6da25c87"


@pytest.mark.parametrize(
    ("severity", "status", "weight"),
    [
        (1, "open", "4"),
        (2, "in_progress", "3"),
        (3, "open", "2"),
        (4, "open", "1"),
        (1, "waiting", "2"),
        (2, "resolved", "1.5"),
        (4, "waiting", "0.5"),
    ],
)
def test_work_weighs_by_severity_and_half_while_waiting_or_resolved(severity: int, status: str, weight: str) -> None:
    assert work_weight(severity, status) == Decimal(weight)


@pytest.mark.parametrize(
    ("load", "capacity", "share"),
    [("0", "24", 1.0), ("6", "24", 0.75), ("24", "24", 0.0), ("30", "24", 0.0), ("0", "0", 0.0)],
)
def test_the_free_share_is_what_is_left_of_the_capacity(load: str, capacity: str, share: float) -> None:
    assert free_share(Decimal(load), Decimal(capacity)) == share


def test_the_last_free_place_is_taken_only_by_work_that_fits() -> None:
    assert has_room(Decimal("22.5"), Decimal(24), weight=Decimal("1.5"))
    assert not has_room(Decimal("22.5"), Decimal(24), weight=Decimal(2))


@pytest.mark.parametrize(
    ("owner", "csm", "closed", "share"),
    [
        (True, False, 0, 1.0),
        (False, True, 0, 1.0),
        (False, False, 0, 0.0),
        (False, False, 1, 0.5),
        (False, False, 3, 0.75),
    ],
)
def test_affinity_is_full_for_the_accounts_own_people_and_grows_with_cases_closed(
    owner: bool, csm: bool, closed: int, share: float
) -> None:
    assert affinity_share(is_account_owner=owner, is_csm=csm, closed_for_account=closed) == share


@pytest.mark.parametrize(("hours", "share"), [(0, 0.0), (6, 0.25), (24, 1.0), (500, 1.0)])
def test_rest_grows_over_a_day(hours: int, share: float) -> None:
    assert rest_share(NOW - timedelta(hours=hours), now=NOW) == share


def test_somebody_never_assigned_is_fully_rested() -> None:
    assert rest_share(None, now=NOW) == 1.0


SHARES = st.floats(0, 1)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.uuids().map(str),
        affinity=SHARES,
        load=st.decimals(0, 30, places=1),
        overlap=SHARES | st.none(),
        value_in_hand=st.decimals(0, 10**6, places=2),
        rest=SHARES,
        capacity=st.just(DEFAULT_CAPACITY),
        weight=st.just(1.0),
        excluded=st.sampled_from([None, None, "absent"]),
    ),
    max_size=8,
    unique_by=lambda c: c.id,
)


@given(CANDIDATES, st.randoms(use_true_random=False))
def test_the_order_people_are_given_in_never_matters(people: list[Candidate], random: Any) -> None:
    shuffled = people.copy()
    random.shuffle(shuffled)
    assert choose(people, tie_key="k").as_record() == choose(shuffled, tie_key="k").as_record()


@given(CANDIDATES)
def test_points_add_up_to_the_score_within_0_and_100(people: list[Candidate]) -> None:
    for ranked in choose(people, tie_key="k").ranked:
        assert sum(ranked.parts.values()) == pytest.approx(ranked.score, abs=1e-9)
        assert 0 <= ranked.score <= 100


@given(CANDIDATES)
def test_everybody_is_either_ranked_or_excluded(people: list[Candidate]) -> None:
    ranking = choose(people, tie_key="k")
    named = [r.candidate.id for r in ranking.ranked] + [id for ids in ranking.excluded.values() for id in ids]
    assert sorted(named) == sorted(c.id for c in people)
