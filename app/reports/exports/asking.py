"""One question for a file: read in pages of short transactions, all as of the same moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app import clock
from app.accounts.queries import check_account
from app.auth.actor import Actor
from app.db import current_tenant, tenant_row, transaction
from app.reports.errors import FactsBeingMade
from app.reports.exports.sources import Long, Report, Row, Source
from app.reports.reading import reading
from app.reports.whose import Only, only_of

AT_ONCE = 2500  # rows in a page


@dataclass(frozen=True)
class Frame:
    """What stands on every page of a file: whose, as of when, in which zone."""

    tenant: str
    as_of: datetime
    zone: ZoneInfo


@dataclass(frozen=True)
class Answered:
    """A report with its frame; the rows of a long table come when they are asked for, once."""

    report: Report
    frame: Frame
    hidden: tuple[UUID, ...]


def ask(source: Source, query: Row, *, actor: Actor, now: datetime) -> Answered:
    """Read a report inside the caller's transaction; `query` is as its schema loads it.

    From here on the question is about the moment that was answered, however long its rows take.
    """
    only = only_of(query, actor)
    try:
        with reading(query.get("as_of"), actor=actor, now=now, only=only) as asked:
            report = source.read(asked, query)
            frame = Frame(tenant_row().name, asked.as_of, asked.zone)
            hidden = asked.hidden
    except FactsBeingMade:
        if "account_id" in query:  # one that there isn't is not found, also now
            check_account(query["account_id"])
        raise
    if source.long is not None:
        pinned = {**query, "as_of": frame.as_of}
        rows = list_all(source.long, pinned, actor=actor, only=only, tenant_id=current_tenant())
        report = replace(report, tables=[replace(report.tables[0], rows=rows), *report.tables[1:]])
    return Answered(report, frame, hidden)


def list_all(long: Long, query: Row, *, actor: Actor, only: Only | None, tenant_id: UUID) -> Iterator[Row]:
    """Every row, a page in a transaction of its own; begun after the caller's has ended."""
    after: list[Any] | None = None
    while True:
        with transaction(tenant=tenant_id), reading(query["as_of"], actor=actor, now=clock.now(), only=only) as asked:
            page = long.page(asked, query, after, AT_ONCE)
        yield from page
        if len(page) < AT_ONCE:
            return
        after = long.position(page[-1])


def count_all(source: Source, query: Row, *, actor: Actor, now: datetime) -> int | None:
    """How many rows a long table has, inside the caller's transaction."""
    if source.long is None:
        return None
    with reading(query["as_of"], actor=actor, now=now, only=only_of(query, actor)) as asked:
        return source.long.count(asked, query)


Seen = Callable[[int], object]
