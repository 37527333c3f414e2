"""A report's figures as one table: a line for each, with its value, its unit and how it is counted."""

from collections.abc import Iterable
from typing import Any

from app.reports.figures import FIGURES
from app.reports.tables import Column, Kind, Table
from app.texts import gettext as _


def table_of_figures(rows: Iterable[dict[str, Any]]) -> Table:
    """Of lines made by `figure_row`."""
    columns = [
        Column("figure", _("Key"), paper=False),
        Column("name", _("Figure")),
        Column("value", _("Value"), "figure"),
        Column("unit", _("Unit")),
        Column("formula", _("How it is counted"), paper=False),
    ]
    return Table("figures", _("Figures"), columns, list(rows))


def figure_row(key: str, kind: Kind, value: Any, unit: str = "") -> dict[str, Any]:
    """The figure of this key; `kind` is what its value is."""
    figure = FIGURES[key]
    formula = _(figure.formula)
    return {"figure": key, "name": _(figure.name), "kind": kind, "value": value, "unit": unit, "formula": formula}
