"""Student's t distribution, without scipy: a computer that only reads logs need not have it.

Sources: Student, "The Probable Error of a Mean", Biometrika 6 (1908); the distribution function by
the continued fraction of the incomplete beta function, W. H. Press et al., Numerical Recipes (3rd
edition, 2007), section 6.4. Tests compare both functions with scipy's.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_HUGE = 1e300
_LARGE = 1e3
_PRECISION = 1e-16
_TOLERANCE = 1e-14
_MAX_TERMS = 100_000
"""About the square root of the degrees of freedom is enough."""


def two_sided_p(t: float, df: float) -> float:
    """The chance of a value at least as far from 0 as `t`.

    Args:
        t: finite.
        df: degrees of freedom, above 0 and finite; need not be whole.
    """
    ratio = min(t * t / df, _HUGE)
    if ratio == 0:
        return 1.0
    # x^a * (1 - x)^b / B(a, b), of x = df / (df + t^2), a = df / 2 and b = 1/2.
    log_front = _log_gamma_ratio(df / 2) - math.log(math.pi) / 2
    log_front += math.log(ratio) / 2 - (df + 1) / 2 * math.log1p(ratio)
    x, a, b = 1 / (1 + ratio), df / 2, 0.5
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _continued_fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _continued_fraction(ratio / (1 + ratio), b, a) / b


@lru_cache(maxsize=4096)
def quantile(p: float, df: float) -> float:
    """The value that is exceeded with chance `1 - p`.

    Args:
        p: from 0.5 to 1, without 1.
        df: degrees of freedom, above 0 and finite.
    """
    chance = 2 * (1 - p)
    low, high = 0.0, NormalDist().inv_cdf(p)
    while two_sided_p(high, df) > chance:
        low, high = high, 2 * high + 1
    t = high
    for _ in range(200):
        surplus = two_sided_p(t, df) - chance
        low, high = (t, high) if surplus > 0 else (low, t)
        step = t + surplus / max(2 * _density(t, df), _TINY)  # Newton's
        better = step if low < step < high else (low + high) / 2
        if abs(better - t) <= _TOLERANCE * t:
            break
        t = better
    return t


def _density(t: float, df: float) -> float:
    factor = _log_gamma_ratio(df / 2) - math.log(df * math.pi) / 2
    return math.exp(factor - (df + 1) / 2 * math.log1p(t * t / df))


def _log_gamma_ratio(a: float) -> float:
    """The logarithm of gamma(a + 1/2) / gamma(a): both are huge where `a` is large."""
    if a < _LARGE:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    return math.log(a) / 2 - 1 / (8 * a) + 1 / (192 * a**3)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """By Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _not_zero(1 + even * d), _not_zero(1 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _not_zero(1 + odd * d), _not_zero(1 + odd / c)
        value *= d * c
        if abs(d * c - 1) <= _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
