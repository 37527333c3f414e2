"""Chains of delegates, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.routing.delegates import find_stand_in


def serves(name: str) -> bool:
    return name != "gone"


@pytest.mark.parametrize(
    ("delegates", "found"),
    [
        ({}, "a"),  # present
        ({"a": "b"}, "b"),
        ({"a": "b", "b": "c", "c": "d"}, "d"),
        ({"a": None}, None),
        ({"a": "b", "b": None}, None),  # ends
        ({"a": "b", "b": "a"}, None),  # loops
        ({"a": "b", "b": "c", "c": "b"}, None),  # loops without the first
        ({"a": "a"}, None),
        ({"a": "gone"}, None),  # fails
        ({"a": "gone", "gone": "c"}, None),  # fails on the way
        ({"b": "c"}, "a"),
    ],
)
def test_the_first_present_along_the_chain_stands_in(delegates: dict[str, str | None], found: str | None) -> None:
    assert find_stand_in("a", delegates, serves=serves) == found


PEOPLE = st.integers(0, 8)


@given(st.dictionaries(PEOPLE, st.none() | PEOPLE), PEOPLE, st.sets(PEOPLE))
def test_whoever_stands_in_is_present_and_serves(
    delegates: dict[int, int | None], person: int, others: set[int]
) -> None:
    found = find_stand_in(person, delegates, serves=lambda one: one in others)
    assert found not in delegates
    assert found is None or found == person or found in others
