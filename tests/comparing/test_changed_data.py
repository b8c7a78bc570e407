"""Data that changes during a comparison, or before it is resumed: seeds stay paired or it ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from comparing_runs import do, events_of_type, new_run, restored_process_state
from fake_executor import entry
from toy_regression import instead_of_images, toy_task

from clr_tui.engine import worker
from clr_tui.engine.comparing import trial_runner
from clr_tui.engine.log.events import RunFinished, RunStarted, TaskReady, TrialFinished
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.tasks.data_mark import data_mark
from clr_tui.engine.training import job

CONFIG = Compare(entries=[entry("sgd", lr=0.05), entry("adagrad", lr=0.01)], seeds=2, epochs=2)
CHANGED = "the data is not what it was when the run began: start a new run, or put it back"


def changed_task(*arguments: Any) -> Any:
    """The toy with one row less, as another process may find it."""
    task = toy_task(*arguments)
    return replace(task, train=task.train.take(slice(len(task.train) - 1)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    instead_of_images(monkeypatch)
    return new_run(tmp_path, CONFIG, batch_size=20, device="cpu")


def test_a_process_that_finds_other_data_trains_nothing(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_runner, "load_task", changed_task)
    assert do(run) == 1
    ends = events_of_type(run, TrialFinished)
    assert {(e.outcome, e.reason) for e in ends} == {("failed", CHANGED)}
    assert len(ends) == 4


@pytest.mark.parametrize("same", [True, False])
def test_a_comparison_is_not_resumed_with_other_data(
    run: RunDir, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    first = run_of_nothing(run)
    if not same:
        monkeypatch.setattr(job, "load_task", changed_task)
    with restored_process_state():
        code = worker.main([str(run.path), "--resume"])
    (end,) = events_of_type(run, RunFinished)
    if same:
        assert (code, end.outcome) == (0, "done")
    else:
        assert (code, end.outcome, end.message, end.field) == (1, "failed", CHANGED, "data")
        # Nor is the next attempt taken in by what this one read.
        with restored_process_state():
            assert worker.main([str(run.path), "--resume"]) == 1
    assert events_of_type(run, TaskReady)[0].data == first.data


def run_of_nothing(run: RunDir) -> TaskReady:
    """A run whose worker ended before the first trial."""
    task = toy_task(run.config().task, *[lambda *_: None] * 3)
    ready = TaskReady(
        name=task.name,
        model=task.model_name,
        train=len(task.train),
        validation=len(task.validation),
        test=len(task.test),
        parameters=1,
        trainable=1,
        batch_size=20,
        steps_per_epoch=10,
        metrics=task.metrics,
        data=data_mark(task),
    )
    log = EventWriter(run.events_path)
    log.write(RunStarted(run=run.id, kind="compare"))
    log.write(ready)
    log.close()
    return ready
