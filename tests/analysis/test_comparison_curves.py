"""A comparison gathered from its log: entries, trials, and the mean over seeds."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from comparison_logs import LABELS, comparison_config, comparison_events, comparison_history
from hypothesis import given
from hypothesis import strategies as st
from made_comparisons import log_config
from scipy import stats

from clr_tui.engine.analysis.comparison.seed_curves import (
    EntryCurves,
    SeedCurve,
    entry_curves,
    mean_curve,
)
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev


def gathered(events, config=None) -> RunHistory:
    history = RunHistory(config or log_config(events))
    for event in events:
        history.apply(event)
    return history


def states(entry):
    return [t.state for t in entry.trials]


def test_entries_in_the_order_asked_for_with_all_their_trials():
    history = comparison_history(tuned=True, failed=(1, 2))
    entries = entry_curves(history)
    assert [e.label for e in entries] == list(LABELS)
    assert [[t.trial for t in e.trials] for e in entries] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert [[t.seed for t in e.trials] for e in entries] == [[0, 1, 2]] * 3
    assert states(entries[1]) == ["done", "done", "failed"]
    assert "not finite" in entries[1].trials[2].reason
    assert [e.rate.source for e in entries] == ["tuned"] * 3
    assert [e.rate.entry for e in entries] == [0, 1, 2]


def test_a_trial_has_one_value_an_epoch():
    history = comparison_history(epochs=6)
    told = history.trials[4]
    trial = entry_curves(history)[1].trials[1]
    validation = [e for e in told.evaluations if e.part == "validation"]
    assert trial.epoch.tolist() == [1, 2, 3, 4, 5, 6]
    assert trial.step.tolist() == [10, 20, 30, 40, 50, 60]
    assert trial.seconds.tolist() == [2, 4, 6, 8, 10, 12]
    assert trial.values("accuracy", "validation").tolist() == [
        e.value("accuracy") for e in validation
    ]
    assert trial.values("loss", "validation").tolist() == [e.loss for e in validation]
    assert trial.values("loss", "train").tolist() == [e.train_loss for e in told.epochs]
    assert trial.values("accuracy", "train").tolist() == [
        e.train_value("accuracy") for e in told.epochs
    ]
    assert trial.test_last.epoch == 6
    assert trial.test_best.epoch == int(np.argmax(trial.values("accuracy", "validation"))) + 1
    assert (trial.total_epochs, trial.state) == (6, "done")


def test_unstarted_trials_are_waiting():
    entries = entry_curves(comparison_history(running=True))
    assert [states(e) for e in entries] == [
        ["done"] * 3,
        ["done", "running", "running"],
        ["waiting"] * 3,
    ]
    waiting = entries[2].trials[1]
    assert (waiting.trial, waiting.seed, len(waiting.epoch)) == (7, 1, 0)
    assert waiting.total_epochs == 8


def test_before_the_first_trial_all_wait():
    config = comparison_config(first_seed=40)
    entries = entry_curves(RunHistory(config))
    assert [states(e) for e in entries] == [["waiting"] * 3] * 3
    assert [t.seed for t in entries[0].trials] == [40, 41, 42]


def test_waiting_trials_know_the_length_rounded_to_whole_cycles():
    config = comparison_config(epochs=9)
    compare = msgspec.structs.replace(config.job, whole_cycles=True)
    entries = entry_curves(RunHistory(msgspec.structs.replace(config, job=compare)))
    assert {t.total_epochs for e in entries for t in e.trials} == {16}


def test_a_finished_run_has_no_running_or_waiting_trials():
    history = comparison_history(running=True)
    history.apply(ev.RunFinished(outcome="stopped"))
    entries = entry_curves(history)
    assert states(entries[1]) == ["done", "stopped", "stopped"]
    assert states(entries[2]) == ["stopped"] * 3
    assert entries[1].trials[1].reason == "the run ended before it did"
    assert entries[2].trials[0].reason == "the run ended before it started"


@pytest.mark.parametrize("numbered", [True, False])
def test_without_a_configuration_labels_tell_the_entries(numbered):
    told = comparison_events(("b", "c", "a"), seeds=2, tuned=True)
    if not numbered:  # as long as labels tell
        told = [
            msgspec.structs.replace(e, entry=None) if isinstance(e, ev.TrialStarted) else e
            for e in told
        ]
    entries = entry_curves(gathered(told))
    assert [e.label for e in entries] == ["b", "c", "a"]
    assert [[t.trial for t in e.trials] for e in entries] == [[0, 1], [2, 3], [4, 5]]


def test_entries_of_a_log_without_configuration_keep_their_numbers():
    told = [
        ev.TrialStarted(trial=9, seed=0, total_steps=1, steps_per_epoch=1, label="z", entry=2),
        ev.TrialStarted(trial=3, seed=0, total_steps=1, steps_per_epoch=1, label="y", entry=1),
        ev.RateChosen(entry=2, lr=0.5, source="given"),
    ]
    entries = entry_curves(gathered(told))
    assert [e.label for e in entries] == ["entry 1", "y", "z"]
    assert entries[2].rate.lr == 0.5


def test_a_trial_whose_first_line_was_lost_is_known_by_its_number():
    told = [e for e in comparison_events() if not (isinstance(e, ev.TrialStarted) and e.trial == 5)]
    entries = entry_curves(gathered(told, comparison_config()))
    assert states(entries[1]) == ["done"] * 3
    assert len(entries[1].trials[2].epoch) == 8
    sweepless = [
        e
        for e in comparison_events(tuned=True)
        if not (isinstance(e, ev.TrialStarted) and e.trial == 10)
    ]
    entries = entry_curves(gathered(sweepless, comparison_config()))
    assert [len(e.trials) for e in entries] == [3, 3, 3]  # number 10 is beyond all trainings


def test_lost_and_repeated_epochs():
    told = comparison_events()
    third = [e for e in told if isinstance(e, ev.EpochFinished) and (e.trial, e.epoch) == (0, 3)]
    without = gathered([e for e in told if e not in third], comparison_config())
    trial = entry_curves(without)[0].trials[0]
    assert trial.epoch.tolist() == [1, 2, 4, 5, 6, 7, 8]
    assert np.isnan(trial.seconds).tolist() == [False, False] + [True] * 5
    again = gathered([*told, *third], comparison_config())
    assert entry_curves(again)[0].trials[0].epoch.tolist() == list(range(1, 9))


def test_unknown_measurements_are_gaps():
    told = comparison_events()
    lost = [
        e
        for e in told
        if isinstance(e, ev.Evaluated) and (e.trial, e.epoch, e.part) == (0, 2, "validation")
    ]
    trial = entry_curves(gathered([e for e in told if e not in lost], comparison_config()))[0]
    assert (
        np.isnan(trial.trials[0].values("accuracy", "validation")).tolist()
        == [False, True] + [False] * 6
    )


def test_absurd_epochs_are_left_out():
    history = comparison_history(until_epoch=2)
    for epoch in (-3, 0, 10**30):
        last = history.trials[0].epochs[-1]
        history.apply(msgspec.structs.replace(last, epoch=epoch, step=10**30))
    assert entry_curves(history)[0].trials[0].epoch.tolist() == [1, 2]


def test_gathered_once_for_each_version():
    history = comparison_history(until_epoch=2)
    first = entry_curves(history)
    assert entry_curves(history) is first
    history.apply(ev.DeviceUsage())
    assert entry_curves(history) is not first


def test_only_the_trial_that_changed_is_rebuilt():
    history = comparison_history(until_epoch=2)
    before = entry_curves(history)
    finished = history.trials[4].epochs[-1]
    history.apply(msgspec.structs.replace(finished, epoch=3, step=30))
    after = entry_curves(history)
    same = [
        a is b
        for x, y in zip(before, after, strict=True)
        for a, b in zip(x.trials, y.trials, strict=True)
    ]
    assert same == [True] * 4 + [False] + [True] * 4
    assert after[1].trials[1].epoch.tolist() == [1, 2, 3]


def test_a_resumed_trial_replaces_its_later_events():
    history = comparison_history(until_epoch=4)
    entry_curves(history)
    history.apply(ev.Resumed(trial=0, step=30))
    assert entry_curves(history)[0].trials[0].epoch.tolist() == [1, 2, 3]
    told = {
        "trial": 0,
        "step": 40,
        "epoch": 4,
    }
    history.apply(ev.Evaluated(part="validation", loss=1.0, metrics={"accuracy": 0.125}, **told))
    history.apply(
        ev.EpochFinished(
            train_loss=1.0,
            train_metrics={"accuracy": 0.5},
            seconds=2.0,
            best_epoch=1,
            best_value=0.5,
            **told,
        )
    )
    assert entry_curves(history)[0].trials[0].values("accuracy", "validation")[-1] == 0.125


def test_resumed_to_the_same_length_between_two_looks():
    history = comparison_history(until_epoch=4)
    entry_curves(history)
    trial = history.trials[0]
    evaluated, finished = trial.evaluations[-1], trial.epochs[-1]
    history.apply(ev.Resumed(trial=0, step=30))
    history.apply(msgspec.structs.replace(evaluated, metrics={"accuracy": 0.125}))
    history.apply(finished)
    assert entry_curves(history)[0].trials[0].values("accuracy", "validation")[-1] == 0.125


def entry_of(*curves, seconds=None) -> EntryCurves:
    """One trial for each of `curves` (validation accuracies)."""
    trials = []
    for i, curve in enumerate(curves):
        values = np.array(curve, np.float64)
        n = np.arange(1, len(values) + 1)
        trials.append(
            SeedCurve(
                trial=i,
                seed=i,
                state="running",
                reason="",
                total_epochs=None,
                epoch=n,
                step=10 * n,
                seconds=np.array(seconds[i], float) if seconds else 2.0 * n,
                train={"accuracy": values, "loss": values},
                validation={"accuracy": values, "loss": 1 - values},
                test_last=None,
                test_best=None,
            )
        )
    return EntryCurves(0, "made", None, tuple(trials))


three = st.lists(st.floats(0, 1).map(lambda v: round(v, 3)), max_size=6)


@given(st.lists(three, max_size=5))
def test_mean_and_interval_of_each_epoch_are_those_of_the_trials_that_reached_it(curves):
    found = mean_curve(entry_of(*curves), "accuracy", "validation")
    longest = max(map(len, curves), default=0)
    assert found.x.tolist() == list(range(1, longest + 1))
    for epoch in range(longest):
        values = [c[epoch] for c in curves if len(c) > epoch]
        assert found.seeds[epoch] == len(values)
        assert found.mean[epoch] == pytest.approx(np.mean(values))
        if len(set(values)) < 2:
            assert np.isnan(found.low[epoch])
            assert np.isnan(found.high[epoch])
            continue
        low, high = stats.t.interval(
            0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
        )
        assert found.low[epoch] == pytest.approx(low)
        assert found.high[epoch] == pytest.approx(high)


def test_a_gap_in_one_trial_is_a_gap_of_the_mean():
    found = mean_curve(entry_of([0.1, np.nan, 0.3], [0.1, 0.2, 0.5]), "accuracy", "validation")
    assert np.isnan(found.mean).tolist() == [False, True, False]
    assert np.isnan(found.low).tolist() == [True, True, False]
    assert found.seeds.tolist() == [2, 2, 2]


def test_loss_by_step():
    found = mean_curve(entry_of([0.1, 0.2], [0.3]), "loss", "validation", "step")
    assert found.x.tolist() == [10, 20]
    assert found.mean == pytest.approx([0.8, 0.8])


def test_by_seconds_the_line_never_turns_back():
    slow, quick = [10, 20], [2, 4, 6]
    entry = entry_of([0.1, 0.2], [0.1, 0.2, 0.3], seconds=[slow, quick])
    found = mean_curve(entry, "accuracy", "validation", "seconds")
    assert found.x.tolist() == [6, 12, 12]
    unknown = entry_of([0.1, 0.2], seconds=[[np.nan, np.nan]])
    assert np.isnan(mean_curve(unknown, "accuracy", "validation", "seconds").x).all()


def test_nothing_yet_is_an_empty_curve():
    entry = entry_curves(RunHistory(comparison_config()))[0]
    assert len(mean_curve(entry, "accuracy", "validation").x) == 0
