"""Metrics by which a model is judged: each has a name, a unit and a direction.

torch-free, for the log, the reports and the screen. `engine.tasks.task.Measure` computes them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

Unit = Literal["share", "number", "seconds"]
"""`share`: 0 to 1, shown in percent."""
Direction = Literal["max", "min"]
"""Whether a higher or a lower value is better."""


class Metric(msgspec.Struct, frozen=True):
    """A metric, and how to read its values."""

    name: str
    """Unique in its task; `loss` is reserved."""
    unit: Unit = "number"
    direction: Direction = "max"

    @property
    def sign(self) -> int:
        """The factor that makes higher values better: 1 or -1."""
        return 1 if self.direction == "max" else -1

    @property
    def extreme(self) -> str:
        """A word for the best value: "highest" or "lowest"."""
        return "highest" if self.direction == "max" else "lowest"

    def is_better(self, value: float, other: float | None) -> bool:
        """Whether `value` is finite and better than `other` (None: no value yet)."""
        if not math.isfinite(value):
            return False
        return other is None or self.sign * value > self.sign * other

    def reaches(self, value: float, target: float) -> bool:
        """Whether `value` is finite and at least as good as `target`."""
        return math.isfinite(value) and not self.sign * value < self.sign * target

    def coarser(self, value: float) -> float:
        """Rounds to a value that is as good or worse: a share to a multiple of 5 points.

        Others are rounded to half of their first digit: 0.034 to 0.035 if lower is better, else
        to 0.03.
        """
        to_one = 20.0 if self.unit == "share" else 2 * 10.0 ** -math.floor(math.log10(abs(value)))
        # A sum may lie past a multiple by a rounding error.
        return self.sign * math.floor(self.sign * to_one * value + 1e-9) / to_one

    def text(self, value: float) -> str:
        """Formats a value for a sentence: "68.2 %", "0.0123", "3.2 s"."""
        if self.unit == "share":
            return f"{100 * value:.1f} %"
        return f"{value:.4g} s" if self.unit == "seconds" else f"{value:.4g}"

    def difference(self, value: float, half_width: float | None) -> str:
        """Formats a difference of values for a sentence: "1.2 ± 0.4 points", "0.012 ± 0.004"."""
        scale, digits, unit = 1.0, ".3g", " s" if self.unit == "seconds" else ""
        if self.unit == "share":
            scale, digits, unit = 100.0, ".1f", " points"
        half = "" if half_width is None else f" ± {scale * half_width:{digits}}"
        return f"{scale * abs(value):{digits}}{half}{unit}"


LOSS = Metric("loss", "number", "min")
"""The loss as a metric: the primary one of a task without metrics."""
ACCURACY = Metric("accuracy", "share", "max")


def reads_as_accuracy(metric: Metric) -> bool:
    """Whether Smith's rule for accuracy (2017, section 3.3) applies: a share, higher is better."""
    return metric.unit == "share" and metric.direction == "max"


def primary_of(metrics: Sequence[Metric]) -> Metric:
    """Returns the metric that runs are judged by: the first, or else the loss."""
    return metrics[0] if metrics else LOSS


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


_LESS_IS_BETTER = _listed("""
    bce bpc bpd brier ce cer crps eer err error fid kl kld loss mae mape mase mse msle nll
    perplexity ppl rmse rmsle smape wer
""")
_MORE_IS_BETTER = _listed("""
    acc accuracy ap auc auprc auroc bleu correct dice elbo f1 hits iou jaccard kappa map
    mcc meteor miou mrr ndcg precision psnr r2 recall reward rouge score sensitivity
    specificity ssim top1 top5
""")


def known_by_name(name: str) -> Metric:
    """Guesses how to read a metric known only by its name, such as one in a CSV of curves.

    Accuracies are shares, all others numbers. For errors and losses, lower is better, for anything
    else higher.
    """
    words = _words(name)
    if "accuracy" in words:
        return Metric(name, ACCURACY.unit, ACCURACY.direction)
    return Metric(name, "number", "min" if words & _LESS_IS_BETTER else "max")


def direction_is_clear(name: str) -> bool:
    """Whether the direction that `known_by_name` guesses follows from the name."""
    words = _words(name)
    return bool(words & _LESS_IS_BETTER) != bool(words & _MORE_IS_BETTER)


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.lower()))
