"""How far up the path the work is: the tiers and the ways between them, which only lead up."""

from collections.abc import Sequence

from app.errors import AppError
from app.sla.level import TIERS as TIERS

FIRST_TIER = TIERS[0]


class NoTierAbove(AppError):
    """The last tier of the path has nothing above it: what is left is management's decision."""

    status, code, title = 409, "no_tier_above", "There is no tier above"

    def __init__(self, tier: str) -> None:
        self.tier = tier
        super().__init__(f"there is no tier above {tier}")


class TierNotAbove(AppError):
    """A hop may skip tiers but never stays or goes down; `allowed` names the tiers above."""

    status, code, title = 409, "tier_not_above", "A hop only leads up"

    def __init__(self, current: str, to: str, allowed: Sequence[str]) -> None:
        self.current = current
        self.to = to
        self.allowed = tuple(allowed)
        super().__init__(f"{to} is not above {current}; allowed: {', '.join(self.allowed)}", allowed=list(self.allowed))


def tiers_above(tier: str, path: Sequence[str] = TIERS) -> tuple[str, ...]:
    """The tiers of the path above this one, nearest first; one the path lacks keeps its place in `TIERS`."""
    return tuple(other for other in path if TIERS.index(other) > TIERS.index(tier))


def next_tier(tier: str, path: Sequence[str] = TIERS) -> str:
    """The nearest tier above on this path; NoTierAbove at its end."""
    above = tiers_above(tier, path)
    if not above:
        raise NoTierAbove(tier)
    return above[0]


def check_to_tier(current: str, to: str, path: Sequence[str] = TIERS) -> str:
    """The tier asked for, if it lies above; NoTierAbove at the end of the path, else TierNotAbove."""
    above = tiers_above(current, path)
    if not above:
        raise NoTierAbove(current)
    if to not in above:
        raise TierNotAbove(current, to, above)
    return to
