"""Measures how often the report of a comparison is right about made values.

Every figure comes from the report of a history made of events, as for a run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import helpers_path  # noqa: F401 (before made_comparisons)
import numpy as np
from made_comparisons import with_tests
from populations import ENTRIES, MEAN, SPREAD, Floats, Population

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.statistics import ALPHA


def report_on(values: Floats, *, paired: bool = True, images: int | None = None) -> CompareReport:
    """The report of a comparison that ended with these values, shape (entries, seeds).

    Entries are labelled by their number; NaN is a trial that failed.
    """
    told = {
        str(entry): [None if np.isnan(value) else float(value) for value in of_entry]
        for entry, of_entry in enumerate(values)
    }
    return compare_report(with_tests(told, images=images, paired=paired))


@dataclass(frozen=True)
class Rates:
    """What the reports of many comparisons of ENTRIES entries said; shares of `of` each."""

    runs: int
    covered: float
    """Intervals of entries that contain the entry's mean, of those that exist."""
    without_interval: float
    """Entries without an interval, for too few or identical values."""
    leader_covered: float
    """The same as `covered` for the entry that led."""
    pairs_covered: float
    """Intervals of differences that contain the difference of the means."""
    false_pairs: float
    """Pairs of equal means whose own p is below 0.05."""
    false_runs: float
    """Runs that tell any pair of equal means apart, after Holm's correction."""
    false_without_t: float
    """Runs that do so for samples without spread, by no test."""


def rates_of(
    population: Population, seeds: int, runs: int, rng: np.random.Generator, *, paired: bool = True
) -> Rates:
    """Reports on `runs` comparisons drawn from a population of equal means."""
    if np.ptp(population.means) > 0:
        raise ValueError(f"{population.name}: the means differ, so that a difference is not false")
    count: Counter[str] = Counter()
    mean = float(population.means[0])
    for values in population.draw(rng, runs, seeds):
        report = report_on(values, paired=paired, images=population.images)
        for entry in report.entries:
            half = entry.result.half_width
            if half is None or entry.result.mean is None:
                count["without"] += 1
                continue
            covers = abs(entry.result.mean - mean) <= half
            count["intervals"] += 1
            count["covered"] += covers
            if entry is report.entries[0]:
                count["leaders"] += 1
                count["leader covered"] += covers
        for pair in report.pairs:
            if pair.p is not None and pair.half_width is not None and pair.difference is not None:
                count["tests"] += 1
                count["pairs covered"] += abs(pair.difference) <= pair.half_width
                count["false"] += pair.p < ALPHA
        apart = [pair for pair in report.pairs if pair.distinguishable]
        count["false runs"] += bool(apart)
        count["without t"] += any(pair.p is None for pair in apart)
    return Rates(
        runs,
        covered=_share(count["covered"], count["intervals"]),
        without_interval=_share(count["without"], runs * ENTRIES),
        leader_covered=_share(count["leader covered"], count["leaders"]),
        pairs_covered=_share(count["pairs covered"], count["tests"]),
        false_pairs=_share(count["false"], count["tests"]),
        false_runs=_share(count["false runs"], runs),
        false_without_t=_share(count["without t"], runs),
    )


def power(entries: int, apart: float, seeds: int, runs: int, rng: np.random.Generator) -> float:
    """The share of pairs told apart in which one of `entries` is better than all others.

    Args:
        apart: by how much it is better, in standard deviations of a paired difference.
    """
    told = 0
    for _ in range(runs):
        common = rng.normal(size=(1, seeds))
        values = MEAN + SPREAD * np.sqrt(0.5) * (common + rng.normal(size=(entries, seeds)))
        values[0] += apart * SPREAD
        told += sum(pair.better == "0" for pair in report_on(values).pairs)
    return told / (runs * (entries - 1))


def pairs_told(known: Floats, seeds: int, runs: int, rng: np.random.Generator) -> Floats:
    """How often entry a is told to be better than b, in draws of `seeds` seeds.

    Args:
        known: values of shape (entries, all seeds).

    Returns:
        the shares at [a, b], shape (entries, entries).
    """
    found = np.zeros((len(known), len(known)))
    for _ in range(runs):
        chosen = rng.integers(known.shape[1], size=seeds)
        for pair in report_on(known[:, chosen]).pairs:
            if pair.better is not None:
                worse = pair.b if pair.better == pair.a else pair.a
                found[int(pair.better), int(worse)] += 1
    return found / runs


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
