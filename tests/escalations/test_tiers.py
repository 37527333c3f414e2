from itertools import pairwise

import pytest

from app.escalations.tiers import TIERS, NoTierAbove, TierNotAbove, check_to_tier, next_tier


@pytest.mark.parametrize(("tier", "above"), list(pairwise(TIERS)))
def test_a_hop_leads_to_the_tier_above(tier: str, above: str) -> None:
    assert next_tier(tier) == above


def test_the_last_tier_has_nothing_above() -> None:
    with pytest.raises(NoTierAbove):
        next_tier("management")
    with pytest.raises(NoTierAbove):
        check_to_tier("management", "management")


def test_a_path_of_its_own_is_followed() -> None:
    path = ("tier_1", "tier_3", "management")
    assert next_tier("tier_1", path) == "tier_3"
    assert next_tier("tier_2", path) == "tier_3"
    with pytest.raises(TierNotAbove):
        check_to_tier("tier_1", "vendor", path)


def test_a_hop_may_skip_tiers() -> None:
    assert check_to_tier("tier_1", "vendor") == "vendor"


@pytest.mark.parametrize("to", ["tier_1", "tier_2", "moon"])
def test_a_hop_never_stays_goes_down_or_leaves_the_path(to: str) -> None:
    with pytest.raises(TierNotAbove) as refused:
        check_to_tier("tier_2", to)
    assert refused.value.allowed == ("tier_3", "onsite", "vendor", "management")
