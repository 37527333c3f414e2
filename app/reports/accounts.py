"""Accounts with open escalations by value at stake, each with its story in one line."""

from collections.abc import Mapping
from typing import Any

from app.reports import telling
from app.reports.account_words import day
from app.reports.addresses import Addresses
from app.reports.definitions import READER
from app.reports.money import Money
from app.reports.reading import Reading
from app.reports.stories import stories_of
from app.reports.summary import frame
from app.texts import ngettext


def accounts_of(reading: Reading, money: Money, after: list[Any] | None, limit: int) -> list[dict[str, Any]]:
    """The next accounts after a position, the rows of the figure `accounts`: what is open, since when, what is due
    next, when it renews. Those of which an amount has no rate come first."""
    return [{**row, "story": _story(row, reading)} for row in stories_of(reading, money, after, limit)]


def list_answer(reading: Reading, money: Money) -> dict[str, Any]:
    """What stands beside the list: as of when, its definition and the address of its rows."""
    return {**frame(reading, money), "reader": READER, **Addresses(reading, {}).figure("accounts")}


def _story(row: Mapping[str, Any], reading: Reading) -> str:
    """As the summary tells it, and since when."""
    opened = ngettext("%(num)s open since %(day)s", "%(num)s open, the oldest since %(day)s", row["cases"])
    said = opened % {"num": row["cases"], "day": day(row["oldest"], reading)}
    return " · ".join([said, *telling.story(row, reading.as_of, reading.today)[1:]])
