"""The reports that can be taken away as files: a list; a report joins with one line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.http import Query
from app.reports import over_time, owner_pictures, pictures, rows, stories, telling
from app.reports.account import account_report
from app.reports.account_pictures import over_time_chart
from app.reports.account_rows import SHOWN
from app.reports.account_schemas import AccountReportArguments, AccountsQuestion
from app.reports.account_tables import table_of_account_rows, tables_of_account, tables_of_accounts
from app.reports.accounts import accounts_of
from app.reports.causes import causes_of
from app.reports.definitions import Definition
from app.reports.figures import FIGURES
from app.reports.forecast.reading import forecast_of
from app.reports.foresight_definitions import EARLY_WARNING, FORECAST
from app.reports.foresight_schemas import AheadArguments
from app.reports.foresight_words import tables_of_forecast, tables_of_warnings
from app.reports.money import money_of
from app.reports.owner_schemas import CohortArguments
from app.reports.owner_tables import tables_of_causes, tables_of_owners
from app.reports.owners import owners_of, teams_of
from app.reports.parts import part_of
from app.reports.reading import Reading, days_of
from app.reports.schemas import RowsOfArguments, SummaryArguments
from app.reports.summary import summarise
from app.reports.summary_tables import table_of_rows, tables_of_summary
from app.reports.tables import Column, Figure, Table
from app.reports.warning import warnings_of
from app.texts import gettext as _
from app.texts import noted

Row = Mapping[str, Any]
ALL = 100_000  # of open cases, or of accounts that stand out


class Picture(Protocol):
    """A chart, as `app.reports.charts` draws it."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...

    def svg_for_print(self, font: str = "sans-serif") -> str: ...


@dataclass(frozen=True)
class Highlight:
    """A figure that stands large at the top of the first page."""

    name: str
    value: Figure
    note: str = ""


@dataclass(frozen=True)
class Report:
    """What a file is made from: the first table is what CSV gives unless another is asked for."""

    title: str
    tables: Sequence[Table]
    currency: str
    charts: Sequence[Picture] = ()
    definitions: Sequence[Definition] = ()
    period: str = ""
    highlights: Sequence[Highlight] = ()


@dataclass(frozen=True)
class Long:
    """A report's one long table, read by keyset: `page(asked, query, after, limit)` gives the next rows, `position`
    where the list goes on after one, `count` how many there are in all."""

    page: Callable[[Reading, Row, list[Any] | None, int], Sequence[Row]]
    position: Callable[[Row], list[Any]]
    count: Callable[[Reading, Row], int]


@dataclass(frozen=True)
class Source:
    """A report: its `key` stands in addresses (`/reports/<key>.csv`, or `path`), `arguments` is its JSON door's query
    without the page. `read` gives everything of it but the rows of a long table."""

    key: str
    title: str
    arguments: type[Query]
    read: Callable[[Reading, Row], Report]
    long: Long | None = None
    path: str = ""


def read_summary(asked: Reading, query: Row) -> Report:
    first, last = days_of(query, asked)
    found = summarise(asked, first=first, last=last, since=query.get("since"))
    used = [FIGURES[figure["definition"]] for figure in found.values() if isinstance(figure, dict)]
    figures, *rest = tables_of_summary(found)
    return Report(
        _("Executive summary"),
        [figures, accounts_at_stake(asked, found["currency"]), *rest],
        found["currency"],
        charts=charts_of_summary(asked, found),
        definitions=used,
        period=spelt(first, last),
        highlights=highlights_of(found),
    )


def charts_of_summary(asked: Reading, found: Row) -> list[Picture]:
    """As on the page; with nothing raised in these days there is nothing to draw of them."""
    series = over_time.value_over_time(asked)
    value = pictures.value_chart(series, found["currency"], asked.as_of, asked.zone)
    if not found["on_time"]["months"]:
        return [value]
    on_time = pictures.on_time_chart(found["on_time"], found["first"], found["last"])
    return [on_time, pictures.survival_chart(found["survival"]), value]


def accounts_at_stake(asked: Reading, currency: str) -> Table:
    """The accounts that the page tells of, each with its story in a line."""
    columns = [
        Column("account", _("Account"), path="account.name"),
        Column("value", f"{_('Value')} ({currency})", "money", "value.amount"),
        Column("story", _("How it stands")),
    ]
    found = stories.stories_of(asked, money_of(asked))
    rows = [{**one, "story": " · ".join(telling.story(one, asked.as_of, asked.today))} for one in found]
    return Table("accounts", _("Accounts by value at stake"), columns, rows)


def highlights_of(found: Row) -> list[Highlight]:
    """The four figures that an executive asks for first."""
    now, stake, on_time = found["open"], found["value_at_stake"], found["on_time"]
    first_owner = found["first_owner_right"]
    worth = f"{stake['currency']}, {_('incomplete')}" if stake["incomplete"] else stake["currency"]
    due = {"part": on_time["on_time"], "all": on_time["raised"] - on_time["open_not_due"]}
    ended = {"part": first_owner["by_first_owner"], "all": first_owner["ended"]}
    return [
        _highlight("open", Figure("number", now["count"]), _("at %(n)s accounts") % {"n": now["accounts"]}),
        _highlight("value_at_stake", Figure("money", stake["amount"]), worth),
        _highlight("on_time_share", Figure("share", on_time["share"]), _("%(part)s of %(all)s due") % due),
        _highlight("first_owner_right", Figure("share", first_owner["share"]), _("%(part)s of %(all)s closed") % ended),
    ]


def _highlight(key: str, value: Figure, note: str) -> Highlight:
    return Highlight(_(FIGURES[key].name), value, note)


def read_owners(asked: Reading, query: Row) -> Report:
    return _carried(_("Owners"), owners_of, asked, query)


def read_teams(asked: Reading, query: Row) -> Report:
    return _carried(_("Teams"), teams_of, asked, query)


def _carried(title: str, report_of: Callable[..., Any], asked: Reading, query: Row) -> Report:
    first, last = days_of(query, asked)
    found = report_of(asked, first=first, last=last)
    drawn = [owner_pictures.load_chart(found["items"][:MOST_DRAWN])]
    if found.get("missed", {}).get("count"):
        drawn.append(owner_pictures.missed_chart(found["missed"]))
    used = [FIGURES[key] for key in OF_CARRIED]
    return Report(
        title,
        tables_of_owners(found),
        found["currency"],
        charts=drawn,
        definitions=used,
        period=spelt(first, last),
    )


def read_causes(asked: Reading, query: Row) -> Report:
    first, last = days_of(query, asked)
    found = causes_of(asked, first=first, last=last)
    drawn, used = [owner_pictures.causes_chart(found)], [FIGURES[key] for key in OF_CAUSES]
    return Report(
        _("Causes"),
        tables_of_causes(found),
        found["currency"],
        charts=drawn,
        definitions=used,
        period=spelt(first, last),
    )


def read_account(asked: Reading, query: Row) -> Report:
    first, last = days_of(query, asked)
    found = account_report(asked, query["account_id"], first=first, last=last, own=query["own"])
    used = [FIGURES[part["definition"]] for part in found.values() if isinstance(part, dict) and "definition" in part]
    return Report(
        found["account"]["name"],
        tables_of_account(found),
        found["currency"],
        charts=[over_time_chart(found["over_time"])],
        definitions=used,
        period=spelt(first, last),
    )


def read_accounts(asked: Reading, query: Row) -> Report:
    currency = money_of(asked).currency
    used = [FIGURES["accounts"], FIGURES["value_at_stake"]]
    return Report(_("Accounts by value at stake"), tables_of_accounts(currency), currency, definitions=used)


def page_of_accounts(asked: Reading, query: Row, after: list[Any] | None, limit: int) -> Sequence[Row]:
    return accounts_of(asked, money_of(asked), after, limit)


def count_of_accounts(asked: Reading, query: Row) -> int:
    days = {"first": asked.today, "last": asked.today}
    return rows.count_rows(FIGURES["accounts"], asked, money_of(asked), **days)


def read_rows(asked: Reading, query: Row) -> Report:
    figure, (first, last), money = FIGURES[query["figure"]], days_of(query, asked), money_of(asked)
    made = table_of_account_rows if figure.source in SHOWN else table_of_rows
    table = made(figure, [], money.currency)
    return Report(_(figure.name), [table], money.currency, definitions=[figure], period=spelt(first, last))


def page_of_rows(asked: Reading, query: Row, after: list[Any] | None, limit: int) -> Sequence[Row]:
    (first, last), money, asked = days_of(query, asked), money_of(asked), part_of(asked, query)
    return rows.list_rows(FIGURES[query["figure"]], asked, money, first=first, last=last, after=after, limit=limit)


def count_of_rows(asked: Reading, query: Row) -> int:
    first, last = days_of(query, asked)
    return rows.count_rows(FIGURES[query["figure"]], part_of(asked, query), money_of(asked), first=first, last=last)


def read_forecast(asked: Reading, query: Row) -> Report:
    found = forecast_of(asked, limit=ALL)
    currency = money_of(asked).currency
    return Report(_(FORECAST.name), tables_of_forecast(found), currency, definitions=[FORECAST])


def read_warnings(asked: Reading, query: Row) -> Report:
    money = money_of(asked)
    found = warnings_of(asked, money, limit=ALL)
    return Report(_(EARLY_WARNING.name), tables_of_warnings(found), money.currency, definitions=[EARLY_WARNING])


def spelt(first: Any, last: Any) -> str:
    """A span of days raised in words."""
    return _("Raised from %(first)s to %(last)s") % {"first": first.isoformat(), "last": last.isoformat()}


OF_CARRIED = ("load", "value_in_hand", "on_time_share", "missed", "rerouted_away", "rerouted_to", "first_owner_right")
OF_CAUSES = ("days_open", "value_touched", "preventable", "recurring", "spared", "prevention_promised")
MOST_DRAWN = 30

SOURCES: Mapping[str, Source] = {
    source.key: source
    for source in (
        Source("summary", noted("Executive summary"), SummaryArguments, read_summary),
        Source("owners", noted("Owners"), CohortArguments, read_owners),
        Source("teams", noted("Teams"), CohortArguments, read_teams),
        Source("causes", noted("Causes"), CohortArguments, read_causes),
        Source("accounts", noted("Accounts by value at stake"), AccountsQuestion, read_accounts,
               Long(page_of_accounts, rows.position, count_of_accounts)),
        Source("account", noted("Account"), AccountReportArguments, read_account,
               path="accounts/<uuid:account_id>"),
        Source("rows", noted("Rows of a figure"), RowsOfArguments, read_rows,
               Long(page_of_rows, rows.position, count_of_rows)),
        Source("forecast", noted("Likely to miss the target"), AheadArguments, read_forecast),
        Source("early-warning", noted("Early warning"), AheadArguments, read_warnings),
    )
}  # fmt: skip
