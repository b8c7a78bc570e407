"""The noise that is told from a curve, against noise that was put in."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from made_sweeps import rates, valley_shape

from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep.noise import noise, share_of_new, smoothed_share


def test_independent_noise_on_a_trend():
    x = np.random.default_rng(0).normal(0, 0.3, 4000) + np.linspace(3, 1, 4000)
    assert noise(x) == pytest.approx(0.3, rel=0.06)
    assert share_of_new([x]) == 1


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_noise_of_a_curve_that_was_smoothed_before(alpha):
    raw = np.random.default_rng(1).normal(0, 0.3, 20_000)
    curve = scipy.signal.lfilter([alpha], [1, alpha - 1], raw)
    assert share_of_new([curve]) < 1
    assert noise(curve, alpha) == pytest.approx(curve.std(), rel=0.1)


def test_few_wild_losses_do_not_count():
    x = np.random.default_rng(2).normal(0, 0.1, 500)
    x[450:460] += 50
    assert noise(x) == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("period", [2, 3, 4])
def test_what_comes_again_every_few_steps_counts_in_a_long_curve_too(period):
    values = np.random.default_rng(0).normal(size=300_000)
    values[::period] += 3
    moves = np.diff(values)
    whole = 1.4826 * np.median(np.abs(moves - np.median(moves))) / np.sqrt(2)
    for first in range(period):
        assert noise(values[first:]) == pytest.approx(whole, rel=0.02)


@pytest.mark.parametrize("x", [np.full(30, 1.5), np.arange(30.0)], ids=["level", "line"])
def test_no_noise_at_all(x):
    assert noise(x) == 0
    assert share_of_new([x]) == 1


@pytest.mark.parametrize("sd", [0.005, 0.05, 0.2])
@pytest.mark.parametrize("offset", [0.0, -3.0], ids=["positive", "negative"])
def test_raw_and_smoothed_curves_of_100_steps_are_told_apart(sd, offset):
    """By their noise alone: neither the trend nor the size of the noise matters."""
    trend = valley_shape(rates(100)) + offset
    mistaken = {"raw": 0, "smoothed": 0}
    for seed in range(100):
        raw = trend + np.random.default_rng(seed).normal(0, sd, 100)
        mistaken["raw"] += share_of_new([raw]) < 1
        mistaken["smoothed"] += share_of_new([smooth(raw, 0.05)]) == 1
    assert mistaken["raw"] <= 4
    # A trend of more than ten deviations a decade hides how the noise of neighbours is shared.
    assert mistaken["smoothed"] <= (4 if sd >= 0.05 else 30)


def test_several_curves_say_more_than_one():
    raw = np.random.default_rng(0).normal(2, 0.1, (8, 40))
    assert share_of_new(list(raw)) == 1
    assert share_of_new([smooth(curve, 0.05) for curve in raw]) < 1


def test_a_loss_that_halves_in_a_step_was_not_smoothed():
    """As it is never negative, it would have fallen by a twentieth at most."""
    smoothed = smooth(np.random.default_rng(0).normal(2, 0.1, 200), 0.05)
    assert share_of_new([smoothed]) == 0.05
    smoothed[150:] *= 0.4
    assert share_of_new([smoothed]) == 1


def test_nothing_is_said_of_a_few_values():
    for count in range(20):
        assert share_of_new([smooth(np.random.default_rng(0).normal(2, 0.1, count), 0.05)]) == 1
    assert share_of_new([]) == 1


@pytest.mark.parametrize(("alpha", "new"), [(0.05, 1.0), (0.2, 0.5), (1.0, 0.3), (0.1, 0.1)])
def test_share_of_noise_that_smoothing_leaves(alpha, new):
    """Against a long simulation of an AR(1) process."""
    drive = np.random.default_rng(3).normal(size=400_000)
    process = scipy.signal.lfilter([1.0], [1, new - 1], drive)[1000:]
    left = smooth(process, alpha)[1000:]
    assert left.std() / process.std() == pytest.approx(smoothed_share(alpha, new), rel=0.03)
