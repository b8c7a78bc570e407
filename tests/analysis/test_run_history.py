"""The history of a run: what its events add up to."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.packed_log import packed
from clr_tui.engine.log.tail import Batch
from clr_tui.engine.log.void import without_void
from clr_tui.engine.settings.config import RangeTest, RunConfig, Train

TRAINING = RunConfig(id="x", created=0, version="", job=Train(base_lr=1e-3, max_lr=1e-2))


def steps(first, last, trial=0, **more):
    n = last - first
    loss = [1000.0 - s for s in range(first, last)]
    return ev.Steps(
        trial=trial,
        step=list(range(first, last)),
        lr=[0.1] * n,
        loss=loss,
        elapsed=last / 10,
        **more,
    )


def training(*more):
    history = RunHistory(TRAINING)
    started = ev.TrialStarted(trial=0, seed=3, total_steps=100, steps_per_epoch=10, label="sgd")
    for event in (started, *more):
        history.apply(event)
    return history


@given(st.lists(st.integers(1, 700), min_size=1, max_size=20))
def test_chunks_of_any_size_are_one_series(sizes):
    history, done = RunHistory(TRAINING), 0
    for size in sizes:
        history.apply(steps(done, done + size))
        done += size
    trial = history.trials[0]
    np.testing.assert_array_equal(trial.step, np.arange(done))
    np.testing.assert_array_equal(trial.loss, 1000.0 - np.arange(done))
    np.testing.assert_allclose(trial.seconds, (np.arange(done) + 1) / 10)
    assert len(trial.lr) == len(trial.metric("accuracy")) == len(trial) == done


def test_absent_values_are_nan():
    history = training(ev.Steps(trial=0, step=[0, 1], lr=[0.1, 0.2], loss=[None, 2.0]))
    trial = history.trials[0]
    np.testing.assert_array_equal(trial.loss, [np.nan, 2])
    assert np.isnan(trial.metric("accuracy")).all()
    assert np.isnan(trial.seconds).all()  # the log does not tell


def test_columns_are_read_only():
    loss = training(steps(0, 5)).trials[0].loss
    with pytest.raises(ValueError, match="read-only"):
        loss[0] = 1


def test_view_keeps_its_values_while_the_series_grows():
    history = training(steps(0, 5))
    loss = history.trials[0].loss
    for i in range(5, 5000, 500):
        history.apply(steps(i, i + 500))
    np.testing.assert_array_equal(loss, 1000.0 - np.arange(5))


@pytest.mark.parametrize(
    "chunk",
    [
        ev.Steps(trial=0, step=[], lr=[], loss=[]),
        ev.Steps(trial=0, step=[5, 6], lr=[0.1], loss=[1.0, 2.0]),
        ev.Steps(trial=0, step=[5, 6], lr=[0.1, 0.1], loss=[1.0, 2.0], metrics={"accuracy": [0.5]}),
        ev.Steps(trial=0, step=[6, 5], lr=[0.1, 0.1], loss=[1.0, 2.0]),
        ev.Steps(trial=0, step=[3, 4], lr=[0.1, 0.1], loss=[1.0, 2.0]),
    ],
    ids=["empty", "lr", "accuracy", "order", "again"],
)
def test_chunk_that_makes_no_sense_is_counted_and_left_out(chunk):
    history = training(steps(0, 5), chunk)
    assert len(history.trials[0]) == 5
    assert history.corrupt == 1


def test_resumed_drops_what_it_overtakes_and_nothing_else():
    def measured(step, epoch):
        return (
            ev.Evaluated(
                trial=0,
                step=step,
                part="validation",
                loss=1.0,
                metrics={"accuracy": 0.5},
                epoch=epoch,
            ),
            ev.EpochFinished(
                trial=0,
                epoch=epoch,
                step=step,
                train_loss=1.0,
                train_metrics={"accuracy": 0.5},
                seconds=1.0,
                best_epoch=1,
                best_value=0.5,
            ),
            ev.CheckpointSaved(trial=0, step=step, path=f"{epoch}.pt", reason="best"),
        )

    history = training(
        ev.BoundsChanged(trial=0, step=0, base_lr=0.01, max_lr=0.1),
        steps(0, 10),
        *measured(10, 1),
        steps(10, 20),
        *measured(20, 2),
        ev.BoundsChanged(trial=0, step=15, base_lr=0.02, max_lr=0.2),
        ev.NonFinite(trial=0, step=18, lr=0.1),
        ev.Diverged(trial=0, step=19, lr=0.1, reason="loss"),
        ev.TrialFinished(trial=0, outcome="stopped", step=20, reason="asked"),
        ev.RunFinished(outcome="stopped"),
        ev.Resumed(trial=0, step=10),
    )
    trial = history.trials[0]
    assert len(trial) == 10
    assert [e.epoch for e in trial.evaluations] == [1]
    assert [e.epoch for e in trial.epochs] == [1]
    assert [e.path for e in trial.checkpoints] == ["1.pt"]
    assert history.bounds == (0.01, 0.1)
    assert trial.diverged is trial.non_finite is trial.outcome is history.finished is None
    history.apply(steps(10, 12))
    np.testing.assert_array_equal(trial.step, np.arange(12))
    np.testing.assert_allclose(trial.seconds[-2:], [1.1, 1.2])


def test_a_run_that_is_resumed_has_not_ended_and_its_pause_is_not_its_time():
    test = ev.Evaluated(trial=0, step=100, part="test", loss=1.0, metrics={}, checkpoint="last")
    history = training(
        steps(0, 100),
        ev.Evaluated(trial=0, step=100, part="validation", loss=1.0, metrics={}, epoch=10),
        test,
        ev.TrialFinished(trial=0, outcome="done", step=100),
        ev.RunFinished(outcome="done", time=50.0),
        ev.RunResumed(time=1050.0, epochs=20, reason="longer"),
    )
    assert history.finished is None
    assert (history.away, history.config.job.epochs) == (1000.0, 20)
    history.apply(ev.Resumed(trial=0, step=100, total_steps=200, time=1051.0))
    trial = history.trials[0]
    assert (trial.total_steps, trial.total_epochs, trial.outcome) == (200, 20, None)
    assert [e.part for e in trial.evaluations] == ["validation"]


def test_events_that_are_void_are_those_that_a_history_leaves_out():
    events = [
        steps(0, 10),
        ev.BoundsChanged(trial=0, step=10, base_lr=0.01, max_lr=0.1),
        steps(10, 15),
        steps(0, 5, trial=1),
        ev.Resumed(trial=0, step=15),
        steps(15, 20),
        ev.TrialFinished(trial=0, outcome="stopped", step=20),
        ev.RunResumed(),
        ev.Resumed(trial=0, step=10),
        steps(10, 12),
    ]
    kept = without_void(events)
    assert kept == [events[i] for i in (0, 3, 4, 7, 8, 9)]
    whole, valid = training(*events), training(*kept)
    assert whole.trials[0].step.tolist() == valid.trials[0].step.tolist() == list(range(12))
    assert whole.trials[0].bounds == valid.trials[0].bounds == []
    assert whole.trials[1].step.tolist() == valid.trials[1].step.tolist()


def test_bounds_are_the_configs_until_they_change():
    history = RunHistory(TRAINING)
    assert history.bounds == (1e-3, 1e-2)
    history.apply(ev.BoundsChanged(trial=0, step=5, base_lr=2e-3, max_lr=2e-2))
    assert history.bounds == (2e-3, 2e-2)
    assert RunHistory(msgspec.structs.replace(TRAINING, job=RangeTest())).bounds is None


def test_history_tracks_the_state_of_the_run():
    history = RunHistory(TRAINING)
    history.apply(ev.RunStarted(time=5.0, run="r", kind="train"))
    history.apply(ev.Progress(time=6.0, what="decoding images", done=1, total=9))
    assert history.progress.done == 1
    history.apply(ev.DeviceChosen(device="cpu", name="2 CPU threads"))
    history.apply(ev.TrialStarted(trial=0, seed=0, total_steps=9, steps_per_epoch=3))
    assert history.progress is None
    history.apply(ev.Paused())
    assert history.paused
    history.apply(ev.Continued())
    assert not history.paused
    history.apply(ev.DeviceUsage(memory_used=5))
    history.apply(ev.CommandRefused(command="set-bounds", reason="no"))
    history.apply(ev.Note(level="warning", text="one file skipped"))
    history.apply(ev.RunFinished(time=9.0, outcome="done"))
    assert (history.first_time, history.last_time) == (5.0, 9.0)
    assert history.usage.memory_used == 5
    assert len(history.notes) == len(history.refused) == 1
    assert history.finished.outcome == "done"


def test_steps_of_a_trial_whose_beginning_was_lost():
    history = RunHistory(TRAINING)
    history.apply(steps(0, 3, trial=4))
    assert isinstance(history.trials[4], TrialHistory)
    assert len(history.trials[4]) == 3


def test_feed_says_whether_anything_changed():
    history = RunHistory(TRAINING)
    assert not history.feed(Batch())
    assert history.feed(Batch(events=[steps(0, 3)]))
    assert not history.feed(Batch())
    assert history.feed(Batch(corrupt=2, unknown={"new-thing": 1}, newer_schema=2))
    assert not history.feed(Batch())
    history.feed(Batch(corrupt=1, unknown={"new-thing": 2}))
    assert (history.corrupt, history.unknown, history.newer_schema) == (3, {"new-thing": 3}, 2)


def test_reset_forgets_all_but_the_config_and_still_counts_as_a_change():
    history = RunHistory(TRAINING)
    history.feed(Batch(events=[steps(0, 3)], corrupt=1))
    before = history.version
    assert history.feed(Batch(events=[steps(0, 1)], reset=True))
    assert history.version > before
    assert len(history.trials[0]) == 1
    assert history.corrupt == 0
    assert history.config is TRAINING


def test_a_million_steps_in_chunks():
    history = RunHistory(TRAINING)
    for i in range(0, 1_000_000, 500):
        history.apply(steps(i, i + 500))
    assert len(history.trials[0]) == 1_000_000
    assert history.trials[0].loss[-1] == 1000.0 - 999_999


def test_history_gathers_a_comparisons_events():
    history = RunHistory(TRAINING)
    assert (history.pool, history.rates, history.overall) == (None, {}, None)
    pool = ev.PoolReady(jobs=2, threads=1, devices=["cpu"])
    first = ev.RateChosen(entry=1, lr=0.1, source="default")
    second = ev.RateChosen(entry=1, lr=0.2, source="tuned")
    overall = ev.Overall(done=1, failed=0, stopped=0, running=2, total=4, fraction=0.3)
    for event in (pool, first, second, overall):
        history.apply(event)
    assert history.pool == pool
    assert history.rates == {1: second}
    assert history.overall == overall
    history.feed(Batch(reset=True))
    assert (history.pool, history.rates, history.overall) == (None, {}, None)


def test_a_trial_knows_its_entry_and_role():
    history = RunHistory(TRAINING)
    at = {"seed": 3, "total_steps": 45, "steps_per_epoch": 10}
    history.apply(ev.TrialStarted(trial=7, entry=2, role="sweep", **at))
    history.apply(ev.TrialStarted(trial=8, **at))
    assert (history.trials[7].entry, history.trials[7].role) == (2, "sweep")
    assert (history.trials[8].entry, history.trials[8].role) == (None, "train")


@pytest.mark.parametrize(
    ("steps", "per_epoch", "epochs"), [(80, 10, 8), (0, 10, None), (80, 0, None), (79, 10, 8)]
)
def test_planned_epochs(steps, per_epoch, epochs):
    started = ev.TrialStarted(trial=0, seed=0, total_steps=steps, steps_per_epoch=per_epoch)
    trial = TrialHistory(0, started)
    assert trial.total_epochs == epochs


def test_validations_are_of_the_model_as_it_stood():
    trial = TrialHistory(0)
    at = {"trial": 0, "loss": 1.0, "metrics": {"accuracy": 0.5}}
    trial.evaluations = [
        ev.Evaluated(step=10, part="validation", epoch=1, **at),
        ev.Evaluated(step=10, part="validation", epoch=1, checkpoint="best", **at),
        ev.Evaluated(step=15, part="subset", **at),
        ev.Evaluated(step=20, part="test", epoch=2, **at),
        ev.Evaluated(step=30, part="validation", epoch=3, **at),
    ]
    assert {epoch: e.step for epoch, e in trial.validations().items()} == {1: 10, 3: 30}
    assert trial.validations()[1].checkpoint is None


def test_packed_steps_are_the_same_history():
    chunks = [
        ev.Steps(trial=0, step=[0, 1, 2], lr=[0.1, 0.2, 0.3], loss=[3.0, None, 1.0], elapsed=1.0),
        ev.Steps(
            trial=0, step=[3, 5], lr=[0.4, 0.5], loss=[1.0, 2.0], metrics={"accuracy": [0.5, None]}
        ),
        ev.Steps(trial=0, step=[6], lr=[0.6], loss=[0.5], elapsed=4.0),
        ev.Steps(trial=0, step=[6], lr=[0.6], loss=[0.5]),  # again: makes no sense
    ]
    one, other = training(*chunks), training(*(packed(chunk) for chunk in chunks))
    for name in ("step", "lr", "loss", "seconds"):
        np.testing.assert_array_equal(
            getattr(one.trials[0], name), getattr(other.trials[0], name), err_msg=name
        )
    np.testing.assert_array_equal(
        one.trials[0].metric("accuracy"), other.trials[0].metric("accuracy")
    )
    assert one.corrupt == other.corrupt == 1
    np.testing.assert_array_equal(
        other.trials[0].metric("accuracy"), [np.nan, np.nan, np.nan, 0.5, np.nan, np.nan]
    )


def test_absent_columns_take_no_memory():
    trial = training(steps(0, 1000)).trials[0]
    assert np.isnan(trial.metric("accuracy")).all()
    assert trial.metric("accuracy").strides == (0,)
    with pytest.raises(ValueError, match="read-only"):
        trial.metric("accuracy")[0] = 1


def test_a_view_that_was_taken_keeps_its_values_when_a_trial_is_resumed():
    history = RunHistory(TRAINING)
    history.apply(steps(0, 20))
    trial = history.trials[0]
    taken, values = trial.loss, trial.loss.copy()
    history.apply(ev.Resumed(trial=0, step=10))
    more = range(10, 20)
    history.apply(ev.Steps(trial=0, step=list(more), lr=[1.0] * 10, loss=[99.0] * 10))
    np.testing.assert_array_equal(taken, values)
    assert trial.loss[10:].tolist() == [99.0] * 10


def test_what_was_made_of_a_history_is_made_again_after_a_change_or_for_other_arguments():
    made = []

    def make(history, factor, *, live=True):
        made.append(factor)
        return factor * history.version

    history = RunHistory(TRAINING)
    history.apply(ev.RunStarted(run="a", kind="train"))
    assert [history.cached(make, 2), history.cached(make, 2)] == [2, 2]
    assert made == [2]
    assert history.cached(make, 3) == 3
    assert history.cached(make, 3, live=False) == 3
    history.apply(ev.RunFinished(outcome="done"))
    assert history.cached(make, 3, live=False) == 6
    assert made == [2, 3, 3, 3]


def test_the_load_is_that_of_all_devices_that_are_used() -> None:
    history = RunHistory(TRAINING)
    assert history.usage is None
    load = ev.DeviceUsage(device="cuda:0", memory_used=9, memory_total=80, utilisation=1.0)
    history.apply(load)
    assert history.usage == load
    history.apply(ev.PoolReady(jobs=2, threads=0, devices=["cuda:1", "cuda:2"]))
    for index, share in ((1, None), (2, 0.5), (1, 1.0)):
        name = f"cuda:{index}"
        history.apply(
            ev.DeviceUsage(device=name, memory_used=index, memory_total=80, utilisation=share)
        )
    history.apply(ev.DeviceUsage(process_cores=2.0))
    usage = history.usage
    assert usage is not None
    assert (usage.memory_used, usage.memory_total, usage.utilisation) == (3, 160, 0.75)
    assert usage.process_cores == 2.0
