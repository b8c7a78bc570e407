"""The extremes of a line by dot column, held against a look at each value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.tui.charts import columns as module
from clr_tui.tui.charts.axis_limits import scales, y_range
from clr_tui.tui.charts.chart import Area, Axis, Chart, Series, same_chart
from clr_tui.tui.charts.columns import Columns
from clr_tui.tui.charts.draw import draw_grid
from clr_tui.tui.charts.palette import DARK
from clr_tui.tui.charts.scale import Scale

ANY = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-2, 2)


@pytest.fixture(autouse=True, scope="module")
def short_parts():
    """Parts of a few values, so that short columns have several."""
    whole, module._PART = module._PART, 5
    yield
    module._PART = whole


def plain_extremes(ys, log):
    known = [y for y in ys if (1e-300 <= y <= 1e300 if log else abs(y) <= 1e300)]
    return (min(known), max(known)) if known else (math.nan, math.nan)


@given(st.lists(st.tuples(st.floats(-3, 3), ANY), max_size=80), st.integers(1, 30), st.booleans())
def test_each_column_has_the_extremes_of_its_own_points(points, count, log):
    points = sorted(points, key=lambda point: point[0])
    xs, ys = np.array([x for x, _ in points]), np.array([y for _, y in points])
    x = Scale(-1.5, 2.0)
    found = Columns.of(xs, ys, x, count, log=log)
    edges = x.edges(count)
    for column in range(count):
        last = column == count - 1
        own = [
            b
            for a, b in points
            if edges[column] <= a and (a < edges[column + 1] or (last and a <= edges[-1]))
        ]
        low, high = plain_extremes(own, log)
        np.testing.assert_equal([found.low[column], found.high[column]], [low, high])
    assert found.cuts[0] == sum(a < edges[0] for a, _ in points)
    assert found.cuts[-1] == sum(a <= edges[-1] for a, _ in points)


@given(
    st.lists(ANY, min_size=1, max_size=80),
    st.integers(10, 60),
    st.booleans(),
    st.sampled_from([(None, None), (2.0, 30.0), (500.0, 600.0)]),
)
def test_the_range_of_a_line_is_that_of_all_its_values_at_any_width(ys, width, log, limits):
    series = Series(np.arange(1.0, len(ys) + 1), np.array(ys))
    chart = Chart((series,), x=Axis(lo=limits[0], hi=limits[1]), y=Axis(log=log))
    low, high = plain_extremes(ys, log)
    assert y_range(chart, width) == (None if math.isnan(low) else (low, high))


def test_a_line_is_looked_at_once_for_axis_and_dots(monkeypatch):
    looks = []
    of = Columns.of

    def count(xs, ys, x, columns, *, log):
        looks.append(columns)
        return of(xs, ys, x, columns, log=log)

    monkeypatch.setattr(Columns, "of", count)
    x = np.arange(1000.0)
    chart = Chart((Series(x, np.sin(x)), Series(x, np.cos(x))), y=Axis("loss"))
    for width, height in ((160, 44), (80, 24), (40, 10)):
        looks.clear()
        draw_grid(chart, width, height, DARK)
        assert len(looks) == 2


def spiky_band(points=100_000):
    """Its upper edge has spikes far narrower than a column."""
    x = np.arange(float(points))
    spikes = np.random.default_rng(0).uniform(0, 6, points) ** 4 / 200
    return Area(x, 1 + x / points, 2 + x / points + spikes)


@pytest.mark.parametrize("width", [40, 80, 120, 160, 240])
def test_the_range_of_a_band_holds_what_is_drawn_of_it(width):
    band = spiky_band()
    x, y = scales(Chart(areas=(band,)), width)
    assert x is not None
    assert y is not None
    columns = 2 * (width - 7)
    at = (np.arange(columns) + 0.5) / columns * (x.hi - x.lo) + x.lo
    inside = (at >= band.x[0]) & (at <= band.x[-1])
    for edge in (band.low, band.high):
        shown = np.interp(at[inside], band.x, edge)
        assert y.lo <= shown.min()
        assert shown.max() <= y.hi


def test_without_a_width_the_range_of_a_band_is_that_of_all_its_values():
    band = spiky_band()
    assert y_range(Chart(areas=(band,))) == (1.0, float(band.high.max()))


def test_charts_of_the_same_memory_are_equal_without_comparing_values(monkeypatch) -> None:
    grown = np.append(np.arange(5.0), np.nan)
    one, other = Chart((Series(grown[:6], grown[:6]),)), Chart((Series(grown[:6], grown[:6]),))
    assert not same_chart(one, Chart((Series(grown[:5], grown[:5]),)))
    assert not same_chart(one, Chart((Series(grown[:6], grown[::-1]),)))
    assert same_chart(one, Chart((Series(grown.copy(), grown.copy()),)))
    monkeypatch.setattr(np, "array_equal", lambda *_, **__: False)
    assert same_chart(one, other)
