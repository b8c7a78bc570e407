"""The curves of each kind of run by name."""

from __future__ import annotations

import math

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.run_columns import load_columns, run_columns
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import Compare, Job, RangeTest, RunConfig, TaskConfig, Train
from clr_tui.engine.settings.logged_config import LoggedRun


def history_of(job: Job, *events: ev.Event) -> RunHistory:
    history = RunHistory(RunConfig(id="r", created=0.0, version="", task=TaskConfig(), job=job))
    for event in events:
        history.apply(event)
    return history


def begun(trial: int = 0, **fields) -> ev.TrialStarted:
    return ev.TrialStarted(trial=trial, seed=trial, total_steps=8, steps_per_epoch=4, **fields)


def steps(trial: int = 0, first: int = 0, *, metrics: dict | None = None) -> ev.Steps:
    """Four steps in two seconds, with losses 1.0, 0.9, ..."""
    numbers = list(range(first, first + 4))
    return ev.Steps(
        trial=trial,
        step=numbers,
        lr=[0.1] * 4,
        loss=[1 - i / 10 for i in numbers],
        metrics=metrics or {},
        elapsed=(first + 4) / 2,
    )


def validated(step: int, accuracy: float | None, **fields) -> ev.Evaluated:
    metrics = {"accuracy": accuracy}
    return ev.Evaluated(
        trial=0, step=step, part="validation", loss=0.5, metrics=metrics, epoch=1, **fields
    )


def epoch(number: int) -> ev.EpochFinished:
    return ev.EpochFinished(
        trial=0,
        epoch=number,
        step=4 * number,
        train_loss=0.8,
        train_metrics={"accuracy": 0.6},
        seconds=1.0,
        best_epoch=1,
        best_value=0.5,
    )


def test_a_training_has_steps_epochs_and_validations() -> None:
    history = history_of(
        Train(base_lr=0.1, max_lr=1.0),
        begun(),
        steps(),
        validated(4, 0.5),
        epoch(1),
        steps(first=4),
        validated(8, None),
        epoch(2),
        ev.Evaluated(trial=0, step=8, part="test", loss=0.1, metrics={}, checkpoint="best"),
        validated(8, 0.9, checkpoint="best"),  # of other weights
    )
    (found,) = run_columns(history)
    assert found.name == ""
    assert found.columns.names == [
        "loss",
        "lr",
        "accuracy",
        "val/loss",
        "val/accuracy",
        "epoch",
    ]
    loss = found.columns.column("loss")
    assert loss.step.tolist() == list(range(8))
    assert loss.value[5] == 0.5
    assert loss.at.tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    accuracy = found.columns.column("val/accuracy")
    assert accuracy.step.tolist() == [4, 8]
    assert accuracy.value[0] == 0.5
    assert math.isnan(accuracy.value[1])
    assert accuracy.at.tolist() == [2.0, 4.0]
    assert found.columns.column("accuracy").value.tolist() == [0.6, 0.6]
    assert found.columns.column("epoch").value.tolist() == [0.25 * i for i in range(1, 9)]


def test_sweeps_of_several_seeds_are_named_by_seed() -> None:
    history = history_of(RangeTest(seeds=2), begun(0), steps(0), begun(1), steps(1), begun(2))
    found = run_columns(history)
    assert [one.name for one in found] == ["seed 0", "seed 1"]  # the third has no step yet
    assert found[1].columns.names == ["loss", "lr", "epoch"]


def test_trials_of_a_comparison_are_named_by_label_and_seed_without_its_sweeps() -> None:
    history = history_of(
        Compare(entries=[]),
        begun(0, label="adam", entry=0),
        steps(0, metrics={"accuracy": [0.5] * 4}),
        begun(1, label="sgd", entry=1),
        steps(1),
        begun(7, label="sgd", entry=1, role="sweep"),
        steps(7),
    )
    assert [one.name for one in run_columns(history)] == ["adam, seed 0", "sgd, seed 1"]
    assert run_columns(history)[0].columns.column("accuracy").value.tolist() == [0.5] * 4


def test_a_logged_run_has_what_it_logged() -> None:
    history = history_of(LoggedRun(), ev.Logged(step=[3], values={"a": [1.0]}))
    (found,) = run_columns(history)
    assert found.columns.names == ["a"]
    assert run_columns(history_of(LoggedRun())) == []


def test_an_imported_curve_has_epochs_alone() -> None:
    history = history_of(Train(base_lr=0.1, max_lr=1.0), epoch(1), epoch(2))
    (found,) = run_columns(history)
    assert found.columns.names == ["loss", "accuracy"]
    assert found.columns.column("loss").step.tolist() == [4, 8]
    assert all(map(math.isnan, found.columns.column("loss").at))


def test_load_is_by_second() -> None:
    history = history_of(
        RangeTest(),
        ev.RunStarted(run="r", kind="range-test", time=100.0),
        ev.DeviceUsage(utilisation=0.5, memory_used=3 * 10**9, time=101.0),
        ev.DeviceUsage(utilisation=None, memory_used=4 * 10**9, time=106.2),
    )
    columns = load_columns(history)
    assert columns.names == ["system/GPU %", "system/GPU memory GB"]
    memory = columns.column("system/GPU memory GB")
    assert (memory.step.tolist(), memory.value.tolist(), memory.x) == ([1, 6], [3, 4], "second")
    assert math.isnan(columns.column("system/GPU %").value[1])
    assert load_columns(history_of(RangeTest())).names == []
    # A process that measures no device says so in between, and several have columns of their own.
    history.apply(ev.DeviceUsage(process_cores=1.5, time=107.0))
    history.apply(ev.DeviceUsage(device="cuda:1", memory_used=2 * 10**9, time=108.0))
    several = load_columns(history)
    assert several.names == [
        "system/GPU %",
        "system/GPU memory GB",
        "system/cuda:1/GPU memory GB",
        "system/CPU cores",
    ]
    assert several.column("system/cuda:1/GPU memory GB").value.tolist() == [2]
