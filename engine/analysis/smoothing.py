"""Exponential smoothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.settings.config import SMOOTHING

_BLOCK = 32
_PART = 1 << 15
_LARGE = 1e300
"""Differences of larger values may overflow."""


def smooth(values: Floats, alpha: float = SMOOTHING) -> Floats:
    """Exponentially weighted mean: `s_i = alpha * x_i + (1 - alpha) * s_(i-1)`, `s_0 = x_0`.

    There is no bias correction: the first value is kept, as in torch-lr-finder. The mean lags by
    `(1 - alpha) / alpha` steps (19 at 0.05), so the smoothed loss has its minimum that much later
    than the raw loss.

    Args:
        values: losses, shape (n,). Values that are not finite are gaps: they do not change the
            mean and are NaN in the result.
        alpha: weight of a new value, above 0 and at most 1 (1 returns the values).

    Returns:
        The means, shape (n,), equal to the plain loop up to rounding.

    Raises:
        ValueError: `alpha` is outside (0, 1].
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"smoothing must be above 0 and at most 1, not {alpha}")
    result = np.array(values, dtype=np.float64)
    finite = np.isfinite(result)
    if finite.all():
        return _mean(result, alpha)
    result[finite] = _mean(result[finite], alpha)
    result[~finite] = np.nan
    return result


def _mean(values: Floats, alpha: float) -> Floats:
    """Smooths finite values in place."""
    if alpha == 1 or not len(values):
        return values
    # Relative to the first value, a constant is 0 and stays the very same.
    origin = values[0] if abs(values[0]) < _LARGE else 0.0
    values -= origin
    values[1:] *= alpha
    for start in range(0, len(values), _PART):  # to bound temporary memory
        part = values[start : start + _PART]
        if start:
            part[0] += (1 - alpha) * values[start - 1]
        part[:] = recur(part, 1 - alpha)
    values += origin
    return values


def recur(x: Floats, decay: float) -> Floats:
    """Returns `y_i = x_i + decay * y_(i-1)`, `y_(-1) = 0`, shape (n,), without a loop over steps.

    All blocks advance together, one step at a time. What each block carries over to the next is
    the same recurrence over the last values of the blocks. (A product with a matrix of powers is
    no faster, and its library takes 30 MB.)
    """
    count = -(-len(x) // _BLOCK)
    padded = np.zeros(count * _BLOCK)
    padded[: len(x)] = x
    steps = padded.reshape(count, _BLOCK).T.copy()  # shape (_BLOCK, count)
    for before, after in pairwise(steps):
        after += decay * before
    if count > 1:
        carried = recur(steps[-1].copy(), decay**_BLOCK)
        steps[:, 1:] += decay ** np.arange(1, _BLOCK + 1)[:, None] * carried[:-1]
    return np.asarray(steps.T.reshape(-1)[: len(x)])
