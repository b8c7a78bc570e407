"""The range test of objects that a caller has, which are left as they were found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from msgspec.structs import replace

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log.events import Event, Note, RunFinished
from clr_tui.engine.settings.check import check_range_test
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, RunConfig, TaskConfig
from clr_tui.engine.settings.table import mistakes_in
from clr_tui.engine.tasks.given_data import generators_as_found, has_length, own_workers
from clr_tui.engine.tasks.own_training import OwnTask
from clr_tui.engine.tasks.parts import Part, Stream
from clr_tui.engine.training.batches import make_batches
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.given_objects import Given, ratios_of_groups
from clr_tui.engine.training.optimizers.optimizer_remarks import remarks
from clr_tui.engine.training.randomness import (
    global_state,
    seed_globally,
    set_global_state,
    stream,
)
from clr_tui.engine.training.range_test import run_range_test
from clr_tui.engine.training.session import Session
from clr_tui.engine.training.trainee import Trainee

EPOCHS, FEWEST_STEPS, MOST_STEPS = 2, 100, 1000
"""Length of a sweep if none is asked for: in epochs, and its limits in steps."""


@dataclass(frozen=True, kw_only=True)
class GivenSession(Session):
    """A session whose trials all train the same given objects."""

    given: Given
    found: dict[str, Any]
    """The global generators as they were found."""

    def trainee(
        self, optimizer: OptimizerConfig, seed: int, *measured: Part, lr: float | None
    ) -> Trainee:
        """The given objects, with the random state and the order of data of a trial.

        The first sweep begins in the random state that was found, as a training would. Those that
        follow are seeded, with numbers that depend on that state.
        """
        set_global_state(self.found, self.task.device)
        own = int(torch.randint(2**62, (1,))) + seed
        batches = make_batches(self.task, self.config.task.batch_size, own)
        if seed == 0:
            set_global_state(self.found, self.task.device)
        else:
            seed_globally(stream(own, "model"), self.task.device)
            if isinstance(self.task.train, Stream):
                for i, (generator, _) in enumerate(self.task.train.generators):
                    generator.manual_seed(stream(own, f"generator {i}"))
        return Trainee(
            self.task,
            self.given.model,
            self.given.optimizer,
            batches,
            self.precision,
            self.given.way_to_step,
            others=self.given.others,
        )


def sweep_given(given: Given, job: RangeTest, watch: Callable[[Event], object]) -> RunHistory:
    """Runs the range test of given objects, and leaves them as they were found.

    Restored bit for bit, however it ends, is what `left_as_found` names, and the generators that
    the data holds. Batches that were read of an iterator are gone.

    Args:
        given: the objects.
        job: the sweep. Without a number of steps it has two epochs, but at least 100 steps and at
            most 1,000.
        watch: takes each event too.

    Raises:
        UserError: a setting, an object or the data cannot be used.
    """
    for mistake in (*mistakes_in(job), *check_range_test(TaskConfig(), job)):
        raise mistake
    given.check()
    found = global_state(given.device)
    notes: list[Event] = []
    with ExitStack() as restore:
        restore.callback(set_global_state, found, given.device)
        restore.enter_context(generators_as_found(given.data))
        restore.enter_context(ratios_of_groups(given.optimizer))
        restore.enter_context(torch.enable_grad())
        with own_workers(given.data):
            task = given.task(notes.append, job.steps or FEWEST_STEPS)
        restore.enter_context(own_workers(given.data))
        history = RunHistory(_config(given, task, job))

        def emit(event: Event) -> None:
            history.apply(event)
            watch(event)

        for note in (*notes, *_remarks(given)):
            emit(note)
        session = GivenSession(
            config=history.config,
            task=task,
            precision=given.precision or "",
            emit=emit,
            control=Control(list, restore.enter_context(closing(StopFlag())), emit),
            folder=Path(),
            given=given,
            found=found,
        )
        result = run_range_test(session, session.config.asked(RangeTest))
        emit(RunFinished(outcome=result.outcome, message=result.message))
    return history


def _config(given: Given, task: OwnTask, job: RangeTest) -> RunConfig:
    """The settings of the range test as those of a run, with the number of steps."""
    if job.steps is None:
        steps = FEWEST_STEPS
        if has_length(given.data):
            updates = EPOCHS * len(task.train) / task.samples_per_step(task.batch_size)
            steps = min(max(round(updates), FEWEST_STEPS), MOST_STEPS)
        job = replace(job, steps=steps)
    settings = TaskConfig(batch_size=task.batch_size, seed=0)
    return RunConfig(id="range test", created=0.0, version="", task=settings, job=job)


def _remarks(given: Given) -> list[Note]:
    name = type(given.optimizer).__name__
    found = remarks(name, given.optimizer, swept=True, ignores_rate=False)
    return [Note(level="info", text=text) for text in found]
