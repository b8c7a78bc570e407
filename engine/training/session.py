"""What a job works with, and what it returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from clr_tui.engine.log.events import Event, Outcome, Role
from clr_tui.engine.settings.config import RunConfig
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.control import Control
from clr_tui.engine.training.stopwatch import Stopwatch


@dataclass(frozen=True)
class Session:
    """One run at work."""

    config: RunConfig
    task: Task
    precision: str
    emit: Callable[[Event], object]
    control: Control
    folder: Path
    """The run's directory, which holds `checkpoints`."""
    clock: Callable[[], float] = time.perf_counter

    @property
    def waits_for_nothing(self) -> bool:
        """Whether a value is there as soon as it is computed: on the CPU."""
        return self.task.device.type == "cpu"

    def stopwatch(self) -> Stopwatch:
        """A new one, started now."""
        return Stopwatch(self.clock)


@dataclass(frozen=True)
class Work:
    """One run in its worker, before its data is there."""

    config: RunConfig
    device: torch.device
    """The first that it may run on."""
    precision: str
    emit: Callable[[Event], object]
    control: Control
    folder: Path
    """The run's directory."""
    load: Callable[[torch.device], Task]
    """Reads the data onto a device, and tells of it."""

    def session(self) -> Session:
        """The run with its data loaded, for jobs that train in the worker itself."""
        task = self.load(self.device)
        return Session(self.config, task, self.precision, self.emit, self.control, self.folder)


@dataclass(frozen=True)
class Trial:
    """Which of a run's trials this is. All that chance decides in it is drawn from `seed`."""

    number: int
    seed: int
    label: str
    entry: int | None = None
    """Of a comparison: the entry's place."""
    role: Role = "train"


@dataclass(frozen=True)
class Result:
    """How a job ended."""

    outcome: Outcome
    message: str = ""
    field: str | None = None
    """The setting at fault, where one is."""
    headline: str = ""
    """In a few words, where the job knows it: "68.2 %, epoch 7"."""
