"""How well a plateau is found, with the report's tolerance and with that of the best rate alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from populations import Floats
from regret import resampled, sensitivity_to_rates

from clr_tui.engine.analysis.comparison.sensitivity import ONE_POINT


@dataclass(frozen=True)
class Plateaus:
    """What many grids of one optimizer say; shares of the grids."""

    middle: float
    """The median tolerance."""
    wide: float
    """A tenth of the tolerances are larger."""
    whole: float
    """Plateaus with all the rates that truly lose at most a point."""
    too_wide: float
    """Plateaus with a rate that truly loses more than two points."""


def plateaus(
    known: Floats, seeds: int, runs: int, rng: np.random.Generator
) -> tuple[Plateaus, Plateaus]:
    """By the tolerance of the report, and by half the interval of the best rate's mean alone.

    Args:
        known: values of shape (rates, all seeds), whose means are the truth.
    """
    lost = known.mean(axis=1).max() - known.mean(axis=1)
    reported, alone, found_by = [], [], ([], [])
    for _ in range(runs):
        values = resampled(known, seeds, rng)
        found = sensitivity_to_rates({"adam": values})
        best = found.optimizers[0].best
        if best is None:
            raise ValueError("no rate has a result")
        reported.append(found.tolerance)
        alone.append(max(ONE_POINT, best.half_width or 0.0))
        for plateau, tolerance in zip(found_by, (reported[-1], alone[-1]), strict=True):
            plateau.append(plateau_of(values.mean(axis=1), tolerance))
    both = zip((reported, alone), found_by, strict=True)
    first, second = (_summary(tolerances, rates, lost) for tolerances, rates in both)
    return first, second


def plateau_of(means: Floats, tolerance: float) -> set[int]:
    """The rates about the best without a gap whose means are within the tolerance."""
    best = int(np.argmax(means))
    inside = means >= means[best] - tolerance - 1e-12
    low = best - int(np.argmin(np.append(inside[best::-1], False))) + 1
    high = best + int(np.argmin(np.append(inside[best:], False)))
    return {*range(low, high)}


def _summary(tolerances: Sequence[float], rates: Sequence[set[int]], lost: Floats) -> Plateaus:
    good = {*np.flatnonzero(lost <= ONE_POINT).tolist()}
    poor = {*np.flatnonzero(lost > 2 * ONE_POINT).tolist()}
    return Plateaus(
        middle=float(np.median(tolerances)),
        wide=float(np.quantile(tolerances, 0.9)),
        whole=float(np.mean([good <= one for one in rates])),
        too_wide=float(np.mean([bool(poor & one) for one in rates])),
    )
