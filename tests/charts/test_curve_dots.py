import numpy as np
import plotext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clr_tui.tui.charts.chart import Area, Series
from clr_tui.tui.charts.raster import area_mask, braille, dots_mask, series_mask
from clr_tui.tui.charts.scale import Scale

UNIT = Scale(0.0, 1.0)


def spot(scale_x, scale_y, x, y, columns, rows):
    """Where a point's dot is, by arithmetic of our own."""
    column = min(int((x - scale_x.lo) / (scale_x.hi - scale_x.lo) * columns), columns - 1)
    up = min(int((y - scale_y.lo) / (scale_y.hi - scale_y.lo) * rows), rows - 1)
    return rows - 1 - up, column


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.integers(1, 60), st.integers(1, 60))
def test_every_point_of_a_line_is_on_it(values, columns, rows):
    x = np.linspace(0, 1, len(values)) if len(values) > 1 else np.array([0.5])
    mask = series_mask(Series(x, np.array(values)), UNIT, UNIT, columns, rows)
    near = np.pad(mask, 1)
    for a, b in zip(x, values, strict=True):
        row, column = spot(UNIT, UNIT, a, b, columns, rows)
        # Of a row that two columns could share, one has it.
        assert near[row : row + 3, column : column + 3].any()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=300), st.integers(2, 60), st.integers(2, 60))
def test_a_line_has_no_holes(values, columns, rows):
    mask = series_mask(
        Series(np.linspace(0, 1, len(values)), np.array(values)), UNIT, UNIT, columns, rows
    )
    assert mask.any(axis=0).all()
    for left, right in zip(mask.T, mask.T[1:], strict=False):
        a, b = np.flatnonzero(left), np.flatnonzero(right)
        assert a.min() <= b.max() + 1
        assert b.min() <= a.max() + 1
        assert (np.diff(a) == 1).all()


def test_a_slope_is_drawn_thin():
    x = np.linspace(0, 1, 23)
    for end in (0.2, 0.5, 0.99):
        mask = series_mask(Series(x, end * x), UNIT, UNIT, 100, 100)
        assert mask.sum() <= 1.15 * 100  # a corner, here and there, has two
    steep = series_mask(Series([0.0, 0.2], [0.0, 1.0]), UNIT, UNIT, 100, 100)
    assert steep.sum(axis=1).max() == 1
    assert steep.any(axis=1).all()


def test_a_spike_among_a_million_points_is_seen():
    y = np.full(1_000_000, 0.1)
    y[654_321] = 0.95
    mask = series_mask(Series(np.linspace(0, 1, len(y)), y), UNIT, UNIT, 320, 160)
    column = int(0.654321 * 320)
    assert mask[8, column]
    assert mask[8:, column].sum() >= 130
    assert mask[: 160 // 2].sum() == mask[: 160 // 2, column].sum()


def test_a_gap_stays_open():
    y = np.full(1000, 0.5)
    y[400:600] = np.nan
    mask = series_mask(Series(np.linspace(0, 1, 1000), y), UNIT, UNIT, 100, 10)
    assert mask[:, :40].any(axis=0).all()
    assert not mask[:, 41:59].any()
    assert mask[:, 60:].any(axis=0).all()


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 1e308])
def test_what_is_not_finite_is_a_gap(bad):
    y = np.array([0.5, 0.5, bad, 0.5, 0.5])
    mask = series_mask(Series(np.linspace(0, 1, 5), y), UNIT, UNIT, 40, 10)
    assert not mask[:, 11:29].any()
    assert mask[:, :9].any(axis=0).all()


def test_what_a_log_axis_cannot_show_is_a_gap():
    y = np.array([1.0, 1.0, 0.0, -1.0, 1.0, 1.0])
    mask = series_mask(Series(np.linspace(0, 1, 6), y), UNIT, Scale(0.1, 10, True), 60, 10)
    assert not mask[:, 13:47].any()
    assert mask[4, :12].all()


def test_a_line_that_leaves_is_drawn_up_to_the_edge():
    mask = series_mask(Series([0.0, 0.5, 1.0], [0.5, 3.0, 0.5]), UNIT, UNIT, 100, 100)
    assert mask[0].any()
    assert mask[:, 0].any()
    assert not mask[:, 30:70].any()


def test_a_line_enters_from_outside():
    mask = series_mask(Series([-1.0, 2.0], [-0.99, 2.01]), UNIT, UNIT, 50, 50)
    assert np.array_equal(mask, np.eye(50, dtype=bool)[::-1])


def test_log_x_puts_decades_at_even_distances():
    x = np.logspace(-7, 0, 8)
    dots = dots_mask(x, np.full(8, 0.5), Scale(1e-7, 1.0, True), UNIT, 71, 4)
    columns = np.flatnonzero(dots.any(axis=0))
    assert np.abs(np.diff(columns) - 10).max() <= 1


def test_a_line_that_turns_back_is_drawn_whole():
    rates = np.concatenate([np.linspace(0, 1, 500), np.linspace(1, 0, 500)])
    loss = np.linspace(0, 1, 1000)
    mask = series_mask(Series(rates, loss), UNIT, UNIT, 50, 50)
    assert mask.any(axis=0).all()
    assert mask.any(axis=1).all()
    assert mask[-1, 0]
    assert mask[0, 0]
    assert mask[24:27, -1].any()


def test_points_in_any_order_are_drawn_quickly_enough_to_see():
    rng = np.random.default_rng(0)
    series = Series(rng.random(100_000), rng.random(100_000))
    assert series_mask(series, UNIT, UNIT, 100, 40).mean() > 0.9


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.booleans())
def test_sorted_and_reversed_lines_agree(seed, log):
    rng = np.random.default_rng(seed)
    x, y = np.sort(rng.uniform(0.01, 1, 200)), rng.uniform(0.1, 1, 200)
    scale = Scale(0.01, 1.0, log)
    forth = series_mask(Series(x, y), scale, UNIT, 120, 40)
    back = series_mask(Series(x[::-1], y[::-1]), scale, UNIT, 120, 40)
    # Two ways of drawing: they may round an edge differently, no more.
    thick = np.pad(forth, 1)
    near = np.any([thick[i : i + 40, j : j + 120] for i in (0, 1, 2) for j in (0, 1, 2)], axis=0)
    assert not (back & ~near).any()


def test_the_shape_is_that_of_plotext():
    """An independent drawing of the same curve: nearly all its dots have one of ours beside."""
    x = np.linspace(0, 1, 120)
    y = 0.5 + 0.4 * np.sin(9 * x)
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.limit_size(False, False)
    plotext.plot_size(60, 20)
    plotext.xlim(0, 1)
    plotext.ylim(0, 1)
    plotext.frame(False)
    plotext.xfrequency(0)
    plotext.yfrequency(0)
    plotext.plot(x.tolist(), y.tolist(), marker="braille")
    rows = plotext.uncolorize(plotext.build()).splitlines()
    theirs = np.array([[max(0, ord(c) - 0x2800) for c in row] for row in rows])
    height, width = theirs.shape
    ours = braille(series_mask(Series(x, y), UNIT, UNIT, 2 * width, 4 * height))
    touched = np.pad(ours > 0, 1)
    near = np.any(
        [touched[i : i + height, j : j + width] for i in (0, 1, 2) for j in (0, 1, 2)], axis=0
    )
    assert (theirs > 0).sum() > 60
    assert near[theirs > 0].mean() > 0.97


def test_braille_bits_are_those_of_unicode():
    # U+283F has dots 1 to 6, U+28C0 the two below.
    mask = np.array([[1, 1], [1, 1], [1, 1], [0, 0]], dtype=bool)
    assert braille(mask)[0, 0] + 0x2800 == 0x283F
    assert braille(~mask)[0, 0] + 0x2800 == 0x28C0
    left = np.array([[1, 0], [0, 0], [0, 0], [1, 0]], dtype=bool)
    assert chr(braille(left)[0, 0] + 0x2800) == "⡁"


def test_an_area_is_filled_between_its_curves():
    x = np.linspace(0, 1, 50)
    mask = area_mask(Area(x, np.full(50, 0.25), np.full(50, 0.75)), UNIT, UNIT, 20, 40)
    assert mask[10:30].all()
    assert not mask[:9].any()
    assert not mask[31:].any()
    part = area_mask(Area(x[:25], np.full(25, 0.25), np.full(25, 0.75)), UNIT, UNIT, 20, 40)
    assert not part[:, 11:].any()


def test_an_area_has_gaps_where_an_edge_is_not_known():
    x = np.linspace(0, 1, 101)
    low, high = np.full(101, 0.25), np.full(101, 0.75)
    low[30:51] = np.nan
    high[70:76] = np.inf
    columns = area_mask(Area(x, low, high), UNIT, UNIT, 100, 40).any(axis=0)
    assert columns[[5, 28, 60, 65, 80, 95]].all()
    assert not columns[30:50].any()
    assert not columns[70:75].any()


def test_an_area_of_many_points_is_that_of_few():
    many, few = np.linspace(0, 1, 100_001), np.linspace(0, 1, 101)
    shape = lambda x: Area(x, 0.2 + 0.3 * x, 0.9 - 0.2 * x)  # noqa: E731
    one, other = (area_mask(shape(x), UNIT, UNIT, 80, 80) for x in (many, few))
    assert (one == other).mean() > 0.999
    log = Scale(1e-4, 1.0, log=True)
    x = np.logspace(-4, 0, 9)
    places = np.log10(x) / 4 + 1
    sloped = area_mask(Area(x, 0 * x, 0.1 + 0.8 * places), log, UNIT, 80, 80)
    straight = area_mask(Area(places, 0 * x, 0.1 + 0.8 * places), UNIT, UNIT, 80, 80)
    assert (sloped == straight).mean() > 0.999
