"""Measuring loss and metrics of a model on a part of the data, without changing the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from clr_tui.engine.tasks.features import BLOCK
from clr_tui.engine.tasks.measure import Counted, added
from clr_tui.engine.tasks.task import Part
from clr_tui.engine.tasks.trees import call
from clr_tui.engine.training.trainee import Trainee

EVALUATION_BATCH = BLOCK
"""Samples; equal to a block of cached features, so that each batch needs one block."""


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Sets evaluation mode inside the block, then restores the mode of each module.

    Not by `model.train()`: modules that are frozen in evaluation mode must stay so.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def evaluate(
    trainee: Trainee, part: Part, before_batch: Callable[[], None] = lambda: None
) -> tuple[Tensor, tuple[Counted, ...]]:
    """Measures the model on all of `part`.

    Draws no random numbers and does not wait for the device. Computes missing features of frozen
    layers.

    Args:
        before_batch: called before each batch; what it raises ends the evaluation.

    Returns:
        The mean loss, a float32 scalar on the device, and the metrics, in the task's order.
    """
    task = trainee.task
    loss = torch.zeros((), device=trainee.device)
    metrics: list[tuple[Counted, ...]] = []
    with evaluation_mode(trainee.model), torch.no_grad(), trainee.autocast():
        for start in range(0, len(part), EVALUATION_BATCH):
            before_batch()
            block = slice(start, start + EVALUATION_BATCH)
            targets = task.targets(part, block)
            outputs = call(trainee.model, task.inputs(part, block))
            size = min(EVALUATION_BATCH, len(part) - start)
            loss += task.loss(outputs, targets).float() * (size / len(part))
            metrics.append(task.measured(outputs, targets))
    return loss, added(metrics)
