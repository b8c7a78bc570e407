"""One piece of work, a sweep or a training, done by the engine in a process of the pool."""

from __future__ import annotations

import multiprocessing
import os
import platform
import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import workloads
from suite import Setting

from clr_tui.engine.log.events import Evaluated, Event, Steps, TrialFinished
from clr_tui.engine.settings.config import SUBSET_SAMPLES, RangeTest, RunConfig, Train
from clr_tui.engine.settings.entries import parse_optimizer
from clr_tui.engine.tasks.devices import choose_device
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.job import tune_torch
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.range_test import make_subset, run_sweep
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training

FACTOR = 6.0
"""max_lr / base_lr."""


@dataclass(frozen=True)
class Sweep:
    """A range test of some steps with one seed."""

    steps: int
    seed: int
    accuracy: bool = False
    """Whether the primary metric is measured on the way, for Smith's rule."""

    @property
    def key(self) -> tuple[Any, ...]:
        """What its line of results is found by."""
        return ("accuracy" if self.accuracy else "sweep", self.steps, self.seed)


@dataclass(frozen=True)
class AtRate:
    """A training at one rate with one seed."""

    lr: float
    seed: int

    @property
    def key(self) -> tuple[Any, ...]:
        """What its line of results is found by."""
        return ("training", self.lr, self.seed)


Piece = Sweep | AtRate


def key_of(line: dict[str, Any]) -> tuple[Any, ...]:
    """The key of a line of results."""
    if line["type"] in ("sweep", "accuracy"):
        return (line["type"], line["steps"], line["seed"])
    if line["type"] == "training":
        return ("training", line["lr"], line["seed"])
    return (line["type"],)


def start_process(niceness: int) -> None:
    """Prepares a process of the pool: one thread, so that a curve is the same on any machine."""
    os.nice(niceness)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tune_torch(choose_device("auto")[0])
    torch.set_num_threads(1)


def _end_with_parent() -> None:
    """Waits until the process that started this one is gone, and ends this one, too."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def do(setting: Setting, piece: Piece) -> dict[str, Any]:
    """Does a piece of work; returns its line of results."""
    begin, busy = time.perf_counter(), time.process_time()
    line = _sweep(setting, piece) if isinstance(piece, Sweep) else _training(setting, piece)
    line["seconds"] = round(time.perf_counter() - begin, 2)
    line["cpu_seconds"] = round(time.process_time() - busy, 2)
    return line


@lru_cache(maxsize=2)
def _task(kind: str, batch_size: int) -> tuple[Task, str]:
    device, _, _, precision = choose_device("auto")
    return workloads.load(kind, batch_size, device), precision


def prepare(setting: Setting) -> dict[str, Any]:
    """The first line of a setting's results: what it is, and how its metric reads."""
    task, precision = _task(setting.kind, setting.batch_size)
    metric = task.primary
    constant = workloads.constant_loss(setting.kind)
    return {
        "type": "setting",
        "setting": setting.described(),
        "name": setting.name,
        "metric": {"name": metric.name, "unit": metric.unit, "direction": metric.direction},
        **({} if constant is None else {"constant": round(constant, 6)}),
        "samples": {
            "train": len(task.train),
            "validation": len(task.validation),
            "test": len(task.test),
        },
        "steps_per_epoch": len(task.train) // setting.batch_size,
        "device": task.device.type,
        "precision": precision,
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__)},
    }


def _session(setting: Setting, job: RangeTest | Train, events: list[Event]) -> Session:
    task, precision = _task(setting.kind, setting.batch_size)
    config = RunConfig(
        id="study",
        created=0.0,
        version="study",
        task=workloads.task_config(setting.kind, setting.batch_size),
        job=job,
    )
    control = Control(list, StopFlag(), events.append)
    return Session(config, task, precision, events.append, control, Path())


def _sweep(setting: Setting, piece: Sweep) -> dict[str, Any]:
    events: list[Event] = []
    job = RangeTest(
        start_lr=setting.start_lr,
        end_lr=setting.end_lr,
        steps=piece.steps,
        optimizer=parse_optimizer(setting.optimizer),
    )
    session = _session(setting, job, events)
    subset = make_subset(session.task.validation, setting.batch_size, seed=0)
    trial = Trial(0, piece.seed, "sweep")
    run_sweep(session, job, trial, subset=subset if piece.accuracy else None)
    if piece.accuracy:
        return _accuracies(session.task, piece, events)
    losses = [loss for event in events if isinstance(event, Steps) for loss in event.loss]
    finished = _one(events, TrialFinished)
    return {
        "type": "sweep",
        "steps": piece.steps,
        "seed": piece.seed,
        "start_lr": setting.start_lr,
        "end_lr": setting.end_lr,
        "diverged": bool(finished.reason),
        "loss": [None if loss is None else float(f"{loss:.4g}") for loss in losses],
    }


def _accuracies(task: Task, piece: Sweep, events: list[Event]) -> dict[str, Any]:
    found = [event for event in events if isinstance(event, Evaluated)]
    values = [event.value(task.primary.name) for event in found]
    return {
        "type": "accuracy",
        "steps": piece.steps,
        "seed": piece.seed,
        "lr": [None if event.lr is None else float(f"{event.lr:.4g}") for event in found],
        "value": [None if value is None else round(value, 4) for value in values],
        "samples": min(len(task.validation), SUBSET_SAMPLES),
    }


def _training(setting: Setting, piece: AtRate) -> dict[str, Any]:
    events: list[Event] = []
    job = Train(
        base_lr=piece.lr / FACTOR,
        max_lr=piece.lr,
        policy=setting.policy,  # type: ignore[arg-type]
        step_size_epochs=setting.step_size,
        epochs=setting.epochs,
        optimizer=parse_optimizer(setting.optimizer),
    )
    session = _session(setting, job, events)
    Training(session, job, Trial(0, piece.seed, "training", entry=0), MemoryKeeper()).run()
    finished = _one(events, TrialFinished)
    line: dict[str, Any] = {
        "type": "training",
        "lr": piece.lr,
        "seed": piece.seed,
        "outcome": finished.outcome,
    }
    if finished.outcome != "done":
        return line | {"reason": finished.reason, "value": None}
    return line | _measured(session.task, events)


def _measured(task: Task, events: list[Event]) -> dict[str, Any]:
    """The last model's primary metric on the validation and the test part, and on both together.

    No rate, epoch or model is chosen by the validation part here, so both count alike.
    """
    found = [event for event in events if isinstance(event, Evaluated)]
    validation = [e for e in found if e.part == "validation"][-1].value(task.primary.name)
    test = next(e for e in found if e.part == "test" and e.checkpoint == "last")
    tested = test.value(task.primary.name)
    if validation is None or tested is None:
        return {"value": None}
    counts = len(task.validation), len(task.test)
    both = (counts[0] * validation + counts[1] * tested) / sum(counts)
    return {"value": round(both, 6), "validation": round(validation, 6), "test": round(tested, 6)}


def _one(events: list[Event], kind: type[Any]) -> Any:
    return next(event for event in events if isinstance(event, kind))
