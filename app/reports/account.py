"""The report on one account as of a moment: its story on one screen, from what was known then."""

from datetime import date
from typing import Any
from uuid import UUID

from app.accounts.errors import AccountNotFound
from app.reports import account_parts as parts
from app.reports.account_sql import CASES, CLOCKS, WHO, WORDS
from app.reports.account_words import brief_of, notes_of, story_of
from app.reports.addresses import Addresses
from app.reports.definitions import READER
from app.reports.money import money_of
from app.reports.promises import promises_of
from app.reports.reading import EARLIEST, Reading
from app.reports.summary import frame
from app.rows import array_of

# Where a figure's definition or its rows have another name than its place in the answer.
ROWS_OF = {"on_time_share": "raised"}
DEFINED_AS = {
    "value": "value_at_stake",
    "on_time": "on_time_share",
    "causes": "root_causes",
    "prevention": "prevention_actions",
    "recurrence": "came_back",
}


def account_report(reading: Reading, account_id: UUID, *, first: date, last: date, own: bool = False) -> dict[str, Any]:
    """Everything to know of an account before a call; AccountNotFound when there is none.

    Of an ultimate parent the cases of the accounts below it count, too, unless only its `own` are asked for. Counted
    are the cases raised from `first` to `last`; promises, words and prevention of those and of what was open or closed
    since. Four statements and the rates, whatever the account has.
    """
    who = reading.ask(WHO, account=account_id).mappings().one_or_none()
    if who is None or (reading.only is not None and account_id not in reading.only.ids):
        raise AccountNotFound
    asked = {"account": account_id, "own": own, "first": first, "last": last, "zone": reading.zone.key}
    found = reading.ask(CASES, **asked).mappings().one()
    ids = {"ids": array_of(found["ids"]), "zone": reading.zone.key}
    words, clocks = reading.ask(WORDS, **ids).mappings().one(), reading.ask(CLOCKS, **ids).mappings().one()
    money = money_of(reading)
    figures = {
        "open": parts.open_of(found),
        "value": parts.value_of(found, money),
        "renewal": parts.renewal_of(found, money, reading.today),
        "on_time": parts.on_time_of(found),
        "promises": promises_of(clocks, parts.closing_of(found), reading),
        "told": parts.told_of(words, reading.as_of),
        "causes": parts.causes_of(found, words),
        "prevention": parts.prevention_of(words, reading.today),
        "recurrence": parts.recurrence_of(found),
    }
    over_time = parts.over_time_of(found, first, min(last, reading.today))
    part = {"account": str(account_id), **({"own": "true"} if own else {})}
    at = Addresses(reading, {"first": first, "last": last}, part)
    ever = Addresses(reading, {"first": EARLIEST.date(), "last": last}, part)  # it counts from the first case on
    report = {
        **frame(reading, money),
        "first": first,
        "last": last,
        "reader": READER,
        "account": parts.account_of(who, found, reading),
        "covers": parts.covers_of(found, own=own),
        "people": parts.people_of(who, found, words),
        "closed": parts.cases_of(found, "closed"),
        **{name: {**figure, **_source(name, at)} for name, figure in figures.items()},
        "over_time": {**over_time, **ever.figure("over_time")},
    }
    report["notes"] = notes_of(report, reading)
    report["story"] = story_of(report, reading)
    report["brief"] = brief_of(report, reading)
    return report


def _source(name: str, at: Addresses) -> dict[str, str]:
    """The figure's definition and the address of its rows, of this account and as of the same moment."""
    key = DEFINED_AS.get(name, name)
    return at.figure(key, rows=ROWS_OF.get(key))
