"""Comparisons of real processes that are killed or stopped at some moment, and resumed."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from typing import Literal

from comparing_runs import children, curve, events_of, lives, new_run, wait_until
from fake_executor import entry

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log.commands import Resume, Stop, send
from clr_tui.engine.log.events import RunFinished, Steps
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.void import without_void
from clr_tui.engine.settings.config import Compare, RangeTest

Fault = Literal["worker", "trial", "SIGTERM", "stop"]
FAULTS: tuple[Fault, ...] = ("worker", "trial", "SIGTERM", "stop")
TINY = Compare(
    entries=[
        entry("adam", lr=0.001),
        entry("sgd+clr", lr=None, policy="triangular"),
    ],
    seeds=2,
    epochs=24,
    step_size_epochs=1,
    jobs=2,
    range_test=RangeTest(steps=60, end_lr=10.0),
)


def start(folder: Path, config: Compare = TINY) -> tuple[RunDir, int]:
    """A run that has just begun, and the process id of its worker."""
    folder.mkdir(parents=True, exist_ok=True)
    run = new_run(folder, config, checkpoint_every=1.0)
    return run, launch(run)


def steps_of(run: RunDir) -> int:
    """Steps in the log, counted as often as they were done."""
    return sum(len(e.step) for e in events_of(run) if isinstance(e, Steps))


def strike(run: RunDir, worker: int, fault: Fault, after: int, draw: random.Random) -> None:
    """Lets a fault happen once the log has so many steps, and waits for the worker's end.

    No process outlives it.
    """
    wait_until(lambda: steps_of(run) >= after or not lives(worker))
    processes = children(worker)
    if fault == "trial" and processes:
        os.kill(draw.choice(processes), signal.SIGKILL)
        return
    if fault == "worker":
        os.kill(worker, signal.SIGKILL)
    elif fault == "SIGTERM":
        os.kill(worker, signal.SIGTERM)
    elif run.alive:
        send(run, Stop())
    wait_until(lambda: not run.alive and not any(map(lives, processes)))


def resume_to_the_end(run: RunDir) -> None:
    """Continues the run until it is done."""
    launch(run, Resume(reason="the test resumes it"))
    wait_until(lambda: not run.alive)


def results(run: RunDir) -> dict[str, object]:
    """All that must not depend on faults, and that no event is there twice or missing."""
    events = events_of(run)
    assert [e.seq for e in events] == list(range(len(events)))
    assert isinstance(events[-1], RunFinished), events[-1]
    history = RunHistory(run.config())
    for event in events:
        history.apply(event)
    assert not history.corrupt
    counting = without_void(events)
    curves: dict[int, object] = {}
    for number, trial in sorted(history.trials.items()):
        assert trial.step.tolist() == list(range(len(trial)))
        told = curve(counting, number)
        curves[number] = (
            trial.outcome,
            trial.lr.tolist(),
            trial.loss.tolist(),
            trial.metric("accuracy").tolist() if trial.role == "train" else [],
            told["evaluated"],
            told["epochs"],
        )
    leftovers = sorted(p.name for p in run.path.rglob("*") if p.suffix == ".pt" or ".pt." in p.name)
    assert not leftovers, leftovers
    rates = {n: (r.lr, r.source, r.steps) for n, r in history.rates.items()}
    last = history.overall
    assert last is not None
    return {
        "curves": curves,
        "rates": rates,
        "counts": (last.done, last.failed, last.stopped, last.total),
        "end": (events[-1].outcome, events[-1].message, events[-1].headline),
    }
