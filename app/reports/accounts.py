"""Accounts with open escalations by value at stake, each with its story in one line."""

from collections.abc import Mapping
from typing import Any

from app.reports.account_words import day
from app.reports.addresses import Addresses
from app.reports.definitions import READER
from app.reports.figures import FIGURES
from app.reports.money import Money
from app.reports.reading import Reading
from app.reports.rows import list_rows
from app.reports.summary import frame
from app.texts import gettext as _
from app.texts import ngettext


def accounts_of(reading: Reading, money: Money, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """The next accounts after a position, the rows of the figure `accounts`: what is open, since when, what is due
    next, when it renews. Those of which an amount has no rate come first."""
    days = {"first": reading.today, "last": reading.today}  # what is open has none
    found = list_rows(FIGURES["accounts"], reading, money, **days, after=after, limit=limit)
    return [_told(row, reading) for row in found]


def list_answer(reading: Reading, money: Money) -> dict[str, Any]:
    """What stands beside the list: as of when, its definition and the address of its rows."""
    return {**frame(reading, money), "reader": READER, **Addresses(reading, {}).figure("accounts")}


def _told(row: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    renewal = row["renewal_on"]
    days = (renewal - reading.today).days if renewal else None
    return {**row, "renewal_days": days, "story": _story(row, days, reading)}


def _story(row: Mapping[str, Any], days: int | None, reading: Reading) -> str:
    opened = ngettext("%(num)s open since %(day)s", "%(num)s open, the oldest since %(day)s", row["escalations"])
    said = [opened % {"num": row["escalations"], "day": day(row["oldest"], reading)}]
    if row["overdue"]:
        said.append(ngettext("%(num)s past its target", "%(num)s past their target", row["overdue"]) % {
            "num": row["overdue"]})  # fmt: skip
    said.append(_("next due %(day)s") % {"day": day(row["next_due"], reading)})
    if days is not None:
        said.append(ngettext("renews in %(num)s day", "renews in %(num)s days", days) % {"num": days})
    return ", ".join(said)
