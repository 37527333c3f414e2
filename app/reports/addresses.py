"""Where the rows of a figure are listed: the same question, as of the same moment, about the same part."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from app.reports.account_definitions import OF_DAYS
from app.reports.definitions import COURSES
from app.reports.figures import FIGURES
from app.reports.reading import Reading


@dataclass(frozen=True)
class Addresses:
    """Addresses for one question; `part` are the filters of all of them, such as an owner."""

    reading: Reading
    days: Mapping[str, date]
    part: Mapping[str, str] = field(default_factory=dict)

    def of(self, **part: str) -> "Addresses":
        """The same about a part of it."""
        return replace(self, part={**self.part, **part})

    def rows(self, figure: str, **more: str) -> str:
        asked = self._of_days if FIGURES[figure].source in (*COURSES, *OF_DAYS) else self._of_moment
        return f"/api/v1/reports/rows?figure={figure}&{asked}{f'&{urlencode(more)}' if more else ''}"

    @cached_property
    def _of_moment(self) -> str:
        return self._asked({})

    @cached_property
    def _of_days(self) -> str:
        return self._asked({"from": self.days["first"].isoformat(), "to": self.days["last"].isoformat()})

    def _asked(self, days: Mapping[str, str]) -> str:
        """What is asked of every figure alike; an answer has hundreds of addresses."""
        whose = {} if self.reading.only is None else self.reading.only.asked
        return urlencode({"as_of": self.reading.as_of.isoformat(), **days, **whose, **self.part})

    def figure(self, key: str, *, rows: str | None = None) -> dict[str, str]:
        """The members of a figure that say what it means and where its rows are."""
        return {"definition": key, "rows": self.rows(rows or key)}
