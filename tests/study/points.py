"""One scale for all metrics: hundredths of a share, so that settings can be averaged.

Accuracy is a share. Errors become one by what the best constant guess leaves: for a regression the
share of the variance explained, R^2 = 1 - mse / variance of the targets; for text that of the
entropy, McFadden's R^2 = 1 - cross-entropy / that of the characters' frequencies (D. McFadden,
1974, "Conditional logit analysis of qualitative choice behavior").
"""

from __future__ import annotations

from typing import Any

Line = dict[str, Any]

ERROR_POWERS = {"mse": 0.5, "cross-entropy": 1.0}
"""How the error that people read depends on the metric; of a mean square it is the root."""


def points(header: Line, value: float) -> float:
    """A final metric in hundredths of a share; below 0 if a constant guess is better.

    Args:
        header: the first line of a setting's results, with its metric and, for an error,
            `constant`, the loss of the best constant guess on the same samples.
    """
    if header["metric"]["direction"] == "max":
        return 100 * value
    return 100 * (1 - value / float(header["constant"]))


def more_error(header: Line, best: float, score: float) -> float:
    """By how many percent the error at a score is larger than at the best one, both in points.

    The error is the root of the mean square, or the cross-entropy; NaN for an accuracy.
    """
    power = ERROR_POWERS.get(header["metric"]["name"])
    if power is None:
        return float("nan")
    return 100 * (((100 - score) / (100 - best)) ** power - 1)
