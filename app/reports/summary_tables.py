"""The executive summary and the rows behind a figure as tables: for CSV, workbooks and paper."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.reports import definitions as kinds
from app.reports.cohorts import SHOWN
from app.reports.definitions import Definition
from app.reports.figure_tables import figure_row, table_of_figures
from app.reports.figures import FIGURES
from app.reports.tables import Column, Drawn, Table
from app.texts import gettext as _

PARTS: Mapping[str, Sequence[str]] = {
    "on_time": SHOWN,
    "apart": ("extended", "long_pause", "logged_late", "unanswered", "customer_silent"),
    "first_owner_right": ("ended", "by_first_owner"),
}
ON_TIME = FIGURES["on_time_share"]


def tables_of_summary(report: Mapping[str, Any]) -> list[Table]:
    """Every figure of the page in one table, then each series by itself."""
    figures = table_of_figures(_figure_rows(report))
    found = [figures, _changes(report), _months(report), _survival(report), _tiers(report)]
    missing = [line for name in ("value_at_stake", "renewals_at_risk") for line in report[name]["unconverted"]]
    return [*found, _unconverted(missing)] if missing else found


def _figure_rows(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    now, stake, renewals = report["open"], report["value_at_stake"], report["renewals_at_risk"]
    currency = report["currency"]
    yield from (_count(key, now[name]) for key, name in (("open", "count"), ("accounts",) * 2, ("groups",) * 2))
    for key, total in (("value_at_stake", stake), ("renewals_at_risk", renewals)):
        unit = f"{currency}, {_('incomplete')}" if total["incomplete"] else currency
        yield figure_row(key, "money", total["amount"], unit)
    yield figure_row("on_time_share", "share", report["on_time"]["share"])
    yield figure_row("survival", "days", report["survival"]["median_days"], _("days until half are closed"))
    yield figure_row("first_owner_right", "share", report["first_owner_right"]["share"])
    for name, keys in PARTS.items():
        yield from (_count(key, report[name][key]) for key in keys)


def _count(key: str, value: int) -> dict[str, Any]:
    return figure_row(key, "number", value)


def _months(report: Mapping[str, Any]) -> Table:
    columns = [
        Column("month", _("Month raised"), "month"),
        *(Column(key, _(FIGURES[key].name), "number") for key in SHOWN),
        Column("share", _(ON_TIME.name), "share"),
    ]
    drawn = Drawn("stacked", "month", SHOWN[1:-3])
    return Table("months", _("On time by month raised"), columns, report["on_time"]["months"], drawn, paper=False)


def _survival(report: Mapping[str, Any]) -> Table:
    columns = [
        Column("day", _("Days since the raise"), "days"),
        Column("share", _("Share still open"), "share"),
        Column("at_risk", _("Open until then"), "number"),
        Column("closed", _("Closed on that day"), "number"),
    ]
    rows = [{name: getattr(point, name) for name in ("day", "share", "at_risk", "closed")} for point in
            report["survival"]["points"]]  # fmt: skip
    return Table("survival", _("Time to close"), columns, rows, Drawn("line", "day", ("share",)), paper=False)


def _tiers(report: Mapping[str, Any]) -> Table:
    columns = [
        Column("tier", _("Tier"), "word"),
        Column("cases", _("Cases"), "number"),
        Column("mean_days", _("Mean days in it"), "days"),
    ]
    rows = [{**row, "mean_days": round(row["mean_seconds"] / 86400, 2)} for row in report["tiers"]["tiers"]]
    return Table("tiers", _("Time per tier"), columns, rows, Drawn("bars", "tier", ("mean_days",)))


def _changes(report: Mapping[str, Any]) -> Table:
    columns = [
        Column("escalation", _("Case"), path="escalation.number"),
        Column("severity", _("Severity"), "number"),
        Column("account", _("Account"), path="account.name"),
        Column("text", _("What changed")),
    ]
    return Table("changes", _("What changed since the last report"), columns, report["changes"]["items"])


def _unconverted(rows: Iterable[Mapping[str, Any]]) -> Table:
    columns = [
        Column("currency", _("Currency")),
        Column("amount", _("Amount in it"), "money"),
        Column("lines", _("Contracts and opportunities"), "number"),
    ]
    return Table("unconverted", _("Without an exchange rate, in no total"), columns, list(rows))


def table_of_rows(figure: Definition, rows: Iterable[Mapping[str, Any]], currency: str) -> Table:
    """What a figure counts or adds; `rows` may come one after the other."""
    if figure.source in (kinds.CASES, kinds.OPEN_CASES):
        columns = case_columns()
    elif figure.source == kinds.PREVENTION:
        columns = _action_columns()
    else:
        columns = [*(_account_columns if figure.source in (kinds.ACCOUNTS, kinds.GROUPS) else _line_columns)()]
        columns += [Column("value", f"{_('Value')} ({currency})", "money", "value.amount")]
    return Table("rows", _(figure.name), [*columns, Column("account_id", _("Account id"), paper=False)], rows)


def case_columns() -> list[Column]:
    """A case as reports list it."""
    return [
        Column("escalation", _("Case"), path="escalation.number"),
        Column("title", _("Title"), path="escalation.title"),
        Column("account", _("Account"), path="account.name"),
        Column("owner", _("Owner"), path="owner.name"),
        Column("severity", _("Severity"), "number"),
        Column("tier", _("Tier"), "word"),
        Column("status", _("Status"), "word", paper=False),
        Column("standing", _("Standing"), "word"),
        Column("outcome", _("Outcome"), "word", paper=False),
        Column("verification", _("Verification"), "word", paper=False),
        Column("reason", _("Reason"), "word"),
        Column("raised_at", _("Raised at"), "moment"),
        Column("close_target_at", _("Target"), "moment"),
        Column("due_at", _("Due at"), "moment", paper=False),
        Column("closed_at", _("Closed at"), "moment"),
        Column("days", _("Days to close"), "days"),
    ]


def _account_columns() -> list[Column]:
    return [Column("account", _("Account"), path="account.name"), Column("escalations", _("Open cases"), "number")]


def _action_columns() -> list[Column]:
    return [
        Column("action", _("Prevention action")),
        Column("state", _("State")),
        Column("due_on", _("Due on"), "date"),
        Column("owner", _("Owner"), path="owner.name"),
        Column("escalation", _("Case"), path="escalation.number"),
        Column("account", _("Account"), path="account.name"),
    ]


def _line_columns() -> list[Column]:
    return [
        Column("kind", _("Kind"), "word"),
        Column("external_id", _("Reference")),
        *_account_columns(),
        Column("own_amount", _("Own amount"), "money"),
        Column("currency", _("Currency")),
    ]
