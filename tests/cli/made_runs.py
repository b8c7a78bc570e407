"""Runs as a worker would leave them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.settings.config import LoggedRun, RangeTest, TaskConfig, Train

START = 1_700_000_000.0
STEPS = 200
SWEEP = RangeTest(start_lr=1e-6, end_lr=1.0, steps=STEPS)


class TickingClock:
    """A clock of which every look takes a second."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def valley(lr: float) -> float:
    """A loss that falls to its minimum at 1e-1, then rises steeply."""
    x = math.log10(lr) + 1.0
    return 2.3 - 1.5 / (1 + math.exp(-2.5 * (x + 1.5))) + (8.0 * x if x > 0 else 0.0)


def flat(lr: float) -> float:
    """A loss that no rate moves, with the noise of its batches."""
    return 2.3 + 0.1 * math.sin(1e7 * math.log(lr))


def opening(run: RunDir) -> list[ev.Event]:
    config = run.config()
    return [
        ev.RunStarted(run=run.id, kind=config.kind, version="0", pid=1),
        ev.DeviceChosen(device="cpu", name="2 CPU threads"),
        ev.TaskReady(
            name="digits",
            model=config.task.model,
            classes=[str(i) for i in range(10)],
            metrics=[ACCURACY],
            samples="images",
            train=1257,
            validation=270,
            test=270,
            channels=1,
            image_size=8,
            parameters=1000,
            trainable=1000,
            batch_size=64,
            steps_per_epoch=19,
        ),
    ]


def sweep_events(run: RunDir, loss: Callable[[float], float], steps: int) -> list[ev.Event]:
    told: list[ev.Event] = [ev.TrialStarted(trial=0, seed=0, total_steps=STEPS, steps_per_epoch=19)]
    for first in range(0, steps, 20):
        step = list(range(first, min(first + 20, steps)))
        lr = [1e-6 * 1e6 ** (i / STEPS) for i in step]
        told.append(
            ev.Steps(trial=0, step=step, lr=lr, loss=[loss(x) for x in lr], elapsed=0.1 * step[-1])
        )
    return told


ENDING = [
    ev.TrialFinished(trial=0, outcome="done", step=STEPS),
    ev.RunFinished(outcome="done", headline="max_lr 1.0e-02"),
]


def make_sweep(
    runs: Path,
    loss: Callable[[float], float] = valley,
    *,
    steps: int = STEPS,
    ending: list[ev.Event] | None = None,
    task: TaskConfig | None = None,
    config: RangeTest = SWEEP,
) -> RunDir:
    """A range test whose log ends with `ending` (done, where None)."""
    run = create_run(runs, task=task or TaskConfig(), job=config, version="0")
    last = ENDING if ending is None else ending
    write(run, [*opening(run), *sweep_events(run, loss, steps), *last])
    return run


def make_training(runs: Path, *, epochs: int = 8, ending: list[ev.Event] | None = None) -> RunDir:
    """A training whose validation accuracy is best in epoch 5."""
    job = Train(base_lr=1e-3, max_lr=6e-3, epochs=8, step_size_epochs=2)
    run = create_run(runs, task=TaskConfig(), job=job, version="0")
    told: list[ev.Event] = [ev.TrialStarted(trial=0, seed=0, total_steps=152, steps_per_epoch=19)]
    for epoch in range(1, epochs + 1):
        told += epoch_events(epoch)
    done: list[ev.Event] = [
        ev.Evaluated(
            trial=0,
            step=152,
            part="test",
            loss=0.5,
            metrics={"accuracy": 0.71},
            epoch=8,
            checkpoint="last",
        ),
        ev.Evaluated(
            trial=0,
            step=95,
            part="test",
            loss=0.4,
            metrics={"accuracy": 0.73},
            epoch=5,
            checkpoint="best",
        ),
        ev.TrialFinished(trial=0, outcome="done", step=152),
        ev.RunFinished(outcome="done", headline="75.0 %, epoch 5"),
    ]
    write(run, [*opening(run), *told, *(done if ending is None else ending)])
    return run


def epoch_events(epoch: int) -> list[ev.Event]:
    step = list(range(19 * (epoch - 1), 19 * epoch))
    accuracy = 0.75 - 0.05 * abs(epoch - 5)
    best = min(epoch, 5)
    return [
        ev.Steps(trial=0, step=step, lr=[2e-3] * 19, loss=[1.0 / epoch] * 19, elapsed=2.0 * epoch),
        ev.Evaluated(
            trial=0,
            step=19 * epoch,
            part="validation",
            loss=1.1 / epoch,
            metrics={"accuracy": accuracy},
            epoch=epoch,
        ),
        ev.EpochFinished(
            trial=0,
            epoch=epoch,
            step=19 * epoch,
            train_loss=1.0 / epoch,
            train_metrics={"accuracy": 0.5},
            seconds=2.0,
            best_epoch=best,
            best_value=0.75 - 0.05 * abs(best - 5),
        ),
    ]


def make_logged(
    runs: Path,
    name: str = "resnet50-aug",
    *,
    steps: int = 300,
    ending: list[ev.Event] | None = None,
    source: str = "",
) -> RunDir:
    """A run of somebody's own loop: a loss each step, a validation accuracy each hundredth."""
    job = LoggedRun(name=name, source=source, config={"wd": "0.05", "model": "resnet50"})
    run = create_run(runs, task=TaskConfig(data="", model=""), job=job, version="0")
    told: list[ev.Event] = [ev.RunStarted(run=run.id, kind="logged", version="0", pid=1)]
    for first in range(0, steps, 100):
        step = list(range(first, first + 100))
        loss: list[float | None] = [2.0 / (1 + i / 50) for i in step]
        loss[50] = None
        at = [START + i for i in step]
        told.append(ev.Logged(step=step, values={"lr": [1e-3] * 100, "loss": loss}, at=at))
        accuracy: dict[str, list[float | None]] = {"val/accuracy": [first / 1000 + 0.1]}
        told.append(ev.Logged(step=[first + 99], values=accuracy, at=[START + first + 99.5]))
    done = [ev.RunFinished(outcome="done", headline="loss 0.287, step 299")]
    write(run, [*told, *(done if ending is None else ending)])
    return run


def write(run: RunDir, told: list[ev.Event]) -> None:
    writer = EventWriter(run.events_path, clock=TickingClock())
    for event in told:
        writer.write(event)
    writer.close()


class FakeWorker:
    """Holds a run's lock, as a living worker does, until told to let go."""

    def __init__(self, run: RunDir) -> None:
        self.run = run
        self._lock = acquire(run.lock_path)

    def end(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
