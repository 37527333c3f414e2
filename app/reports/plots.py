"""Where the marks of each chart stand on a sheet of some width: geometry and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor, log10

from app.reports.drawing import (
    SIZE,
    Drawing,
    Look,
    Shape,
    Tone,
    box,
    fitted,
    line,
    path,
    text,
    width_of,
)  # fmt: skip

Amount = int | float | Decimal
NARROW, WIDE = 288, 560  # pixels
TALL = {NARROW: 140, WIDE: 180}  # of the place for the marks
LEADING = 18


@dataclass(frozen=True)
class Part:
    """One kind of thing in every stack."""

    label: str
    tone: Tone
    look: Look = "solid"


@dataclass(frozen=True)
class Bar:
    """One line: `said` is the value in words, `mark` what it is held against, such as capacity."""

    label: str
    value: Amount
    said: str
    mark: Amount | None = None
    mark_said: str = ""


@dataclass(frozen=True)
class Point:
    """A value at a moment; None where none is known."""

    at: datetime
    value: Amount | None
    label: str
    said: str


def ticks(top: float, *, whole: bool = False, most: int = 4) -> list[float]:
    """Round values from 0 to the first that is not below `top`: 1, 2 or 5 times a power of ten apart."""
    if top <= 0:
        return [0.0, 1.0]
    rough = top / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough * 0.999999)
    step = max(step, 1.0) if whole else step
    return [step * n for n in range(ceil(top / step - 0.000001) + 1)]


@dataclass(frozen=True)
class Plot:
    """The place for the marks, and where a share of its height or width lies."""

    left: float
    top: float
    right: float
    bottom: float

    def y(self, share: float) -> float:
        return self.bottom - share * (self.bottom - self.top)

    def x(self, share: float) -> float:
        return self.left + share * (self.right - self.left)


def _scaled(width: int, top: float, labels: Sequence[str]) -> tuple[Plot, list[Shape]]:
    """A plot with an axis of values on its left; labels from 0 up."""
    left = max(width_of(label) for label in labels) + 6
    plot = Plot(left, top, width - 4, top + TALL[width])
    shapes = []
    for n, label in enumerate(labels):
        y = plot.y(n / (len(labels) - 1))
        shapes.append(line(plot.left, y, plot.right, y, "grid" if n else "axis"))
        shapes.append(text(plot.left - 6, y + 4, label, anchor="end", kind="aside"))
    return plot, shapes


def _below(plot: Plot, at: Sequence[tuple[float, str]], width: int) -> list[Shape]:
    """Labels under a plot: each, or every second, third… back from the last, as there is room for; within the sheet."""
    spans = []
    for x, label in at:
        half = width_of(label) / 2
        middle = min(max(x, half), width - half)
        spans.append((middle - half, middle + half, label))
    kept = next(few for stride in range(1, len(spans) + 1) if _fit(few := spans[::-1][::stride][::-1]))
    return [text((low + high) / 2, plot.bottom + 15, label, anchor="middle", kind="aside") for low, high, label in kept]


def _fit(spans: Sequence[tuple[float, float, str]]) -> bool:
    return all(one[1] + 6 <= other[0] for one, other in pairwise(spans))


def _legend(width: int, parts: Sequence[Part]) -> tuple[float, list[Shape]]:
    """What each look means, in as many lines as it takes; how high it is."""
    x, y, shapes = 0.0, 2.0, list[Shape]()
    for part in parts:
        label = fitted(part.label, width - 16)
        needed = 16 + width_of(label)
        if x and x + needed > width:
            x, y = 0.0, y + LEADING
        shapes += box(x, y, SIZE, SIZE, part.look, part.tone)
        shapes.append(text(x + 16, y + 10, label))
        x += needed + 12
    return y + LEADING, shapes


def stacked(width: int, parts: Sequence[Part], groups: Sequence[tuple[str, Sequence[int]]]) -> Drawing:
    high, shapes = _legend(width, parts)
    levels = ticks(max(sum(values) for _, values in groups), whole=True)
    plot, axis = _scaled(width, high + SIZE + 2, [f"{level:.0f}" for level in levels])
    shapes += axis
    slot = (plot.right - plot.left) / len(groups)
    thick = min(slot * 0.7, 40)
    totals = all(width_of(str(sum(values))) <= slot for _, values in groups)
    for n, (label, values) in enumerate(groups):
        middle, below = plot.left + (n + 0.5) * slot, 0
        for part, value in zip(parts, values, strict=True):
            low, top = plot.y(below / levels[-1]), plot.y((below + value) / levels[-1])
            note = f"{label}: {part.label} {value}"
            shapes += box(middle - thick / 2, top, thick, low - top, part.look, part.tone, note=note)
            below += value
        if totals and below:
            shapes.append(text(middle, plot.y(below / levels[-1]) - 3, str(below), anchor="middle"))
    labels = [(plot.left + (n + 0.5) * slot, label) for n, (label, _) in enumerate(groups)]
    shapes += _below(plot, labels, width)
    return Drawing(width, ceil(plot.bottom + LEADING), shapes)


def bars(width: int, lines: Sequence[Bar], mark: str | None, tone: Tone) -> Drawing:
    y, shapes = 0.0, list[Shape]()
    if mark:
        shapes += [line(5, 1, 5, 13, "limit"), text(16, 11, fitted(mark, width - 16), kind="aside")]
        y = LEADING + 2.0
    top = max(float(max(one.value, one.mark or 0)) for one in lines) or 1.0
    for one in lines:
        value = max(float(one.value), 0.0) / top * (width - 4)
        held = value if one.mark is None else min(value, float(one.mark) / top * (width - 4))
        said = fitted(one.said, width * 0.6)
        shapes.append(text(0, y + 12, fitted(one.label, width - width_of(said) - 10)))
        shapes.append(text(width, y + 12, said, anchor="end"))
        shapes += box(0, y + 17, held, 10, "solid", tone, note=f"{one.label}: {one.said}")
        shapes += box(held, y + 17, value - held, 10, "hatched", "missed")
        if one.mark is not None:
            x = float(one.mark) / top * (width - 4)
            shapes.append(line(x, y + 14, x, y + 30, "limit"))
        y += 36
    return Drawing(width, ceil(y), shapes)


def _over(plot: Plot, x: float, label: str, width: int) -> list[Shape]:
    """An upright line with its label over the plot, within the sheet."""
    label = fitted(label, width)
    half = width_of(label) / 2
    middle = min(max(x, half), width - half)
    return [line(x, plot.top - 4, x, plot.bottom, "limit"), text(middle, plot.top - 7, label, anchor="middle")]


def area(
    width: int, points: Sequence[Point], said: Callable[[float], str], as_of: tuple[datetime, str] | None
) -> Drawing:
    moments = [point.at for point in points] + ([as_of[0]] if as_of else [])
    first, last = min(moments), max(moments)
    span = (last - first).total_seconds() or 1.0
    levels = ticks(max(float(point.value) for point in points if point.value is not None))
    plot, shapes = _scaled(width, LEADING + 2.0, [said(level) for level in levels])

    def x(at: datetime) -> float:
        return plot.x((at - first).total_seconds() / span if last > first else 0.5)

    for run in _runs(points):
        curve = [(x(one.at), plot.y(float(one.value or 0) / levels[-1])) for one in run]
        if len(curve) == 1:
            shapes += box(
                curve[0][0] - 3, curve[0][1] - 3, 6, 6, "solid", "accent", note=f"{run[0].label}: {run[0].said}"
            )
            continue
        ends = [(curve[-1][0], plot.bottom), (curve[0][0], plot.bottom)]
        shapes += [path([*curve, *ends], "tint", tone="accent", closed=True), path(curve, "curve", tone="accent")]
    if as_of:
        shapes += _over(plot, x(as_of[0]), as_of[1], width)
    shapes += _below(plot, [(x(point.at), point.label) for point in points], width)
    return Drawing(width, ceil(plot.bottom + LEADING), shapes)


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Points that follow each other without a gap."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def steps(
    width: int, *, points: Sequence[tuple[int, float]], until: int, limit: tuple[int, str], axis: str,
    percent: Callable[[float], str],
) -> Drawing:  # fmt: skip
    levels = [n * 0.25 for n in range(5)]
    plot, shapes = _scaled(width, LEADING + 2.0, [percent(level) for level in levels])
    seen = max(until, points[-1][0])
    days = ticks(max(seen, limit[0], 1), whole=True, most=6)
    curve = [(plot.x(0), plot.y(1))]
    for day, share in points:
        x = plot.x(day / days[-1])
        curve += [(x, curve[-1][1]), (x, plot.y(share))]
    curve.append((plot.x(seen / days[-1]), curve[-1][1]))
    shapes.append(path(dict.fromkeys(curve), "curve", tone="accent"))
    shapes += _over(plot, plot.x(limit[0] / days[-1]), limit[1], width)
    shapes += _below(plot, [(plot.x(day / days[-1]), f"{day:.0f}") for day in days], width)
    shapes.append(text(plot.right, plot.bottom + 15 + LEADING, fitted(axis, width), anchor="end", kind="aside"))
    return Drawing(width, ceil(plot.bottom + 2 * LEADING), shapes)
