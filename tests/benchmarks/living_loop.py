"""A run of somebody's own loop that looks live, written as `clr_tui.start` writes it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun

PER_EPOCH = 100


class LivingLoop:
    """A run that holds its lock and logs loss, lr, gradient norm and, each epoch, validation.

    Args:
        folder: the folder of runs.
        steps: those that are there from the start.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        settings = {"lr": "0.1", "optimizer": "sgd", "augment": "flip, crop", "batch": "128"}
        self.run = create_run(
            folder,
            task=TaskConfig(data="", model=""),
            job=LoggedRun(name="resnet50-aug", config=settings),
            version="0",
        )
        self.lock = acquire(self.run.lock_path)
        self.writer = EventWriter(self.run.events_path)
        self.rng = np.random.default_rng(0)
        self.done = 0
        self.begin = time.time()
        self.writer.write(ev.RunStarted(run=self.run.id, kind="logged", version="0", pid=1))
        while self.done < steps:
            self.chunk(PER_EPOCH)

    def chunk(self, each: int) -> None:
        """Logs the next `each` steps, in one event as the recorder does."""
        steps = np.arange(self.done, self.done + each)
        loss = 2.2 * np.exp(-steps / 3000) + 0.2 + self.rng.normal(0, 0.06, each)
        values = {
            "loss": loss.tolist(),
            "lr": (0.05 * (1 + np.cos(steps / 8000))).tolist(),
            "grad_norm": (1 + self.rng.gamma(2, 0.4, each)).tolist(),
        }
        at = (self.begin + steps / 20).tolist()
        self.writer.write(ev.Logged(step=steps.tolist(), values=values, at=at))
        before, self.done = self.done, self.done + each
        if before // PER_EPOCH < self.done // PER_EPOCH:
            part = self.done / 3000
            validation: dict[str, list[float | None]] = {
                "val/loss": [2.2 * float(np.exp(-part)) + 0.3 + float(self.rng.normal(0, 0.02))],
                "val/accuracy": [0.95 - 0.85 * float(np.exp(-part))],
            }
            self.writer.write(ev.Logged(step=[self.done - 1], values=validation, at=[at[-1]]))

    def end(self) -> None:
        os.close(self.lock)
        self.writer.close()
