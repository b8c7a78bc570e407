"""Estimates the noise of a curve from its differences, so that a trend does not count."""

from __future__ import annotations

import numpy as np

from clr_tui.engine.analysis.arrays import Floats

_MAD_TO_SD = 1.4826
"""Standard deviation of a normal variable per median absolute deviation."""

_SAMPLE_SIZE = 1 << 16
"""Differences to sample for a median: its standard error is then 0.005 of a deviation."""
_STRETCHES = 64
"""Runs of neighbours that make up the sample, so that patterns of a few steps keep their weight."""


def noise(values: Floats, new: float = 1.0) -> float:
    """Standard deviation of a curve's values about their trend.

    A raw loss is a trend plus independent noise of deviation sd, so that neighbours differ by
    sqrt(2) * sd. In a curve smoothed with weight `new` of a new value they differ by less,
    sqrt(2 * new) * sd, which hides its noise. The deviation is estimated from the median absolute
    deviation, so that a few wild losses at high rates do not count.

    Args:
        values: shape (n,), finite, n at least 2.
        new: 1 for independent noise.
    """
    return _spread(np.diff(values)) / float(np.sqrt(2 * new))


def share_of_new(values: Floats) -> float:
    """How much of each value is new, 0 to 1: 1 for independent noise, `a` if smoothed with `a`.

    Noise smoothed with weight `a` is an AR(1) process with coefficient 1 - a, whose successive
    differences have the autocorrelation -a/2 (-1/2 where they are independent). With 100 values
    the estimate has a standard error of about 0.2.

    Args:
        values: shape (n,), finite, n at least 3.
    """
    moves = np.diff(values)
    moves = moves - np.median(_sample(moves))
    most = 4 * _spread(moves)
    moves = np.clip(moves, -most, most)
    power = float(np.dot(moves, moves))
    if power == 0:
        return 1.0
    return min(1.0, max(0.0, -2 * float(np.dot(moves[1:], moves[:-1])) / power))


def _spread(moves: Floats) -> float:
    moves = _sample(moves)
    return _MAD_TO_SD * float(np.median(np.abs(moves - np.median(moves))))


def _sample(moves: Floats) -> Floats:
    if len(moves) <= _SAMPLE_SIZE:
        return moves
    each = _SAMPLE_SIZE // _STRETCHES
    starts = np.linspace(0, len(moves) - each, _STRETCHES).astype(np.int64)
    return np.concatenate([moves[start : start + each] for start in starts])


def smoothed_share(alpha: float, new: float = 1.0) -> float:
    """The share of a curve's noise that smoothing with `alpha` leaves: sd after / sd before.

    sqrt(alpha / (2 - alpha)) for independent noise (0.16 at 0.05), times
    sqrt((1 + p(1 - alpha)) / (1 - p(1 - alpha))) for noise with coefficient p = 1 - `new` between
    neighbours.
    """
    shared = (1 - new) * (1 - alpha)
    return float(np.sqrt(alpha / (2 - alpha) * (1 + shared) / (1 - shared)))
