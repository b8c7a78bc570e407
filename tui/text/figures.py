"""Formats values of metrics, shares in per cent; a dash for None or a value that is not finite."""

from __future__ import annotations

import math

from clr_tui.engine.metrics import LOSS, Metric
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain


def name(metric: Metric) -> str:
    """Return the metric's name, made safe to show."""
    return plain(metric.name)


def scale(metric: Metric) -> float:
    """Return the factor of values whose unit is in the title: 100 for shares."""
    return 100.0 if metric.unit == "share" else 1.0


def title(metric: Metric) -> str:
    """Return name and unit: "accuracy, %", "mae", "latency, s"."""
    units = {"share": ", %", "seconds": ", s", "number": ""}
    return name(metric) + units[metric.unit]


def figure(metric: Metric, value: float | None) -> str:
    """Format a value with its unit, seven characters or more, at most eight if it has no unit."""
    if metric == LOSS:
        return numbers.loss(value)
    if metric.unit == "share":
        return numbers.percent(value)
    if value is None or not math.isfinite(value):
        return numbers.UNKNOWN.rjust(7)
    text = metric.text(value)
    if len(text) > 8 and metric.unit == "number":
        return numbers.scientific(value)
    return text.rjust(7)


def brief(metric: Metric, value: float | None) -> str:
    """Format as `figure` does, without leading blanks."""
    return figure(metric, value).strip()


def bare(metric: Metric, value: float) -> str:
    """Format a value in the unit of `title`, without the unit: `64.1`, `0.0123`."""
    return f"{100 * value:.1f}" if metric.unit == "share" else f"{value:.4g}"
