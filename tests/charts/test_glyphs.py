from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from chart_samples import cells, lines
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from clr_tui.tui.charts.chart import Area, Axis, Chart, Mark, Series
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.glyphs import EVERY, glyph_places, glyph_points
from clr_tui.tui.charts.palette import DARK, DARK_16, DARK_256, PLAIN
from clr_tui.tui.charts.svg import to_svg

GLYPHS = "●▲■◆▼✚○△□◇"
NAMES = ("adagrad", "adadelta", "rmsprop", "adam", "adamax", "sgd+clr")
SVG = "{http://www.w3.org/2000/svg}"
X = np.arange(1, 17.0)


def entry(number, y, name="", **how):
    return Series(X, y, name, f"entry-{number + 1}", glyph=GLYPHS[number], **how)


def comparison(tops, names=(), width=6.0, **chart):
    """Curves that rise to `tops`, each with a band `width` wide."""
    curves = [top * (1 - np.exp(-X / 5)) for top in tops]
    named = [*names, *[""] * (len(tops) - len(names))]
    return Chart(
        series=tuple(entry(i, y, named[i]) for i, y in enumerate(curves)),
        areas=tuple(
            Area(X, y - width / 2, y + width / 2, "", f"entry-{i + 1}", faint=True)
            for i, y in enumerate(curves)
        ),
        **{"x": Axis("epoch", lo=0.0, hi=16.0), "y": Axis(lo=0.0, hi=100.0), **chart},
    )


def shapes(rows):
    return [(y, x, c) for y, x, c, *_ in all_cells(rows[1:]) if c in GLYPHS]


def all_cells(rows):
    return [
        (y, x, c, role)
        for role in ["muted", "frame", *(f"entry-{i + 1}" for i in range(8))]
        for y, x, c in cells(rows, role)
    ]


def test_each_curve_carries_its_shape_about_every_dozen_columns_and_at_its_end():
    rows = draw(comparison((90, 60, 30)), 100, 30, PLAIN)
    found = shapes(rows)
    for i, glyph in enumerate(GLYPHS[:3]):
        columns = sorted(x for _, x, c in found if c == glyph)
        assert columns[-1] == 99
        steps = np.diff(columns)
        assert 5 <= len(columns) <= 9
        assert (steps[:-1] == EVERY).all()
        assert {role for _, _, c, role in all_cells(rows[1:]) if c == glyph} == {f"entry-{i + 1}"}


def test_shapes_of_different_curves_never_touch():
    # Six curves on top of one another: the hardest case.
    rows = draw(comparison([70 + i / 10 for i in range(6)]), 80, 24, DARK)
    found = shapes(rows)
    assert {c for _, _, c in found} == set(GLYPHS[:6])
    taken = {(y, x) for y, x, _ in found}
    assert not any((y, x + 1) in taken for y, x in taken)
    ends = [max(x for _, x, c in found if c == glyph) for glyph in GLYPHS[:6]]
    assert min(ends) >= 80 - 2 * EVERY


def test_shapes_hold_still_while_a_curve_grows():
    def at(n):
        part = Series(X[:n], X[:n] * 4, "", "entry-1", glyph="●")
        chart = Chart((part,), x=Axis(lo=0.0, hi=16.0), y=Axis(lo=0.0, hi=100.0))
        return {(y, x) for y, x, _ in shapes(draw(chart, 100, 30, DARK))}

    early, late = at(8), at(16)
    assert len(early - late) <= 1  # that at its end


def test_shapes_lie_above_all_curves():
    flat = np.full(16, 50.0)
    chart = Chart((entry(0, flat), Series(X, flat, "", "validation")), y=Axis(lo=0.0, hi=100.0))
    assert len(shapes(draw(chart, 80, 20, DARK))) > 3


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 90), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_shapes_stand_on_their_curves(height, width, count, seed):
    rng = np.random.default_rng(seed)
    curves = [rng.random((height, width)) < rng.random() * 0.3 for _ in range(count)]
    places = glyph_places(curves)
    assert len(places) == count
    for curve, own in zip(curves, places, strict=True):
        assert all(curve[place] for place in own)
        if curve.any() and count == 1:
            assert own[0][1] == np.flatnonzero(curve.any(axis=0))[-1]
    every = [place for own in places for place in own]
    assert len(set(every)) == len(every)


def test_the_strong_curve_is_thicker_and_on_top():
    chart = comparison((70, 70.2))
    strong = replace(chart.series[0], strong=True)
    before = draw(chart, 80, 24, DARK)
    after = draw(replace(chart, series=(strong, chart.series[1])), 80, 24, DARK)

    def dots(rows):
        return sum(bin(ord(c) - 0x2800).count("1") for *_, c in cells(rows, "entry-1") if c > "⠀")

    assert len(cells(after, "entry-2")) < len(cells(before, "entry-2"))
    assert dots(after) > 1.5 * dots(before)
    assert {i.weight for row in after for _, i in row if i.role == "entry-1"} == {"strong"}


def test_a_dotted_curve_has_every_other_dot():
    x = np.linspace(0, 1, 200)
    chart = Chart((Series(x, 0 * x + 0.5, "", "entry-1"),), y=Axis(lo=0.0, hi=1.0))
    dotted = replace(chart, series=(replace(chart.series[0], dotted=True),))
    whole, half = (
        [c for *_, c in cells(draw(one, 60, 12, PLAIN), "entry-1")] for one in (chart, dotted)
    )
    assert len(whole) == len(half) > 50
    bits = [{bin(ord(c) - 0x2800).count("1") for c in row[1:-1]} for row in (whole, half)]
    assert bits == [{2}, {1}]


def test_bands_are_tints_the_selected_one_on_top():
    chart = comparison((70, 71), width=30)

    def tints(one):
        rows = draw(one, 80, 24, DARK)
        return [ink.tint for row in rows for text, ink in row for _ in text if ink.tint]

    assert tints(chart).count("entry-2") > 3 * tints(chart).count("entry-1")
    first = replace(chart.areas[0], faint=False)
    chosen = replace(chart, areas=(first, chart.areas[1]))
    assert tints(chosen).count("entry-1") > 3 * tints(chosen).count("entry-2")


@pytest.mark.parametrize("palette", [PLAIN, DARK_16, DARK_256], ids=lambda p: p.name)
def test_bands_without_tints_are_bars_at_the_shapes_and_one_pattern(palette):
    chart = comparison((90, 40), width=24)
    chosen = replace(chart, areas=(chart.areas[0], replace(chart.areas[1], faint=False)))
    rows = draw(chosen, 100, 30, palette)
    assert not any(ink.tint for row in rows for _, ink in row)
    bars = [(y, x) for y, x, c in cells(rows, "entry-1") if c == "╎"]
    columns = {x for _, x, c in shapes(rows) if c == GLYPHS[0]}
    assert {x for _, x in bars} <= columns
    assert len({x for _, x in bars}) >= 4
    # 24 of 100 units, and 27 rows of data.
    reach = max(np.ptp([y for y, x in bars if x == column]) for _, column in bars)
    assert 4 <= reach <= 7
    assert not [c for *_, c in cells(rows, "entry-1") if c == "░"]
    assert len([c for *_, c in cells(rows, "entry-2") if c == "░"]) > 100


def test_the_end_of_a_cycle_is_a_tick_on_the_axis():
    marks = (Mark(8.0, colour="lr", foot=True), Mark(16.0, colour="lr", foot=True))
    rows = lines(comparison((90,), marks=marks), 80, 24)
    (axis,) = [row for row in rows if "└" in row]
    assert [i for i, c in enumerate(axis) if c == "┸"] == [7 + 36, 79]
    assert "┸" not in lines(comparison((90,), marks=marks), 12, 4)


def test_ten_names_at_eighty_columns_are_cut_with_a_sign():
    many = (*NAMES, "adamw(weight_decay=0.05)", "nadam", "radam", "sgd(momentum=0.9)+one-cycle")
    curves = comparison([50], many[:1], title="accuracy")
    series = tuple(
        Series(X, X + i, name, f"entry-{i % 8 + 1}", glyph=GLYPHS[i]) for i, name in enumerate(many)
    )
    title = lines(replace(curves, series=series), 80, 24)[0]
    assert cell_len(title) == 80
    shown = title.removeprefix("accuracy").split("━")[1:]
    for word, glyph, name in zip(shown, GLYPHS, many, strict=False):
        said = word.split("  ")[0].strip()
        assert said[0] == glyph
        assert said[2:] == name or (said.endswith("…") and name.startswith(said[2:-1]))
    missing = len(many) - len(shown)
    assert title.rstrip().endswith(f"+{missing}" if missing else "…")


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_the_legend_says_all_or_says_that_it_does_not(width):
    title = lines(comparison(range(30, 90, 10), NAMES, title="accuracy"), width, 24)[0]
    assert cell_len(title) == width
    shown = title.count("━")
    if shown == 6:
        assert " +" not in title
    elif shown:
        assert title.rstrip().endswith(f"+{6 - shown}")
    if width >= 120:
        assert all(name in title for name in NAMES)


def test_short_names_are_shown_whole():
    title = lines(comparison((90, 60), ("sgd", "adam")), 40, 24)[0]
    assert title.rstrip().endswith("━● sgd  ━▲ adam")


def test_the_y_label_gives_way_to_the_names():
    chart = comparison(range(30, 90, 10), NAMES, title="accuracy", y=Axis("mean and 95% interval"))
    assert "95%" in lines(chart, 160, 24)[0]
    assert "95%" not in lines(chart, 100, 24)[0]
    bare = replace(chart, series=tuple(replace(s, name="") for s in chart.series))
    assert "95%" in lines(bare, 80, 24)[0]


def svg_words(chart, **options):
    root = ElementTree.fromstring(to_svg(chart, **options))
    return [
        (float(t.get("x")), float(t.get("y")), t.text or "", t.get("fill"))
        for t in root.iter(f"{SVG}text")
    ]


def test_svg_curves_carry_their_shapes_in_their_colours():
    found = svg_words(comparison((90, 60, 30)))
    for i, glyph in enumerate(GLYPHS[:3]):
        own = [(x, y, fill) for x, y, text, fill in found if text == glyph]
        assert 5 <= len(own) <= 14
        assert {fill for *_, fill in own} == {DARK.colours[f"entry-{i + 1}"]}


def test_svg_shapes_of_curves_that_meet_stand_apart():
    x = np.linspace(0, 900, 200)
    curves = [(x, np.full(200, 300.0 + i)) for i in range(6)]
    places = glyph_points(curves)
    every = np.array([place for own in places for place in own])
    distance = np.hypot(*(every[:, None] - every[None]).transpose(2, 0, 1))
    assert distance[~np.eye(len(every), dtype=bool)].min() >= 15
    assert all(len(own) >= 5 for own in places)
    assert all(own[0][0] > 780 for own in places)
    nothing = np.full(5, np.nan)
    assert glyph_points([(nothing, nothing)]) == [[]]


def test_a_long_svg_legend_stands_under_the_title_within_the_picture():
    many = [f"adamw(weight_decay=0.0{i})+one-cycle" for i in range(8)]
    chart = comparison(range(20, 100, 10), many, title="validation accuracy")
    found = svg_words(chart, width_px=960, title="run of a day, comparison")
    places = {text: (x, y) for x, y, text, _ in found if text in many}
    assert set(places) == set(many)
    assert all(40 < y < 200 and x + 6 * len(many[0]) < 960 for x, y in places.values())
    assert len({y for _, y in places.values()}) > 1
    top = min(y for x, y, text, _ in found if text == "80")
    assert max(y for _, y in places.values()) < top


def test_a_picture_with_a_title_says_what_the_chart_is_of():
    chart = comparison((90,), title="validation accuracy", y=Axis("mean", lo=0.0, hi=100.0))
    assert "validation accuracy, mean" in [text for *_, text, _ in svg_words(chart, title="run-1")]
    assert "mean" in [text for *_, text, _ in svg_words(chart)]


def test_svg_bands_of_curves_in_front_are_stronger():
    chart = comparison((70, 71))
    chosen = replace(chart, areas=(replace(chart.areas[0], faint=False), chart.areas[1]))
    root = ElementTree.fromstring(to_svg(chosen))
    bands = [(p.get("fill"), float(p.get("opacity"))) for p in root.iter(f"{SVG}polygon")]
    assert [fill for fill, _ in bands] == [DARK.colours["entry-2"], DARK.colours["entry-1"]]
    assert bands[1][1] > bands[0][1]
