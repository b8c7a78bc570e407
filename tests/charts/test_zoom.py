"""The part of an x axis that keys narrow, move and follow, and the y axis that fits it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from chart_samples import lines
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.tui.charts.axis_limits import scales, y_range
from clr_tui.tui.charts.chart import Area, Axis, Chart, HLine, Series
from clr_tui.tui.charts.scale import Scale
from clr_tui.tui.charts.zoom import (
    containing,
    is_whole,
    most_points,
    moved,
    newest_part,
    newest_x,
    resized,
    shared_x,
    zoomed,
)

LINEAR, LOG = Scale(0.0, 160.0), Scale(1e-7, 1.0, True)
STEPS = np.arange(161.0)


def ends(part: Scale) -> tuple[float, float]:
    return part.lo, part.hi


@pytest.mark.parametrize(
    ("whole", "half"),
    [(LINEAR, (40.0, 120.0)), (LOG, (10**-5.25, 10**-1.75))],
    ids=["linear", "log"],
)
def test_half_of_x_is_its_middle_half_and_twice_that_is_all_of_it(whole, half) -> None:
    part = resized(whole, whole, 0.5)
    assert ends(part) == pytest.approx(half)
    assert resized(whole, part, 2.0) == whole
    assert is_whole(whole, resized(whole, part, 2.0))
    assert not is_whole(whole, part)


def test_the_cursor_keeps_its_place_while_x_is_narrowed() -> None:
    part = resized(LINEAR, LINEAR, 0.5, about=40.0)
    assert ends(part) == (20.0, 100.0)
    assert part.fraction(40.0) == LINEAR.fraction(40.0)
    # One outside of what is shown does not count.
    assert ends(resized(LINEAR, Scale(100, 140), 0.5, about=40.0)) == (110.0, 130.0)


def test_a_part_moves_by_shares_of_its_width_and_stops_at_the_ends() -> None:
    part = Scale(40.0, 80.0)
    assert ends(moved(LINEAR, part, 0.1)) == (44.0, 84.0)
    assert ends(moved(LINEAR, part, -1.0)) == (0.0, 40.0)
    assert ends(moved(LINEAR, part, -2.0)) == (0.0, 40.0)
    assert ends(moved(LINEAR, part, 5.0)) == (120.0, 160.0)


def test_a_part_follows_the_cursor_just_as_far_as_it_must() -> None:
    part = Scale(40.0, 80.0)
    assert containing(LINEAR, part, 80.0) == part
    assert ends(containing(LINEAR, part, 90.0)) == (60.0, 100.0)
    assert ends(containing(LINEAR, part, 30.0)) == (20.0, 60.0)
    assert ends(containing(LINEAR, part, 160.0)) == (120.0, 160.0)


@given(
    start=st.floats(0, 0.9),
    width=st.floats(0.01, 1),
    keys=st.lists(st.sampled_from(["narrow", "widen", "left", "right", "far"]), max_size=12),
    whole=st.sampled_from([LINEAR, LOG, Scale(-5.0, 1e9), Scale(1e-12, 2e-12, True)]),
)
def test_no_keys_lead_out_of_the_axis(start, width, keys, whole) -> None:
    part = whole.part(start, min(start + width, 1.0))
    for key in keys:
        if key in ("narrow", "widen"):
            part = resized(whole, part, 0.5 if key == "narrow" else 2.0)
        else:
            part = moved(whole, part, {"left": -0.1, "right": 0.1, "far": 1.0}[key])
        assert whole.lo <= part.lo < part.hi <= whole.hi


def test_the_newest_part_holds_the_newest_value_and_moves_in_strides() -> None:
    values = np.arange(41.0, 160.0)
    parts = [newest_part(LINEAR, newest, 40.0) for newest in values]
    assert {round(part.hi - part.lo, 9) for part in parts} == {40.0}
    assert all(part.lo <= newest <= part.hi for newest, part in zip(values, parts, strict=True))
    # 119 new values, and the chart is drawn anew 24 times: each stride is an eighth, 5.
    assert len({part.hi for part in parts}) == 24
    assert ends(newest_part(LINEAR, 3.0, 40.0)) == (0.0, 40.0)
    assert newest_part(LINEAR, 3.0, 500.0) == LINEAR


def test_charts_one_above_the_other_share_the_widest_axis() -> None:
    first = Chart((Series(STEPS[:50], STEPS[:50]),), x=Axis(lo=0, hi=160))
    second = Chart((Series(STEPS[20:80], STEPS[20:80]),), x=Axis(lo=0, hi=None))
    assert shared_x([first, second]) == Scale(0.0, 160.0)
    assert shared_x([Chart(), first]) == Scale(0.0, 160.0)
    assert shared_x([Chart()]) is None


def test_the_future_of_a_schedule_is_not_the_newest() -> None:
    rates = Chart(
        (Series(STEPS[:50], STEPS[:50], colour="lr"), Series(STEPS, STEPS, colour="lr-ahead"))
    )
    assert newest_x([rates]) == 49.0
    assert newest_x([Chart()]) is None
    assert newest_x([Chart((Series([np.nan, 3.0, np.inf], [1.0, 2.0, 3.0]),))]) == 3.0


def test_points_are_counted_for_the_curve_that_has_most_in_a_part() -> None:
    few = Series(STEPS[::40], STEPS[::40])
    assert most_points([Chart((few,))], Scale(0.0, 40.0)) == 2
    assert most_points([Chart((few, Series(STEPS, STEPS)))], Scale(0.0, 40.0)) == 41


def falling() -> Chart:
    """10 at first, 1 from step 80 on, with one spike in the raw curve of each half."""
    loss = np.maximum(10.0 - 9.0 * STEPS / 80.0, 1.0)
    raw = loss.copy()
    raw[[20, 140]] = 1e6
    return Chart(
        (Series(STEPS, raw, "raw", "raw", faint=True), Series(STEPS, loss, "loss")),
        x=Axis("step", lo=0.0, hi=160.0),
    )


@pytest.mark.parametrize("width", [None, 120])
def test_y_fits_the_curves_within_the_part(width) -> None:
    assert y_range(zoomed(falling(), Scale(40.0, 80.0)), width) == pytest.approx((1.0, 5.5))
    assert y_range(zoomed(falling(), Scale(100.0, 160.0)), width)[0] == 1.0


@pytest.mark.parametrize("width", [None, 120])
def test_a_line_that_crosses_the_part_between_two_points_is_seen(width) -> None:
    chart = Chart((Series([0.0, 100.0], [0.0, 10.0]),), x=Axis("step", lo=0, hi=100))
    assert y_range(zoomed(chart, Scale(20.0, 30.0)), width) == pytest.approx((2.0, 3.0))
    log = Chart((Series([0.0, 100.0], [1.0, 100.0]),), x=Axis(lo=0, hi=100), y=Axis(log=True))
    assert y_range(zoomed(log, Scale(50.0, 100.0)), width) == pytest.approx((10.0, 100.0))


@pytest.mark.parametrize("width", [None, 120])
def test_gaps_and_values_beyond_the_part_do_not_count(width) -> None:
    y = STEPS.copy()
    y[60:70], y[90] = np.nan, np.inf
    chart = Chart((Series(STEPS, y),), x=Axis("step", lo=0, hi=160))
    assert y_range(zoomed(chart, Scale(50.0, 100.0)), width) == pytest.approx((50.0, 100.0))
    assert y_range(zoomed(chart, Scale(62.0, 66.0)), width) is None


def test_a_curve_that_turns_back_and_points_count_where_they_are_in_the_part() -> None:
    x, y = np.array([0.0, 2.0, 1.0, 3.0]), np.array([0.0, 5.0, 2.0, 9.0])
    chart = Chart((Series(x, y),), x=Axis(lo=0, hi=3))
    assert y_range(zoomed(chart, Scale(0.5, 2.5))) == (2.0, 5.0)
    points = Chart((Series(x, y, kind="points"),), x=Axis(lo=0, hi=3))
    assert y_range(zoomed(points, Scale(0.5, 1.5))) == (2.0, 2.0)


def test_what_the_whole_chart_cuts_off_stays_cut_off_while_the_curve_is_below_it() -> None:
    loss = np.where(STEPS < 150, 1.6 - STEPS / 1000, 40.0)
    chart = Chart((Series(STEPS, loss),), x=Axis(lo=0, hi=160), y=Axis(lo=1.4, hi=1.7))
    assert y_range(zoomed(chart, Scale(100.0, 160.0)), 120)[1] == 1.7
    # Zoomed into the explosion, it is seen.
    assert y_range(zoomed(chart, Scale(152.0, 160.0)), 120) == (40.0, 40.0)


def test_a_band_and_a_target_do_not_squeeze_the_curve_of_the_part() -> None:
    wide = Area(STEPS, STEPS - 500, STEPS + 500)
    chart = Chart((Series(STEPS, STEPS),), x=Axis(lo=0, hi=160), areas=(wide,))
    low, high = y_range(zoomed(chart, Scale(100.0, 150.0)), 120)
    assert (low, high) == pytest.approx((95.0, 155.0))
    aim = Chart(chart.series, x=chart.x, hlines=(HLine(1e4, "target"),))
    assert y_range(zoomed(aim, Scale(100.0, 150.0)), 120) == pytest.approx((100.0, 155.0))


def test_a_zoomed_chart_has_the_ticks_of_its_part() -> None:
    chart = zoomed(falling(), Scale(40.0, 80.0))
    drawn = lines(chart, 60, 16)
    assert "40" in drawn[-2]
    assert "80" in drawn[-2]
    assert "100" not in drawn[-2]
    x, y = scales(chart)
    assert x == Scale(40.0, 80.0)
    assert y is not None
    assert y.hi < 7


def test_a_constant_has_an_axis_around_it() -> None:
    chart = Chart((Series(STEPS, np.full(161, 0.1)),), x=Axis(lo=0, hi=160))
    _, y = scales(zoomed(chart, Scale(40.0, 80.0)))
    assert y is not None
    assert y.lo < 0.1 < y.hi
    assert math.isclose((y.lo + y.hi) / 2, 0.1, rel_tol=0.2)
