"""Measuring loss and metrics of a model on a part of the data, without changing the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from clr_tui.engine.tasks.features import BLOCK
from clr_tui.engine.tasks.measure import Counted, added
from clr_tui.engine.tasks.own_checks import no_batches_left
from clr_tui.engine.tasks.parts import Part, Rows
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

    Raises:
        UserError: a stream has no batches (field "task").
    """
    task = trainee.task
    loss, done = torch.zeros((), device=trainee.device), 0
    # Known in advance for rows: their sums then have the same last bits as ever.
    expected = len(part) if isinstance(part, Rows) else 1
    metrics: list[tuple[Counted, ...]] = []
    with evaluation_mode(trainee.model), torch.no_grad(), trainee.autocast():
        for batch, size in task.batches(part, EVALUATION_BATCH):
            before_batch()
            batch_loss, outputs = task.result(trainee.model, batch)
            loss += batch_loss.float() * (size / expected)
            metrics.append(task.measured(outputs, batch[1]))
            done += size
    if not done:
        raise no_batches_left("the data to measure on")
    return loss * (expected / done), added(metrics)
