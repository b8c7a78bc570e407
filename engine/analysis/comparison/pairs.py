"""Tests which entries of a comparison are distinguishable, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from clr_tui.engine.analysis.statistics import ALPHA, TTest, holm, paired, welch
from clr_tui.engine.log.events import TaskReady
from clr_tui.engine.metrics import Metric

MIN_CONSTANT = 3
"""Accuracies are multiples of one sample, so seeds sometimes agree by chance. Samples without any
spread count as different only if each has at least this many values ..."""
MIN_APART = 3
"""... and they are this many steps apart. Where six entries are equal and their spread is smaller
than a step, one step would tell some apart in up to 47% of comparisons, three in 0.1%."""
_UNKNOWN_COUNT = 30
"""Samples in a part of unknown size, such as that of imported curves; too few rather than many."""

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
    """p_adjusted < 0.05, or both samples constant and apart (see `constant_and_apart`, `note`)."""
    better: str | None
    """The label of the distinguishably better entry, if any."""


def compare_pairs(
    samples: Sequence[Sample], *, metric: Metric, paired_seeds: bool, step: float
) -> list[Pair]:
    """Compares all pairs of entries in the given order; the values belong to `metric`.

    `step` is that of the values: see `step_of`.
    """
    both = list(combinations(samples, 2))
    tests = [_test(a, b, paired_seeds) for a, b in both]
    adjusted = holm([t.p for t in tests])
    pairs = []
    for ((a, _), (b, _)), t, p in zip(both, tests, adjusted, strict=True):
        differ = p < ALPHA if p is not None else constant_and_apart(t, step)
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


def step_of(metric: Metric, task: TaskReady | None, *, tested: bool) -> float:
    """The step between possible values: one sample of a share, 0 for any other metric.

    `tested` is whether the test part was measured, rather than validation.
    """
    if metric.unit != "share":
        return 0.0
    count = 0 if task is None else task.test if tested else task.validation
    return 1 / (count or _UNKNOWN_COUNT)


def constant_and_apart(test: TTest, step: float) -> bool:
    """Whether two samples without spread, which have no t, are different all the same."""
    apart = abs(test.difference or 0.0)
    enough = apart > (MIN_APART - 0.5) * step  # half a step, since values are rounded
    return test.constant and test.n >= MIN_CONSTANT and enough


def _test(a: Sample, b: Sample, paired_seeds: bool) -> TTest:
    if not paired_seeds:
        return welch(list(a[1].values()), list(b[1].values()))
    seeds = [seed for seed in a[1] if seed in b[1]]
    return paired([a[1][seed] for seed in seeds], [b[1][seed] for seed in seeds])
