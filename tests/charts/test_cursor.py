"""The cursor goes from value to value, and reads what was measured there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from chart_samples import cells, lines
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.charts.cursor import Reading, moved_cursor, place_near, readings, with_cursor
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK
from clr_tui.tui.charts.scale import Scale
from clr_tui.tui.text.readings import reading_rows

DENSE = np.arange(1000.0)
SPARSE = np.array([0.0, 250.0, 500.0, 990.0])
WHOLE, WIDTH = Scale(0.0, 1000.0), 100
CHART = Chart(
    (
        Series(DENSE, np.sin(DENSE), "raw", "raw", faint=True),
        Series(DENSE, DENSE / 2, "train", "loss"),
        Series(SPARSE, SPARSE + 1, "val", "validation", "points"),
    ),
    x=Axis("step", lo=0, hi=1000),
)
POINTS = Chart((Series(SPARSE, SPARSE, "val", "validation", "points"),), x=Axis("epoch"))


def read(chart: Chart, at: float) -> dict[str, Reading]:
    return {one.label: one for one in readings(chart, at)}


def test_an_arrow_moves_a_column_and_shift_ten() -> None:
    assert moved_cursor([CHART], 400.0, 1, WHOLE, WIDTH) == 410.0
    assert moved_cursor([CHART], 400.0, -1, WHOLE, WIDTH) == 390.0
    assert moved_cursor([CHART], 400.0, 10, WHOLE, WIDTH) == 500.0


def test_where_values_are_farther_apart_it_goes_to_the_next() -> None:
    assert moved_cursor([POINTS], 0.0, 1, WHOLE, WIDTH) == 250.0
    assert moved_cursor([POINTS], 250.0, 1, WHOLE, WIDTH) == 500.0
    assert moved_cursor([POINTS], 990.0, -1, WHOLE, WIDTH) == 500.0
    # In a narrow part, from step to step.
    assert moved_cursor([CHART], 400.0, 1, Scale(380.0, 420.0), WIDTH) == 401.0


def test_it_stays_at_the_first_and_last_value() -> None:
    assert moved_cursor([CHART, POINTS], 999.0, 1, WHOLE, WIDTH) == 999.0
    assert moved_cursor([CHART, POINTS], 995.0, 10, WHOLE, WIDTH) == 999.0
    assert moved_cursor([CHART, POINTS], 0.0, -1, WHOLE, WIDTH) == 0.0


@given(
    xs=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20, unique=True).map(sorted),
    start=st.integers(0, 19),
    columns=st.sampled_from([-10, -1, 1, 10]),
    log=st.booleans(),
)
def test_it_is_always_at_a_value_and_never_goes_the_other_way(xs, start, columns, log) -> None:
    chart = Chart((Series(xs, np.ones(len(xs)), "one"),), x=Axis(log=log))
    at = xs[min(start, len(xs) - 1)]
    to = moved_cursor([chart], at, columns, Scale(1e-6, 1e6, log), 80)
    assert to in xs
    assert (to - at) * columns >= 0
    more = [x for x in xs if (x - at) * columns > 0]
    assert (to != at) == bool(more)


def test_on_a_log_axis_a_column_is_a_factor() -> None:
    rates = 10 ** np.linspace(-7, 0, 701)
    chart = Chart((Series(rates, rates, "loss"),), x=Axis(log=True, lo=1e-7, hi=1.0))
    at = float(rates[300])
    to = moved_cursor([chart], at, 1, Scale(1e-7, 1.0, True), 70)
    assert math.log10(to / at) == pytest.approx(0.1)


def test_the_value_nearest_to_a_place() -> None:
    assert place_near([POINTS, CHART], 400.4) == 400.0
    assert place_near([POINTS], 400.4) == 500.0
    assert place_near([POINTS], -5.0) == 0.0
    assert place_near([Chart()], 3.0) is None
    schedule = Chart((Series(DENSE, DENSE, "ahead", "lr-ahead", label=""),))
    assert place_near([schedule], 3.0) is None


def test_every_curve_is_read_at_the_cursor_or_its_last_value_before_it() -> None:
    found = read(CHART, 300.0)
    assert list(found) == ["raw", "train", "val"]
    assert (found["raw"].x, found["raw"].y) == (300.0, math.sin(300.0))
    assert (found["train"].x, found["train"].y) == (300.0, 150.0)
    assert (found["val"].x, found["val"].y) == (250.0, 251.0)


def test_before_its_first_value_and_in_a_gap_a_curve_has_none() -> None:
    late = Series([10.0, 20.0, 30.0], [1.0, np.nan, np.inf], "late")
    found = [read(Chart((late,)), at)["late"] for at in (5.0, 10.0, 20.0, 30.0)]
    assert [one.y for one in found] == pytest.approx(
        [math.nan, 1.0, math.nan, math.nan], nan_ok=True
    )
    assert math.isnan(found[0].x)


def test_a_line_and_its_points_are_one_curve_and_what_has_no_label_none() -> None:
    line = Series(SPARSE, SPARSE, "val")
    bar = Series([0.0, 1000.0], [5.0, 5.0], "best max_lr", "best", label="")
    unnamed = Series(DENSE, DENSE, "", "raw")
    chart = Chart((line, Series(SPARSE, SPARSE, "", kind="points", label="val"), bar, unnamed))
    assert list(read(chart, 300.0)) == ["val"]


def test_of_two_parts_of_one_curve_the_nearer_counts() -> None:
    first = Series(DENSE[:500], DENSE[:500], "plateau", label="adam")
    second = Series(DENSE[500:], -DENSE[500:], label="adam")
    assert read(Chart((first, second)), 400.0)["adam"].y == 400.0
    assert read(Chart((first, second)), 600.0)["adam"].y == -600.0


def test_the_band_is_read_where_it_is_known() -> None:
    area = Area(SPARSE, SPARSE - 3, SPARSE + 4, colour="entry-1")
    chart = Chart((Series(SPARSE, SPARSE, "adam", "entry-1"),), areas=(area,))
    assert (read(chart, 250.0)["adam"].low, read(chart, 250.0)["adam"].high) == (247.0, 254.0)
    other = Chart((Series(SPARSE, SPARSE, "sgd", "entry-2"),), areas=(area,))
    assert math.isnan(read(other, 250.0)["sgd"].low)


def test_a_curve_that_turns_back_is_read_at_the_greatest_place_before() -> None:
    chart = Chart((Series([0.0, 2.0, 1.0, 3.0], [0.0, 20.0, 10.0, 30.0], "loss"),))
    assert read(chart, 1.5)["loss"].y == 10.0
    assert place_near([chart], 1.9) == 2.0


def test_the_cursor_is_a_dotted_line_over_the_height_with_its_place_below() -> None:
    rows = draw(with_cursor(CHART, 500.0, "500"), 80, 20, DARK)
    found = cells(rows, "cursor")
    column = found[0][1]
    upright = [c for _, x, c in found if x == column]
    assert upright[0] == "┊"
    assert "▲" in upright
    assert "500" in "".join(span.text for span in rows[-2])


def test_a_chart_without_numbers_on_x_keeps_its_rows_with_a_cursor() -> None:
    chart = Chart(CHART.series, x=Axis(lo=0, hi=1000), title="loss")
    before = lines(chart, 80, 8)
    after = lines(with_cursor(chart, 500.0, "500"), 80, 8)
    assert [row[:7] for row in after] == [row[:7] for row in before]
    assert "500" not in after[-1]


def test_a_smoothed_curve_is_read_with_its_raw_value() -> None:
    line = Series([0, 1, 2], [1.0, 2.0, 3.0], "loss", raw=np.array([1.5, 2.5, 3.5, 9.9]))
    (reading,) = readings(Chart(series=(line,), title="loss"), 1.2)
    assert (reading.y, reading.raw) == (2.0, 2.5)
    (_, row, _) = reading_rows([Chart(series=(line,), title="loss")], 1.0, "step", 40)
    assert "".join(text for text, _ in row).split() == ["loss", "2.000", "raw", "2.500"]


def test_what_is_known_to_rise_is_not_looked_at() -> None:
    assert Series([3.0, 1.0], [0.0, 0.0], rises=True).ascending
    assert not Series([3.0, 1.0], [0.0, 0.0]).ascending
