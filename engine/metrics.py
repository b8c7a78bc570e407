"""What a model is judged by besides its loss: named figures, each with a unit and a direction.

torch-free: the log, the reports and the screen know metrics by these. How one is computed is the
task's affair (`engine.tasks.task.Measure`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

Unit = Literal["share", "number", "seconds"]
"""`share`: 0 to 1, shown in percent; `number`: as it is."""
Direction = Literal["max", "min"]
"""Whether more is better, or less."""


class Metric(msgspec.Struct, frozen=True):
    """A figure by its name, and how to read it."""

    name: str
    """Unique in its task, and not `loss`."""
    unit: Unit = "number"
    direction: Direction = "max"

    @property
    def sign(self) -> int:
        """What values are multiplied by so that more is better: 1 or -1."""
        return 1 if self.direction == "max" else -1

    @property
    def extreme(self) -> str:
        """What the best value is: "highest" or "lowest"."""
        return "highest" if self.direction == "max" else "lowest"

    def is_better(self, value: float, other: float | None) -> bool:
        """Whether `value` is finite and better than `other`, or the first of all (None)."""
        if not math.isfinite(value):
            return False
        return other is None or self.sign * value > self.sign * other

    def reaches(self, value: float, target: float) -> bool:
        """Whether `value` is as good as `target`; False where it is not finite."""
        return math.isfinite(value) and not self.sign * value < self.sign * target

    def coarser(self, value: float) -> float:
        """A round value that is as good or worse: shares in steps of 5 points.

        Others in halves of their first digit: 0.034 is 0.035 where less is better, else 0.03.
        """
        to_one = 20.0 if self.unit == "share" else 2 * 10.0 ** -math.floor(math.log10(abs(value)))
        # Values that were added up may lie a rounding beyond a step.
        return self.sign * math.floor(self.sign * to_one * value + 1e-9) / to_one

    def text(self, value: float) -> str:
        """The value for a sentence: "68.2 %", "0.0123", "3.2 s"."""
        if self.unit == "share":
            return f"{100 * value:.1f} %"
        return f"{value:.4g} s" if self.unit == "seconds" else f"{value:.4g}"

    def difference(self, value: float, half_width: float | None) -> str:
        """How far two values are apart, for a sentence: "1.2 ± 0.4 points", "0.012 ± 0.004"."""
        scale, digits, unit = 1.0, ".3g", ""
        if self.unit == "share":
            scale, digits, unit = 100.0, ".1f", " points"
        elif self.unit == "seconds":
            unit = " s"
        half = "" if half_width is None else f" ± {scale * half_width:{digits}}"
        return f"{scale * abs(value):{digits}}{half}{unit}"


LOSS = Metric("loss", "number", "min")
"""The loss as a metric: the primary one of a task that has no other."""
ACCURACY = Metric("accuracy", "share", "max")


def reads_as_accuracy(metric: Metric) -> bool:
    """Whether Smith's rule for accuracy (2017, section 3.3) can read it: a share that rises."""
    return metric.unit == "share" and metric.direction == "max"


def primary_of(metrics: Sequence[Metric]) -> Metric:
    """The one that runs are judged by: the first."""
    return metrics[0] if metrics else LOSS


_LESS_IS_BETTER = frozenset({"error", "loss", "mae", "mape", "mse", "perplexity", "rmse"})


def known_by_name(name: str) -> Metric:
    """How to read a metric of which nothing but the name is known, as in a CSV of curves.

    Accuracies are shares; all else is a number. Errors and losses are better where they are less.
    """
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    if "accuracy" in words:
        return Metric(name, ACCURACY.unit, ACCURACY.direction)
    return Metric(name, "number", "min" if words & _LESS_IS_BETTER else "max")
