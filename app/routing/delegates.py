"""Who stands in for whom: chains of delegates at one moment, to any depth. Pure."""

from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")


def find_stand_in(absent: K, delegates: Mapping[K, K | None], *, serves: Callable[[K], bool]) -> K | None:
    """The first along the chain of delegates who is present; nobody when the chain ends, loops or fails.

    `delegates` has everybody who is absent at the moment with whom they named, None for nobody. The chain fails at
    one who does not serve: gone, or never to hear of it. Who is present stands in for themselves.
    """
    seen: set[K] = {absent}
    person = absent
    while person in delegates:
        following = delegates[person]
        if following is None or following in seen or not serves(following):
            return None
        seen.add(following)
        person = following
    return person
