from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.rates import Rate, Rates
from app.accounts.value import (
    Contract,
    Escalator,
    Opportunity,
    Total,
    is_active,
    rise_of,
    value_of,
)

TODAY = date(2026, 11, 20)
EUR_RATE = Rate("EUR", date(2026, 11, 18), Decimal("1.10"))
RATES = Rates("USD", [EUR_RATE, Rate("EUR", date(2026, 11, 1), Decimal("1.05"))])


def contract(id: str, arr: str = "100000", currency: str = "USD", **more: object) -> Contract:
    facts: dict[str, object] = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
    return Contract(id=id, arr=Decimal(arr), currency=currency, **(facts | more))  # type: ignore[arg-type]


def deal(id: str, amount: str, probability: str | None, **more: object) -> Opportunity:
    share = None if probability is None else Decimal(probability)
    return Opportunity(id, Decimal(amount), "USD", share, **more)  # type: ignore[arg-type]


def test_value_at_stake_is_touched_arr_plus_the_weighted_pipeline() -> None:
    # 120,000 USD + 50,000 EUR at 1.10 = 175,000; pipeline 40,000 at 25 % = 10,000.
    value = value_of(
        [contract("a", "120000"), contract("b", "50000", "EUR")],
        [deal("o", "40000", "0.25"), deal("r", "90000", "0.9", type="renewal")],
        RATES,
        today=TODAY,
    )
    assert value.arr == Total(Decimal("175000.00"))
    assert value.pipeline == Total(Decimal("10000.00"))
    assert value.value_at_stake == Total(Decimal("185000.00"))
    assert not value.incomplete
    assert [(p.id, p.converted, p.rate, p.rate_on) for p in value.parts] == [
        ("a", Decimal("120000"), Decimal(1), TODAY),
        ("b", Decimal("55000.00"), Decimal("1.10"), date(2026, 11, 18)),
        ("o", Decimal("10000.00"), Decimal(1), TODAY),
    ]


def test_naming_contracts_narrows_what_is_at_stake_but_not_the_arr() -> None:
    value = value_of([contract("a", "120000"), contract("b", "30000")], [], RATES, today=TODAY, touched=["b"])
    assert value.arr.amount == Decimal("150000.00")
    assert value.value_at_stake.amount == Decimal("30000.00")
    assert [(p.id, p.touched) for p in value.parts] == [("a", False), ("b", True)]


def test_an_amount_without_a_rate_is_listed_and_never_counted_as_0() -> None:
    value = value_of([contract("a", "120000"), contract("j", "9000000", "JPY")], [], RATES, today=TODAY)
    assert value.value_at_stake.amount == Decimal("120000.00")
    assert value.value_at_stake.incomplete
    assert [(p.id, p.amount, p.currency) for p in value.unconverted] == [("j", Decimal(9000000), "JPY")]


def test_a_total_of_which_nothing_can_be_converted_has_no_amount() -> None:
    value = value_of([contract("j", "9000000", "JPY")], [], RATES, today=TODAY)
    assert value.arr.amount is None
    assert value.value_at_stake.amount is None
    assert value.renewal_value.amount is None
    assert value.incomplete


def test_a_missing_rate_of_an_untouched_contract_leaves_what_is_at_stake_complete() -> None:
    contracts = [contract("a", "120000"), contract("j", "9000000", "JPY")]
    value = value_of(contracts, [], RATES, today=TODAY, touched={"a"})
    assert value.arr.incomplete
    assert not value.value_at_stake.incomplete


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2026, 10, 31), None),
        (date(2026, 11, 1), "1.05"),
        (date(2026, 11, 8), "1.05"),
        (date(2026, 11, 9), None),
        (date(2026, 11, 18), "1.10"),
        (date(2026, 11, 25), "1.10"),
        (date(2026, 11, 26), None),
    ],
)
def test_the_rate_of_a_day_is_the_last_one_at_most_seven_days_old(day: date, rate: str | None) -> None:
    found = RATES.find("EUR", day)
    assert (found and found.rate) == (rate and Decimal(rate))


@pytest.mark.parametrize(
    ("day", "active"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_a_contract_is_active_on_its_first_and_last_day(day: date, active: bool) -> None:
    assert is_active(contract("a"), day) is active


def test_an_evergreen_contract_counts_and_never_renews() -> None:
    value = value_of([contract("a", "70000", ends_on=None)], [], RATES, today=TODAY)
    assert value.arr.amount == Decimal("70000.00")
    assert value.renewal_on is None
    assert value.renewal_value == Total(Decimal("0.00"))


def test_a_contract_not_begun_counts_only_when_no_active_one_is_touched() -> None:
    begun = contract("a", "100000")
    coming = contract("n", "60000", starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31))
    both = value_of([begun, coming], [], RATES, today=TODAY)
    alone = value_of([coming], [], RATES, today=TODAY)
    named = value_of([begun, coming], [], RATES, today=TODAY, touched=["n"])
    assert both.value_at_stake.amount == Decimal("100000.00")
    assert (alone.arr.amount, alone.value_at_stake.amount) == (Decimal("0.00"), Decimal("60000.00"))
    assert (named.arr.amount, named.value_at_stake.amount) == (Decimal("100000.00"), Decimal("60000.00"))


def test_the_renewal_is_the_accounts_whatever_is_touched() -> None:
    later = contract("b", "30000", ends_on=date(2027, 12, 31))
    value = value_of([contract("a"), later], [], RATES, today=TODAY, touched=["b"])
    assert (value.renewal_on, value.renewal_value.amount) == (date(2027, 1, 1), Decimal("100000.00"))


def test_without_an_active_contract_the_coming_one_gives_the_renewal() -> None:
    coming = contract("n", "60000", starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31))
    value = value_of([coming], [], RATES, today=TODAY)
    assert (value.renewal_on, value.renewal_value.amount) == (date(2028, 1, 1), Decimal("60000.00"))


def test_a_contract_that_ended_counts_nowhere() -> None:
    ended = contract("old", "80000", starts_on=date(2024, 1, 1), ends_on=date(2025, 12, 31))
    value = value_of([ended], [], RATES, today=TODAY, touched=["old"])
    assert value.value_at_stake == Total(Decimal("0.00"))
    assert value.parts == ()


def test_an_inherited_contract_is_marked_with_where_it_comes_from() -> None:
    value = value_of([contract("a", from_account="parent")], [], RATES, today=TODAY)
    assert value.parts[0].from_account == "parent"


@pytest.mark.parametrize(
    ("opportunity", "amount"),
    [
        (deal("o", "1000", "1"), "1000.00"),
        (deal("o", "1000", "1", closes_on=TODAY), "1000.00"),
        (deal("o", "1000", "1", closes_on=date(2026, 11, 19)), "0.00"),
        (deal("o", "1000", "0.5", closes_on=date(2026, 11, 19)), "500.00"),
        (deal("o", "1000", "0"), "0.00"),
        (deal("o", "1000", None), "0.00"),
        (deal("o", "1000", "0.5", type="Renewal"), "0.00"),
        (deal("o", "1000", "0.5", type="new"), "500.00"),
    ],
)
def test_only_open_deals_other_than_renewals_are_pipeline(opportunity: Opportunity, amount: str) -> None:
    assert value_of([], [opportunity], RATES, today=TODAY).pipeline.amount == Decimal(amount)


def test_the_renewal_is_the_day_after_the_earliest_end_and_adds_what_ends_then_raised_once() -> None:
    # 100,000 raised by 5 % + 50,000 EUR raised by 2 % at 1.10 = 105,000 + 56,100.
    value = value_of(
        [
            contract("a", escalator=Escalator("fixed", Decimal(5))),
            contract("b", "50000", "EUR", escalator=Escalator("index", Decimal("1.4"), Decimal(2), Decimal(6))),
            contract("c", "999", ends_on=date(2028, 6, 30)),
        ],
        [],
        RATES,
        today=TODAY,
    )
    assert value.renewal_on == date(2027, 1, 1)
    assert value.renewal_value == Total(Decimal("161100.00"))
    assert not value.estimate


@pytest.mark.parametrize(
    ("escalator", "percent", "estimate"),
    [
        (Escalator(), "0", False),
        (Escalator("fixed", Decimal(3)), "3", False),
        (Escalator("index", Decimal(4), Decimal(2), Decimal(6)), "4", False),
        (Escalator("index", Decimal(1), Decimal(2), Decimal(6)), "2", False),
        (Escalator("index", Decimal(9), Decimal(2), Decimal(6)), "6", False),
        (Escalator("index", Decimal(9)), "9", False),
        (Escalator("index", None, Decimal(2), Decimal(6)), "2", True),
        (Escalator("index", None, None, Decimal(6)), "0", True),
        (Escalator("index"), "0", True),
    ],
)
def test_the_price_rises_within_floor_and_cap_and_an_unknown_index_is_an_estimate(
    escalator: Escalator, percent: str, estimate: bool
) -> None:
    assert rise_of(escalator) == (Decimal(percent), estimate)


def test_an_estimated_rise_marks_the_renewal() -> None:
    value = value_of([contract("a", escalator=Escalator("index", None, Decimal(2)))], [], RATES, today=TODAY)
    assert (value.renewal_value.amount, value.estimate) == (Decimal("102000.00"), True)


@pytest.mark.parametrize(("cents", "rounded"), [("0.125", "0.12"), ("0.135", "0.14"), ("0.1250001", "0.13")])
def test_cents_are_rounded_half_to_even_at_the_end(cents: str, rounded: str) -> None:
    assert value_of([contract("a", cents)], [], RATES, today=TODAY).arr.amount == Decimal(rounded)


def test_rounding_happens_once_after_adding() -> None:
    thirds = [contract(str(n), "0.004") for n in range(5)]
    assert value_of(thirds, [], RATES, today=TODAY).arr.amount == Decimal("0.02")


def test_a_contract_given_twice_counts_once() -> None:
    value = value_of([contract("a"), contract("a")], [], RATES, today=TODAY)
    assert value.arr.amount == value.value_at_stake.amount == Decimal("100000.00")


@given(st.permutations(["a", "b", "c", "j"]), st.sets(st.sampled_from(["a", "b", "c", "j"])))
def test_totals_reconcile_with_their_parts_in_any_order(order: list[str], touched: set[str]) -> None:
    known = {
        "a": contract("a", "10.10"),
        "b": contract("b", "20.20", "EUR"),
        "c": contract("c", "0.35"),
        "j": contract("j", "5", "JPY"),
    }
    value = value_of([known[id] for id in order], [deal("o", "8", "0.5")], RATES, today=TODAY, touched=touched)
    counted = sum((p.converted for p in value.parts if p.touched and p.converted is not None), Decimal(0))
    assert value.value_at_stake.amount == counted.quantize(Decimal("0.01"))
    assert value.value_at_stake.incomplete == ("j" in touched)
    assert value.arr.amount == Decimal("32.67")
