"""Optimizers that find their own rate, which the rate of a schedule only multiplies."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim import Optimizer

_D_ADAPTATION = {"d", "growth_rate"}
"""Options of D-Adaptation (Defazio & Mishchenko 2023) and Prodigy (Mishchenko & Defazio 2023): `d`
is the estimate that multiplies the rate."""
_DOG = {"rbar", "G", "eta"}
"""What DoG (Ivgi, Hinder & Carmon 2023) keeps in its groups: `eta` is the rate, for each parameter.
"""
_DOG_OPTIONS = {"reps_rel", "init_eta"}


def finds_own_rate(optimizer: Optimizer) -> bool:
    """Whether it is one of D-Adaptation, Prodigy, DoG and those that keep their estimates alike."""
    options = optimizer.param_groups[0].keys()
    return options >= _D_ADAPTATION or options >= _DOG_OPTIONS


def adapted_rate(optimizer: Optimizer) -> float | Tensor | None:
    """The rate in effect after a step, without waiting for the device; None for most optimizers."""
    group: dict[str, Any] = optimizer.param_groups[0]
    if group.keys() >= _D_ADAPTATION:
        return _kept(group["d"] * group["lr"])
    if group.keys() >= _DOG:
        eta = group["eta"]
        return _kept(eta[0] if isinstance(eta, (list, tuple)) else eta)
    return None


def _kept(value: float | Tensor) -> float | Tensor:
    """The value: of a tensor a copy, as the next step may change it in place."""
    return value.detach().clone() if isinstance(value, Tensor) else float(value)
