"""The intervals that a bootstrap would give in place of Student's, and how often they are right."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from populations import Floats
from scipy import stats

from clr_tui.engine.analysis.statistics import t_interval

Method = Literal["t", "percentile", "BCa", "studentized"]
METHODS: tuple[Method, ...] = ("t", "percentile", "BCa", "studentized")
"""`t` is the program's own."""
RESAMPLES = 999
_TINY = 1e-12


def coverage(
    samples: Floats, mean: float, method: Method, rng: np.random.Generator
) -> tuple[float | None, float]:
    """The share of 95% intervals that contain `mean`, and of samples that have an interval.

    The first is None if no sample has one.

    Args:
        samples: of shape (runs, seeds).
    """
    if method == "t":
        low, high = _students(samples)
    elif method == "studentized":
        low, high = _studentized(samples, rng)
    else:
        low, high = _scipys(samples, method, rng)
    exists = np.isfinite(low) & np.isfinite(high) & (np.ptp(samples, axis=1) > 0)
    if not exists.any():
        return None, 0.0
    right = (low <= mean) & (mean <= high)
    return round(float(right[exists].mean()), 4), round(float(exists.mean()), 4)


def _students(samples: Floats) -> tuple[Floats, Floats]:
    found = [t_interval(values.tolist()) for values in samples]
    means = np.array([one.mean for one in found], np.float64)
    halves = np.array([one.half_width for one in found], np.float64)  # None becomes NaN
    return means - halves, means + halves


def _scipys(
    samples: Floats, method: Literal["percentile", "BCa"], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    with warnings.catch_warnings():  # scipy warns of samples without spread
        warnings.simplefilter("ignore")
        found = stats.bootstrap(
            (samples,), np.mean, axis=1, method=method, n_resamples=RESAMPLES, rng=rng
        )
    return found.confidence_interval.low, found.confidence_interval.high


def _studentized(samples: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The bootstrap-t (Efron and Tibshirani 1993, section 12.5).

    A resample of one value only has no standard error: its t is infinite, and so is the interval
    if more than 2.5% of resamples are such.
    """
    runs, seeds = samples.shape
    mean = samples.mean(axis=1)
    error = samples.std(axis=1, ddof=1) / np.sqrt(seeds)
    low, high = np.empty(runs), np.empty(runs)
    for i, values in enumerate(samples):
        drawn = values[rng.integers(seeds, size=(RESAMPLES, seeds))]
        errors = drawn.std(axis=1, ddof=1) / np.sqrt(seeds)
        with np.errstate(all="ignore"):  # without any spread, 0/0 sorts last, as inf does
            t = np.sort((drawn.mean(axis=1) - mean[i]) / np.where(errors > _TINY, errors, 0.0))
        # Places of the quantiles 0.025 and 0.975 among 999 resamples.
        low[i] = mean[i] - t[974] * error[i]
        high[i] = mean[i] - t[24] * error[i]
    return low, high
