"""Estimates the noise of a curve from its differences, so that a trend does not count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.settings.config import SMOOTHING

_MAD_TO_SD = 1.4826
"""Standard deviation of a normal variable per median absolute deviation."""

_SAMPLE_SIZE = 1 << 16
"""Differences to sample for a median: its standard error is then 0.005 of a deviation."""
_STRETCHES = 64
"""Runs of neighbours that make up the sample, so that patterns of a few steps keep their weight."""
_WINDOW = 14
"""Steps in a window, in a sweep of 70 steps or more; a fifth of a shorter one, at least 10."""
_SHORTEST_WINDOW = 10
_OVERLAP = 4
"""Windows that a step is in."""
_MOST_WINDOWS = 400
_MOST_EVIDENCE = 2.0
"""That of a single window, so that a bend in the trend does not decide."""
_MOST_SMOOTHED = 0.5
"""Losses smoothed with a larger weight count as raw: little noise is hidden."""
_RAW_ABOVE = -0.1
"""The mean evidence at which both errors are equally rare."""


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


def share_of_new(curves: Sequence[Floats]) -> float:
    """How much of each value is new: 1 for raw losses, about `a` for losses smoothed with `a`.

    Judged by the values alone. Raw losses are a trend plus independent noise. If they were
    smoothed exponentially, the noise of neighbours is shared: an AR(1) process with coefficient
    1 - a. Both are fitted to overlapping windows of each curve, beside a straight line, by
    restricted maximum likelihood (H. D. Patterson and R. Thompson, Biometrika 58 (1971)), which
    does not depend on the size of the noise. A window where a trend without noise, an integrated
    random walk, fits better than either says nothing, so a curve without visible noise counts as
    raw. The mean over windows decides.

    The weight `a` is taken to be the usual 0.05, or the smallest that can be: a smoothed loss that
    was never negative falls by a share `a` in a step at most.

    Of raw and of smoothed curves of 100 steps, about 1 % each are taken for the other.

    Args:
        curves: each of shape (n,), finite.
    """
    new = max([SMOOTHING, *map(_steepest_fall, curves)])
    if new > _MOST_SMOOTHED:
        return 1.0
    found = [_evidence_for_raw(curve, new) for curve in curves]
    evidence = np.concatenate(found) if found else np.zeros(0)
    return new if len(evidence) and float(evidence.mean()) < _RAW_ABOVE else 1.0


def _steepest_fall(values: Floats) -> float:
    """The largest share of a loss that a single step takes away; 0 if any loss is negative."""
    before = values[:-1] > 0
    if not before.any() or values.min() < 0:
        return 0.0
    with np.errstate(over="ignore"):
        return 1 - float((values[1:][before] / values[:-1][before]).min())


def _evidence_for_raw(values: Floats, new: float) -> Floats:
    """How much likelier windows are raw than smoothed with `new`: logarithms, clipped."""
    size = min(max(len(values) // 5, _SHORTEST_WINDOW), _WINDOW)
    if len(values) < 2 * size:
        return np.zeros(0)
    count = min(_MOST_WINDOWS, _OVERLAP * len(values) // size)
    starts = np.unique(np.linspace(0, len(values) - size, count).astype(np.int64))
    windows = np.stack([values[start : start + size] for start in starts])
    with np.errstate(all="ignore"):  # windows without any noise
        windows = windows / np.abs(windows).max(axis=1, keepdims=True)
        raw, smoothed, trend = (
            _log_likelihoods(windows, covariance) for covariance in _covariances(size, new)
        )
        evidence = raw - smoothed
        known = np.isfinite(evidence) & (np.maximum(raw, smoothed) > trend)
    return np.clip(evidence[known], -_MOST_EVIDENCE, _MOST_EVIDENCE)


def _covariances(size: int, new: float) -> tuple[Floats, Floats, Floats]:
    """Those of independent noise, of AR(1) noise, and of an integrated random walk."""
    at = np.arange(size)
    sums = np.tril(np.ones((size, size)))
    walk = sums @ sums
    return np.eye(size), (1 - new) ** np.abs(at[:, None] - at), walk @ walk.T


def _log_likelihoods(windows: Floats, covariance: Floats) -> Floats:
    """Restricted log likelihoods up to a constant, for the best size of the noise; shape (m,)."""
    size = len(covariance)
    line = np.vander(np.linspace(-1, 1, size), 2)
    rest = np.linalg.qr(line, mode="complete")[0][:, 2:]
    left = windows @ rest
    shared = rest.T @ covariance @ rest
    power = np.einsum("ij,jk,ik->i", left, np.linalg.inv(shared), left)
    return np.asarray(-(np.linalg.slogdet(shared)[1] + left.shape[1] * np.log(power)) / 2)


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
