"""Smoothing that looks to both sides: it lags nowhere, at the end of a curve neither."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.analysis.growing import Growth
from clr_tui.engine.analysis.smoothing import recur

_NEGLIGIBLE = 40.0
"""A value this many times `1 / alpha` away has a weight of e^-40, below the precision of floats."""
_PART = 1 << 15
"""Values fitted at once: what is computed on the way then stays in the CPU's cache."""


def centred_mean(values: Floats, alpha: float) -> Floats:
    """Local linear regression with weights `(1 - alpha)^distance` to both sides.

    A straight line is its own fit, at the first and the last value too: a mean of one side would
    lag there by `(1 - alpha) / alpha` values, and one that begins with the first value would keep
    its noise. In the middle it is the weighted mean. A constant stays that very constant.

    W. S. Cleveland, "Robust Locally Weighted Regression and Smoothing Scatterplots", JASA 74
    (1979), with other weights and without rounds of reweighting.

    Args:
        values: shape (n,). Those that are not finite are gaps: they change nothing and are NaN in
            the result.
        alpha: above 0 and at most 1 (1 returns the values); smaller is smoother.

    Returns:
        The fit, shape (n,), in a time proportional to n.

    Raises:
        ValueError: `alpha` is outside (0, 1].
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"smoothing must be above 0 and at most 1, not {alpha}")
    return GrowingMean(alpha).of(values)


class GrowingMean:
    """The centred mean of a curve that grows, of which only the end changes each time."""

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha
        self._reach = math.ceil(_NEGLIGIBLE / alpha)
        self._growth = Growth()
        self._whole = True
        """Whether all values so far are finite."""
        self._fit: Floats = np.empty(0)
        """Of the finite values; has room for more."""
        self._length = 0

    def of(self, values: Floats) -> Floats:
        """Returns the mean of `values`, which must not be written to.

        What was computed before is used again if `values` is a longer view of the same buffer,
        whose values must not have changed.
        """
        values = np.asarray(values, np.float64)
        seen = self._growth.seen(values)
        if seen == 0:  # another curve: views of the former one keep their values
            self._whole, self._length, self._fit = True, 0, np.empty(0)
        self._whole = self._whole and bool(np.isfinite(values[seen:]).all())
        if self._whole:
            return self._extended(values)
        finite = np.isfinite(values)
        result = np.full(len(values), np.nan)
        result[finite] = self._extended(values[finite])
        return result

    def _extended(self, known: Floats) -> Floats:
        """Fits finite values, of which the first ones were fitted before, a part at a time."""
        kept = max(self._length - self._reach, 0)
        if len(known) > len(self._fit):
            larger = np.empty(2 * len(known))
            larger[:kept] = self._fit[:kept]
            self._fit = larger
        size = max(_PART, 2 * self._reach)
        for first in range(kept, len(known), size):
            end = min(first + size, len(known))
            begin = max(first - self._reach, 0)
            part = _fit(known[begin : end + self._reach], self.alpha)
            self._fit[first:end] = part[first - begin : end - begin]
        self._length = len(known)
        return self._fit[: self._length]


def _fit(values: Floats, alpha: float) -> Floats:
    """Fits finite values."""
    count = len(values)
    if count < 3 or alpha == 1:
        return values
    decay = 1 - alpha
    y = values - values[0]  # so that sums of a constant are exactly 0
    before, before_at = _one_sided(y, decay)
    after, after_at = (sums[::-1] for sums in _one_sided(y[::-1], decay))
    level, slope = _solution(count, decay)
    return np.asarray(values[0] + level * (before + after - y) + slope * (after_at - before_at))


def _one_sided(y: Floats, decay: float) -> tuple[Floats, Floats]:
    """Sums of `decay^k * y_(i-k)`, and of the same times k, over k from 0 to i."""
    sums = recur(y, decay)
    shifted = np.zeros_like(sums)
    shifted[1:] = decay * sums[:-1]
    return sums, recur(shifted, decay)


@lru_cache(maxsize=4)
def _solution(count: int, decay: float) -> tuple[Floats, Floats]:
    """What the sums of values, and of values times distance, add to the fit at each of them."""
    many = min(count, math.ceil(_NEGLIGIBLE / (1 - decay)))
    k = np.arange(many, dtype=np.float64)
    left = np.empty((3, count))  # sums of decay^k, times 1, k and k^2, over k from 0 to i
    left[:, :many] = np.cumsum(decay**k * np.stack((np.ones(many), k, k**2)), axis=1)
    left[:, many:] = left[:, many - 1 : many]
    right = left[:, ::-1]
    weights = left[0] + right[0] - 1
    distances, squares = right[1] - left[1], right[2] + left[2]
    spread = squares * weights - distances**2
    return squares / spread, -distances / spread
