"""Writes the rates of a grid as CSV: one row for each optimizer and rate."""

from __future__ import annotations

from collections.abc import Iterator

from clr_tui.engine.analysis.comparison.sensitivity_results import Sensitivity
from clr_tui.engine.analysis.recordings.csv_cells import Cell, to_csv

HEADER = ("optimizer", "lr", "state", "seeds", "lost", "mean", "low", "high")


def rates_csv(found: Sensitivity) -> str:
    """Writes the final metric (shares 0 to 1) at each rate: mean, interval, and a column by seed.

    `seeds` is the number of trials planned, `lost` of those that diverged or failed; a rate with
    one has no mean. Seeds without a result are empty.
    """
    points = [point for one in found.optimizers for point in one.points]
    seeds = sorted({seed for point in points for seed in point.values})
    return to_csv((*HEADER, *(f"seed {seed}" for seed in seeds)), _rows(found, seeds))


def _rows(found: Sensitivity, seeds: list[int]) -> Iterator[tuple[Cell, ...]]:
    for one in found.optimizers:
        for p in one.points:
            figures = (p.lr, p.state, p.seeds, p.lost, p.mean, p.low, p.high)
            yield one.label, *figures, *map(p.values.get, seeds)
