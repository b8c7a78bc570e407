"""A run that looks live: a sweep written to its log as a worker writes it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig

IMAGES = 64
"""Per step."""


def sweep(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns rates, smoothed and raw losses of a realistic sweep, shape (steps,)."""
    rng = np.random.default_rng(0)
    lr = 1e-7 * (1e6 ** (np.arange(steps) / steps))
    place = np.log10(lr)
    raw = 1.64 - 0.12 / (1 + np.exp(-3 * (place + 2.7))) + rng.normal(0, 0.02, steps)
    smoothed = np.empty(steps)
    for i, value in enumerate(raw):
        smoothed[i] = value if i == 0 else 0.05 * value + 0.95 * smoothed[i - 1]
    return lr, smoothed, raw


class LivingRun:
    """A running range test that holds its lock; `chunk` writes its next steps."""

    def __init__(self, folder: Path, steps: int, each: int) -> None:
        self.run = create_run(
            folder,
            task=TaskConfig(),
            job=RangeTest(steps=steps, end_lr=0.1),
            version="0",
        )
        self.lock = acquire(self.run.lock_path)
        self.steps, self.each, self.done = steps, each, 0
        self.lr, _, self.loss = sweep(steps)
        self.writer = EventWriter(self.run.events_path)
        self._write(
            ev.RunStarted(run=self.run.id, kind="range-test", version="0", pid=1),
            ev.DeviceChosen(device="cuda:0", name="NVIDIA H100 80GB HBM3", memory=85 * 10**9),
            ev.TrialStarted(trial=0, seed=0, total_steps=steps, steps_per_epoch=steps // 2),
        )

    def _write(self, *events: ev.Event) -> None:
        for event in events:
            self.writer.write(event)

    def chunk(self) -> None:
        """Writes the next steps, and every fourth time the device's load."""
        part = slice(self.done, min(self.done + self.each, self.steps))
        rate = 1600.0 + 40 * (self.done % 7)
        self._write(
            ev.Steps(
                trial=0,
                step=list(range(part.start, part.stop)),
                lr=self.lr[part].tolist(),
                loss=self.loss[part].tolist(),
                elapsed=part.stop * IMAGES / rate,
                samples_per_second=rate,
                eta_seconds=(self.steps - part.stop) * IMAGES / rate,
            )
        )
        if self.done // self.each % 4 == 0:
            used = 3_100_000_000 + 10_000_000 * (self.done % 90)
            load = 0.4 + 0.01 * (self.done % 13)
            self._write(ev.DeviceUsage(memory_used=used, memory_total=85 * 10**9, utilisation=load))
        self.done = part.stop

    def end(self) -> None:
        os.close(self.lock)
        self.writer.close()
