"""Statistics of a few seeds: Student's t interval and tests, and Holm's correction.

Values that are None or not finite are left out.

Sources: Student, "The Probable Error of a Mean", Biometrika 6 (1908); F. E. Satterthwaite, "An
Approximate Distribution of Estimates of Variance Components", Biometrics Bulletin 2 (1946); B. L.
Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances are
Involved", Biometrika 34 (1947); S. Holm, "A Simple Sequentially Rejective Multiple Test
Procedure", Scandinavian Journal of Statistics 6 (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, Ints, finite_or_none
from clr_tui.engine.analysis.student_t import quantile, two_sided_p

Values = Sequence[float | None]

ALPHA = 0.05
"""Intervals cover 1 - ALPHA; differences with a smaller p count."""
_ROUNDING = 1e-12
"""Values with a smaller relative difference differ by rounding only."""


@dataclass(frozen=True)
class Interval:
    """The mean of a sample and its 95% interval."""

    n: int
    mean: float | None
    sd: float | None
    """Sample standard deviation (n - 1); None for fewer than two values."""
    half_width: float | None
    """None if `note` says why."""
    note: str


@dataclass(frozen=True)
class TTest:
    """A two-sided t-test of a difference between means."""

    n: int
    """The number of pairs; in Welch's test, the size of the smaller sample."""
    difference: float | None
    """Mean of a minus mean of b; None if a sample is empty."""
    half_width: float | None
    """Half the width of its 95% interval."""
    t: float | None
    df: float | None
    p: float | None
    constant: bool
    """Each sample is constant and they differ: they show no randomness, and there is no t."""
    note: str
    """Why there is no t, if there is none."""


def t_interval(values: Values) -> Interval:
    """The mean, with the interval `mean ± t(0.975, n - 1) * sd / sqrt(n)` (Student 1908).

    One value has no interval, nor do identical ones: they say nothing about randomness.
    """
    x = _present(values)
    n = len(x)
    if n == 0:
        return Interval(0, None, None, None, "no value")
    if n == 1:
        return Interval(1, float(x[0]), None, None, "one seed only: no interval")
    if _constant(x):
        return Interval(n, float(x[0]), 0.0, None, f"identical over {n} seeds: no interval")
    with np.errstate(all="ignore"):
        mean, sd = float(x.mean()), float(x.std(ddof=1))
        half = sd * float(interval_factor(np.array([n]))[0])
    return Interval(n, finite_or_none(mean), finite_or_none(sd), finite_or_none(half), "")


def interval_factor(n: Ints, tests: int = 1) -> Floats:
    """Half the width of the 95% interval of a mean of `n` values, in units of their sd.

    t(0.975, n - 1) / sqrt(n): 9.0 for two values, 2.5 for three, 1.2 for five; NaN below two.
    Corrected for several `tests`, t(1 - 0.025 / tests, n - 1) / sqrt(n): the least ratio of mean
    to sd of which Holm's procedure makes a difference if it makes one of any.
    """
    many, place = np.unique(np.maximum(n, 2), return_inverse=True)
    t = np.array([quantile(1 - ALPHA / 2 / tests, float(one - 1)) for one in many])
    factor = (t / np.sqrt(many))[place].reshape(np.shape(n))
    return np.where(n >= 2, factor, np.nan)


def pooled_half_width(samples: Sequence[Values], n: int) -> float | None:
    """Half the width of the 95% interval of a mean of `n` values with the samples' common spread.

    Its variance is pooled as in a one-way analysis of variance (R. A. Fisher, Statistical Methods
    for Research Workers (1925), chapter 7): `s^2 = sum of (n_i - 1) * s_i^2 / df` with `df = sum of
    (n_i - 1)`, and half the width is `t(0.975, df) * s / sqrt(n)`. Few values of each sample say
    little of their spread, but all of them together say more.

    None if no sample has two values.
    """
    known = [x for x in map(_present, samples) if len(x) > 1]
    df = sum(len(x) - 1 for x in known)
    if not df:
        return None
    with np.errstate(all="ignore"):
        squares = sum(float(((x - x.mean()) ** 2).sum()) for x in known)
        half = quantile(1 - ALPHA / 2, df) * math.sqrt(squares / df / n)
    return finite_or_none(half)


def paired(a: Values, b: Values) -> TTest:
    """Student's t-test of the differences `a[i] - b[i]` (Student 1908), df = n - 1.

    Both have a value per seed, in the same order; pairs with a missing value are left out.
    """
    pairs = np.array([a, b], np.float64).T  # None becomes NaN
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    n = len(pairs)
    if n == 0:
        return _no_test(0, None, False, "no seeds in common")
    with np.errstate(all="ignore"):
        moves = pairs[:, 0] - pairs[:, 1]
        error = float(moves.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    scale = float(np.abs(pairs).max())
    if n == 1 or float(np.ptp(moves)) <= _ROUNDING * scale:
        constant = _constant(pairs[:, 0]) and _constant(pairs[:, 1])
        return _no_chance_shown(n, float(moves[0]), scale, constant=constant)
    return _t_test(n, float(moves.mean()), error, float(n - 1))


def welch(a: Values, b: Values) -> TTest:
    """Welch's t-test of two independent samples, whose spreads may differ (Welch 1947).

    `t = (mean a - mean b) / sqrt(va + vb)` with `v = variance / n`, and the degrees of freedom of
    Welch and Satterthwaite (1946): `(va + vb)^2 / (va^2 / (na - 1) + vb^2 / (nb - 1))`.
    """
    x, y = _present(a), _present(b)
    n = min(len(x), len(y))
    if n == 0:
        return _no_test(0, None, False, "no value")
    with np.errstate(all="ignore"):
        constant = _constant(x) and _constant(y)
        difference = float(x.mean() - y.mean())
        if n == 1 or constant:
            scale = float(max(np.abs(x).max(), np.abs(y).max()))
            return _no_chance_shown(n, difference, scale, constant=constant)
        va, vb = (0.0 if _constant(s) else float(s.var(ddof=1)) / len(s) for s in (x, y))
        share = va / (va + vb) if va + vb else math.nan
        # Not the formula above: its squares underflow earlier.
        df = 1 / (share**2 / (len(x) - 1) + (1 - share) ** 2 / (len(y) - 1))
    return _t_test(n, difference, math.sqrt(va + vb), df)


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Adjusts p values for their number by Holm's step-down procedure (Holm 1979).

    The i-th smallest of m values (from 0) is multiplied by m - i; results never decrease with p
    and are at most 1. The chance that any true null hypothesis is rejected stays below the level
    that adjusted values are compared with, whatever the dependence between them. None is not
    counted and stays None.
    """
    ranked = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    least = 0.0
    for rank, (p, i) in enumerate(ranked):
        least = max(least, min(1.0, (len(ranked) - rank) * p))
        adjusted[i] = least
    return adjusted


def _t_test(n: int, difference: float, error: float, df: float) -> TTest:
    t = difference / error if error > 0 else math.nan
    if not (math.isfinite(t) and math.isfinite(df)):
        return _no_test(n, difference, False, "values too large or too small to test")
    half = quantile(1 - ALPHA / 2, df) * error
    p = two_sided_p(t, df)
    return TTest(n, difference, finite_or_none(half), t, df, p, False, "")


def _no_chance_shown(n: int, difference: float, scale: float, *, constant: bool) -> TTest:
    """One seed, or differences without any randomness; `scale` is that of the values."""
    if n == 1:
        return _no_test(1, difference, False, "one seed only: no test")
    if not abs(difference) > _ROUNDING * scale:
        return _no_test(n, 0.0, False, "identical values: no difference to test")
    if constant:
        note = "each is identical over its seeds, so no t-test is possible"
    else:
        note = "the difference is the same at every seed, so no t-test is possible"
    return _no_test(n, difference, constant, note)


def _no_test(n: int, difference: float | None, constant: bool, note: str) -> TTest:
    return TTest(n, finite_or_none(difference), None, None, None, None, constant, note)


def _constant(x: Floats) -> bool:
    return float(np.ptp(x)) <= _ROUNDING * float(np.abs(x).max())


def _present(values: Values) -> Floats:
    x = np.array(values, np.float64)  # None becomes NaN
    return x[np.isfinite(x)]
