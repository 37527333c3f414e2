"""Opening hours as one writes them in a box: `9:00–12:30, 13:30–17:00`, and days and breaks one a line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.sla.hours import WEEKDAYS, CalendarError

_TIME = r"(\d{1,2})(?:[:.](\d{2}))?"
_WINDOW = re.compile(rf"{_TIME}\s*(?:-|–|—)\s*{_TIME}")
_BETWEEN = re.compile(r"[\s,;]*")
_BREAK_UTC = re.compile(r"(\S+)\s*/\s*(\S+)")

Windows = list[list[str]]


def read_windows(text: str, field: str) -> Windows:
    """Pairs of local times; blank is none."""
    windows, at, text = [], 0, text.strip()
    while at < len(text):
        found = _WINDOW.match(text, at)
        if found is None:
            raise CalendarError(field, f"expected hours such as 9:00–12:30, 13:30–17:00, got {text[at:]!r}")
        opens, opens_min, closes, closes_min = found.groups()
        windows.append([f"{opens:0>2}:{opens_min or '00'}", f"{closes:0>2}:{closes_min or '00'}"])
        between = _BETWEEN.match(text, found.end())
        at = between.end() if between else found.end()
    return windows


def write_windows(windows: Sequence[Sequence[str]] | None) -> str:
    """`9:00–12:30, 13:30–17:00`."""
    return ", ".join(f"{_short(start)}–{_short(end)}" for start, end in windows or ())


def _short(clock_time: str) -> str:
    return clock_time.removeprefix("0") if clock_time[:2] != "00" else clock_time


def read_weekly(texts: Mapping[str, str]) -> dict[str, Windows]:
    """Windows by day; closed days are left out."""
    read = {day: read_windows(text, f"weekly/{day}") for day, text in texts.items()}
    return {day: windows for day, windows in read.items() if windows}


def read_days(text: str) -> list[str]:
    """Dates, by lines, blanks or commas; what they are is checked when the calendar is compiled."""
    return [word for word in re.split(r"[\s,;]+", text) if word]


def read_overrides(text: str) -> dict[str, Windows]:
    """By lines, a date and its hours; a date alone is closed."""
    found: dict[str, Windows] = {}
    for day, hours in _lines(text):
        if day in found:
            raise CalendarError("overrides", f"{day} stands twice")
        found[day] = read_windows(hours, "overrides")
    return found


def read_breaks(text: str) -> list[dict[str, str]]:
    """By lines, a date and hours of it, or two moments of world time with a stroke between."""
    found: list[dict[str, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if moments := _BREAK_UTC.fullmatch(line):
            found.append({"start_utc": moments[1], "end_utc": moments[2]})
            continue
        [(day, hours)] = _lines(line)
        windows = read_windows(hours, "breaks")
        if not windows:
            raise CalendarError("breaks", f"expected a date and hours such as 2026-12-24 12:00–14:00, got {line!r}")
        found += [{"date": day, "start": start, "end": end} for start, end in windows]
    return found


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        day, _, hours = line.partition(" ")
        yield day, hours.strip()


def write_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A published definition as the form shows it; what the form sends back unchanged means the same."""
    weekly, public = definition.get("weekly") or {}, definition.get("holidays_of") or ()
    return {
        "timezone": definition.get("timezone"),
        "weekly": {day: write_windows(weekly.get(day)) for day in WEEKDAYS},
        "always_open": bool(definition.get("always_open")),
        "day_seconds": definition.get("day_seconds"),
        "holidays": "\n".join(str(day) for day in sorted(definition.get("holidays") or ())),
        "holidays_of": [
            {name: str(entry[name]) for name in ("country", "region", "from", "until") if entry.get(name)}
            for entry in public
        ],
        "overrides": "\n".join(
            f"{day} {write_windows(windows)}".strip()
            for day, windows in sorted((definition.get("overrides") or {}).items())
        ),
        "breaks": "\n".join(map(_break_line, definition.get("breaks") or ())),
    }


def _break_line(item: Mapping[str, Any]) -> str:
    if "date" in item:
        return f"{item['date']} {write_windows([(item['start'], item['end'])])}"
    return f"{item['start_utc']} / {item['end_utc']}"
