"""Median and band over seeds, and what a sweep that ended early does to them."""

from __future__ import annotations

import numpy as np
import pytest
from made_sweeps import rates, sweep_history

from clr_tui.engine.analysis.sweep.curve import curve_of
from clr_tui.engine.analysis.sweep.suggest import suggestions
from clr_tui.engine.log import events as ev
from clr_tui.engine.metrics import ACCURACY


def test_one_seed_is_its_own_median():
    loss = np.array([3.0, 2.0, 2.5, 1.0])
    curve = curve_of(sweep_history(loss), 1.0)
    for values in (curve.loss, curve.smoothed, curve.low, curve.high, curve.seeds[0]):
        np.testing.assert_array_equal(values, loss)
    np.testing.assert_allclose(curve.lr, rates(4))


def test_median_and_band_over_seeds():
    rng = np.random.default_rng(0)
    for seeds in (2, 3, 4, 5):
        table = rng.normal(2, 1, (seeds, 30))
        curve = curve_of(sweep_history(*table), 1.0)
        np.testing.assert_allclose(curve.smoothed, np.median(table, axis=0))
        np.testing.assert_array_equal(curve.low, table.min(axis=0))
        np.testing.assert_array_equal(curve.high, table.max(axis=0))


def test_each_seed_is_smoothed_before_the_median():
    a, b = np.array([1.0, 3.0]), np.array([5.0, 5.0])
    curve = curve_of(sweep_history(a, b), 0.5)
    np.testing.assert_allclose(curve.smoothed, [3.0, 3.5])
    np.testing.assert_allclose(curve.loss, [3.0, 4.0])


def test_diverged_seed_counts_as_worse_than_any_loss_beyond_its_end():
    history = sweep_history([1.0] * 4, [2.0] * 4, [9.0] * 2)
    history.trials[2].diverged = ev.Diverged(trial=2, step=1, lr=1e-6, reason="")
    curve = curve_of(history, 1.0)
    np.testing.assert_array_equal(curve.smoothed, [2, 2, 2, 2])  # not 1.5 at the end
    assert not curve.diverged


def test_median_ends_where_most_seeds_have_diverged():
    history = sweep_history([1.0] * 4, [2.0, 2.0, np.nan], [3.0, np.nan], steps=4)
    curve = curve_of(history, 1.0)
    np.testing.assert_array_equal(curve.smoothed, [2, 2, np.nan, np.nan])
    np.testing.assert_array_equal(curve.low, [1, 1, 1, 1])
    assert curve.diverged


def test_a_running_sweep_does_not_change_the_existing_median():
    history = sweep_history([1.0] * 6, [4.0] * 3, finished=None)
    history.trials[1].outcome = None
    curve = curve_of(history, 1.0)
    np.testing.assert_array_equal(curve.smoothed, [1.0] * 6)
    np.testing.assert_array_equal(curve.seeds[1], [4, 4, 4, np.nan, np.nan, np.nan])
    assert curve.ended == (True, False)
    assert curve.running


def test_first_sweep_under_way_is_the_curve():
    history = sweep_history([4.0] * 3, finished=None, outcome=None)
    np.testing.assert_array_equal(curve_of(history, 1.0).smoothed, [4.0] * 3)


def test_a_sweep_without_steps_has_an_empty_curve():
    curve = curve_of(sweep_history([], finished=None))
    assert len(curve.lr) == len(curve.smoothed) == len(curve.loss) == len(curve.low) == 0
    assert curve.seeds == ()
    assert curve.running


def test_accuracy_is_the_median_over_seeds_of_the_subset():
    def seen(trial, lr, accuracy, part="subset"):
        return ev.Evaluated(
            trial=trial, step=1, part=part, loss=1.0, metrics={"accuracy": accuracy}, lr=lr
        )

    points = [seen(0, 1e-3, 0.5), seen(0, 1e-5, 0.1), seen(0, 1e-2, None)]
    points += [seen(1, 1e-5, 0.3), seen(1, 1e-3, 0.6), seen(1, 1e-4, 0.9, "validation")]
    curve = curve_of(sweep_history([1.0], [1.0], evaluations=points))
    np.testing.assert_array_equal(curve.metric_lr, [1e-5, 1e-3])
    np.testing.assert_allclose(curve.metric_values, [0.2, 0.55])


def test_few_validation_samples_are_said_and_count_as_noise():
    """Right at none of two samples, then at both: that is chance."""
    seen = [
        ev.Evaluated(
            trial=0, step=i, part="subset", loss=1.0, metrics={"accuracy": float(i > 20)}, lr=lr
        )
        for i, lr in enumerate(rates(40).tolist())
    ]
    for validation, known in ((2, "2 samples"), (400, "")):
        ready = ev.TaskReady(
            name="made",
            model="made",
            train=10,
            validation=validation,
            test=2,
            parameters=1,
            trainable=1,
            batch_size=8,
            steps_per_epoch=1,
            metrics=[ACCURACY],
        )
        history = sweep_history(np.linspace(2, 1, 40), evaluations=[ready, *seen])
        found = {s.rule: s for s in suggestions(curve_of(history))}["smith-accuracy"]
        assert (found.lr is None) == bool(known)
        assert known in found.caution


@pytest.mark.parametrize("lr", [-1e-3, 0.0])
def test_a_subset_measured_at_an_impossible_rate_is_left_out(lr):
    impossible = ev.Evaluated(
        trial=0, step=1, part="subset", loss=1.0, metrics={"accuracy": 0.5}, lr=lr
    )
    curve = curve_of(sweep_history([1.0], evaluations=[impossible]))
    assert not len(curve.metric_lr)


@pytest.mark.parametrize(
    ("outcome", "broken_off"), [("done", None), ("stopped", "stopped"), ("failed", "failed")]
)
def test_a_run_cut_short_before_any_sweep_ended(outcome, broken_off):
    history = sweep_history([1.0] * 5, finished=outcome, outcome=outcome)
    assert curve_of(history).cut_short == broken_off


def test_a_curve_is_gathered_once_for_all_who_read_it():
    history = sweep_history([3.0, 2.0, 1.0], finished=None)
    first = curve_of(history, 0.05)
    assert curve_of(history, 0.05) is first
    assert curve_of(history, 0.2) is not first
    history.apply(ev.RunFinished(outcome="done"))
    assert not curve_of(history, 0.2).running
