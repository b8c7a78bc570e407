"""Optimizers by name."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn
from torch.optim import SGD, Optimizer

from clr_tui.engine.errors import UserError
from clr_tui.engine.runs.config import OptimizerConfig


def make_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """An optimizer over those of `parameters` that require a gradient.

    Its learning rate is a placeholder: a schedule or a sweep sets the rate before each step. On
    CUDA the whole update is one fused kernel.

    Raises:
        UserError: for a name that is unknown.
    """
    trainable = [p for p in parameters if p.requires_grad]
    if config.name != "sgd":
        raise UserError(f"unknown optimizer '{config.name}': there is sgd", "optimizer")
    return SGD(
        trainable,
        lr=1.0,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        fused=trainable[0].is_cuda or None,
    )
