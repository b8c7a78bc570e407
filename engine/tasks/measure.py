"""Metrics computed over batches, so that their sum over a whole part is divided once, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.engine.tasks.trees import Tree


class Counted(NamedTuple):
    """A metric of a batch, or of several: `total / of` is its value."""

    total: Tensor
    """A scalar on the device: how many are right, or a sum of errors."""
    of: Tensor | int
    """What it is of: samples, or whatever is counted; a number, or a scalar on the device."""


@dataclass(frozen=True)
class Measure:
    """A metric, and how it is computed."""

    metric: Metric
    of: Callable[[Tree, Tree], Counted]
    """(outputs, targets) of a batch -> its part of the whole, without waiting for the device."""


def added(batches: Sequence[tuple[Counted, ...]]) -> tuple[Counted, ...]:
    """Over several batches, metric by metric."""
    whole, *others = batches
    for batch in others:
        both = zip(whole, batch, strict=True)
        whole = tuple(Counted(a.total + b.total, a.of + b.of) for a, b in both)
    return whole


def correct(logits: Tensor, labels: Tensor) -> Counted:
    """How many of a batch are right: logits (n, classes), labels int64 (n,).

    A count, not a share: a sum of shares would not be exact, and 19 of 20 must not fall short of
    0.95.
    """
    return Counted((logits.argmax(dim=1) == labels).sum(), len(labels))


BY_ACCURACY = (Measure(ACCURACY, correct),)
"""What classifications measure."""
