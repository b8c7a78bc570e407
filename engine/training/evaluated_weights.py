"""The weights to measure and keep, if an optimizer trains others, such as a schedule-free one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from clr_tui.engine.tasks.parts import Batch, Rows, batch_length
from clr_tui.engine.training.batch_norm import batch_norms
from clr_tui.engine.training.evaluate import evaluation_mode
from clr_tui.engine.training.optimizers.modes import has_modes, is_schedule_free, set_mode
from clr_tui.engine.training.randomness import global_state, set_global_state
from clr_tui.engine.training.trainee import Trainee

_BATCHES = 50
"""As many as the README of facebookresearch/schedule_free uses."""


@contextmanager
def evaluated_weights(trainee: Trainee) -> Iterator[None]:
    """Puts the weights that are meant for use in place of those in training, for the block.

    Does nothing unless the optimizer has `train()` and `eval()`. For schedule-free optimizers the
    running statistics of batch norm are computed again from training batches, as their authors ask,
    since they are those of other weights. Afterwards they and the global generators are as before.
    """
    if not has_modes(trainee.optimizer):
        yield
        return
    # Frozen layers are in evaluation mode, and keep their statistics.
    norms = [module for module in batch_norms(trainee.model) if module.training]
    buffers = [buffer for norm in norms for buffer in norm.buffers()]
    kept = [buffer.clone() for buffer in buffers]
    set_mode(trainee.optimizer, "eval")
    try:
        if norms and is_schedule_free(trainee.optimizer):
            _compute_statistics(trainee, norms)
        yield
    finally:
        for buffer, value in zip(buffers, kept, strict=True):
            buffer.copy_(value)
        set_mode(trainee.optimizer, "train")


@torch.no_grad()
def _compute_statistics(trainee: Trainee, norms: list[_BatchNorm]) -> None:
    """Averages the statistics of some training batches, all with the same weight."""
    momenta = [norm.momentum for norm in norms]
    state = global_state(trainee.device)
    with evaluation_mode(trainee.model), trainee.autocast():
        for norm in norms:
            norm.reset_running_stats()
            norm.training, norm.momentum = True, None
        try:
            for batch in _training_batches(trainee):
                trainee.task.result(trainee.model, batch)
        finally:
            set_global_state(state, trainee.device)
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum


def _training_batches(trainee: Trainee) -> Iterator[Batch]:
    """Some full batches, not augmented, as what is measured is not: the same ones each time."""
    task, data, size = trainee.task, trainee.task.train, trainee.batches.batch_size
    if isinstance(data, Rows):
        order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
        for chosen in torch.split(order.to(data.held_on), size)[: min(_BATCHES, len(data) // size)]:
            yield task.inputs(data, chosen), data.targets_at(chosen)
        return
    states = [generator.get_state() for generator, _ in data.generators]
    for batch in islice(data.open(), _BATCHES):
        if batch_length(batch) > 1:  # one sample left over has no statistics
            yield batch
    for (generator, _), before in zip(data.generators, states, strict=True):
        generator.set_state(before)
