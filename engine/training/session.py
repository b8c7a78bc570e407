"""What a job needs, and what it returns."""

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
    """One run with its data loaded."""

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
        """True on the CPU, where reading a loss does not block."""
        return self.task.device.type == "cpu"

    def stopwatch(self) -> Stopwatch:
        """A new one, started now."""
        return Stopwatch(self.clock)


@dataclass(frozen=True)
class Work:
    """One run in its worker, before its data is loaded."""

    config: RunConfig
    device: torch.device
    """The first device that it may use."""
    precision: str
    emit: Callable[[Event], object]
    control: Control
    folder: Path
    """The run's directory."""
    load: Callable[[torch.device], Task]
    """Reads the data onto a device, and logs it."""

    def session(self) -> Session:
        """Loads the data, for jobs that train in the worker itself."""
        task = self.load(self.device)
        return Session(self.config, task, self.precision, self.emit, self.control, self.folder)


@dataclass(frozen=True)
class Trial:
    """Identifies one of a run's trials. Everything random in it derives from `seed`."""

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
    """The setting at fault, if any."""
    headline: str = ""
    """The result in a few words, if the job knows it: "68.2 %, epoch 7"."""
