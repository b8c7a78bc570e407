"""Optimizers whose weights for use differ from those in training, such as schedule-free ones.

They have `train()` and `eval()`: the second puts the weights that are meant for use in place of
those that are trained (A. Defazio et al., "The Road Less Scheduled", 2024).
"""

from __future__ import annotations

from typing import Literal

from torch.optim import Optimizer


def has_modes(optimizer: Optimizer) -> bool:
    """Whether it has both `train()` and `eval()`."""
    return all(callable(getattr(optimizer, name, None)) for name in ("train", "eval"))


def set_mode(optimizer: Optimizer, mode: Literal["train", "eval"]) -> None:
    """Calls `train()` or `eval()` of an optimizer that has both."""
    if has_modes(optimizer):
        getattr(optimizer, mode)()


def is_schedule_free(optimizer: Optimizer) -> bool:
    """Whether it keeps the sequence z of that paper (section 2) beside the weights."""
    return has_modes(optimizer) and any("z" in state for state in optimizer.state.values())
