"""The y axis fits the curves; a band that it cuts is named in the title."""

from __future__ import annotations

import numpy as np
import pytest
from chart_samples import lines

from clr_tui.tui.charts.axis_limits import scales, with_bands, y_range
from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.charts.svg import stack_svg, to_svg

EPOCHS = np.arange(1.0, 17.0)


def accuracies(widths: list[float]) -> Chart:
    """Optimizers whose means are between 90 and 98, with bands of these half widths."""
    means = [90.0 + i + 2 * EPOCHS / 16 for i in range(len(widths))]
    return Chart(
        tuple(Series(EPOCHS, mean, f"o{i}", f"entry-{i + 1}") for i, mean in enumerate(means)),
        x=Axis("epoch", lo=0, hi=16),
        title="accuracy",
        areas=tuple(
            Area(EPOCHS, mean - width, mean + width, "", f"entry-{i + 1}")
            for i, (mean, width) in enumerate(zip(means, widths, strict=True))
        ),
    )


def test_one_wide_band_leaves_six_good_curves_their_height() -> None:
    chart = accuracies([0.3] * 6 + [40.0])
    lo, hi = y_range(chart, 120)
    means = np.concatenate([series.y for series in chart.series])
    assert (means.max() - means.min()) / (hi - lo) > 0.8
    assert "accuracy, bands cut" in lines(chart, 120, 20)[0]
    for picture in (to_svg(chart), stack_svg([chart], 800, 300, "run")):
        assert "bands cut" in picture
        assert picture.count("bands cut") <= 2  # its title, and the label of the picture


def test_bands_that_fit_are_not_mentioned() -> None:
    chart = accuracies([0.3] * 6)
    lo, hi = y_range(chart, 120)
    assert lo <= min(area.low.min() for area in chart.areas)
    assert hi >= max(area.high.max() for area in chart.areas)
    assert "cut" not in "\n".join(lines(chart, 120, 20))
    assert "cut" not in to_svg(chart)


@pytest.mark.parametrize(
    ("curves", "bands", "both"),
    [
        ((0.0, 10.0), (-0.5, 10.5), (-0.5, 10.5)),
        ((0.0, 10.0), (-100.0, 10.5), (-1.0, 10.5)),
        ((0.0, 10.0), (2.0, 8.0), (0.0, 10.0)),
        ((5.0, 5.0), (2.0, 8.0), (2.0, 8.0)),
        (None, (2.0, 8.0), (2.0, 8.0)),
        ((0.0, 10.0), None, (0.0, 10.0)),
    ],
)
def test_how_far_bands_widen_the_range_of_their_curves(curves, bands, both) -> None:
    assert with_bands(curves, bands) == pytest.approx(both)


def test_on_a_log_axis_bands_widen_it_by_decades() -> None:
    assert with_bands((1.0, 100.0), (1e-9, 110.0), log=True) == pytest.approx((10**-0.2, 110.0))


def test_a_band_that_leaves_with_its_curve_is_not_said_to_be_cut() -> None:
    loss = np.where(EPOCHS < 15, 1.0, 1000.0)
    chart = Chart(
        (Series(EPOCHS, loss, "loss"),),
        y=Axis(lo=0.0, hi=2.0),
        areas=(Area(EPOCHS, loss * 0.9, loss * 1.1, "seeds", "loss"),),
        title="loss",
    )
    assert "cut" not in lines(chart, 80, 16)[0]


def test_a_chart_without_a_title_says_it_too() -> None:
    chart = accuracies([0.3, 0.3, 40.0])
    chart = Chart(chart.series, x=chart.x, areas=chart.areas)
    _, y = scales(chart, 120)
    assert y is not None
    assert lines(chart, 120, 20)[0].startswith("bands cut")
