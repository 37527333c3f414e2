"""A mapping file: how the columns of somebody else's file become ours. Described in docs/importing.md."""

import re
import tomllib
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from app.operations.imports.errors import WrongHeader, WrongMapping
from app.operations.imports.rows import RawRow

TABLES = {"columns", "constants", "dates", "where", "values", "derive"}
DAYS = {"starts_on", "ends_on", "closes_on", "date"}
MOMENTS = {"source_updated_at", "raised_at"}
TERM = re.compile(r"P(\d{1,3})([MY])\Z")
MAX_TERMS = 1200


@dataclass(frozen=True)
class Renewal:
    """An end: `start` plus the term that `by` names, over again while `renews` holds, to the first end after `after`.

    A term that ended without renewal stays the end, or with `lapsed = "open"` there is no end.
    """

    start: str
    by: str
    terms: dict[str, int]
    renews: tuple[str, str] | None
    after: date
    lapsed_is_open: bool

    @property
    def columns(self) -> set[str]:
        return {self.start, self.by} | ({self.renews[0]} if self.renews else set())

    def end(self, row: dict[str, Any], dates: "Dates") -> str | None:
        months = self.terms.get(str(row.get(self.by)))
        if months is None:
            raise ValueError(f"{self.by}: expected one of {', '.join(self.terms)}")
        start = dates.day(row.get(self.start))
        last = _months_later(start, months)
        renews = self.renews is None or row.get(self.renews[0]) == self.renews[1]
        for count in range(2, MAX_TERMS):
            if last > self.after or not renews:
                break
            last = _months_later(start, months * count)
        return None if last <= self.after and self.lapsed_is_open else last.isoformat()


@dataclass(frozen=True)
class Dates:
    """How days and moments are written; a moment without an offset is one of `zone`."""

    formats: tuple[str, ...] = ()
    zone: ZoneInfo | None = None

    def day(self, value: Any) -> date:
        return self._read(value).date() if self.formats else date.fromisoformat(str(value))

    def moment(self, value: Any) -> str:
        read = self._read(value) if self.formats else datetime.fromisoformat(str(value))
        if read.tzinfo is None and self.zone:
            read = read.replace(tzinfo=self.zone)
        return read.astimezone(UTC).isoformat() if read.tzinfo else read.isoformat()

    def _read(self, value: Any) -> datetime:
        for pattern in self.formats:
            try:
                return datetime.strptime(str(value), pattern)  # noqa: DTZ007 - the zone is added where one is meant
            except ValueError:
                continue
        raise ValueError(f"expected a date written as {' or '.join(self.formats)}")


class _Texts(dict[str, Any]):
    """Cells in a template: what is empty or absent is nothing."""

    def __missing__(self, name: str) -> str:
        return ""

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return "" if value is None else value


@dataclass(frozen=True)
class Mapping:
    """Rows of another file under our names; rows that `where` leaves out are passed over and not counted."""

    columns: dict[str, str]
    constants: dict[str, Any]
    dates: Dates
    where: dict[str, tuple[str, ...]]
    values: dict[str, dict[str, Any]]
    templates: dict[str, str]
    renewals: dict[str, Renewal]

    def columns_from(self, header: Sequence[str]) -> list[str]:
        """Our columns that this header fills; WrongHeader names a column that the mapping needs and is not there."""
        needed = {*self.columns.values(), *self.where}
        needed |= {name for renewal in self.renewals.values() for name in renewal.columns}
        needed |= {name for template in self.templates.values() for name in re.findall(r"{(\w+)}", template)}
        for name in sorted(needed - set(header)):
            detail = f"column {name!r} of the mapping is missing"
            raise WrongHeader(detail, errors=[{"pointer": f"/{name}", "detail": detail}])
        return [*self.columns, *self.constants, *self.templates, *self.renewals]

    def rows(self, rows: Iterable[RawRow]) -> Iterator[RawRow]:
        for row in rows:
            if row.faults:
                yield row
            elif self._is_wanted(row.values):
                yield self._mapped(row)

    def _is_wanted(self, values: dict[str, Any]) -> bool:
        return all(str(values.get(name) or "") in wanted for name, wanted in self.where.items())

    def _mapped(self, row: RawRow) -> RawRow:
        mapped: dict[str, Any] = dict(self.constants)
        faults: list[tuple[str | None, str]] = []
        for name, theirs in self.columns.items():
            try:
                mapped[name] = self._value(name, row.values.get(theirs))
            except ValueError as error:
                faults.append((name, f"{theirs}: {error}"))
        for name, template in self.templates.items():
            mapped[name] = template.format_map(_Texts(row.values))
        for name, renewal in self.renewals.items():
            try:
                mapped[name] = renewal.end(row.values, self.dates)
            except ValueError as error:
                faults.append((name, str(error)))
        return RawRow(row.line, mapped, faults)

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if name in self.values:
            if str(value) not in self.values[name]:
                raise ValueError(f"{value!r} has no value in [values.{name}]")
            return self.values[name][str(value)]
        if name in DAYS and self.dates.formats:
            return self.dates.day(value).isoformat()
        return self.dates.moment(value) if name in MOMENTS else value


def load_mapping(path: Path, *, today: date) -> Mapping:
    """The mapping of a TOML file; WrongMapping says what is wrong with it. `today` is what `after = "today"` means."""
    try:
        return parse_mapping(tomllib.loads(path.read_text("utf-8")), today=today)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise WrongMapping(f"{path.name}: {error}") from error


def parse_mapping(content: dict[str, Any], *, today: date) -> Mapping:
    if unknown := sorted(set(content) - TABLES):
        raise WrongMapping(f"unknown table [{unknown[0]}]; expected of {', '.join(sorted(TABLES))}")
    tables: dict[str, dict[str, Any]] = {name: _table(content, name) for name in TABLES}
    derived = tables["derive"]
    return Mapping(
        columns={name: _text(f"columns.{name}", theirs) for name, theirs in tables["columns"].items()},
        constants=tables["constants"],
        dates=_dates(tables["dates"]),
        where={name: _texts(f"where.{name}", wanted) for name, wanted in tables["where"].items()},
        values={name: _table(tables["values"], name) for name in tables["values"]},
        templates={n: _text(f"derive.{n}.template", d["template"]) for n, d in derived.items() if "template" in d},
        renewals={n: _renewal(n, d, today) for n, d in derived.items() if "template" not in d},
    )


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise WrongMapping(f"[{name}]: expected a table")
    return table


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongMapping(f"{name}: expected a text")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_text(name, item) for item in (value if isinstance(value, list) else [value]))


def _dates(table: dict[str, Any]) -> Dates:
    if unknown := sorted(set(table) - {"formats", "timezone"}):
        raise WrongMapping(f"dates.{unknown[0]}: expected formats or timezone")
    zone = table.get("timezone")
    if zone is not None and zone not in available_timezones():
        raise WrongMapping("dates.timezone: expected an IANA time zone such as Europe/Berlin")
    return Dates(_texts("dates.formats", table.get("formats", [])), ZoneInfo(zone) if zone else None)


def _renewal(name: str, table: Any, today: date) -> Renewal:
    known = {"start", "by", "terms", "renews", "after", "lapsed"}
    if not isinstance(table, dict) or set(table) - known or not {"start", "by", "terms"} <= set(table):
        raise WrongMapping(f"derive.{name}: expected template, or start, by and terms with renews, after, lapsed")
    terms = {key: _months(f"derive.{name}.terms.{key}", term) for key, term in _table(table, "terms").items()}
    renews = _table(table, "renews")
    after = table.get("after", "today")
    if after != "today" and not (isinstance(after, date) and not isinstance(after, datetime)):
        raise WrongMapping(f'derive.{name}.after: expected "today" or a date such as 2026-12-31')
    if len(renews) > 1 or table.get("lapsed", "ended") not in ("ended", "open"):
        raise WrongMapping(f'derive.{name}: expected one column in renews, and lapsed "ended" or "open"')
    return Renewal(
        start=_text(f"derive.{name}.start", table["start"]),
        by=_text(f"derive.{name}.by", table["by"]),
        terms=terms,
        renews=next(((column, _text("renews", value)) for column, value in renews.items()), None),
        after=today if after == "today" else after,
        lapsed_is_open=table.get("lapsed") == "open",
    )


def _months(name: str, term: Any) -> int:
    found = TERM.match(str(term))
    if not found or not int(found[1]):
        raise WrongMapping(f"{name}: expected a term such as P1M or P1Y")
    return int(found[1]) * (12 if found[2] == "Y" else 1)


def _months_later(start: date, months: int) -> date:
    """The last day of a term: the day before the same day `months` later, a day that month lacks being its last."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return date.fromordinal(date(year, month + 1, day).toordinal() - 1)
