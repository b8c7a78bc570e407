"""Loss and correct answers of a model on a part of the data, the model left as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from clr_tui.engine.tasks.features import BLOCK
from clr_tui.engine.tasks.part import Part
from clr_tui.engine.training.trainee import Trainee

EVALUATION_BATCH = BLOCK
"""Images; that of the features of frozen layers, so that each batch needs one block of them."""


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; then each module goes back to the mode that it had.

    Not `model.train()` at the end: modules that were frozen in evaluation mode must stay so.
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
) -> tuple[Tensor, Tensor]:
    """Measures the model on all of `part`.

    Draws no random numbers and does not wait for the device. The features of frozen layers are
    computed where they are not known yet.

    Args:
        before_batch: called before each batch; what it raises ends the evaluation.

    Returns:
        The mean loss, a float32 scalar, and how many images are right, an int64 scalar. Both are
        on the device. A sum of shares would not be exact: 19 of 20 is 0.95, and must not fall
        short of it.
    """
    task = trainee.task
    loss = torch.zeros((), device=trainee.device)
    correct = torch.zeros((), dtype=torch.int64, device=trainee.device)
    with evaluation_mode(trainee.model), torch.no_grad(), trainee.autocast():
        for start in range(0, len(part), EVALUATION_BATCH):
            before_batch()
            some = slice(start, start + EVALUATION_BATCH)
            labels = part.labels[some]
            logits = trainee.model(task.inputs(part, some))
            loss += task.loss(logits, labels).float() * (len(labels) / len(part))
            correct += task.correct(logits, labels)
    return loss, correct
