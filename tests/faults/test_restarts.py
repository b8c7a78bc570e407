"""A worker that dies: resumed by hand, by itself, or not at all, with a sentence."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import restarting
from clr_tui.engine.log.commands import Resume
from clr_tui.engine.log.events import (
    AnyEvent,
    EpochFinished,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import Job, RangeTest, TaskConfig, Train
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.tui.launching import start_run
from clr_tui.tui.resuming import resume_run

STARTED = RunStarted(run="r", kind="train")
CYCLES = Train(base_lr=0.01, max_lr=0.1, step_size_epochs=1, epochs=4)


def made(runs: Path, job: Job, *events: Event) -> RunDir:
    run = create_run(runs, task=TaskConfig(), job=job, version="1")
    os.close(acquire(run.lock_path))
    writer = EventWriter(run.events_path)
    for event in events:
        writer.write(event)
    return run


def test_a_worker_that_dies_is_restarted_so_many_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def die_again(run: RunDir, _lock: int, resume: Resume) -> int:
        asked.append(resume.reason)
        EventWriter(run.events_path).write(RunResumed(reason=resume.reason))
        return 1

    monkeypatch.setattr(restarting, "relaunch", die_again)
    died = made(tmp_path, CYCLES, STARTED)
    assert restarting.restart(died, 2) == 2
    assert asked == [f"its worker died; restarted by itself, {n} of at most 2" for n in (1, 2)]
    for outcome in ("done", "stopped", "failed"):
        ended = made(tmp_path, CYCLES, STARTED, RunFinished(outcome=outcome))  # type: ignore[arg-type]
        assert restarting.restart(ended, 2) == 0
    died.lock_path.unlink()
    assert restarting.restart(died, 2) == 0
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("job", "events", "epochs", "sentence"),
    [
        (CYCLES, [RunFinished(outcome="done")], None, "is done: there is nothing to resume; --ep"),
        (RangeTest(), [RunFinished(outcome="done")], None, "is done: there is nothing to resume"),
        (RangeTest(), [], 8, "--epochs is for trainings, which "),
        (CYCLES, [], 4, "has 4 epochs already: --epochs must be more"),
        (CYCLES, [RunResumed(epochs=8)], 8, "has 8 epochs already: --epochs must be more"),
        (
            Train(base_lr=0.01, max_lr=0.1, policy="cosine"),
            [],
            32,
            "cannot be made longer: cosine plans its rate over all 16 epochs; start a new run",
        ),
        (
            CYCLES,
            [RunFinished(outcome="failed", message="the loss is not finite at step 3")],
            None,
            "failed because the loss is not finite at step 3; it would do so again",
        ),
        (LoggedRun(), [], None, "is of a program of your own, which clr-tui only watches"),
    ],
)
def test_what_cannot_be_resumed_ends_in_a_sentence(
    job: Job, events: list[Event], epochs: int | None, sentence: str, tmp_path: Path
) -> None:
    run = made(tmp_path, job, STARTED, *events)
    with pytest.raises(UserError) as refused:
        resume_run(run, reason="", epochs=epochs)
    assert sentence in refused.value.message


def test_a_run_that_lives_is_not_resumed(tmp_path: Path) -> None:
    run = made(tmp_path, CYCLES, STARTED)
    lock = acquire(run.lock_path)
    with pytest.raises(UserError, match="is running: there is nothing to resume"):
        resume_run(run, reason="")
    os.close(lock)


def test_a_longer_training_says_what_becomes_of_its_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Resume | None] = []
    monkeypatch.setattr("clr_tui.tui.resuming.launch", lambda _, resume: asked.append(resume))
    run = made(tmp_path, CYCLES, STARTED, RunFinished(outcome="done"))
    words = resume_run(run, reason="me", epochs=7)
    assert words == (
        f"{run.id} now ends after epoch 8 (7 rounded up to whole cycles) instead of 4: "
        "its triangular cycles continue as they were"
    )
    assert asked == [Resume(reason="me", epochs=7)]


def wait_for(run: RunDir, wanted: Callable[[AnyEvent], bool], seconds: float = 300.0) -> None:
    until = time.monotonic() + seconds
    while not any(wanted(event) for event in read_events(run.events_path).events):
        assert time.monotonic() < until, run.log_path.read_text()
        time.sleep(0.05)


@pytest.mark.slow
def test_a_training_killed_by_the_system_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    task = TaskConfig(batch_size=256, checkpoint_every=1)
    whole = start_run(tmp_path, task, CYCLES)
    wait_for(whole, lambda event: isinstance(event, RunFinished))
    killed = start_run(tmp_path, task, CYCLES, restarts=1)
    wait_for(killed, lambda event: isinstance(event, EpochFinished) and event.epoch == 2)
    started = read_events(killed.events_path).events[0]
    assert isinstance(started, RunStarted)
    os.kill(started.pid, signal.SIGKILL)
    wait_for(killed, lambda event: isinstance(event, RunFinished))
    results = []
    for run in (whole, killed):
        history = RunHistory(run.config())
        history.feed(read_events(run.events_path))
        trial = history.trials[0]
        state = torch.load(run.checkpoints / "last.pt", weights_only=True)
        results.append(
            (
                trial.step.tolist(),
                trial.loss.tolist(),
                trial.lr.tolist(),
                [(e.epoch, e.train_loss, e.best_value) for e in trial.epochs],
                [(e.part, e.checkpoint, e.loss, e.metrics) for e in trial.evaluations],
                {name: value.tolist() for name, value in state["model"].items()},
            )
        )
        assert history.finished is not None
        assert history.finished.outcome == "done"
    assert results[0] == results[1]
    (again,) = history.resumed
    assert again.reason == "its worker died; restarted by itself, 1 of at most 1"
