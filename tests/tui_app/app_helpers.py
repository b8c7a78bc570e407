"""Runs made by hand, whose logs say exactly what a test needs, and an app to show them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.metrics import ACCURACY
from clr_tui.engine.policies import lr_at
from clr_tui.engine.settings.config import RangeTest, RunConfig, TaskConfig, Train
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.screens.home import HomeScreen
from clr_tui.tui.widgets.run_table import RunTable

NOW = 1_790_000_000.0
"""The wall clock of every test, Unix seconds."""
HOUR = 3600.0


class Runs:
    """A folder of runs. What it locks, as a living worker would, it unlocks at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._locks: list[int] = []

    def add(
        self,
        id: str,
        *,
        age: float,
        task: TaskConfig | None = None,
        job: RangeTest | Train | None = None,
    ) -> tuple[RunDir, EventWriter]:
        """A run with an empty log."""
        job = job or RangeTest()
        run = RunDir(self.folder / id)
        run.path.mkdir(parents=True)
        config = RunConfig(
            id=id,
            created=NOW - age,
            version="0.1.0",
            task=task or TaskConfig(),
            job=job,
        )
        run.config_path.write_bytes(msgspec.json.encode(config))
        ticks = iter(np.arange(NOW - age, NOW, 0.25).tolist())
        writer = EventWriter(run.events_path, clock=lambda: next(ticks, NOW))
        writer.write(ev.RunStarted(run=id, kind=config.kind))
        return run, writer

    def keep_alive(self, run: RunDir) -> None:
        """Holds the run's lock."""
        self._locks.append(acquire(run.lock_path))

    def let_die(self) -> None:
        """Lets go of all locks."""
        while self._locks:
            os.close(self._locks.pop())

    def sweep(
        self, id: str, *, age: float, steps: int = 108, of: int = 108, data: str = "digits"
    ) -> tuple[RunDir, EventWriter]:
        """A range test that has done `steps` of `of`."""
        job = RangeTest()
        run, writer = self.add(id, age=age, task=TaskConfig(data=data), job=job)
        ready(writer, data.rsplit("/", 1)[-1])
        writer.write(ev.TrialStarted(trial=0, seed=0, total_steps=of, steps_per_epoch=of // 2))
        done = np.arange(steps)
        lrs = job.start_lr * (job.end_lr / job.start_lr) ** (done / of)
        write_steps(writer, lrs, sweep_loss(lrs))
        return run, writer

    def training(
        self, id: str, *, age: float, epochs: int = 16, of: int = 16, data: str = "digits"
    ) -> tuple[RunDir, EventWriter]:
        """A training that has done `epochs` of `of`, 20 steps each."""
        job = Train(base_lr=6e-4, max_lr=3.6e-3, epochs=of)
        run, writer = self.add(id, age=age, task=TaskConfig(data=data), job=job)
        ready(writer, data.rsplit("/", 1)[-1])
        writer.write(ev.TrialStarted(trial=0, seed=0, total_steps=20 * of, steps_per_epoch=20))
        writer.write(ev.BoundsChanged(trial=0, step=0, base_lr=6e-4, max_lr=3.6e-3))
        for epoch in range(1, epochs + 1):
            write_epoch(writer, epoch, of)
        return run, writer


def ready(writer: EventWriter, name: str) -> None:
    """The events between the worker's start and the first trial."""
    writer.write(ev.DeviceChosen(device="cpu", name="2 CPU threads"))
    writer.write(
        ev.TaskReady(
            name=name,
            model="cnn",
            classes=[str(i) for i in range(10)],
            metrics=[ACCURACY],
            samples="images",
            train=1257,
            validation=270,
            test=270,
            channels=1,
            image_size=8,
            parameters=120_000,
            trainable=120_000,
            batch_size=64,
            steps_per_epoch=19,
        )
    )


def sweep_loss(lrs: np.ndarray) -> np.ndarray:
    """The usual shape of a sweep: flat, falling, exploding, with a little noise."""
    noise = np.random.default_rng(7).normal(0, 0.02, len(lrs))
    return 2.3 - 1.7 / (1 + (3e-3 / lrs) ** 1.3) + (lrs / 0.25) ** 2.2 + noise


def write_steps(writer: EventWriter, lrs: np.ndarray, losses: np.ndarray, first: int = 0) -> None:
    """Chunks of 25 steps."""
    for start in range(0, len(lrs), 25):
        end = min(start + 25, len(lrs))
        writer.write(
            ev.Steps(
                trial=0,
                step=list(range(first + start, first + end)),
                lr=lrs[start:end].tolist(),
                loss=losses[start:end].tolist(),
                elapsed=0.04 * (first + end),
                samples_per_second=1640.0,
                eta_seconds=0.04 * (len(lrs) - end),
            )
        )


def write_epoch(writer: EventWriter, epoch: int, of: int) -> None:
    """An epoch of 20 steps, with its validation."""
    steps = np.arange(20 * (epoch - 1), 20 * epoch)
    noise = np.random.default_rng(epoch).normal(0, 0.04, 20)
    lrs = [
        lr_at("triangular", int(s), base_lr=6e-4, max_lr=3.6e-3, step_size=80, total_steps=20 * of)
        for s in steps
    ]
    write_steps(writer, np.array(lrs), 2.3 * np.exp(-steps / 90) + 0.1 + noise, int(steps[0]))
    accuracy = 0.97 - 0.8 * float(np.exp(-epoch / 3))
    writer.write(
        ev.Evaluated(
            trial=0,
            step=20 * epoch,
            part="validation",
            loss=0.2,
            metrics={"accuracy": accuracy},
            epoch=epoch,
        )
    )
    writer.write(
        ev.EpochFinished(
            trial=0,
            epoch=epoch,
            step=20 * epoch,
            train_loss=0.3,
            train_metrics={"accuracy": accuracy},
            seconds=0.8,
            best_epoch=epoch,
            best_value=accuracy,
        )
    )


def fill(runs: Runs) -> Runs:
    """A run of every status there is, and something to see in each."""
    run, _ = runs.sweep("range-test-flowers-3", age=9, steps=76, data="/data/flowers")
    runs.keep_alive(run)
    _, log = runs.training("train-digits-2", age=2 * HOUR)
    log.write(ev.RunFinished(outcome="done", headline="96.6 %, epoch 16"))
    _, log = runs.sweep("range-test-digits-2", age=2.2 * HOUR)
    log.write(ev.RunFinished(outcome="done", headline="max_lr 3.4e-03"))
    _, log = runs.sweep("range-test-flowers-2", age=5 * HOUR, steps=20, data="/data/flowers")
    log.write(
        ev.RunFinished(
            outcome="failed",
            message="the device ran out of memory at batch size 4096; try 2048",
            field="batch_size",
        )
    )
    runs.training("train-digits-1", age=30 * HOUR, epochs=5)
    _, log = runs.training("train-flowers-1", age=75 * HOUR, epochs=9, data="/data/flowers")
    log.write(ev.RunFinished(outcome="stopped", message="stopped on request", headline="64.1 %"))
    return runs


def make_app(folder: Path, monkeypatch: pytest.MonkeyPatch, **kwargs) -> ClrTuiApp:
    """An app in true colour at a fixed time, whatever terminal the tests run in."""
    for name in ("NO_COLOR", "COLORFGBG", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("clr_tui.engine.nvml.available", lambda: ["cpu"])
    return ClrTuiApp(folder, wall=lambda: NOW, **kwargs)


async def until(pilot, condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for what a thread will bring, or fails."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        await pilot.pause()
        await asyncio.sleep(0.01)


async def settled(pilot) -> HomeScreen:
    """The home screen once runs and preview are there."""
    app = pilot.app
    screen = app.screen_stack[0]
    assert isinstance(screen, HomeScreen)
    await until(pilot, lambda: screen.listed)
    # Workers start workers: twice at rest is at rest.
    for _ in range(2):
        await until(pilot, lambda: all(worker.is_finished for worker in app.workers))
        await pilot.pause()
    return screen


def selected_id(pilot) -> str | None:
    """The run under the cursor."""
    selected = pilot.app.screen_stack[0].query_one(RunTable).selected
    return selected.id if selected else None


def toasts(app: ClrTuiApp) -> str:
    """All notices that are shown."""
    return "\n".join(notice.message for notice in app._notifications)
