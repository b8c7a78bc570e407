"""What a job needs, and what it returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from clr_tui.engine.log.events import Event, Note, Outcome, Role, TrialStarted
from clr_tui.engine.settings.config import OptimizerConfig, RunConfig
from clr_tui.engine.tasks.parts import Part
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.compiling import compiled
from clr_tui.engine.training.control import Control
from clr_tui.engine.training.device_usage import ReportOn
from clr_tui.engine.training.optimizers.optimizer_remarks import remarks
from clr_tui.engine.training.randomness import stream
from clr_tui.engine.training.recorder import Recorder, StopRule
from clr_tui.engine.training.resume_points import ResumePoints
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.training.trainee import Trainee, make_trainee
from clr_tui.engine.training.warm_up import warm_up

if TYPE_CHECKING:
    from clr_tui.engine.analysis.history import RunHistory


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
    def is_synchronous(self) -> bool:
        """True on the CPU, where reading a loss does not block."""
        return self.task.device.type == "cpu"

    @property
    def starts_slowly(self) -> bool:
        """Whether the first steps take much longer than others: on any accelerator."""
        return self.task.device.type != "cpu"

    @property
    def samples_per_step(self) -> int:
        """Samples of an update."""
        return self.task.samples_per_step(self.config.task.batch_size)

    def trainee(
        self, optimizer: OptimizerConfig, seed: int, *measured: Part, lr: float | None
    ) -> Trainee:
        """Makes a trial's trainee and prepares the training part and all `measured` ones.

        On an accelerator the first steps, which are slow, are made and undone.

        Raises:
            UserError: see `make_trainee`.
            Stopped: the run was stopped while features of frozen layers were computed.
        """
        trainee = make_trainee(
            self.task,
            optimizer,
            lr=lr,
            batch_size=self.config.task.batch_size,
            seed=seed,
            precision=self.task.precision or self.precision,
            folder=self.config.folder,
        )
        if name := trainee.own_optimizer:
            text = f"the task makes its own optimizer, {name}, which is used instead of the default"
            self.emit(Note(level="info", text=text))
        for text in remarks(
            optimizer.name,
            trainee.optimizer,
            swept=lr is None,
            ignores_rate=trainee.ignores_rate,
        ):
            self.emit(Note(level="info", text=text))
        wanted = self.task.compile
        if self.config.task.compile if wanted is None else wanted:
            trainee = compiled(trainee, self.emit)
        trainee.prepare(self.task.train, *measured)
        if self.starts_slowly:
            warm_up(trainee, *measured)
        # Dropout draws from the global generators.
        torch.manual_seed(stream(seed, "model"))
        return trainee

    def resume_points(self, trial: Trial, at_most: int | None = None) -> ResumePoints:
        """Where the trial's resume points are; for `at_most` see there."""
        return resume_points(self.folder, self.config, trial.number, self.emit, at_most)

    def recorder(
        self,
        trial: Trial,
        steps: int,
        *,
        watch: StopRule,
        means: bool,
        steps_beyond: int = 0,
    ) -> Recorder:
        """The recorder of a trial of `steps` steps, with a stopwatch that starts now."""
        return Recorder(
            self.emit,
            trial=trial.number,
            total_steps=steps,
            batch_size=self.samples_per_step,
            stopwatch=Stopwatch(self.clock),
            eager=self.is_synchronous,
            watch=watch,
            metrics=self.task.metrics,
            means=means,
            steps_beyond=steps_beyond,
        )


def resume_points(
    folder: Path,
    config: RunConfig,
    trial: int,
    emit: Callable[[Event], object],
    at_most: int | None = None,
) -> ResumePoints:
    """The resume points of a trial of the run in `folder`."""

    def note(text: str) -> None:
        emit(Note(level="warning", text=text))

    every = config.task.checkpoint_every
    return ResumePoints(folder / "checkpoints", trial, note, every=every, at_most=at_most)


@dataclass(frozen=True)
class TrialWork:
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
    past: RunHistory | None = None
    """What earlier workers logged, if the run is resumed."""
    report_on: ReportOn = lambda names: None
    """Sets the devices whose load is logged; at first `device` alone."""

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

    def started(self, steps: int, trainee: Trainee) -> TrialStarted:
        """The event of its start."""
        return TrialStarted(
            trial=self.number,
            seed=self.seed,
            total_steps=steps,
            steps_per_epoch=trainee.steps_per_epoch,
            label=self.label,
            entry=self.entry,
            role=self.role,
            own_optimizer=trainee.own_optimizer,
        )


@dataclass(frozen=True)
class Result:
    """How a job ended."""

    outcome: Outcome
    message: str = ""
    field: str | None = None
    """The setting at fault, if any."""
    headline: str = ""
    """The result in a few words, if the job knows it: "68.2 %, epoch 7"."""
