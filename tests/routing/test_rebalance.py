"""The fewest moves that bring everybody to what fits, against trying everything."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.routing.rebalance import Case, Member, Move, Proposal, propose

WEIGHTS = ("0.5", "1", "1.5", "2", "3", "4")
TEAM = ("a", "b", "c", "d")


def member(id_: str, load: str, capacity: str, *, takes: bool = True) -> Member:
    return Member(id_, Decimal(load), Decimal(capacity), takes)


def case(id_: str, owner: str, weight: str, *, fits: str = "abcd", acknowledged: bool = False, age: int = 0) -> Case:
    return Case(id_, owner, Decimal(weight), frozenset(fits), acknowledged, age)


def pairs(proposal: Proposal) -> list[tuple[str, str]]:
    return sorted((move.case_id, move.to_id) for move in proposal.moves)


def test_a_team_that_fits_is_left_alone() -> None:
    found = propose([member("a", "8", "8"), member("b", "0", "8")], [case("1", "a", "4")])
    assert found == Proposal((), {"a": Decimal(8), "b": Decimal(0)}, {}, fewest=True, impossible=False)


def test_one_heavy_case_goes_rather_than_two_light_ones() -> None:
    """a is over by 3: one case of 3 is enough, and no two of 2 are moved."""
    cases = [case("1", "a", "2"), case("2", "a", "2"), case("3", "a", "3", age=99, acknowledged=True)]
    found = propose([member("a", "11", "8"), member("b", "0", "8")], cases)
    assert (pairs(found), found.fewest) == ([("3", "b")], True)
    assert found.loads == {"a": Decimal(8), "b": Decimal(3)}


def test_of_equally_few_moves_those_not_acknowledged_and_then_the_youngest_go() -> None:
    cases = [
        case("old", "a", "2", age=900),
        case("young", "a", "2", age=100),
        case("known", "a", "2", age=1, acknowledged=True),
    ]
    found = propose([member("a", "10", "8"), member("b", "0", "8")], cases)
    assert pairs(found) == [("young", "b")]


def test_room_is_made_by_a_second_move_where_the_first_alone_would_overfill() -> None:
    """a gives 4 and only b may have it, who has room for 2: b hands 2 on to c, who has room for 2."""
    cases = [case("1", "a", "4", fits="b"), case("2", "b", "2")]
    people = [member("a", "12", "8"), member("b", "6", "8"), member("c", "6", "8")]
    found = propose(people, cases)
    assert pairs(found) == [("1", "b"), ("2", "c")]
    assert found.loads == {"a": Decimal(8), "b": Decimal(8), "c": Decimal(8)}


def test_nobody_gets_what_does_not_fit_them_nor_who_takes_nothing() -> None:
    people = [member("a", "10", "8"), member("b", "0", "8"), member("c", "0", "8", takes=False)]
    assert pairs(propose(people, [case("1", "a", "2", fits="bc")])) == [("1", "b")]
    found = propose(people, [case("1", "a", "2", fits="c")])
    assert (found.moves, found.remaining, found.impossible) == ((), {"a": Decimal(2)}, True)


def test_what_cannot_be_done_is_said_and_what_can_is_proposed() -> None:
    """7 over and room for 4 only: 4 are moved, 3 remain."""
    cases = [case("1", "a", "4"), case("2", "a", "3")]
    found = propose([member("a", "15", "8"), member("b", "4", "8")], cases)
    assert (pairs(found), found.remaining, found.impossible) == ([("1", "b")], {"a": Decimal(3)}, True)
    assert found.fewest is False


def test_with_capacity_0_everything_that_may_goes() -> None:
    found = propose([member("a", "4", "0"), member("b", "0", "8")], [case("1", "a", "3"), case("2", "a", "1")])
    assert pairs(found) == [("1", "b"), ("2", "b")]
    assert propose([member("a", "3", "0")], [case("1", "a", "3")]).impossible


def test_a_large_team_is_relieved_by_rule_of_thumb_when_proof_would_take_too_long() -> None:
    people = [member(f"p{n}", "30" if n < 5 else "10", "24") for n in range(20)]
    everybody = frozenset(person.id for person in people)
    cases = [
        Case(f"{n}-{m}", f"p{n}", Decimal(WEIGHTS[(n + m) % 6]), everybody, age=m) for n in range(5) for m in range(12)
    ]
    found = propose(people, cases, budget=10)
    assert (found.fewest, found.impossible, found.remaining) == (False, False, {})
    proved = propose(people, cases)
    assert proved.remaining == {}
    assert len(proved.moves) <= len(found.moves)


def outcomes(people: list[Member], cases: list[Case]) -> Iterator[tuple[int, int, int]]:
    """(moves, acknowledged, age) of every way to give the cases out after which everybody has what fits."""
    for owners in product(*[sorted({c.owner_id} | c.fits) for c in cases]):
        loads = {person.id: person.load for person in people}
        moved = [c for c, owner in zip(cases, owners, strict=True) if owner != c.owner_id]
        for c, owner in zip(cases, owners, strict=True):
            loads[c.owner_id] -= c.weight
            loads[owner] += c.weight
        if all(loads[person.id] <= person.capacity for person in people):
            yield len(moved), sum(c.acknowledged for c in moved), sum(c.age for c in moved)


@st.composite
def teams(draw: st.DrawFn) -> tuple[list[Member], list[Case]]:
    ids = TEAM[: draw(st.integers(2, 4))]
    takes = {id_: draw(st.booleans()) or draw(st.booleans()) for id_ in ids}
    cases = []
    for n in range(draw(st.integers(1, 6))):
        owner = draw(st.sampled_from(ids))
        fits = frozenset(id_ for id_ in ids if takes[id_] and id_ != owner and draw(st.integers(0, 3)))
        weight = Decimal(draw(st.sampled_from(WEIGHTS)))
        cases.append(Case(str(n), owner, weight, fits, draw(st.booleans()), draw(st.integers(0, 9))))
    people = []
    for id_ in ids:
        other = Decimal(draw(st.integers(0, 4)))
        load = other + sum((c.weight for c in cases if c.owner_id == id_), Decimal(0))
        people.append(Member(id_, load, Decimal(draw(st.integers(0, 10))), takes[id_]))
    return people, cases


@settings(max_examples=400)
@given(teams())
def test_no_way_to_give_the_cases_out_needs_fewer_moves_or_is_kinder(team: tuple[list[Member], list[Case]]) -> None:
    people, cases = team
    found = propose(people, cases, budget=10**9)
    best = min(outcomes(people, cases), default=None)
    assert found.impossible == (best is None)
    if best is not None:
        moved = [c for c in cases for move in found.moves if move.case_id == c.id]
        ages = sum(c.age for c in moved)
        assert (len(moved), sum(c.acknowledged for c in moved), ages) == best
        assert (found.fewest, found.remaining) == (True, {})


@settings(max_examples=200)
@given(teams(), st.sampled_from([1, 10**9]))
def test_each_case_moves_once_to_somebody_it_fits_and_nobody_is_pushed_beyond_what_fits(
    team: tuple[list[Member], list[Case]], budget: int
) -> None:
    people, cases = team
    found = propose(people, cases, budget=budget)
    known = {c.id: c for c in cases}
    assert len({move.case_id for move in found.moves}) == len(found.moves)
    for move in found.moves:
        assert move == Move(move.case_id, known[move.case_id].owner_id, move.to_id)
        assert move.to_id in known[move.case_id].fits
    receivers = {move.to_id for move in found.moves}
    for person in people:
        assert found.loads[person.id] <= max(person.capacity, person.load)
        assert person.id not in receivers or found.loads[person.id] <= person.capacity


@pytest.mark.parametrize("count", [1, 5])
def test_the_same_team_gives_the_same_proposal_in_whatever_order_it_is_told(count: int) -> None:
    people = [member(id_, load, "8") for id_, load in zip(TEAM, ("14", "2", "2", "2"), strict=True)]
    cases = [case(str(n), "a", "2") for n in range(count)]
    assert propose(people, cases) == propose(people[::-1], cases[::-1])
