"""The trend of a sweep against a plain loop over numpy's weighted polynomial fits."""

from __future__ import annotations

import numpy as np
import pytest
from made_sweeps import rates, valley_shape

from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep.trend import local_fit


def plain_loop(x, y, at, bandwidth, degree=2):
    fitted = []
    for point in at:
        weight = np.clip(1 - (np.abs(x - point) / bandwidth) ** 3, 0, None) ** 3
        used = weight > 0
        fit = np.polyfit(x[used] - point, y[used], degree, w=np.sqrt(weight[used]))
        fitted.append(fit[-1])
    return np.array(fitted)


def test_equals_weighted_polynomial_fits_on_uneven_rates():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.uniform(0.04, 0.09, 100))  # each in a cell of its own
    y = rng.normal(size=100)
    at = np.linspace(x[0], x[-1], 57)
    np.testing.assert_allclose(local_fit(x, y, at, 0.8), plain_loop(x, y, at, 0.8), atol=1e-9)


def test_steps_gathered_in_cells_hardly_differ_from_single_ones():
    rng = np.random.default_rng(1)
    x = np.linspace(-7, 0, 3000)
    y = np.sin(2 * x) + rng.normal(0, 0.1, 3000)
    at = np.linspace(-7, 0, 50)
    np.testing.assert_allclose(local_fit(x, y, at, 0.5), plain_loop(x, y, at, 0.5), atol=2e-3)


@pytest.mark.parametrize("count", [5, 17, 100])
def test_a_parabola_is_its_own_fit_also_at_its_ends(count):
    x = np.linspace(-7, 0, count)
    y = 3 - x + x**2 / 5
    np.testing.assert_allclose(local_fit(x, y, x, 0.5), y, atol=1e-9)


@pytest.mark.parametrize(("count", "degree"), [(1, 0), (2, 0), (3, 1), (4, 1)])
def test_few_steps_have_a_line_or_a_mean(count, degree):
    x, y = np.arange(count) / 10, np.array([2.0, 1.0, 4.0, 2.5])[:count]
    expected = np.polyval(np.polyfit(x, y, degree), x)
    # Within so wide a window all weights are nearly equal.
    np.testing.assert_allclose(local_fit(x, y, x, 3.0), expected, atol=5e-3)


@pytest.mark.parametrize("steps", [100, 300, 1000, 3000, 100_000])
def test_the_minimum_does_not_move_with_the_number_of_steps(steps):
    lr = rates(steps)
    loss = valley_shape(lr) + np.random.default_rng(steps).normal(0, 0.01, steps)
    grid = np.linspace(-7, np.log10(lr[-1]), 701)
    found = grid[np.argmin(local_fit(np.log10(lr), loss, grid, 0.5))]
    assert found == pytest.approx(np.log10(3e-2), abs=0.15)


def test_the_exponential_means_minimum_does():
    """What the regression is for: 19 steps are 1.3 decades of 100 and 0.04 of 3,000."""
    for steps, decades in ((100, 1.3), (3000, 0.044)):
        x = np.log10(rates(steps))
        lagging = x[np.argmin(smooth((x + 3) ** 2, 0.05))]
        assert lagging == pytest.approx(-3 + decades, abs=0.1)
