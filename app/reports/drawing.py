"""A picture of boxes, lines and words as SVG: with class names for a page, with colours of its own for paper.

What a mark means is never said by colour alone: `look` tells parts apart where there is none. Hatching is drawn line by
line, so that whatever shows the picture shows it.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

from markupsafe import Markup, escape

Tone = Literal["good", "missed", "soon", "paused", "accent", "quiet"]
Look = Literal["solid", "striped", "hatched", "edged"]
Anchor = Literal["start", "middle", "end"]

SIZE = 11  # of every word, in pixels
LETTER, BROAD, WIDE_LETTER = 6.2, 10.5, 11.5  # at most, on average; of those in BROAD_ONES; of East Asia and emoji
BROAD_ONES = frozenset("%@MWmw—…")
GAP = 5.0  # between two lines of a hatching
INK, MUTED, RULE, PAPER = "#1b1f24", "#57606a", "#d8dee4", "#ffffff"
PRINTED: Mapping[str, str] = {
    "good": "#1a7f37", "missed": "#c1272d", "soon": "#9a5b00", "paused": "#6e5baa", "accent": "#3451d1", "quiet": MUTED
}  # fmt: skip
# What each kind of mark is on paper; `{tone}` is its colour. The page's style sheet says the same by class.
PAINT: Mapping[str, Mapping[str, str]] = {
    "fill": {"fill": "{tone}"},
    "edge": {"fill": PAPER, "stroke": "{tone}"},
    "hatch": {"fill": "none", "stroke": "{tone}"},
    "stripe": {"fill": "none", "stroke": PAPER},
    "tint": {"fill": "{tone}", "fill-opacity": "0.18"},
    "curve": {"fill": "none", "stroke": "{tone}", "stroke-width": "2"},
    "grid": {"stroke": RULE, "fill": "none"},
    "axis": {"stroke": MUTED, "fill": "none"},
    "limit": {"stroke": INK, "stroke-width": "1.5", "stroke-dasharray": "4 3", "fill": "none"},
    "word": {"fill": INK},
    "aside": {"fill": MUTED},
}


@dataclass(frozen=True)
class Shape:
    """One mark: its `kind` is a key of PAINT, `words` what a text says, `note` what it shows when pointed at."""

    tag: Literal["rect", "path", "text"]
    kind: str
    at: Mapping[str, str]
    tone: Tone | None = None
    words: str = ""
    note: str = ""


@dataclass(frozen=True)
class Drawing:
    """Shapes on a sheet of so many pixels."""

    width: int
    height: int
    shapes: Sequence[Shape] = field(default_factory=tuple)

    def for_page(self, key: str, title: str, text: str, kind: str) -> Markup:
        """With class names; `key` makes its ids its own, `kind` is a class of the whole."""
        id_ = f"{key}-{kind}"
        head = Markup(
            '<svg class="chart {}" role="img" aria-labelledby="{}-t {}-d" viewBox="0 0 {} {}" width="{}" height="{}">'
            '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>'
        ).format(kind, id_, id_, self.width, self.height, self.width, self.height, id_, clean(title), id_, clean(text))
        return head + Markup("").join(_marked(one, _classes(one)) for one in self.shapes) + Markup("</svg>")

    def for_print(self, title: str, text: str, font: str) -> Markup:
        """The same geometry with presentation attributes, by itself."""
        head = Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" font-family="{}" '
            'font-size="{}"><title>{}</title><desc>{}</desc>'
        ).format(self.width, self.height, self.width, self.height, font, SIZE, clean(title), clean(text))
        return head + Markup("").join(_marked(one, _painted(one)) for one in self.shapes) + Markup("</svg>")


def _classes(shape: Shape) -> dict[str, str]:
    return {"class": f"{shape.kind} {shape.tone}" if shape.tone else shape.kind}


def _painted(shape: Shape) -> dict[str, str]:
    tone = PRINTED[shape.tone or "accent"]
    return {name: value.format(tone=tone) for name, value in PAINT[shape.kind].items()}


def _marked(shape: Shape, looks: Mapping[str, str]) -> Markup:
    said = Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in {**looks, **shape.at}.items())
    note = Markup("<title>{}</title>").format(clean(shape.note)) if shape.note else ""
    inside = note + escape(clean(shape.words))
    tag = Markup(shape.tag)  # noqa: S704 - one of three
    return Markup("<{}{}>{}</{}>").format(tag, said, inside, tag)


def clean(words: str) -> str:
    """Without what XML does not hold."""
    return "".join(one for one in words if one not in "\ufffe\uffff" and unicodedata.category(one) not in ("Cc", "Cs"))


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel, `12` for 12.0."""
    if not isfinite(value):
        raise ValueError(f"expected a finite coordinate, not {value}")
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def text(x: float, y: float, words: str, *, anchor: Anchor = "start", kind: str = "word") -> Shape:
    at = {"x": number(x), "y": number(y), "font-size": str(SIZE), "text-anchor": anchor}
    return Shape("text", kind, at, words=words)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Shape:
    return path([(x1, y1), (x2, y2)], kind)


def path(points: Iterable[tuple[float, float]], kind: str, *, tone: Tone | None = None, closed: bool = False) -> Shape:
    drawn = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    return Shape("path", kind, {"d": f"M{drawn}{' Z' if closed else ''}"}, tone)


def box(x: float, y: float, width: float, height: float, look: Look, tone: Tone, *, note: str = "") -> list[Shape]:
    """A rectangle as it is to look; nothing when it has no size."""
    if width <= 0 or height <= 0:
        return []
    at = {"x": number(x), "y": number(y), "width": number(width), "height": number(height)}
    whole = Shape("rect", "edge" if look in ("hatched", "edged") else "fill", at, tone, note=note)
    if look in ("solid", "edged"):
        return [whole]
    lines = hatching(x, y, width, height) if look == "hatched" else _across(x, y, width, height)
    if not lines:
        return [whole]
    drawn = " ".join(f"M{number(x1)} {number(y1)} L{number(x2)} {number(y2)}" for x1, y1, x2, y2 in lines)
    return [whole, Shape("path", "hatch" if look == "hatched" else "stripe", {"d": drawn}, tone)]


def hatching(x: float, y: float, width: float, height: float) -> list[tuple[float, float, float, float]]:
    """Rising lines within a rectangle, on the same grid for all, so that neighbours go on in each other."""
    lines = []
    step = GAP * 1.4142
    at = (int((x + y) / step) + 1) * step
    while at < x + y + width + height:
        left, right = max(x, at - y - height), min(x + width, at - y)
        lines.append((left, at - left, right, at - right))
        at += step
    return lines


def _across(x: float, y: float, width: float, height: float) -> list[tuple[float, float, float, float]]:
    lines, at = [], (int(y / GAP) + 1) * GAP
    while at < y + height:
        lines.append((x, at, x + width, at))
        at += GAP
    return lines


def width_of(words: str) -> float:
    """About how wide words are: rather too much than too little."""
    return sum(
        BROAD if one in BROAD_ONES else WIDE_LETTER if unicodedata.east_asian_width(one) in "WF" else LETTER
        for one in words
    )


def fitted(words: str, width: float) -> str:
    """As much of the words as there is room for."""
    if width_of(words) <= width:
        return words
    kept = words
    while kept and width_of(kept) + BROAD > width:
        kept = kept[:-1]
    return kept.rstrip() + "…" if kept else ""
