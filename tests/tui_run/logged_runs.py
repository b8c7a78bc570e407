"""Runs of somebody's own loop with known curves, as `clr_tui.start` writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from run_logs import START, Clock, Log
from textual.pilot import Pilot

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.sources import LiveSource, NamedSource

STEPS, PER_EPOCH = 600, 60
SETTINGS = {"lr": "0.1", "optimizer": "sgd", "augment": "flip, crop"}


class Hurrying(Clock):
    """Moves on with each look, so that every poll that brings something draws."""

    def __call__(self) -> float:
        self.now += 10
        return self.now


class LoggedLog(Log):
    """A run that logs its loss by step and is validated after each epoch."""

    seed = 0
    rate = 0.1

    def begin(self) -> LoggedLog:
        """The program has started."""
        self.tell(ev.RunStarted(run=self.run.id, kind="logged", version="0.1.0", pid=1))
        return self

    def logs(self, until: int = STEPS, *, first: int = 0, more: int = 0) -> LoggedLog:
        """Steps up to `until`; `more` further metrics in each epoch."""
        noise = np.random.default_rng(self.seed)
        for step in range(first, until, 20):
            steps = np.arange(step, min(step + 20, until))
            part = steps / STEPS
            loss = 2.3 * np.exp(-20 * self.rate * part) + 0.2
            values = {
                "loss": (loss + noise.normal(0, 0.05, len(steps))).tolist(),
                "lr": (self.rate * (1 - part)).tolist(),
                "grad_norm": (1 + noise.random(len(steps))).tolist(),
                "epoch": (steps // PER_EPOCH).tolist(),
            }
            at = (START + steps / 4).tolist()
            self.tell(ev.Logged(step=steps.tolist(), values=values, at=at), seconds=5)
            done = int(steps[-1]) + 1
            if done % PER_EPOCH == 0:
                self._validates(done, more)
        return self

    def _validates(self, step: int, more: int) -> None:
        known = step / STEPS
        values = {
            "val/loss": 2.3 * float(np.exp(-18 * self.rate * known)) + 0.3,
            "val/accuracy": 0.95 - 0.8 * float(np.exp(-4 * known)),
            **{f"metrics/class{i}": 0.1 * i + 0.3 * known for i in range(more)},
        }
        event = ev.Logged(
            step=[step - 1],
            values={name: [value] for name, value in values.items()},
            at=[START + step / 4],
        )
        self.tell(event, seconds=0.1)

    def is_busy(self) -> LoggedLog:
        """The load of the machine."""
        gigabyte = 10**9
        for i in range(8):
            self.tell(
                ev.DeviceUsage(
                    memory_used=3 * gigabyte + i * 10**8,
                    memory_total=80 * gigabyte,
                    utilisation=0.5 + 0.05 * i,
                    process_cores=1.5,
                    process_memory=2 * gigabyte,
                ),
                seconds=5,
            )
        return self

    def ends(self, outcome: str = "done", message: str = "") -> LoggedLog:
        """The program has ended."""
        self.tell(ev.RunFinished(outcome=outcome, message=message))
        self.die()
        return self


def logged_log(
    folder: Path, name: str = "resnet50-aug", settings: dict[str, str] | None = None
) -> LoggedLog:
    """A run that has not logged anything."""
    job = LoggedRun(name=name, config=SETTINGS if settings is None else settings)
    task = TaskConfig(data="", model="")
    return LoggedLog(create_run(folder, task=task, job=job, version="0.1.0"))


def three_runs(folder: Path) -> list[LoggedLog]:
    """Runs of three rates, one of them live."""
    logs = []
    for number, rate in enumerate((0.1, 0.2, 0.05)):
        log = logged_log(folder, f"try-{number}", {**SETTINGS, "lr": str(rate)})
        log.seed, log.rate = number, rate
        logs.append(log.begin())
    logs[0].logs().ends()
    logs[1].live().logs(400)
    logs[1].clock.now = logs[0].clock.now
    logs[1].tell(ev.DeviceUsage(), seconds=0.0)  # its process lives
    logs[2].logs().ends("failed", "out of memory")
    return logs


def named(log: Log) -> NamedSource:
    """A run as one of several."""
    return NamedSource(log.run.id, LiveSource(log.run), log.run.config())


def app_together(logs: Sequence[Log]) -> ClrTuiApp:
    """An app that opens these runs together, for snapshots."""
    return ClrTuiApp(
        logs[0].run.path.parent,
        wall=logs[0].clock,
        clock=Hurrying(),
        load=lambda: [named(log) for log in logs],
    )


@asynccontextmanager
async def together(
    logs: Sequence[Log], size: tuple[int, int], **kwargs: Any
) -> AsyncIterator[Pilot[None]]:
    """An app that shows these runs together."""
    app = ClrTuiApp(logs[0].run.path.parent, wall=logs[0].clock, clock=Hurrying(), **kwargs)
    async with app.run_test(size=size) as pilot:
        app.open_together([named(log) for log in logs])
        for _ in range(3):
            await pilot.pause()
        app.screen.poll()
        await pilot.pause()
        yield pilot
    for log in logs:
        log.die()
