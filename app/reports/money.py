"""Totals over distinct contracts and opportunities at the rates of a day, as they were known at a moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import text

from app.accounts.value import CENT
from app.auth.settings import tenant_settings
from app.reports.reading import Reading

RATES = text(
    """
    select distinct on (e.currency) e.currency, e.rate, e.on_date
    from rate_entry e left join late_entry l on l.tenant_id = e.tenant_id and l.entry_id = e.id
    where e.on_date <= :today and e.on_date >= :oldest and coalesce(l.known_from, e.recorded_at) <= :as_of
    order by e.currency, e.on_date desc, coalesce(l.known_from, e.recorded_at) desc, e.transaction_id desc
    """
)


@dataclass(frozen=True)
class Money:
    """Rates into the reporting currency; one that is missing leaves a total incomplete, never 0 and never guessed."""

    currency: str
    rates: Mapping[str, Decimal]

    def converted(self, amount: Decimal, currency: str) -> Decimal | None:
        rate = self.rates.get(currency)
        return None if rate is None else (amount * rate).quantize(CENT, ROUND_HALF_EVEN)

    def total(self, sums: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """A total of exact sums, each `{currency, amount, lines}`; None when there was something and nothing had a
        rate."""
        exact = [(Decimal(one["amount"]), one["currency"], one["lines"]) for one in sums]
        known = [amount * self.rates[currency] for amount, currency, _ in exact if currency in self.rates]
        unconverted = [
            {"currency": currency, "amount": amount, "lines": lines}
            for amount, currency, lines in exact
            if currency not in self.rates
        ]
        nothing = bool(unconverted) and not known
        amount = None if nothing else sum(known, Decimal(0)).quantize(CENT, ROUND_HALF_EVEN)
        return {
            "amount": amount,
            "currency": self.currency,
            "incomplete": bool(unconverted),
            "unconverted": unconverted,
        }


def money_of(reading: Reading) -> Money:
    """The rates of that day, at most `rate_max_age_days` old."""
    settings = tenant_settings()
    oldest: date = reading.today - timedelta(days=settings.rate_max_age_days)
    rates = {row.currency: row.rate for row in reading.ask(RATES, oldest=oldest)}
    return Money(settings.reporting_currency, {**rates, settings.reporting_currency: Decimal(1)})
