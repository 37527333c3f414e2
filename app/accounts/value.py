"""What an account is worth and what is at stake: sums over contracts and pipeline that never guess a rate.

Amounts are exact until a total is made; a total is rounded to cents, half to even.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from app.accounts.names import RENEWAL_TYPE
from app.accounts.rates import Rates

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Escalator:
    """How a contract's price rises at renewal, in percent; for `index`, `percent` is the last known index."""

    kind: str = "none"
    percent: Decimal | None = None
    floor: Decimal | None = None
    cap: Decimal | None = None


@dataclass(frozen=True)
class Contract:
    """`from_account` names the ancestor a contract is inherited from; None means the account's own."""

    id: str
    arr: Decimal
    currency: str
    starts_on: date
    ends_on: date | None = None
    escalator: Escalator = Escalator()
    from_account: str | None = None


@dataclass(frozen=True)
class Opportunity:
    """A deal in the pipeline; `probability` is 0–1, unknown counts 0."""

    id: str
    amount: Decimal
    currency: str
    probability: Decimal | None = None
    type: str | None = None
    closes_on: date | None = None


@dataclass(frozen=True)
class Part:
    """One line of a value: an amount in its own currency and the rate of the day, if there is one."""

    kind: Literal["contract", "opportunity"]
    id: str
    amount: Decimal
    currency: str
    rate: Decimal | None
    rate_on: date | None
    weight: Decimal = Decimal(1)
    from_account: str | None = None
    touched: bool = True
    ends_on: date | None = None

    @property
    def converted(self) -> Decimal | None:
        """Amount times weight (the probability of a deal, else 1) at the rate."""
        return None if self.rate is None else self.amount * self.weight * self.rate


@dataclass(frozen=True)
class Total:
    """A sum in the reporting currency; None when there was something to add and nothing had a rate."""

    amount: Decimal | None
    unconverted: tuple[Part, ...] = ()

    @property
    def incomplete(self) -> bool:
        return bool(self.unconverted)


@dataclass(frozen=True)
class Value:
    """`value_at_stake` is the touched contracts plus the pipeline; `parts` lists every line a total adds, and
    `renewal_parts` those of `renewal_value`."""

    currency: str
    as_of: date
    arr: Total
    pipeline: Total
    value_at_stake: Total
    renewal_on: date | None
    renewal_value: Total
    estimate: bool
    parts: tuple[Part, ...]
    renewal_parts: tuple[Part, ...] = ()

    @property
    def incomplete(self) -> bool:
        return any(part.rate is None for part in self.parts)

    @property
    def unconverted(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.rate is None)


def value_of(
    contracts: Sequence[Contract],
    opportunities: Sequence[Opportunity],
    rates: Rates,
    *,
    today: date,
    touched: Collection[str] | None = None,
) -> Value:
    """The account's value on `today`, the tenant's date; `touched` names contract ids, None means all active.

    `contracts` are the account's own or, when none of them is active, also its nearest ancestor's, marked so.
    """
    active = _distinct(c for c in contracts if is_active(c, today))
    counted = counted_contracts(contracts, today=today, touched=touched)
    ids = {c.id for c in counted}
    lines = _distinct([*active, *counted])
    contract_parts = {c.id: _contract_part(c, rates, today, touched=c.id in ids) for c in lines}
    deals = [_opportunity_part(o, rates, today) for o in opportunities if is_open(o, today)]
    renewal = renewal_of(active or counted, rates, today=today)
    return Value(
        currency=rates.reporting_currency,
        as_of=today,
        arr=total(contract_parts[c.id] for c in active),
        pipeline=total(deals),
        value_at_stake=total([*(contract_parts[c.id] for c in counted), *deals]),
        renewal_on=renewal.on,
        renewal_value=renewal.value,
        estimate=renewal.estimate,
        parts=(*contract_parts.values(), *deals),
        renewal_parts=renewal.parts,
    )


def is_active(contract: Contract, day: date) -> bool:
    """From `starts_on` to `ends_on`, both included; without end it is evergreen."""
    return contract.starts_on <= day and (contract.ends_on is None or day <= contract.ends_on)


def is_open(opportunity: Opportunity, day: date) -> bool:
    """Renewals are left out; a deal at probability 1 whose closing day has passed is won, not open."""
    if opportunity.type is not None and opportunity.type.casefold() == RENEWAL_TYPE:
        return False
    won = opportunity.probability == 1 and opportunity.closes_on is not None and opportunity.closes_on < day
    return not won


def counted_contracts(
    contracts: Sequence[Contract], *, today: date, touched: Collection[str] | None = None
) -> list[Contract]:
    """The touched contracts that are active; only when none is, the touched ones that have not begun."""
    candidates = [c for c in contracts if touched is None or c.id in touched]
    active = [c for c in candidates if is_active(c, today)]
    return _distinct(active or [c for c in candidates if c.starts_on > today])


def total(parts: Iterable[Part]) -> Total:
    """Add what has a rate and name what has not; nothing to add is 0, nothing convertible is None."""
    listed = tuple(parts)
    converted = [part.converted for part in listed if part.converted is not None]
    unconverted = tuple(part for part in listed if part.rate is None)
    if unconverted and not converted:
        return Total(None, unconverted)
    return Total(sum(converted, Decimal(0)).quantize(CENT, ROUND_HALF_EVEN), unconverted)


@dataclass(frozen=True)
class Renewal:
    """The next renewal: when, the raised price of what ends then, and whether a rise had to be estimated."""

    on: date | None
    value: Total
    estimate: bool = False
    parts: tuple[Part, ...] = ()


def renewal_of(contracts: Iterable[Contract], rates: Rates, *, today: date) -> Renewal:
    """The day after the earliest `ends_on`; the contracts ending then, raised once, at today's rate."""
    ending = [c for c in contracts if c.ends_on is not None]
    if not ending:
        return Renewal(None, Total(Decimal("0.00")))
    last_day = min(c.ends_on for c in ending if c.ends_on is not None)
    due = [c for c in ending if c.ends_on == last_day]
    parts = [_contract_part(c, rates, today, weight=1 + rise_of(c.escalator)[0] / 100) for c in due]
    estimate = any(rise_of(c.escalator)[1] for c in due)
    return Renewal(last_day + timedelta(days=1), total(parts), estimate, tuple(parts))


def rise_of(escalator: Escalator) -> tuple[Decimal, bool]:
    """The rise in percent and whether it is an estimate: without a known percent the floor, else 0."""
    if escalator.kind == "none":
        return Decimal(0), False
    if escalator.percent is None:
        return escalator.floor or Decimal(0), True
    if escalator.kind == "fixed":
        return escalator.percent, False
    return _within(escalator.percent, escalator.floor, escalator.cap), False


def _within(percent: Decimal, floor: Decimal | None, cap: Decimal | None) -> Decimal:
    raised = percent if floor is None else max(percent, floor)
    return raised if cap is None else min(raised, cap)


def _distinct(contracts: Iterable[Contract]) -> list[Contract]:
    return list({c.id: c for c in contracts}.values())


def _contract_part(
    contract: Contract, rates: Rates, today: date, *, touched: bool = True, weight: Decimal = Decimal(1)
) -> Part:
    rate = rates.find(contract.currency, today)
    return Part(
        kind="contract",
        id=contract.id,
        amount=contract.arr,
        currency=contract.currency,
        rate=rate.rate if rate else None,
        rate_on=rate.on if rate else None,
        weight=weight,
        from_account=contract.from_account,
        touched=touched,
        ends_on=contract.ends_on,
    )


def _opportunity_part(opportunity: Opportunity, rates: Rates, today: date) -> Part:
    rate = rates.find(opportunity.currency, today)
    return Part(
        kind="opportunity",
        id=opportunity.id,
        amount=opportunity.amount,
        currency=opportunity.currency,
        rate=rate.rate if rate else None,
        rate_on=rate.on if rate else None,
        weight=opportunity.probability or Decimal(0),
    )
