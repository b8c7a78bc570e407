"""The target accuracy of a comparison: the texts that ask for it, and how keys move it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from clr_tui.engine.analysis.comparison.seed_curves import EntryCurves, mean_curve
from clr_tui.engine.errors import UserError

POINT = 0.01
"""One point: a hundredth of all images."""
_ROUND = 0.05
_LONGEST = 40
"""Characters of a text that are repeated where it is said to be wrong."""


def read_target(text: str) -> float | None:
    """The accuracy, 0 to 1, that `65%` or `0.65` names; None for no text at all.

    Raises:
        UserError: (field `target`) it names none.
    """
    text = text.strip()
    if not text:
        return None
    number, percent, rest = text.partition("%")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if percent:
        value /= 100
    if rest or not 0 < value < 1:
        said = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
        raise UserError(
            f"target must be above 0 and below 1, as 0.65 or 65%, not '{said}'", "target"
        )
    # 65 % is 0.65, not the 0.6500000000000001 that a division may leave.
    return round(value, 12)


def target_text(target: float | None) -> str:
    """The text that asks for `target`: `65%`; empty for none."""
    return "" if target is None else f"{100 * target:.12g}%"


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
