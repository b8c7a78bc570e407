"""The first steps on an accelerator, made and undone before those that are timed."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from clr_tui.engine.tasks.parts import Batch, Part, Rows
from clr_tui.engine.training.evaluate import EVALUATION_BATCH, evaluation_mode
from clr_tui.engine.training.optimizers.modes import set_mode
from clr_tui.engine.training.optimizers.rates import set_rate
from clr_tui.engine.training.preserve import left_as_found
from clr_tui.engine.training.trainee import Trainee

_STEPS = 2
"""The second one finds the optimizer's state made."""
_RATE = 1e-8


def warm_up(trainee: Trainee, *measured: Part) -> None:
    """Makes two steps and evaluates batches of each size, and leaves `trainee` as it was found.

    The first ones start the device, load its libraries, let cuDNN try its algorithms and fill the
    allocator's pools, which takes longer than a whole sweep of a small model. They would count as
    time of the first trial of each process, which would then look slower than the others.
    """
    with left_as_found(trainee):
        trainee.model.train()
        set_mode(trainee.optimizer, "train")
        set_rate(trainee.optimizer, _RATE)
        warming = trainee
        if not isinstance(trainee.task.train, Rows):  # a pass over a stream may be slow to start
            example = _Example(trainee.task.train.example)
            warming = dataclasses.replace(trainee, batches=example)
        for _ in range(_STEPS):
            loss, _ = warming.step()
        for part in measured:
            for batch in _first_and_last(trainee, part):
                _evaluate(trainee, batch)
        float(loss)  # waits for the device


class _Example:
    """The same batch again and again."""

    batch_size = steps_per_epoch = 1

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def draw(self) -> Batch:
        return self._batch

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """There is none."""


def _first_and_last(trainee: Trainee, part: Part) -> list[Batch]:
    """Those that differ in size, as `evaluate` takes them; none of a stream."""
    if not isinstance(part, Rows) or not len(part):
        return []
    last = (len(part) - 1) // EVALUATION_BATCH * EVALUATION_BATCH
    blocks = [slice(start, start + EVALUATION_BATCH) for start in sorted({0, last})]
    return [(trainee.task.inputs(part, block), part.targets_at(block)) for block in blocks]


def _evaluate(trainee: Trainee, batch: Batch) -> None:
    with evaluation_mode(trainee.model), torch.no_grad(), trainee.autocast():
        _, outputs = trainee.task.result(trainee.model, batch)
        trainee.task.measured(outputs, batch[1])
