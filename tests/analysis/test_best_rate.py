"""The recommended rate and its interval on curves whose bottom is known."""

from __future__ import annotations

import numpy as np
import pytest
from made_sweeps import rates, sweep_history, valley_shape

from clr_tui.engine.analysis.sweep.best_rate import ACROSS, NORMAL_90, SPREAD, best_rate
from clr_tui.engine.analysis.sweep.curve import curve_of


def trough(lr, low=-3.0, high=-1.0, top=2.0, depth=1.0):
    """A level, a floor between two log rates, and a rise, with flanks of a third of a decade."""
    x = np.log10(lr)
    return top - depth / (1 + np.exp(-12 * (x - low))) + 3 * depth / (1 + np.exp(-12 * (x - high)))


def found(*losses):
    return best_rate(rates(len(losses[0])), losses)


@pytest.mark.parametrize("steps", [100, 300, 1000, 3000, 100_000])
def test_two_thirds_across_a_bottom_whatever_the_number_of_steps(steps):
    lr = rates(steps)
    expected = -3 + ACROSS * 2
    assert np.log10(found(trough(lr)).lr) == pytest.approx(expected, abs=0.3)
    noise = np.random.default_rng(steps).normal(0, 0.05, steps)
    assert np.log10(found(trough(lr) + noise).lr) == pytest.approx(
        np.log10(found(trough(rates(1000))).lr), abs=0.15
    )


def test_a_loss_scaled_or_shifted_has_the_same_rate():
    loss = trough(rates(300)) + np.random.default_rng(0).normal(0, 0.05, 300)
    assert found(7 * loss - 3).lr == pytest.approx(found(loss).lr)


@pytest.mark.parametrize("height", [1e2, 1e9, 1e30])
def test_how_far_a_loss_explodes_does_not_matter(height):
    loss = valley_shape(rates(300))[:260]
    mild, wild = loss.copy(), loss.copy()
    mild[-5:], wild[-5:] = 30, height
    lr = rates(300)[:260]
    assert best_rate(lr, [wild]) == best_rate(lr, [mild])


def test_losses_after_the_first_that_is_not_finite_are_no_part_of_it():
    loss = valley_shape(rates(200))
    loss[180] = np.nan
    loss[190] = np.inf
    known = np.isfinite(loss)
    assert found(loss) == best_rate(rates(200)[known], [loss[known]])


def test_the_rate_is_the_median_over_sweeps_in_log_lr():
    lr = rates(300)
    shapes = [trough(lr, low, low + 2) for low in (-4.0, -3.5, -1.9)]
    single = sorted(found(shape).lr for shape in shapes)
    assert found(*shapes).lr == pytest.approx(single[1])


def test_without_noise_the_interval_is_the_spread_between_tasks():
    best = found(trough(rates(1000)))
    assert best.decades == pytest.approx(2 * NORMAL_90 * SPREAD, rel=0.02)
    assert best.low * best.high == pytest.approx(best.lr**2)


def test_noise_widens_the_interval_and_seeds_narrow_it_again():
    lr = rates(200)
    rng = np.random.default_rng(0)
    noisy = [valley_shape(lr) + rng.normal(0, 0.2, 200) for _ in range(8)]
    quiet = valley_shape(lr) + rng.normal(0, 0.02, 200)
    one = np.mean([found(loss).decades for loss in noisy])
    assert found(*noisy).decades < one
    assert found(quiet).decades < one


def test_sweeps_that_disagree_widen_the_interval():
    lr = rates(300)
    alike = [trough(lr, -3, -1)] * 3
    apart = [trough(lr, low, low + 2) for low in (-3.6, -3.0, -2.4)]
    between = np.var([np.log10(found(one).lr) for one in apart], ddof=1) / 3
    assert found(*apart).decades == pytest.approx(
        2 * NORMAL_90 * np.sqrt((found(*alike).decades / 2 / NORMAL_90) ** 2 + between), rel=0.05
    )


def test_the_bootstrap_knows_how_far_noise_moves_the_rate():
    """Against the scatter of the rate over curves with fresh noise."""
    lr = rates(200)
    rng = np.random.default_rng(3)
    made = [found(valley_shape(lr) + rng.normal(0, 0.1, 200)) for _ in range(100)]
    scatter = np.std([np.log10(best.lr) for best in made])
    inner = [(best.decades / 2 / NORMAL_90) ** 2 - SPREAD**2 for best in made]
    assert np.sqrt(np.mean(inner)) == pytest.approx(scatter, rel=0.5)


def test_the_same_curve_gives_the_same_interval():
    loss = trough(rates(150)) + np.random.default_rng(1).normal(0, 0.1, 150)
    assert found(loss) == found(loss)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_losses_have_a_rate_within_them(count):
    lr = rates(100)[:count]
    best = best_rate(lr, [np.linspace(2, 1, count)])
    assert lr[0] <= best.lr * (1 + 1e-9)
    assert best.lr <= lr[-1] * (1 + 1e-9)


def test_no_finite_losses_have_none():
    assert best_rate(rates(5), [np.full(5, np.nan)]) is None
    assert curve_of(sweep_history([np.nan])).best_rate is None


def test_a_running_sweep_does_not_move_the_rate_of_those_that_ended():
    lr = rates(100)
    ended = sweep_history(trough(lr), trough(lr, -4, -2))
    running = sweep_history(trough(lr), trough(lr, -4, -2), finished=None)
    running.trials[1].outcome = None
    assert curve_of(running).best_rate == curve_of(sweep_history(trough(lr))).best_rate
    assert curve_of(ended).best_rate != curve_of(running).best_rate


def test_smoothing_plays_no_part():
    history = sweep_history(trough(rates(100)))
    assert curve_of(history, 0.02).best_rate == curve_of(history, 1.0).best_rate
