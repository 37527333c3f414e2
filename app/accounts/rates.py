"""Exchange rates by date: the rate of a day is the last on or before it, at most seven days old."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

MAX_AGE = timedelta(days=7)


@dataclass(frozen=True)
class Rate:
    """Units of the reporting currency for one of `currency`, as published for a day."""

    currency: str
    on: date
    rate: Decimal


class Rates:
    """The known rates into one reporting currency, which itself is always 1."""

    def __init__(self, reporting_currency: str, rates: Iterable[Rate] = (), *, max_age: timedelta = MAX_AGE) -> None:
        self.reporting_currency = reporting_currency
        self.max_age = max_age
        self._by_currency: dict[str, list[Rate]] = defaultdict(list)
        for rate in sorted(rates, key=lambda r: r.on):
            self._by_currency[rate.currency].append(rate)

    def find(self, currency: str, day: date) -> Rate | None:
        """The rate of the day, or None: an older one is no rate."""
        if currency == self.reporting_currency:
            return Rate(currency, day, Decimal(1))
        known = self._by_currency.get(currency, [])
        at = bisect_right(known, day, key=lambda r: r.on)
        if at == 0 or day - known[at - 1].on > self.max_age:
            return None
        return known[at - 1]
