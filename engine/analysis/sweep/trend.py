"""The trend of a sweep's losses over log LR, without lag.

An exponential mean lags by a number of steps, so that its minimum moves with the length of the
sweep: by 1.3 decades with 100 steps over seven, by a twentieth of one with 3,000. A local
regression looks to both sides, over a width in decades that has nothing to do with steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.arrays import Floats

_CELLS = 32
"""Cells per bandwidth into which neighbouring steps are gathered: their places are then off by a
hundredth of the bandwidth at most."""
_FEWEST = 5
"""Cells in a window, so that its three coefficients say less than the data; a window with fewer is
widened."""


@dataclass(frozen=True)
class Cells:
    """Neighbouring steps of a sweep taken together. Arrays of shape (cells,)."""

    count: Floats
    """Steps in each, at least 1."""
    x: Floats
    """The mean of their places, increasing."""
    y: Floats
    """The mean of their values."""


def gathered(x: Floats, y: Floats, bandwidth: float) -> Cells:
    """Gathers steps into cells of a 32nd of the bandwidth. Cells without a step are left out.

    Args:
        x: not decreasing, shape (n,), n at least 1.
        y: shape (n,).
    """
    number = ((x - x[0]) * (_CELLS / bandwidth)).astype(np.int64)
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    count = np.diff(starts, append=len(x)).astype(np.float64)
    return Cells(count, np.add.reduceat(x, starts) / count, np.add.reduceat(y, starts) / count)


def local_weights(cells: Cells, at: Floats, bandwidth: float) -> Floats:
    """What each cell contributes to a local quadratic regression with tricube weights.

    W. S. Cleveland, "Robust Locally Weighted Regression and Smoothing Scatterplots", JASA 74
    (1979), with a width in x in place of a number of neighbours, and without its rounds of
    reweighting. A parabola is its own fit, at the ends too.

    Args:
        at: where to evaluate the fit, shape (m,).
        bandwidth: distance in x at which weights reach 0; larger where a window would hold fewer
            than five cells.

    Returns:
        The matrix that turns the cells' values into those of the fit; shape (m, cells). With fewer
        than five cells the fit is a straight line, with fewer than three the mean.
    """
    terms = 3 if len(cells.x) >= _FEWEST else 2 if len(cells.x) >= 3 else 1
    away = cells.x - at[:, np.newaxis]
    far = np.abs(away)
    nearest = min(_FEWEST, len(cells.x))
    # The outermost of the five nearest keeps some weight.
    reach = 1.25 * np.partition(far, nearest - 1, axis=1)[:, nearest - 1]
    width = np.maximum(bandwidth, reach)[:, np.newaxis]
    weight = cells.count * np.clip(1 - (far / width) ** 3, 0, None) ** 3
    powers = (away / width) ** np.arange(terms)[:, np.newaxis, np.newaxis]
    normal = np.einsum("imc,jmc,mc->mij", powers, powers, weight, optimize=True)
    first = np.zeros((len(at), terms, 1))
    first[:, 0] = 1
    solved = np.linalg.solve(normal, first)[:, :, 0]
    return np.asarray(np.einsum("mi,imc->mc", solved, powers) * weight)


def local_fit(x: Floats, y: Floats, at: Floats, bandwidth: float) -> Floats:
    """A local quadratic regression of `y` (finite) on `x`, see `local_weights`; shape (m,)."""
    cells = gathered(x, y, bandwidth)
    return np.asarray(local_weights(cells, at, bandwidth) @ cells.y)
