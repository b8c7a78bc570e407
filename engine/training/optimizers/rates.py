"""Setting the rate of an optimizer in all its groups, and in copies of its initial rate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer


def note_ratios(optimizer: Optimizer, lr: float) -> None:
    """Notes the ratio of each group's rate to `lr`, the rate that the optimizer was made with.

    It is kept as `initial_lr`, which torch's schedulers multiply by their factor. It is 1 unless a
    class makes groups of its own.
    """
    for group in optimizer.param_groups:
        group["initial_lr"] = float(group["lr"]) / lr


def set_rate(optimizer: Optimizer, lr: float) -> None:
    """Sets each group to its share of `lr`."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * lr


def rate_now(optimizer: Optimizer) -> float:
    """The rate that `set_rate` or a scheduler set: that of a group, without its ratio."""
    for group in optimizer.param_groups:
        if group["initial_lr"]:
            return float(group["lr"]) / float(group["initial_lr"])
    return 0.0  # nothing moves


@dataclass(frozen=True)
class RememberedRate:
    """The copies of its initial rate that an optimizer keeps, such as AdaBound's `base_lrs`.

    A training leaves it alone: its optimizer is made with the training's rate. A sweep sets it with
    each rate, so that each step is that of an optimizer made with this rate.
    """

    places: tuple[Callable[[float], None], ...] = ()

    def follow(self, lr: float) -> None:
        """Makes the optimizer remember `lr`."""
        for put in self.places:
            put(lr)


def remembered_rate(
    optimizer: Optimizer, lr: float, twin: Optimizer, twin_lr: float
) -> RememberedRate:
    """Finds what remembers the rate, by comparing an optimizer with one made with another rate.

    Args:
        optimizer: made with `lr`.
        twin: made with `twin_lr` over the same parameters.
    """
    places: list[Callable[[float], None]] = []
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [(vars(optimizer), vars(twin))]
    pairs += zip(optimizer.param_groups, twin.param_groups, strict=False)
    for own, other in pairs:
        for name in own.keys() - {"lr", "initial_lr"}:
            if _is(own[name], lr) and _is(other.get(name), twin_lr):
                places.append(_setter(own, name))
    return RememberedRate(tuple(places))


def _is(value: object, lr: float) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is(one, lr) for one in value)
    return isinstance(value, float) and math.isclose(value, lr, rel_tol=1e-12)


def _setter(places: dict[str, Any], name: str) -> Callable[[float], None]:
    def put(lr: float) -> None:
        places[name] = [lr] * len(places[name]) if isinstance(places[name], list) else lr

    return put
