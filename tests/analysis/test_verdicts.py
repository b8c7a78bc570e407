"""Recommended only where it is deserved: curves of known shape, with noise of known size."""

from __future__ import annotations

import numpy as np
import pytest
from made_sweeps import rates, sweep_history, valley_shape

from clr_tui.engine.analysis.smoothing import smooth
from clr_tui.engine.analysis.sweep.curve import curve_of
from clr_tui.engine.analysis.sweep.suggest import suggestions
from clr_tui.engine.analysis.sweep.verdict import verdict

N = 108


def judge(history, smoothing=0.05):
    return verdict(curve_of(history, smoothing))


def noisy(shape, seed, sd=0.05):
    return shape + np.random.default_rng(seed).normal(0, sd, len(shape))


@pytest.mark.parametrize("seed", range(20))
def test_good_sweep_is_recommended(seed):
    curve = curve_of(sweep_history(noisy(valley_shape(rates(N)), seed)))
    found = verdict(curve)
    assert found.kind == "recommended"
    assert not found.advice
    best = suggestions(curve)[0]
    assert best.recommended
    assert 1e-2 <= best.lr <= 3e-2  # the loss rises from there on


def test_reference_is_recommended_for_all_its_late_minimum(reference):
    found = judge(reference, 1.0)
    assert found.kind == "recommended"
    assert found.sentence.startswith("bottom is recommended: max_lr 2.6e-2; the best is likely")


def test_noise_alone_is_hardly_ever_recommended():
    rng = np.random.default_rng(0)
    kinds = [judge(sweep_history(rng.normal(1.6, 0.05, N))).kind for _ in range(300)]
    assert kinds.count("flat") >= 297
    assert "recommended" not in kinds


def test_noise_smoothed_before_it_came_here_is_not_recommended():
    """An imported curve hides its noise; its slow wandering must not pass for learning."""
    rng = np.random.default_rng(1)
    kinds = []
    for _ in range(200):
        kinds.append(judge(sweep_history(smooth(rng.normal(1.6, 0.05, N), 0.05)), 1.0).kind)
    assert kinds.count("recommended") <= 2


def test_flat_says_what_to_do():
    found = judge(sweep_history(noisy(np.full(N, 1.6), 0)))
    assert found.sentence.startswith("The curve is flat within its noise")
    assert found.advice.startswith("Check the data and labels")


def test_flat_at_low_rates_says_sweep_further():
    found = judge(sweep_history(noisy(np.full(N, 1.6), 0), end=1e-5))
    assert found.kind == "flat"
    assert "end LR 10" in found.advice


def test_constant_loss_is_flat():
    assert judge(sweep_history(np.full(N, 2.3026))).kind == "flat"


def test_still_falling_at_the_end():
    lr = rates(N, end=0.1)
    found = judge(sweep_history(noisy(valley_shape(lr, best=1.0), 3), end=0.1))
    assert found.kind == "falling"
    assert found.sentence == "The loss is still falling at 1e-1: no upper bound in sight."
    assert found.advice == "Sweep further: run again with end LR 10."


def test_plateau_to_the_end_has_no_upper_bound_either():
    lr = rates(N)
    shape = np.minimum(valley_shape(lr, best=1e-3), 1.6)
    shape[lr > 1e-3] = shape.min()
    found = judge(sweep_history(noisy(shape, 4)))
    assert found.kind == "falling"
    assert "no upper bound in sight" in found.sentence


def all_learned_at_1e_2(seed, floor=1e-6, breaks=True):
    """Raw losses from 1e-7 to 100: 0.69, `floor` over three decades, broken by 30 or never."""
    lr = rates(200, 1e-7, 100.0)
    loss = 0.69 / (1 + np.exp(4 * (np.log10(lr) + 3))) + floor
    loss *= np.exp(np.random.default_rng(seed).normal(0, 0.15, 200))
    return np.where((lr > 30) & breaks, 5 * lr / 30, loss)


@pytest.mark.parametrize("breaks", [True, False])
@pytest.mark.parametrize("floor", [0.0, 1e-6, 1e-3])
@pytest.mark.parametrize("weight", [1.0, 0.05], ids=["raw", "smoothed before"])
def test_what_was_learned_within_the_sweep_says_nothing_of_high_rates(breaks, floor, weight):
    for seed in range(10):
        loss = smooth(all_learned_at_1e_2(seed, floor, breaks), weight)
        curve = curve_of(sweep_history(loss, start=1e-7, end=100.0), 0.05 / weight)
        found = verdict(curve)
        assert found.kind == "learned"
        assert found.sentence.startswith("The loss reached nothing at ")
        reached = float(found.sentence.split(":")[0].rsplit(" ", 1)[1])
        assert 4e-3 <= reached <= 2e-2
        assert not any(s.recommended for s in suggestions(curve))


def test_losses_of_zero_are_nothing():
    """As float32 gives them for a model that is certain."""
    loss = all_learned_at_1e_2(0)
    loss[loss < 1e-5] = 0
    assert judge(sweep_history(loss, start=1e-7, end=100.0)).kind == "learned"


@pytest.mark.parametrize("low", [0.05, 0.1])
def test_a_low_loss_that_is_not_nothing_is_recommended(low):
    shape = valley_shape(rates(N), best=1e-2, top=2.3, low=low)
    loss = shape * np.exp(np.random.default_rng(0).normal(0, 0.2, N))
    assert judge(sweep_history(loss)).kind == "recommended"


def test_a_loss_that_may_be_negative_has_no_nothing():
    """A log likelihood of densities, say."""
    shape = valley_shape(rates(N), top=0.4, low=0.0) - 0.3
    assert judge(sweep_history(noisy(shape, 0))).kind == "recommended"


def test_falling_until_it_diverged_has_an_upper_bound():
    lr = rates(N)
    loss = noisy(valley_shape(lr, best=1.0), 5)[:95]
    loss[-4:] = [3, 9, 40, 200]
    assert judge(sweep_history(loss, steps=N, diverged=True)).kind == "recommended"
    loss[-1] = np.nan
    assert judge(sweep_history(loss, steps=N)).kind == "recommended"


def test_too_high_from_the_start():
    loss = np.geomspace(2.3, 400, 40)
    found = judge(sweep_history(loss, start=1.0, end=100.0, steps=N, diverged=True))
    assert found.kind == "flat"
    assert "start LR 1e-3" in found.advice


def test_lowest_near_the_start_though_it_never_diverges():
    lr = rates(N, start=1e-3)
    shape = valley_shape(lr, best=4e-3, top=2.5, low=1)
    found = judge(sweep_history(noisy(shape, 0), start=1e-3))
    assert found.kind == "flat"
    assert found.sentence.endswith("the sweep starts too high.")
    assert found.advice == "Start lower: run again with start LR 1e-6."


def test_flat_until_it_exploded_is_not_called_too_high():
    """Its minimum, by chance, may lie anywhere."""
    for seed in range(20):
        loss = noisy(np.full(90, 1.6), seed)
        loss[-3:] = [3, 20, 900]
        found = judge(sweep_history(loss, steps=N, diverged=True))
        assert found.kind == "flat"
        assert "flat within its noise" in found.sentence


def test_a_flat_sweep_from_a_high_start_is_not_advised_to_start_higher():
    """As the digits from 0.3 to 10: thrown off at the first steps, and level from there."""
    found = judge(sweep_history(noisy(np.full(59, 2.4), 0), start=0.3, end=10.0, diverged=True))
    assert found.kind == "flat"
    assert found.advice.startswith("Start lower: run again with start LR 3e-4;")


def test_constant_until_it_is_not_finite():
    found = judge(sweep_history(np.array([2.3] * 60 + [np.nan]), steps=N))
    assert found.kind == "flat"
    assert "up to 6.7e-4, where it diverged" in found.sentence


def test_never_finite():
    found = judge(sweep_history(np.array([np.nan])))
    assert found.kind == "not-finite"
    assert found.sentence == "The loss was not finite at any step."
    assert "LR" not in found.advice


def test_finite_for_a_few_steps_only():
    found = judge(sweep_history(np.array([2.3, 2.4, 2.2, np.nan]), steps=N))
    assert found.kind == "not-finite"
    assert found.sentence == "The loss was no longer finite after 3 steps, at 1.6e-7."
    assert "start LR 1e-9" in found.advice


@pytest.mark.parametrize("n", [1, 2, 3, 19])
def test_too_few_points(n):
    found = judge(sweep_history(np.linspace(2, 1, n)))
    assert found.kind == "too-short"
    assert f"{n} step{'s'[: n != 1]}:" in found.sentence


def test_no_steps_at_all():
    assert judge(sweep_history([], finished="failed")).kind == "too-short"


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (0, "The run failed before its first step."),
        (1, "The run failed after 1 step: too few to tell learning from noise."),
        (12, "The run failed after 12 steps: too few to tell learning from noise."),
        (30, "The run failed at 7.6e-6, before the loss had fallen."),
    ],
)
def test_failed_run_needs_no_longer_sweep(steps, sentence):
    loss = noisy(valley_shape(rates(N)), 7)[:steps]
    found = judge(sweep_history(loss, steps=N, finished="failed", outcome=None))
    assert found.sentence == sentence
    assert found.advice == "Fix the error above, then run it again."


def test_stopped_within_its_first_decade_or_its_first_steps():
    for steps in (3, 21):
        loss = noisy(valley_shape(rates(1000)), 7)[:steps]
        found = judge(sweep_history(loss, steps=1000, finished="stopped", outcome="stopped"))
        assert found.kind == "too-short"
        assert found.sentence.startswith("The sweep was stopped")
        assert found.advice == "Run it again to its end."


def test_less_than_a_decade():
    history = sweep_history(noisy(np.linspace(2, 1, N), 0), start=1e-3, end=5e-3)
    assert judge(history).kind == "too-short"


def test_minimum_that_wanders_between_seeds():
    lr = rates(200)
    low, high = valley_shape(lr, best=1e-4), valley_shape(lr, best=1e-1)
    found = judge(sweep_history(noisy(low, 1), noisy(high, 2), noisy(high, 3)))
    assert found.kind == "unstable"
    assert "wanders by more than a decade between seeds" in found.sentence


def test_minimum_that_hardly_moves_between_seeds():
    lr = rates(N)
    shapes = [valley_shape(lr, best=b) for b in (2e-2, 3e-2, 5e-2)]
    history = sweep_history(*(noisy(s, i) for i, s in enumerate(shapes)))
    assert judge(history).kind == "recommended"


def test_running_waits():
    history = sweep_history(noisy(valley_shape(rates(N)), 0), finished=None, outcome=None)
    assert judge(history).kind == "running"


@pytest.mark.parametrize(("until", "kind"), [(30, "flat"), (88, "falling")])
def test_stopped_sweep_is_judged_by_what_there_is(until, kind):
    loss = noisy(valley_shape(rates(N), best=1e-1), 7)[:until]
    found = judge(sweep_history(loss, steps=N, finished="stopped", outcome="stopped"))
    assert found.kind == kind
    assert "stopped" in found.sentence
    assert found.advice == "Run it again to its end."


def test_a_bottom_that_noise_moves_is_uncertain():
    """A level of three decades after the fall, broken by a loss at random."""
    lr = rates(N)
    shape = 2.3 - 0.6 * np.clip(np.log10(lr) + 6, 0, 1)
    kinds = []
    for seed in range(20):
        loss = noisy(shape, seed, sd=0.2)
        loss[-4:] = [4, 6, 9, 20]
        curve = curve_of(sweep_history(loss, steps=N, diverged=True))
        found = verdict(curve)
        kinds.append(found.kind)
        if found.kind == "uncertain":
            assert found.sentence.startswith("The sweep cannot tell: the best max_lr may be")
            assert "grid of rates" in found.advice
            assert curve.best_rate.decades > 1.5
            assert not any(s.recommended for s in suggestions(curve))
    assert kinds.count("uncertain") >= 10


def test_caution_a_decade_away():
    """A curve whose long slow decrease draws valley far below the minimum."""
    curve = curve_of(sweep_history(valley_shape(rates(N), best=1e-1)), 1.0)
    found = {s.rule: s for s in suggestions(curve)}
    best = found["bottom"].lr
    assert found["bottom"].recommended
    for rule in ("minimum/10", "steepest", "valley", "slide"):
        distance = np.log10(found[rule].lr / best)
        expected = "" if abs(distance) <= 1 else "below" if distance < 0 else "above"
        assert found[rule].caution.endswith(expected)
        assert bool(found[rule].caution) == (abs(distance) > 1)


def test_no_caution_and_no_recommendation_without_a_verdict():
    found = suggestions(curve_of(sweep_history(noisy(np.full(N, 1.6), 0))))
    assert not any(s.recommended for s in found)
    assert all("decade" not in s.caution for s in found)
