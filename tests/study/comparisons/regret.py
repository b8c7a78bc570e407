"""How far "points lost against the best rate" is from the truth, as the report of a grid says it.

The best rate is picked from the trainings that also measure it, which flatters it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import helpers_path  # noqa: F401 (before made_grids)
import numpy as np
from made_grids import grid_history
from populations import Floats

from clr_tui.engine.analysis.comparison.sensitivity import sensitivity_of
from clr_tui.engine.analysis.comparison.sensitivity_results import AdviceCost, Sensitivity
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import parse_grid

GRID = "grid:1e-3..1e-1x7"
"""Only the order of the rates matters here."""
RATES = parse_grid(GRID).rates


@dataclass(frozen=True)
class Regret:
    """What was said in many runs of a rule that always advises the same rate."""

    true: float
    """By how much the rate is worse than the best, over all seeds."""
    said: float
    """Mean of `lost`."""
    crossed: float
    """Mean of the loss by seed against the rate that is best on the other seeds: `lost` less
    `flattered`. Expected to be too low, since what is best on fewer seeds may not be the best."""
    called_best: float
    """The share of runs in which the rate came out best."""
    covered: float
    """Intervals that contain `true`, of the runs in which there is one."""
    told: float
    """The share of runs that call the loss distinguishable."""
    told_alone: float
    """The same if the best rate had been known before: 0 lies outside the interval."""


def regrets(known: Floats, seeds: int, runs: int, rng: np.random.Generator) -> list[Regret]:
    """By rate: draws seeds with replacement and reads what the report says of each rate.

    Args:
        known: values of shape (rates, all seeds), whose means are the truth.
    """
    truth = known.mean(axis=1).max() - known.mean(axis=1)
    counts: list[dict[str, float]] = [defaultdict(float) for _ in RATES]
    for _ in range(runs):
        values = resampled(known, seeds, rng)
        costs, flattered = told(values)
        for count, cost, true in zip(counts, costs, truth, strict=True):
            _count(count, cost, flattered, float(true))
    return [
        Regret(
            true=float(true),
            said=count["lost"] / runs,
            crossed=count["crossed"] / runs,
            called_best=count["best"] / runs,
            covered=count["covered"] / max(count["intervals"], 1),
            told=count["told"] / runs,
            told_alone=count["told alone"] / runs,
        )
        for true, count in zip(truth, counts, strict=True)
    ]


def resampled(known: Floats, seeds: int, rng: np.random.Generator) -> Floats:
    """Values of seeds drawn with replacement, shape (rates, seeds)."""
    values: Floats = known[:, rng.integers(known.shape[1], size=seeds)]
    return values


def curved(by: float, seeds: int, rng: np.random.Generator) -> Floats:
    """Normal values; means fall by `by` times the square of the steps from the middle rate."""
    means = 0.95 - by * (np.arange(len(RATES)) - len(RATES) // 2) ** 2
    values: Floats = means[:, None] + 0.008 * rng.normal(size=(len(RATES), seeds))
    return values


def forgiving(
    first: Callable[[], Floats], second: Callable[[], Floats], runs: int
) -> tuple[float, float]:
    """How often the first, and the second, of two optimizers is said to forgive most.

    Args:
        first: draws its values, shape (rates, seeds); `second` those of the other.
    """
    said = [sensitivity_to_rates({"adam": first(), "sgd": second()}).forgiving for _ in range(runs)]
    return said.count("adam") / runs, said.count("sgd") / runs


def told(values: Floats) -> tuple[list[AdviceCost], float]:
    """What the report says of a rule for each rate, in their order, and of the best one's luck."""
    advice = {f"rate {at}": lr for at, lr in enumerate(RATES)}
    [adam] = parse_entries("adam")
    found = sensitivity_to_rates({"adam": values}, advice=advice, swept=adam.optimizer)
    [one] = found.optimizers
    costs = {cost.rule: cost for cost in one.costs}
    if one.flattered is None:
        raise ValueError("one seed or rate says nothing of luck")
    return [costs[rule] for rule in advice], one.flattered


def sensitivity_to_rates(values: Mapping[str, Floats], **settings: Any) -> Sensitivity:
    """What the report of a grid says of optimizers with these values, shape (rates, seeds)."""
    ends = {
        name: [list(map(float, of_rate)) for of_rate in known] for name, known in values.items()
    }
    found = sensitivity_of(grid_history(ends, GRID, **settings))
    if found is None:
        raise ValueError("the history shows no grid")
    return found


def _count(count: dict[str, float], cost: AdviceCost, flattered: float, true: float) -> None:
    if cost.lost is None:
        raise ValueError(cost.words)
    count["lost"] += cost.lost
    count["crossed"] += cost.lost - flattered
    count["told"] += bool(cost.distinguishable)
    if cost.half_width is None:
        count["best"] += cost.lost == 0
        return
    count["intervals"] += 1
    count["covered"] += abs(cost.lost - true) <= cost.half_width
    count["told alone"] += cost.lost > cost.half_width
