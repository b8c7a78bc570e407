"""The target of a comparison, a value of its metric: reading, writing and moving it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import EntryCurves, mean_curve
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings import texts
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.limits import SHARE
from clr_tui.engine.settings.table import setting_of

_SETTING = setting_of(Compare, "target")


def read_target(text: str, metric: Metric) -> float | None:
    """The value that a text such as `65%`, `0.65` or `0.12` stands for; None if it is blank.

    Raises:
        UserError: (field `target`) the text is no value of `metric`.
    """
    value: float | None = texts.read(_SETTING, text)
    is_share = metric.unit == "share" and value is not None
    if is_share and (mistake := SHARE.mistake("target", value or 0.0)):
        raise mistake
    return value


def target_text(target: float | None, metric: Metric) -> str:
    """`target` as `read_target` reads it: `65%`, `0.12`; empty for None."""
    if metric.unit == "share":
        return texts.write(_SETTING, target)
    return "" if target is None else f"{target:.12g}"


def move_target(target: float, steps: int, metric: Metric) -> float:
    """`target`, moved up by `steps`: whole points, from 1 to 99 %, for a share.

    Other metrics move by a tenth of the place of their first digit: from 0.12 to 0.13.
    """
    if metric.unit == "share":
        return min(max(round(100 * target) + steps, 1), 99) / 100
    places = 1 - math.floor(math.log10(abs(target))) if target else 2
    return round(round(target, places) + steps * 10.0**-places, places)


def suggest_target(entries: Iterable[EntryCurves], metric: Metric) -> float | None:
    """A round value slightly worse than the best mean: for shares a multiple of five points.

    None before anything was measured on validation.
    """
    means = [mean_curve(entry, metric.name, "validation").mean for entry in entries]
    known = np.concatenate([np.zeros(0), *means])
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    best = metric.sign * float((metric.sign * known).max())
    if metric.unit != "share":
        return metric.coarser(best) if best else 0.0
    worse = metric.coarser(best - metric.sign * 1e-9)
    return min(max(round(worse, 2), 0.01), 0.99)
