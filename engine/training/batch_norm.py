"""The running statistics of batch norm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """The modules that keep running statistics."""
    return [
        module
        for module in model.modules()
        if isinstance(module, _BatchNorm) and module.track_running_stats
    ]


@contextmanager
def single_sample_statistics(model: nn.Module) -> Iterator[None]:
    """Lets a batch of one sample, left over at the end of the data, pass.

    Where it has a single value per channel, which has no variance, batch norm uses its running
    statistics during the block, and does not change them.
    """
    norms = [module for module in batch_norms(model) if module.training]

    def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].numel() == inputs[0].shape[1]:
            module.training = False

    hooks = [module.register_forward_pre_hook(look) for module in norms]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for module in norms:
            module.training = True


@contextmanager
def untracked_statistics(model: nn.Module) -> Iterator[None]:
    """Leaves running statistics unchanged during the block; batches use statistics of their own."""
    norms = [module for module in batch_norms(model) if module.training]
    for module in norms:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in norms:
            module.track_running_stats = True
