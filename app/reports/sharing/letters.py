"""The mail that a report comes in: the fact as its subject, the figures in a few lines, and why one gets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_compact_currency

from app.reports.exports import words
from app.reports.exports.asking import Answered
from app.reports.sharing.rhythm import Rhythm
from app.reports.tables import Table

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FIGURES, CHANGES = "figures", "changes"  # tables that a letter tells of
MOST_CHANGES = 5
MEGABYTE = 1 << 20
MILLION = 10**6
NO_PDF = "The PDF could not be made this time: open the report instead."


@dataclass(frozen=True)
class Sent:
    """Why and how this one goes out: `name` of its schedule, who set it up, when it was due, what was missed."""

    name: str
    by: str
    to_owner: bool
    rhythm: Rhythm
    own_accounts: bool
    asked_for: bool
    due_at: datetime
    late: bool
    missed: int


def subject_of(answered: Answered, sent: Sent) -> str:
    """The fact, if the report has one that fits in a line; else what it is, as of when."""
    rows = _figures(answered)
    if not {"value_at_stake", "accounts"} <= set(rows):
        return f"{sent.name}: as of {words.moment(answered.frame.as_of, answered.frame.zone)}"
    stake, accounts = rows["value_at_stake"]["value"], rows["accounts"]["value"]
    return f"{_worth(stake, answered.report.currency)} in {_counted(accounts, 'account')} · {sent.name}"


def _worth(amount: Decimal | None, currency: str) -> str:
    if amount is None:
        return "Value unknown"
    worth = format_compact_currency(amount, currency, locale="en", fraction_digits=1 if amount >= MILLION else 0)
    return f"{worth} at stake"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def body_of(answered: Answered, sent: Sent, size: int, most: int) -> str:
    """As plain text: as of when, what the figures are, what changed, and where the PDF is, which has `size` bytes."""
    return "\n\n".join(part for part in _parts(answered, sent, size, most) if part)


def _parts(answered: Answered, sent: Sent, size: int, most: int) -> Iterator[str]:
    frame = answered.frame
    about = ", about the accounts you stand for" if sent.own_accounts else ""
    yield f"{frame.tenant}, as of {words.moment(frame.as_of, frame.zone)}{about}."
    yield _lateness(sent)
    yield "\n".join(_lines(answered))
    yield "\n".join(_changes(answered))
    yield _of_pdf(size, most)


def _lateness(sent: Sent) -> str:
    """What nobody was sent while we were down."""
    if not sent.late:
        return ""
    told = f"It was due on {words.moment(sent.due_at, sent.rhythm.zone)}, while Firsthand was down."
    return f"{told} {_counted(sent.missed, 'earlier one')} {_was(sent.missed)} not sent." if sent.missed else told


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _lines(answered: Answered) -> Iterator[str]:
    for one in answered.report.highlights:
        yield f"{one.name}: {words.large(one.value)}" + (f" ({one.note})" if one.note else "")


def _changes(answered: Answered) -> Iterator[str]:
    table = _table(answered, CHANGES)
    rows = list(table.rows)[: MOST_CHANGES + 1] if table else []
    if rows:
        yield "What changed in the last week:"
        yield from (f"- {row['text']}" for row in rows[:MOST_CHANGES])
    if len(rows) > MOST_CHANGES:
        yield "- and more, in the report"


def _of_pdf(size: int, most: int) -> str:
    if size > most:
        return f"The PDF has {size / MEGABYTE:.1f} MB, too much for a mail: open the report instead."
    return "The report goes with this mail as a PDF."


def why_of(sent: Sent) -> str:
    """Why this person gets it, as they may read it themselves."""
    if sent.asked_for:
        return f"You get this because you asked for “{sent.name}” to be sent to you now."
    who = "you have" if sent.to_owner else f"{sent.by} has"
    about = " about your own accounts" if sent.own_accounts else ""
    rights = "It has what you may see yourself; in Firsthand, under Reports, you can leave it."
    return f"You get this because {who} “{sent.name}”{about} sent to you {when_of(sent.rhythm)}. {rights}"


def when_of(rhythm: Rhythm) -> str:
    """`every Monday at 08:00 (Europe/Berlin)`."""
    if rhythm.every == "weekly":
        day = f"every {DAYS[rhythm.weekday or 0]}"
    else:
        day = f"on day {rhythm.day} of every {'month' if rhythm.every == 'monthly' else 'quarter'}"
    return f"{day} at {rhythm.hour:02}:00 ({rhythm.zone.key})"


def _figures(answered: Answered) -> Mapping[str, Mapping[str, Any]]:
    """The figures that the report has in one table, by key."""
    table = _table(answered, FIGURES)
    return {row["figure"]: row for row in table.rows} if table else {}


def _table(answered: Answered, key: str) -> Table | None:
    return next((table for table in answered.report.tables if table.key == key), None)
