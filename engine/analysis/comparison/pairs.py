"""Tests which entries of a comparison are distinguishable, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from clr_tui.engine.analysis.statistics import ALPHA, TTest, holm, paired, welch
from clr_tui.engine.metrics import Metric

MIN_CONSTANT = 3
"""Accuracies are multiples of one sample, so two seeds sometimes agree by chance: constant samples
count as different only if each has at least this many values."""

Sample = tuple[str, Mapping[int, float | None]]
"""An entry's label and its values by seed."""


@dataclass(frozen=True)
class Pair(TTest):
    """Two entries compared on the report's measure by a t-test of this pair alone."""

    a: str
    b: str
    paired: bool
    """Whether this is a paired t-test over common seeds; else Welch's."""
    p_adjusted: float | None
    """Adjusted by Holm's procedure over all pairs with a p."""
    distinguishable: bool
    """p_adjusted < 0.05, or both samples constant over three seeds or more and different (see
    `note`)."""
    better: str | None
    """The label of the distinguishably better entry, if any."""


def compare_pairs(samples: Sequence[Sample], *, metric: Metric, paired_seeds: bool) -> list[Pair]:
    """Compares all pairs of entries in the given order; the values belong to `metric`."""
    both = list(combinations(samples, 2))
    tests = [_test(a, b, paired_seeds) for a, b in both]
    adjusted = holm([t.p for t in tests])
    pairs = []
    for ((a, _), (b, _)), t, p in zip(both, tests, adjusted, strict=True):
        differ = p < ALPHA if p is not None else t.constant and t.n >= MIN_CONSTANT
        ahead = a if metric.sign * (t.difference or 0.0) > 0 else b
        pairs.append(
            Pair(
                a=a,
                b=b,
                paired=paired_seeds,
                **vars(t),
                p_adjusted=p,
                distinguishable=differ,
                better=ahead if differ else None,
            )
        )
    return pairs


def _test(a: Sample, b: Sample, paired_seeds: bool) -> TTest:
    if not paired_seeds:
        return welch(list(a[1].values()), list(b[1].values()))
    seeds = [seed for seed in a[1] if seed in b[1]]
    return paired([a[1][seed] for seed in seeds], [b[1][seed] for seed in seeds])
