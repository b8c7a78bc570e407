"""Smoothing to both sides against NumPy's weighted least squares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis import centred_mean as module
from clr_tui.engine.analysis.centred_mean import GrowingMean, centred_mean

values = st.floats(-1e3, 1e3) | st.sampled_from([math.nan, math.inf, -math.inf])


def least_squares(values: np.ndarray, alpha: float) -> np.ndarray:
    """A weighted line through the finite values around each of them."""
    fit = np.full(len(values), np.nan)
    finite = np.flatnonzero(np.isfinite(values))
    y, k = values[finite], np.arange(len(finite))
    for i, place in enumerate(finite):
        weights = np.sqrt((1 - alpha) ** np.abs(k - i))
        if len(y) < 3:
            fit[place] = y[i]
        else:
            fit[place] = np.polynomial.polynomial.polyfit(k - i, y, 1, w=weights)[0]
    return fit


@given(st.lists(values, max_size=60), st.floats(0.02, 0.9))
def test_equals_weighted_least_squares(given_values: list[float], alpha: float) -> None:
    y = np.array(given_values)
    np.testing.assert_allclose(centred_mean(y, alpha), least_squares(y, alpha), atol=1e-6)


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.002])
def test_a_line_is_its_own_fit_to_its_ends_and_a_constant_stays_that_constant(alpha) -> None:
    line = 3 - 0.01 * np.arange(3000)
    np.testing.assert_allclose(centred_mean(line, alpha), line, atol=1e-9)
    assert set(centred_mean(np.full(3000, 0.1), alpha)) == {0.1}


def test_the_first_value_does_not_pull_the_curve() -> None:
    noise = np.random.default_rng(1).normal(0, 1, 2000)
    noise[0] = 30  # a mean that begins with its first value is above 10 for 20 steps
    assert abs(centred_mean(noise, 0.02)[10]) < 2


def test_the_minimum_of_a_curve_stays_where_it_is() -> None:
    bowl = (np.arange(400) - 200.0) ** 2
    assert centred_mean(bowl, 0.05).argmin() == 200


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.sampled_from([0.3, 0.9]))
def test_a_curve_that_grows_has_the_fit_of_the_whole_curve(lengths, alpha) -> None:
    buffer = np.random.default_rng(len(lengths)).normal(size=sum(lengths))
    buffer[::7] = np.nan
    mean = GrowingMean(alpha)
    for end in np.cumsum(lengths):
        known = buffer[:end]
        np.testing.assert_allclose(mean.of(known), centred_mean(known, alpha), atol=1e-12)
    other = buffer[::-1].copy()  # another curve
    np.testing.assert_allclose(mean.of(other), centred_mean(other, alpha), atol=1e-12)


def test_only_the_end_of_a_growing_curve_is_computed_again(monkeypatch) -> None:
    fitted = []
    fit = module._fit
    monkeypatch.setattr(module, "_fit", lambda y, alpha: fitted.append(len(y)) or fit(y, alpha))
    mean, buffer = GrowingMean(0.1), np.random.default_rng(0).normal(size=200_000)
    mean.of(buffer[:199_990])
    fitted.clear()
    mean.of(buffer)
    assert sum(fitted) < 2000


@pytest.mark.parametrize("alpha", [0, -1, 1.5, math.nan])
def test_other_weights_are_refused(alpha) -> None:
    with pytest.raises(ValueError, match="smoothing must be"):
        centred_mean(np.ones(3), alpha)


def test_a_weight_of_one_leaves_the_curve_as_it_is() -> None:
    assert centred_mean(np.array([1.0, 5.0, 2.0]), 1.0).tolist() == [1.0, 5.0, 2.0]
