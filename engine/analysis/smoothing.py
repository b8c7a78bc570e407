"""Exponential smoothing of a loss, as a view of the raw values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 32


def smooth(values: Floats, alpha: float = 0.05) -> Floats:
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
    return _recur(values, 1 - alpha)


def _recur(x: Floats, decay: float) -> Floats:
    """`y_i = x_i + decay * y_(i-1)`, `y_(-1) = 0`, in blocks, without a loop over steps.

    A block's own sums are one product with a triangular matrix of powers. What a block hands on
    to the next is again a recurrence of this kind, over the blocks' last values.
    """
    count = -(-len(x) // _BLOCK)
    padded = np.zeros(count * _BLOCK)
    padded[: len(x)] = x
    steps = np.arange(_BLOCK)
    powers = np.tril(decay ** np.maximum(steps[:, None] - steps, 0))
    blocks = padded.reshape(count, _BLOCK) @ powers.T
    if count > 1:
        carried = _recur(blocks[:, -1].copy(), decay**_BLOCK)
        blocks[1:] += carried[:-1, None] * decay ** (steps + 1)
    return np.asarray(blocks.reshape(-1)[: len(x)])
