"""Optimizers that find their own rate, which the rate of a schedule only multiplies."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim import Optimizer

_D_ADAPTATION = {"d", "growth_rate"}
"""Options of D-Adaptation (Defazio & Mishchenko 2023) and Prodigy (Mishchenko & Defazio 2023): `d`
is the estimate that multiplies the rate."""
_DOG = {"rbar", "G", "eta"}
"""The keys that DoG (Ivgi, Hinder & Carmon 2023) adds to its groups: `eta` is each parameter's
rate."""
_DOG_OPTIONS = {"reps_rel", "init_eta"}


def finds_own_rate(optimizer: Optimizer) -> bool:
    """Whether it is D-Adaptation, Prodigy, DoG or one that keeps its estimate in the same way."""
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
    """The value; a copy if it is a tensor, which the next step may change in place."""
    return value.detach().clone() if isinstance(value, Tensor) else float(value)
