"""Where values that are not finite come from once a loss is not: the data or the first weights."""

from __future__ import annotations

from torch import Tensor

from clr_tui.engine.tasks.parts import Rows
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.tasks.trees import Tree, tensors
from clr_tui.engine.training.randomness import stream

_BLOCK = 4096
"""Samples looked at at a time."""


def source_of_not_finite(task: Task, seed: int, step: int) -> str:
    """What is not finite in a task's training data, or in its model before any step; or "".

    Looked for only once a training fails: a model may be made for missing values in its inputs.
    Batches that are made while they are used cannot be looked at.

    Args:
        seed: of the trial.
        step: the first whose loss is not finite; later ones do not come from the first weights.
    """
    if isinstance(task.train, Rows):
        for what, tree in (("inputs", task.train.inputs), ("targets", task.train.targets)):
            if (row := _first_row(tree)) is not None:
                return f"the {what} of training sample {row} are not finite"
    if step == 0:
        model = task.make_model(stream(seed, "weights"))
        for name, value in model.named_parameters():
            if not _is_finite(value):
                return f"'{name}' of the model is not finite before any update"
    return ""


def _first_row(tree: Tree) -> int | None:
    """The first sample with such a value, from 0."""
    for tensor in tensors(tree):
        if not (tensor.is_floating_point() or tensor.is_complex()):
            continue
        for start in range(0, len(tensor), _BLOCK):
            wrong = ~tensor[start : start + _BLOCK].detach().flatten(1).isfinite().all(1)
            if wrong.any():
                return start + int(wrong.nonzero()[0])
    return None


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.detach().isfinite().all())
