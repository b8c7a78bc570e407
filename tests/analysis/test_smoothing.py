"""Smoothing against the plain loop, and against scipy's filter."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.smoothing import smooth


def plain_loop(values, alpha):
    out, s = [], None
    for x in values:
        if not math.isfinite(x):
            out.append(math.nan)
            continue
        s = x if s is None else alpha * x + (1 - alpha) * s
        out.append(s)
    return out


losses = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])


@given(st.lists(losses, max_size=300), st.floats(1e-3, 1.0))
def test_equals_the_plain_loop(values, alpha):
    expected = plain_loop(values, alpha)
    np.testing.assert_allclose(smooth(np.array(values), alpha), expected, rtol=1e-9, atol=1e-7)


def test_a_million_values_equal_scipys_filter():
    x = np.random.default_rng(0).normal(2, 1, 1_000_000)
    start = [(1 - 0.05) * x[0]]
    expected, _ = scipy.signal.lfilter([0.05], [1, -0.95], x, zi=start)
    np.testing.assert_allclose(smooth(x, 0.05), expected, rtol=1e-12)


def test_gap_is_kept_and_does_not_move_the_mean():
    got = smooth(np.array([1.0, np.nan, 2.0]), 0.5)
    np.testing.assert_array_equal(got, [1.0, np.nan, 1.5])


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-5, 3.4e38, 1.7e308, -1e-310])
@pytest.mark.parametrize("alpha", [0.002, 0.05, 0.3])
def test_a_constant_stays_that_very_constant(value, alpha):
    values = np.full(100_000, value)
    values[7] = np.nan
    smoothed = smooth(values, alpha)
    assert np.isnan(smoothed[7])
    if abs(value) < 1e300:
        assert (np.delete(smoothed, 7) == value).all()
    else:
        assert np.allclose(np.delete(smoothed, 7), value, rtol=1e-12)


def test_values_are_left_alone():
    x = np.array([1.0, np.inf, 3.0])
    smooth(x, 0.5)
    assert np.isinf(x[1])


def test_minimum_lags_by_nineteen_steps_behind_a_ramp():
    """The lag that the docstring states: (1 - a) / a steps behind a steady slope."""
    ramp = np.arange(2000.0)
    assert ramp[-1] - smooth(ramp, 0.05)[-1] == pytest.approx(19)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.01, math.nan])
def test_weight_outside_its_range_is_refused(alpha):
    with pytest.raises(ValueError, match="smoothing"):
        smooth(np.ones(3), alpha)
