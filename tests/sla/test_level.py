"""A service level as published: what it is read as, and which field is named when it cannot be meant."""

from typing import Any

import pytest

from app.sla.level import LevelError, parse_level


def test_each_field_becomes_the_target_of_its_clock() -> None:
    assert parse_level(
        {
            "respond": {"business_hours": 2},
            "reply": {"business_days": 1},
            "customer_update": {"1": 1, "2": 2, "3": 3, "4": 4},
            "account_team_update": 5,
            "executive_update": 10,
            "tiers": {"tier_1": {"business_hours": 8}, "vendor": {"business_days": 3}},
            "close_days": 20,
        }
    ) == {
        "respond": {"business_seconds": 7200},
        "reply": {"business_days": 1},
        "customer_update.1": {"business_days": 1},
        "customer_update.2": {"business_days": 2},
        "customer_update.3": {"business_days": 3},
        "customer_update.4": {"business_days": 4},
        "account_team_update": {"business_days": 5},
        "executive_update": {"business_days": 10},
        "tier.tier_1": {"business_seconds": 28800},
        "tier.vendor": {"business_days": 3},
        "close": {"calendar_days": 20},
    }


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({}, "respond"),
        ({"tiers": {}}, "respond"),
        ({"colour": 1}, "colour"),
        ({"respond": 2}, "respond"),
        ({"respond": {}}, "respond"),
        ({"respond": {"business_hours": 1, "business_days": 1}}, "respond"),
        ({"respond": {"minutes": 5}}, "respond"),
        ({"respond": {"business_hours": 0}}, "respond/business_hours"),
        ({"respond": {"business_hours": -1}}, "respond/business_hours"),
        ({"respond": {"business_hours": 1.5}}, "respond/business_hours"),
        ({"respond": {"business_hours": True}}, "respond/business_hours"),
        ({"respond": {"business_hours": "4"}}, "respond/business_hours"),
        ({"respond": {"business_hours": 8761}}, "respond/business_hours"),
        ({"reply": {"business_days": 3651}}, "reply/business_days"),
        ({"customer_update": 1}, "customer_update"),
        ({"customer_update": {"1": 1, "2": 1, "3": 1}}, "customer_update/4"),
        ({"customer_update": {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1}}, "customer_update/5"),
        ({"account_team_update": 0}, "account_team_update"),
        ({"executive_update": "weekly"}, "executive_update"),
        ({"tiers": {"tier_9": {"business_hours": 1}}}, "tiers/tier_9"),
        ({"tiers": {"tier_1": 4}}, "tiers/tier_1"),
        ({"tiers": ["tier_1"]}, "tiers"),
        ({"close_days": 0}, "close_days"),
        ({"close_days": 3651}, "close_days"),
    ],
)
def test_a_level_that_cannot_be_meant_is_refused_by_field(definition: dict[str, Any], field: str) -> None:
    with pytest.raises(LevelError) as refused:
        parse_level(definition)
    assert refused.value.field == field
