"""Charts for executives, drawn here: pure, data in, a picture out that is the same on a page, on paper and in mail.

Each says in its title what it shows, in its text what one sees, and carries its figures as a table. It is drawn twice,
for narrow and wide places, with words of one size, so that nothing overlaps at 320 pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from markupsafe import Markup

from app.reports import plots
from app.reports.drawing import Drawing, Tone
from app.reports.plots import NARROW, WIDE, Bar, Part, Point

__all__ = ["Bar", "Chart", "Part", "Point", "area", "bars", "stacked", "steps"]


@dataclass(frozen=True)
class Chart:
    """A picture with its words and its figures; with nothing to show, `drawings` is empty and the words remain."""

    key: str
    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    drawings: Sequence[Drawing] = ()

    @property
    def svg(self) -> Markup:
        """For a page: the style sheet shows the narrow or the wide one."""
        kinds = zip(("narrow", "wide"), self.drawings, strict=False)
        return Markup("").join(one.for_page(self.key, self.title, self.text, kind) for kind, one in kinds)

    def svg_for_print(self, font: str = "sans-serif") -> Markup:
        """The wide one by itself, coloured by attributes."""
        return self.drawings[-1].for_print(self.title, self.text, font) if self.drawings else Markup("")


def stacked(
    key: str, *, title: str, text: str, across: str, parts: Sequence[Part], groups: Sequence[tuple[str, Sequence[int]]]
) -> Chart:
    """Stacks beside each other, one a group; `across` says what the groups are."""
    columns = (across, *(part.label for part in parts))
    rows = [(label, *(str(value) for value in values)) for label, values in groups]
    shown = any(value > 0 for _, values in groups for value in values)
    drawings = [plots.stacked(width, parts, groups) for width in (NARROW, WIDE)] if shown else []
    return Chart(key, title, text, columns, rows, drawings)


def bars(
    key: str, *, title: str, text: str, columns: Sequence[str], lines: Sequence[Bar], mark: str | None = None,
    tone: Tone = "accent",
) -> Chart:  # fmt: skip
    """Bars below each other, each under its label; what goes beyond its mark is hatched, `mark` says what it is."""
    rows = [(one.label, one.said, *((one.mark_said,) if mark else ())) for one in lines]
    drawings = [plots.bars(width, lines, mark, tone) for width in (NARROW, WIDE)] if lines else []
    return Chart(key, title, text, columns, rows, drawings)


def area(
    key: str, *, title: str, text: str, columns: Sequence[str], points: Sequence[Point],
    said: Callable[[float], str], as_of: tuple[datetime, str] | None = None,
) -> Chart:  # fmt: skip
    """A value over time, with a line at the moment the report is for; `said` words the values of the axis."""
    known = any(point.value is not None for point in points)
    drawings = [plots.area(width, points, said, as_of) for width in (NARROW, WIDE)] if known else []
    return Chart(key, title, text, columns, [(point.label, point.said) for point in points], drawings)


def steps(
    key: str, *, title: str, text: str, columns: Sequence[str], points: Sequence[tuple[int, float]],
    rows: Sequence[Sequence[str]], until: int, limit: tuple[int, str], axis: str, percent: Callable[[float], str],
) -> Chart:  # fmt: skip
    """A share from 1 down over whole days, as Kaplan and Meier draw it, up to the last day anything was seen (`until`),
    with a line at the day of a promise; `axis` names the days."""
    drawn = partial(plots.steps, points=points, until=until, limit=limit, axis=axis, percent=percent)
    drawings = [drawn(width) for width in (NARROW, WIDE)] if points else []
    return Chart(key, title, text, columns, rows, drawings)
