"""Paired t-tests whose variance is shared between the pairs: what the report does not use, and why.

- `own`: each pair's own variance, as in the report.
- `moderated`: drawn towards a common one, with its degrees of freedom (G. K. Smyth, "Linear Models
  and Empirical Bayes Methods for Assessing Differential Expression", Statistical Applications in
  Genetics and Molecular Biology 3 (2004), section 6.2).
- `pooled`: one variance for all, the residual of optimizers and seeds (two-way analysis of
  variance).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
from populations import ENTRIES, SPREAD, Floats, Population
from scipy import special

from clr_tui.engine.analysis.statistics import ALPHA, holm

_A, _B = np.array(list(combinations(range(ENTRIES), 2))).T
"""The two entries of each pair."""


def _own(values: Floats) -> Floats:
    apart = values[_A] - values[_B]
    seeds = values.shape[1]
    t = apart.mean(axis=1) / (apart.std(axis=1, ddof=1) / np.sqrt(seeds))
    return _p(t, seeds - 1)


def _pooled(values: Floats) -> Floats:
    seeds = values.shape[1]
    rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + values.mean()
    df = (ENTRIES - 1) * (seeds - 1)
    means = values.mean(axis=1)
    return _p((means[_A] - means[_B]) / np.sqrt(2 * (rest**2).sum() / df / seeds), df)


def _moderated(values: Floats) -> Floats:
    apart = values[_A] - values[_B]
    seeds = values.shape[1]
    df, variances = seeds - 1, apart.var(axis=1, ddof=1)
    logs = np.log(variances) - special.digamma(df / 2) + np.log(df / 2)
    excess = float(logs.var(ddof=1) - special.polygamma(1, df / 2))
    most = float((ENTRIES - 2) * df)  # no more than the other pairs can add
    prior = min(2 * _inverse_trigamma(excess), most) if excess > 0 else most
    common = np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2))
    shared = (prior * common + df * variances) / (prior + df)
    return _p(apart.mean(axis=1) / np.sqrt(shared / seeds), prior + df)


def _inverse_trigamma(value: float) -> float:
    """By Newton's method (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = special.polygamma(1, x)
        x += trigamma * (1 - trigamma / value) / special.polygamma(2, x)
    return float(x)


def _p(t: Floats, df: float) -> Floats:
    p: Floats = 2 * special.stdtr(df, -np.abs(t))
    return p


METHODS: dict[str, Callable[[Floats], Floats]] = {
    "own": _own,
    "moderated": _moderated,
    "pooled": _pooled,
}


def told_apart(
    population: Population, seeds: int, runs: int, rng: np.random.Generator, ahead: float = 0.0
) -> dict[str, float]:
    """By method: runs in which any pair is told apart, after Holm's correction.

    With `ahead`, entry 0 is better than all others by so many standard deviations of a paired
    difference, and the share of the five true differences that are told is returned.
    """
    found = dict.fromkeys(METHODS, 0.0)
    true = (_A == 0) if ahead else np.ones(len(_A), np.bool_)
    for values in population.draw(rng, runs, seeds):
        values[0] += ahead * np.sqrt(2) * SPREAD
        for name, p_values in METHODS.items():
            adjusted = np.array(holm(p_values(values).tolist()), np.float64)
            told = adjusted[true] < ALPHA
            found[name] += told.mean() if ahead else told.any()
    return {name: count / runs for name, count in found.items()}
