"""The target accuracy of a comparison: the text that asks for it, and how keys move it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import EntryCurves, mean_curve
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.table import setting_of
from clr_tui.engine.settings.texts import write

POINT = 0.01
"""One point: a hundredth of all images."""
_ROUND = 0.05
TARGET = setting_of(Compare, "target")


def target_text(target: float | None) -> str:
    """The text that asks for `target`: `65%`; empty for none."""
    return write(TARGET, target)


def moved(target: float, points: int) -> float:
    """`target` so many whole points higher, from 1 to 99 %."""
    return min(max(round(100 * target) + points, 1), 99) / 100


def sensible_target(entries: Iterable[EntryCurves]) -> float | None:
    """Where a target is of use: the multiple of five points below the best mean on validation.

    None while there is no accuracy yet.
    """
    means = [mean_curve(entry, "accuracy", "validation").mean for entry in entries]
    known = np.concatenate([np.zeros(0), *means])
    known = known[np.isfinite(known)]
    if not len(known):
        return None
    return min(max(5 * math.floor(float(known.max()) / _ROUND - 1e-9), 1), 99) / 100
