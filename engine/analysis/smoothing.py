"""Exponential smoothing of a loss, as a view of the raw values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.settings.config import SMOOTHING

Floats = NDArray[np.float64]

_BLOCK = 32
_PART = 1 << 15


def smooth(values: Floats, alpha: float = SMOOTHING) -> Floats:
    """Exponentially weighted mean: `s_i = alpha * x_i + (1 - alpha) * s_(i-1)`, `s_0 = x_0`.

    There is no bias correction: the first value stands as it is, as in torch-lr-finder. The mean
    lags by `(1 - alpha) / alpha` steps (19 at 0.05), so a minimum of the smoothed loss lies that
    much later than the raw loss's own.

    Args:
        values: losses, shape (n,). Values that are not finite are gaps: they leave the mean as it
            was and are NaN in the result.
        alpha: weight of a new value, above 0 and at most 1 (1 returns the values).

    Returns:
        The means, shape (n,), equal to the plain loop but for rounding.

    Raises:
        ValueError: where `alpha` is outside (0, 1].
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
    """Of finite values; writes over them."""
    if alpha == 1 or not len(values):
        return values
    values[1:] *= alpha
    for start in range(0, len(values), _PART):  # so that what is held in between stays small
        part = values[start : start + _PART]
        if start:
            part[0] += (1 - alpha) * values[start - 1]
        part[:] = _recur(part, 1 - alpha)
    return values


def _recur(x: Floats, decay: float) -> Floats:
    """`y_i = x_i + decay * y_(i-1)`, `y_(-1) = 0`, in blocks, without a loop over steps.

    All blocks go on by one step at a time. What a block hands on to the next is again a
    recurrence of this kind, over the blocks' last values. (As a product with a matrix of powers
    it is no quicker, and the library for that takes 30 MB.)
    """
    count = -(-len(x) // _BLOCK)
    padded = np.zeros(count * _BLOCK)
    padded[: len(x)] = x
    steps = padded.reshape(count, _BLOCK).T.copy()  # shape (_BLOCK, count)
    for before, after in pairwise(steps):
        after += decay * before
    if count > 1:
        carried = _recur(steps[-1].copy(), decay**_BLOCK)
        steps[:, 1:] += decay ** np.arange(1, _BLOCK + 1)[:, None] * carried[:-1]
    return np.asarray(steps.T.reshape(-1)[: len(x)])
