"""Measures the statistics of comparisons and writes docs/statistics.md's tables.

    python statistics_study.py [PART]...    # all parts: some 5 minutes of one core

Results are kept in results.json by part, so that a part can be measured anew alone. A measure
yields all that it has so far, so that little is lost if it is interrupted.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from bootstraps import METHODS, coverage
from habits import epochs_to_target, told_by_looking
from measured import pairs_told, power, rates_of
from plateaus import plateaus
from pooled import told_apart
from populations import (
    GRID,
    SIX,
    DigitsSeeds,
    Population,
    digits_populations,
    made_populations,
)
from regret import curved, forgiving, regrets, resampled
from statistics_page import write_page

RESULTS = Path(__file__).with_name("results.json")
SEEDS = (3, 5, 10)
RUNS = 1000
RATES_RUNS = 400
NORMAL, WILD = "normal, correlation 0", "normal, one spread of 10"
UNPAIRED = (NORMAL, "normal, spreads 0.3 to 4", WILD)


def all_populations() -> list[Population]:
    alone = ("adam(lr=0.00215)", "rmsprop", "sgd+clr(lr=0.3)")
    return [*made_populations(), *digits_populations(DigitsSeeds.read(), SIX, alone=alone)]


def measure_rates() -> Iterator[dict[str, Any]]:
    """Coverage and false differences of all populations, by name and number of seeds."""
    return _by_name(all_populations(), paired=True)


def measure_unpaired() -> Iterator[dict[str, Any]]:
    """The same by Welch's test, as for imported curves."""
    return _by_name([p for p in made_populations() if p.name in UNPAIRED], paired=False)


def _by_name(populations: Sequence[Population], *, paired: bool) -> Iterator[dict[str, Any]]:
    """All that is measured so far, after each number of seeds."""
    found: dict[str, dict[str, Any]] = {population.name: {} for population in populations}
    for seeds in SEEDS:
        for population in populations:
            if seeds <= population.most_seeds:
                rates = rates_of(population, seeds, RATES_RUNS, _rng(seeds), paired=paired)
                found[population.name][str(seeds)] = _rounded(dataclasses.asdict(rates))
        yield found


def measure_power() -> Iterator[dict[str, Any]]:
    """How often a true difference is told, by entries, difference and number of seeds."""
    yield {
        str(entries): {
            str(apart): {
                str(seeds): round(power(entries, apart, seeds, runs, _rng(seeds)), 3)
                for seeds in SEEDS
            }
            for apart in (0.5, 1, 2, 3, 4, 8)
        }
        for entries, runs in ((2, 1000), (6, 300))
    }


def measure_digits() -> Iterator[dict[str, Any]]:
    """True differences between trainings on the digits, and how often they are told."""
    known = DigitsSeeds.read().of(SIX)
    told = {str(seeds): pairs_told(known, seeds, RUNS, _rng(seeds)) for seeds in SEEDS}
    pairs = []
    for a, b in permutations(range(len(SIX)), 2):
        apart = known[a] - known[b]
        if apart.mean() > 0:
            pairs.append(
                {
                    "better": SIX[a],
                    "worse": SIX[b],
                    "difference": round(float(apart.mean()), 5),
                    "sd": round(float(apart.std(ddof=1)), 5),
                    "correlation": round(float(np.corrcoef(known[a], known[b])[0, 1]), 2),
                    "told": {seeds: round(found[a, b], 3) for seeds, found in told.items()},
                }
            )
    yield {"pairs": sorted(pairs, key=lambda pair: pair["difference"])}


def measure_bootstraps() -> Iterator[dict[str, Any]]:
    """Coverage of the intervals of one mean by other methods, on entries of the populations."""
    chosen = {"normal, correlation 0", "heavy tails (t, 3 df)", "skewed (exponential)"}
    chosen |= {"one seed in ten learns little", "99 % of 360 images"}
    made = {p.name: (p, float(p.means[0])) for p in made_populations() if p.name in chosen}
    found: dict[str, Any] = {}
    for name, (population, mean) in made.items():
        found[name] = {}
        for seeds in SEEDS:
            samples = population.draw(_rng(seeds), 2 * RUNS, seeds)[:, 0]
            found[name][str(seeds)] = {
                method: coverage(samples, mean, method, _rng(seeds)) for method in METHODS
            }
    yield found


def measure_epochs() -> Iterator[dict[str, Any]]:
    """What picking the best epoch on validation adds to results on the digits."""
    digits = DigitsSeeds.read()
    rows = [digits.labels.index(label) for label in SIX]
    yield {
        label: {
            "validation": round(
                float((digits.validation_best - digits.validation_last)[row].mean()), 5
            ),
            "test": round(float((digits.test_best - digits.test_last)[row].mean()), 5),
        }
        for label, row in zip(SIX, rows, strict=True)
    }


def measure_regrets() -> Iterator[dict[str, Any]]:
    """What a rule is said to cost: on the digits, and were all rates equal."""
    grid = DigitsSeeds.read().of(GRID)
    known = {
        "digits": grid,
        "digits, means made equal": grid - grid.mean(axis=1, keepdims=True) + grid.mean(),
    }
    yield {
        name: {
            str(seeds): [
                _rounded(dataclasses.asdict(regret))
                for regret in regrets(values, seeds, RUNS, _rng(seeds))
            ]
            for seeds in SEEDS
        }
        for name, values in known.items()
    }


def measure_forgiving() -> Iterator[dict[str, Any]]:
    """How often each of two optimizers is said to forgive most: alike, and truly different."""
    known = DigitsSeeds.read().of(GRID)
    found: dict[str, Any] = {"alike": {}, "first twice as wide": {}}
    for seeds in SEEDS:
        rng = _rng(seeds)
        alike = partial(resampled, known, seeds, rng)
        wide, narrow = (partial(curved, by, seeds, rng) for by in (0.002, 0.008))
        found["alike"][str(seeds)] = forgiving(alike, alike, RATES_RUNS)
        found["first twice as wide"][str(seeds)] = forgiving(wide, narrow, RATES_RUNS)
    yield found


def measure_plateaus() -> Iterator[dict[str, Any]]:
    """Tolerances and plateaus of Adam on the digits, by the report and by the best rate alone."""
    known = DigitsSeeds.read().of(GRID)
    found: dict[str, Any] = {}
    for seeds in (2, *SEEDS):
        reported, alone = plateaus(known, seeds, RATES_RUNS, _rng(seeds))
        found[str(seeds)] = {
            "reported": _rounded(dataclasses.asdict(reported)),
            "alone": _rounded(dataclasses.asdict(alone)),
        }
    yield found


def measure_pooled() -> Iterator[dict[str, Any]]:
    """What variances shared between pairs would find, rightly and wrongly."""
    made = {population.name: population for population in made_populations()}
    cases = {"false": (NORMAL, 0.0), "false, wild": (WILD, 0.0), "found": (NORMAL, 3.0)}
    yield {
        case: {
            str(seeds): _rounded(told_apart(made[name], seeds, RUNS, _rng(seeds), ahead))
            for seeds in SEEDS
        }
        for case, (name, ahead) in cases.items()
    }


def measure_habits() -> Iterator[dict[str, Any]]:
    """Looking after each of 3 to 10 seeds, and the epoch of a target by the curve's noise."""
    yield {
        "looking": round(told_by_looking(3, 10, 500, _rng(10)), 3),
        "targets": {
            str(noise): round(epochs_to_target(noise, 100, _rng(3)), 2)
            for noise in (0.0, 0.005, 0.01, 0.03)
        },
    }


def _rng(seeds: int) -> np.random.Generator:
    return np.random.default_rng([7, seeds])


def _rounded(told: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) for name, value in told.items()}


PARTS: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "rates": measure_rates,
    "unpaired": measure_unpaired,
    "power": measure_power,
    "digits": measure_digits,
    "bootstraps": measure_bootstraps,
    "epochs": measure_epochs,
    "regrets": measure_regrets,
    "habits": measure_habits,
    "pooled": measure_pooled,
    "forgiving": measure_forgiving,
    "plateaus": measure_plateaus,
}


def main() -> None:
    for part in sys.argv[1:] or PARTS:
        print(f"measuring {part}", file=sys.stderr, flush=True)
        for measured in PARTS[part]():
            results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            results[part] = measured
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            write_page(results)


if __name__ == "__main__":
    main()
