"""Charts: geometry by hand for small data, and for any data a picture within its sheet, in words that stand apart."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.reports.charts import Bar, Part, Point, area, bars, stacked, steps
from app.reports.drawing import fitted, hatching, width_of
from app.reports.plots import ticks

PARTS = (
    Part("On time", "good"),
    Part("Late", "missed", "striped"),
    Part("Unresolved or silent", "paused", "edged"),
    Part("Open, past the target", "missed", "hatched"),
    Part("Open, not due yet", "quiet", "hatched"),
)
START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = {"title": "What it shows", "text": "What one sees"}
SVG = "{http://www.w3.org/2000/svg}"


def months(groups):
    return stacked("months", **WORDS, across="Month", parts=PARTS, groups=groups)


def lines(*found, mark=None):
    return bars("load", **WORDS, columns=("Who", "Load", "Capacity"), lines=found, mark=mark)


def value(*points, as_of=None):
    return area("value", **WORDS, columns=("Day", "Value"), points=points, said=lambda v: f"{v:g}", as_of=as_of)


def curve(points, until=0):
    return steps(
        "curve", **WORDS, columns=("Day", "Share"), points=points, rows=[], until=until, limit=(30, "30 days"),
        axis="days", percent=lambda share: f"{share:.0%}",
    )  # fmt: skip


def on(day, amount):
    return Point(START + timedelta(days=day), amount, f"day {day}", f"€{amount}")


def shapes(chart, tag, kind, which=1):
    return [one for one in chart.drawings[which].shapes if (one.tag, one.kind) == (tag, kind)]


def sized(shape):
    return tuple(float(shape.at[name]) for name in ("x", "y", "width", "height"))


def corners(shape):
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.-]+) ([\d.-]+)", shape.at["d"])]


def test_stacks_stand_on_each_other_to_scale():
    chart = months([("Jan", (2, 1, 0, 0, 1)), ("Feb", (0, 0, 0, 0, 0))])
    levels = [one.words for one in shapes(chart, "text", "aside")][:5]
    assert levels == ["0", "1", "2", "3", "4"]
    keys = len(PARTS)  # the first boxes are the legend's
    good, late = (sized(one) for one in shapes(chart, "rect", "fill")[2:])
    (open_,) = (sized(one) for one in shapes(chart, "rect", "edge")[keys - 2 :])
    assert [round(one[3], 1) for one in (good, late, open_)] == [90, 45, 45]  # 180 pixels for 4: 45 for one
    assert good[1] == pytest.approx(late[1] + late[3], abs=0.2)
    assert late[1] == pytest.approx(open_[1] + open_[3], abs=0.2)
    assert {one[2] for one in (good, late, open_)} == {40}  # no wider than that
    assert chart.columns == ("Month", "On time", "Late", "Unresolved or silent", "Open, past the target",
                             "Open, not due yet")  # fmt: skip
    assert chart.rows == [("Jan", "2", "1", "0", "0", "1"), ("Feb", "0", "0", "0", "0", "0")]


def test_what_is_over_capacity_is_hatched_and_the_rest_is_not():
    chart = lines(Bar("Ben", 30, "30 of 20", 20, "20"), Bar("Ann", 15, "15 of 20", 20, "20"), mark="Capacity")
    whole = 560 - 4
    held = [sized(one)[2] for one in shapes(chart, "rect", "fill")]
    assert held == [pytest.approx(whole * 20 / 30, abs=0.1), pytest.approx(whole * 15 / 30, abs=0.1)]
    (over,) = shapes(chart, "rect", "edge")
    assert sized(over)[2] == pytest.approx(whole / 3, abs=0.1)
    marks = [corners(one)[0][0] for one in shapes(chart, "path", "limit")[1:]]
    assert marks == [pytest.approx(whole * 2 / 3, abs=0.1)] * 2
    assert chart.rows == [("Ben", "30 of 20", "20"), ("Ann", "15 of 20", "20")]


def test_a_gap_in_what_is_known_parts_the_area():
    chart = value(on(0, 10), on(10, 20), on(20, None), on(30, 5), on(40, 10), as_of=(START + timedelta(40), "now"))
    first, second = (corners(one) for one in shapes(chart, "path", "curve"))
    left, right = first[0][0], second[1][0]
    assert first[1][0] - left == pytest.approx((right - left) / 4, abs=0.2)
    assert first[0][1] - first[1][1] == pytest.approx(90, abs=0.2)  # 10 of 20 in 180 pixels
    assert second[1][1] == first[0][1]
    (limit,) = shapes(chart, "path", "limit")
    assert corners(limit)[0][0] == right
    assert chart.rows[2] == ("day 20", "€None")


def test_one_known_point_is_a_dot_in_the_middle():
    chart = value(on(3, 7))
    assert shapes(chart, "path", "curve") == []
    x, y, width, height = sized(*shapes(chart, "rect", "fill"))
    left = corners(shapes(chart, "path", "axis")[0])[0][0]
    assert (x + width / 2, width, height) == (pytest.approx((left + 556) / 2, abs=0.1), 6, 6)
    assert y > 0


def test_steps_go_down_on_their_day_and_on_to_the_last_seen():
    chart = curve([(0, 1.0), (10, 0.5), (20, 0.25)], until=60)
    (drawn,) = shapes(chart, "path", "curve")
    left = corners(shapes(chart, "path", "axis")[0])[0][0]
    day = (556 - left) / 60
    expected = [(0, 0), (10, 0), (10, 90), (20, 90), (20, 135), (60, 135)]  # days, and pixels down of 180
    top = corners(drawn)[0][1]
    assert corners(drawn) == [
        (pytest.approx(left + x * day, abs=0.1), pytest.approx(top + down, abs=0.1)) for x, down in expected
    ]
    (limit,) = shapes(chart, "path", "limit")
    assert corners(limit)[0][0] == pytest.approx(left + 30 * day, abs=0.1)


@pytest.mark.parametrize(
    ("top", "expected"),
    [(0, [0, 1]), (1, [0, 0.5, 1]), (4, [0, 1, 2, 3, 4]), (11, [0, 5, 10, 15]), (2e15, [0, 5e14, 1e15, 1.5e15, 2e15])],
)
def test_an_axis_has_round_values_up_to_the_largest(top, expected):
    assert ticks(top) == expected


def test_an_axis_of_counts_has_no_halves():
    assert ticks(1, whole=True) == [0, 1]
    assert ticks(3, whole=True) == [0, 1, 2, 3]


def test_nothing_to_show_is_no_picture_and_the_words_remain():
    for chart in (months([]), months([("Jan", (0, 0, 0, 0, 0))]), lines(), value(), value(on(1, None)), curve([])):
        assert (chart.svg, chart.svg_for_print(), chart.title, chart.text) == ("", "", *WORDS.values())


def test_zero_and_huge_values_are_drawn():
    assert shapes(lines(Bar("Ann", 0, "0")), "rect", "fill") == []
    huge = value(on(0, Decimal("9e24")), on(1, Decimal(0)))
    ElementTree.fromstring(huge.svg_for_print())
    assert corners(shapes(huge, "path", "curve")[0])[1][1] == 200  # 20 for the label over it, 180 for the plot


def test_names_are_text_whatever_they_hold():
    hostile = '</text><script>alert(1)</script> & "quoted" \x00\x1b \ud800 <b>'
    chart = lines(Bar(hostile, 1, hostile))
    for svg in (f"<div xmlns='http://www.w3.org/2000/svg'>{chart.svg}</div>", chart.svg_for_print()):
        tags = {one.tag.removeprefix(SVG) for one in ElementTree.fromstring(svg).iter()}
        assert tags <= {"div", "svg", "title", "desc", "rect", "path", "text"}
    assert "alert(1)" in chart.svg


def test_the_page_and_the_paper_show_the_same_marks():
    chart = months([("Jan", (2, 1, 1, 1, 1))])
    page = ElementTree.fromstring(f"<div xmlns='http://www.w3.org/2000/svg'>{chart.svg}</div>")[1]
    paper = ElementTree.fromstring(chart.svg_for_print("Some Sans"))
    places = ("x", "y", "width", "height", "d")
    assert [[one.get(name) for name in places] for one in page.iter() if one.tag != f"{SVG}title"] == [
        [one.get(name) for name in places] for one in paper.iter() if one.tag != f"{SVG}title"
    ]
    assert paper.get("font-family") == "Some Sans"
    assert not [one for one in page.iter() if one.get("style") or one.get("fill") or one.get("stroke")]
    assert not [one for one in paper.iter() if one.get("class")]
    assert all(one.get("fill") for one in paper.iter() if one.tag in (f"{SVG}rect", f"{SVG}text"))


def test_a_picture_says_what_it_is_to_who_does_not_see_it():
    svg = ElementTree.fromstring(
        f"<div xmlns='http://www.w3.org/2000/svg'>{months([('Jan', (1, 0, 0, 0, 0))]).svg}</div>"
    )
    for one in svg:
        title, text = one.get("aria-labelledby").split()
        assert one.get("role") == "img"
        assert [(one[n].get("id"), one[n].text) for n in (0, 1)] == [(title, "What it shows"), (text, "What one sees")]
    ids = [one.get("id") for one in svg.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) == 4


def test_lines_of_a_hatching_stay_within_their_box():
    for x1, y1, x2, y2 in hatching(13, 40, 22, 17):
        assert 13 <= x1 <= x2 <= 35
        assert 40 - 1e-9 <= y2 <= y1 <= 57 + 1e-9


def test_a_word_that_does_not_fit_is_shortened():
    assert fitted("Globex", 100) == "Globex"
    assert fitted("Globex Corporation", 60) == "Globex…"
    assert width_of("漢字") > width_of("ab")
    assert fitted("anything", 0) == ""


def spot(shape):
    """Where a text stands, by the widths that are reckoned with."""
    x, y, wide = float(shape.at["x"]), float(shape.at["y"]), width_of(shape.words)
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[shape.at["text-anchor"]]
    return left, y - 9, left + wide, y + 2


def check(chart):
    """Everything stands within its sheet, no word on another, and it is well-formed."""
    for drawing in chart.drawings:
        spots = [spot(one) for one in drawing.shapes if one.tag == "text" and one.words]
        for left, top, right, bottom in spots:
            assert left >= -0.1
            assert top >= -0.1
            assert right <= drawing.width + 0.1
            assert bottom <= drawing.height + 0.1
        for one, other in combinations(spots, 2):
            apart = one[2] <= other[0] + 0.1 or other[2] <= one[0] + 0.1 or one[3] <= other[1] or other[3] <= one[1]
            assert apart, (one, other)
        for shape in drawing.shapes:
            if shape.tag == "rect":
                x, y, width, height = sized(shape)
                assert x >= 0
                assert y >= 0
                assert x + width <= drawing.width + 0.1
                assert y + height <= drawing.height + 0.1
    if chart.drawings:
        ElementTree.fromstring(chart.svg_for_print())
        ElementTree.fromstring(f"<div>{chart.svg}</div>")


NAMES = st.text(max_size=60)
COUNTS = st.tuples(*[st.integers(0, 10**7)] * 5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Jan", "Feb 2026", "2026-03"]), COUNTS), max_size=40))
def test_any_stacks_fit(groups):
    check(months(groups))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NAMES, st.floats(0, 1e12), st.none() | st.floats(0, 1e12)), max_size=12))
def test_any_bars_fit(found):
    check(lines(*(Bar(name, amount, f"{amount:g}", mark) for name, amount, mark in found), mark="Capacity"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.none() | st.decimals(0, 10**15, places=2)), max_size=20))
def test_any_area_fits(found):
    check(
        value(
            *(on(day, amount) for day, amount in sorted(found, key=lambda one: one[0])),
            as_of=(START + timedelta(400), "as of 5 Feb"),
        )
    )


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(1, 2000), st.floats(0, 1), max_size=40), st.integers(0, 3000))
def test_any_steps_fit(found, until):
    points = [(day, share) for day, share in zip(sorted(found), sorted(found.values(), reverse=True), strict=True)]
    check(curve([(0, 1.0), *points], until))
