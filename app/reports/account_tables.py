"""The reports on accounts as tables: for CSV, workbooks and paper."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.escalations.code_words import CLOCKS
from app.reports import account_definitions as kinds
from app.reports.definitions import Definition
from app.reports.figure_tables import figure_row, table_of_figures
from app.reports.promises import COUNTS
from app.reports.summary_tables import case_columns
from app.reports.tables import Column, Drawn, Table
from app.texts import gettext as _
from app.texts import noted

Report = Mapping[str, Any]
_COUNTED = {
    "kept": noted("Kept"),
    "missed": noted("Missed"),
    "overdue": noted("Past due"),
    "running": noted("Running"),
    "late_by_original": noted("Kept late by the first target"),
    "logged_late": noted("Logged late"),
}
_BRIEF = {"for_customer": noted("For the customer's ears"), "for_us": noted("For us alone")}
# What a case of the report has no more of: they are told elsewhere.
_SHORT = ("status", "outcome", "verification", "days")


def tables_of_account(report: Report) -> list[Table]:
    """The brief, the figures, then each part of the report by itself."""
    figures = table_of_figures(_figure_rows(report))
    return [_brief(report), figures, _open(report), _months(report), _promises(report), _causes(report),
            _actions(report), _lines(report)]  # fmt: skip


def tables_of_accounts(currency: str, rows: Sequence[Report] = ()) -> list[Table]:
    """Accounts by value at stake, with their story in a line."""
    columns = [
        Column("account", _("Account"), path="account.name"),
        Column("value", f"{_('Value at stake')} ({currency})", "money", "value.amount"),
        Column("escalations", _("Open cases"), "number"),
        Column("overdue", _("Past the target"), "number"),
        Column("oldest", _("Oldest raised at"), "moment", paper=False),
        Column("next_due", _("Next due"), "moment"),
        Column("renewal_on", _("Renewal"), "date"),
        Column("story", _("Story")),
        Column("account_id", _("Account id"), path="account.id", paper=False),
    ]
    return [Table("accounts", _("Accounts by value at stake"), columns, rows)]


def _brief(report: Report) -> Table:
    columns = [Column("whose", _("For whom")), Column("line", _("What"))]
    rows = [{"whose": _(whose), "line": line} for key, whose in _BRIEF.items() for line in report["brief"][key]]
    return Table("brief", _("A brief for the call"), columns, rows)


def _figure_rows(report: Report) -> Iterator[dict[str, Any]]:
    renewal, told, prevention = report["renewal"], report["told"], report["prevention"]
    yield figure_row("open", "number", report["open"]["count"])
    yield figure_row("value_at_stake", "money", report["value"]["amount"], _unit(report["value"]))
    yield figure_row("renewal", "money", renewal["amount"], _unit(renewal))
    yield figure_row("renewal", "date", renewal["on"])
    yield figure_row("on_time_share", "share", report["on_time"]["share"])
    yield figure_row("promises", "number", report["promises"]["kept"], _("kept"))
    yield figure_row("promises", "number", report["promises"]["missed"], _("missed"))
    yield figure_row("told", "number", told["updates"], _("updates to the customer"))
    yield figure_row("told", "number", told["messages"], _("messages from them"))
    yield figure_row("told", "days", (told["longest_silence"] or {}).get("days"), _("days of silence at most"))
    yield figure_row("prevention_actions", "number", prevention["done"], _("done"))
    yield figure_row("prevention_actions", "number", prevention["open"], _("open"))
    yield figure_row("came_back", "number", report["recurrence"]["count"])


def _unit(total: Report) -> str:
    return f"{total['currency']}, {_('incomplete')}" if total["incomplete"] else str(total["currency"])


def _open(report: Report) -> Table:
    columns = [column for column in case_columns() if column.key not in _SHORT]
    return Table("open", _("Open escalations"), columns, report["open"]["items"])


def _months(report: Report) -> Table:
    columns = [
        Column("month", _("Month"), "month"),
        Column("raised", _("Raised"), "number"),
        Column("closed", _("Closed in the month"), "number"),
        Column("open", _("Open at its end"), "number"),
    ]
    drawn = Drawn("stacked", "month", ("closed", "open"))
    return Table("over_time", _("Escalations over time"), columns, report["over_time"]["months"], drawn, paper=False)


def _promises(report: Report) -> Table:
    columns = [Column("promise", _("Promise")), *(Column(key, _(_COUNTED[key]), "number") for key in COUNTS)]
    rows = [{**one, "promise": _(clock)} for one in report["promises"]["kinds"] for clock in (CLOCKS[one["clock"]],)]
    return Table("promises", _("Promises"), columns, rows)


def _causes(report: Report) -> Table:
    columns = [
        Column("escalation", _("Case"), path="escalation.number"),
        Column("title", _("Title"), path="escalation.title"),
        Column("at", _("Resolved at"), "moment"),
        Column("reason", _("Reason"), "word"),
        Column("root_cause", _("Root cause")),
    ]
    return Table("root_causes", _("Root causes"), columns, report["causes"]["items"])


def _actions(report: Report) -> Table:
    columns = [
        Column("action", _("Prevention action")),
        Column("escalation", _("Case"), path="escalation.number"),
        Column("owner", _("Owner"), path="owner.name"),
        Column("state", _("State"), "word"),
        Column("due_on", _("Due on"), "date"),
        Column("ended_on", _("Ended on"), "date"),
    ]
    return Table("prevention", _("Prevention actions"), columns, report["prevention"]["items"])


def _lines(report: Report) -> Table:
    columns = [
        Column("kind", _("Kind"), "word"),
        Column("name", _("Reference")),
        Column("amount", _("Own amount"), "money"),
        Column("currency", _("Currency")),
        Column("value", f"{_('Value')} ({report['currency']})", "money", "value.amount"),
    ]
    return Table("at_stake", _("Value at stake"), columns, report["value"]["lines"])


def table_of_account_rows(figure: Definition, rows: Iterable[Mapping[str, Any]], currency: str) -> Table:
    """The rows of a figure that only an account has."""
    columns = {
        kinds.CLOCKS: [
            Column("clock", _("Promise"), "word"),
            Column("kept", _("State"), "word"),
            Column("due_at", _("Due at"), "moment"),
        ],
        kinds.WORDS: [
            Column("kind", _("Kind"), "word"),
            Column("at", _("When"), "moment"),
            Column("channel", _("Channel")),
        ],
        kinds.CAUSES: [Column("at", _("Resolved at"), "moment"), Column("root_cause", _("Root cause"))],
        kinds.ACTIONS: [
            Column("action", _("Prevention action")),
            Column("owner", _("Owner"), path="owner.name"),
            Column("state", _("State"), "word"),
            Column("due_on", _("Due on"), "date"),
            Column("ended_on", _("Ended on"), "date"),
        ],
        kinds.RENEWAL: [
            Column("external_id", _("Reference")),
            Column("own_amount", _("Own amount"), "money"),
            Column("currency", _("Currency")),
            Column("value", f"{_('Value')} ({currency})", "money", "value.amount"),
        ],
    }[figure.source]
    if figure.source != kinds.RENEWAL:
        columns += [
            Column("escalation", _("Case"), path="escalation.number"),
            Column("title", _("Title"), path="escalation.title"),
        ]
    account = Column("account", _("Account"), path="account.name")
    return Table("rows", _(figure.name), [*columns, account], rows)
