"""Which of a report's tables a file of one table has."""

from collections.abc import Iterable

from app.errors import invalid_parameter
from app.reports.tables import Table


def chosen(tables: Iterable[Table], key: str | None) -> Table:
    """The table of this key, the first unless said."""
    found = {table.key: table for table in tables}
    if key is not None and key not in found:
        raise invalid_parameter("table", f"expected one of {', '.join(found)}")
    return found[key or next(iter(found))]
