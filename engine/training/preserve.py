"""Restoring everything that a range test changes, so that it can run on a model in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from clr_tui.engine.training.optimizers.keeping import keep_optimizer
from clr_tui.engine.training.randomness import global_state, set_global_state
from clr_tui.engine.training.trainee import Trainee


@contextmanager
def left_as_found(trainee: Trainee) -> Iterator[None]:
    """Restores, bit for bit, what training steps can change, however the block ends.

    That is: parameters and buffers (such as batch norm's running statistics; persistent or not,
    made in the block or before), gradients and whether there are any, `requires_grad`, the mode of
    each module, the optimizer's state, rates and other options, the position in the data with its
    generators, and the global generators of torch (CPU and device), Python and numpy. Plain Python
    attributes of modules are not restored.
    """
    with ExitStack() as restore:  # each is restored, even if another fails
        restore.callback(_keep_model(trainee.model))
        restore.callback(keep_optimizer(trainee.optimizer, trainee.model))
        restore.callback(trainee.batches.load_state_dict, trainee.batches.state_dict())
        restore.callback(set_global_state, global_state(trainee.device), trainee.device)
        yield


def _keep_model(model: nn.Module) -> Callable[[], None]:
    modes = [(module, module.training) for module in model.modules()]
    # A module may replace its tensors, or add new ones.
    places = [
        (slots, dict(slots))
        for module in model.modules()
        for slots in (module._parameters, module._buffers)
    ]
    tensors = [
        (tensor, tensor.detach().clone())
        for _, kept in places
        for tensor in kept.values()
        if tensor is not None
    ]
    gradients = [
        (p, p.requires_grad, p.grad, None if p.grad is None else p.grad.clone())
        for p in model.parameters()
    ]

    @torch.no_grad()
    def put_back() -> None:
        for tensor, value in tensors:
            tensor.copy_(value)
        for slots, kept in places:
            slots.clear()
            slots.update(kept)  # type: ignore[arg-type]
        for p, requires_grad, gradient, gradient_value in gradients:
            p.requires_grad_(requires_grad)
            if gradient is not None and gradient_value is not None:
                gradient.copy_(gradient_value)
            p.grad = gradient
        for module, training in modes:
            module.training = training

    return put_back
