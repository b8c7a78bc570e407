"""Computing metrics as sums over batches, divided once at the end, so that they are exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.engine.tasks.trees import Tree


class Counted(NamedTuple):
    """A metric of one or more batches: its value is `total / of`."""

    total: Tensor
    """A scalar on the device: a number of correct samples, or a sum of errors."""
    of: Tensor | int
    """The number of samples, or whatever is counted; an int, or a scalar on the device."""


@dataclass(frozen=True)
class Measure:
    """A metric, and how it is computed."""

    metric: Metric
    of: Callable[[Tree, Tree], Counted]
    """(outputs, targets) of a batch -> its sums, without waiting for the device."""


def added(batches: Sequence[tuple[Counted, ...]]) -> tuple[Counted, ...]:
    """Adds up several batches, metric by metric."""
    whole, *others = batches
    for batch in others:
        both = zip(whole, batch, strict=True)
        whole = tuple(Counted(a.total + b.total, a.of + b.of) for a, b in both)
    return whole


def correct(logits: Tensor, labels: Tensor) -> Counted:
    """Counts correct predictions: logits (n, classes), labels int64 (n,).

    A count, not a share: a sum of shares would not be exact, and 19 of 20 must reach 0.95.
    """
    return Counted((logits.argmax(dim=1) == labels).sum(), len(labels))


BY_ACCURACY = (Measure(ACCURACY, correct),)
"""The metric of classifications."""
