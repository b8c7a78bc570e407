"""Populations of final values: what six optimizers would reach with every seed there is.

A draw has the shape (runs, ENTRIES, seeds): one value for each run of a comparison, entry and seed.
NaN is a trial that failed. Seeds are paired: the same place in the last axis is the same seed.
Unless a population says otherwise, the spread of an entry is SPREAD and its mean is MEAN.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Floats]

ENTRIES = 6
MEAN, SPREAD = 0.9, 0.01

GRID = [f"adam(lr={lr:g})" for lr in (4.64e-4, 1e-3, 1.47e-3, 2.15e-3, 3.16e-3, 4.64e-3, 1e-2)]
OTHERS = ["adamw(lr=0.00215)", "rmsprop", "sgd(lr=0.1,momentum=0.9)", "sgd+clr(lr=0.3)"]
SIX = [GRID[1], GRID[3], *OTHERS]
SEEDS_FILE = Path(__file__).with_name("digits_seeds.json")
"""Final values on the digits after 4 epochs: 48 seeds of GRID and OTHERS; see digits_seeds.py."""


@dataclass(frozen=True)
class Population:
    """A distribution of the values of ENTRIES entries."""

    name: str
    draw: Draw
    means: Floats
    """Of each entry, over all seeds."""
    images: int | None = None
    """In the test part; None: values may be any number."""
    most_seeds: int = 10**9
    """That a run can have."""


def made_populations() -> list[Population]:
    """Populations in which all entries have the same mean, so that every difference is false."""
    unequal = np.array([0.3, 0.5, 1.0, 1.0, 2.0, 4.0])
    wild = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 10.0])
    return [
        _normal("normal, correlation 0", 0.0),
        _normal("normal, correlation 0.9", 0.9),
        _normal("normal, spreads 0.3 to 4", 0.0, unequal),
        _normal("normal, one spread of 10", 0.0, wild),
        _scaled("heavy tails (t, 3 df)", lambda rng, shape: rng.standard_t(3, shape)),
        _scaled("skewed (exponential)", lambda rng, shape: 1 - rng.exponential(size=shape)),
        _scaled("one seed in ten learns little", _with_bad_seeds, mean=MEAN - SPREAD),
        _share("99 % of 360 images", 0.99, 360),
        _share("99.8 % of 360 images", 0.998, 360),
        _share("97 % of 30 images", 0.97, 30),
        _failing("one seed in ten fails by chance", _by_chance),
        _failing("the worst 7 % of seeds fail", _the_worst),
    ]


def _population(name: str, draw: Draw, mean: float = MEAN, images: int | None = None) -> Population:
    return Population(name, draw, np.full(ENTRIES, mean), images)


def _normal(name: str, correlation: float, spreads: Floats | None = None) -> Population:
    factors = np.ones(ENTRIES) if spreads is None else spreads

    def draw(rng: np.random.Generator, runs: int, seeds: int) -> Floats:
        common = np.sqrt(correlation) * rng.normal(size=(runs, 1, seeds))
        own = np.sqrt(1 - correlation) * rng.normal(size=(runs, ENTRIES, seeds))
        values: Floats = MEAN + SPREAD * factors[:, None] * (common + own)
        return values

    return _population(name, draw)


def _scaled(
    name: str,
    noise: Callable[[np.random.Generator, tuple[int, int, int]], Floats],
    mean: float = MEAN,
) -> Population:
    return _population(
        name,
        lambda rng, runs, seeds: MEAN + SPREAD * noise(rng, (runs, ENTRIES, seeds)),
        mean,
    )


def _with_bad_seeds(rng: np.random.Generator, shape: tuple[int, int, int]) -> Floats:
    """Normal values of which one in ten lies ten standard deviations lower."""
    values: Floats = rng.normal(size=shape) - 10.0 * (rng.random(shape) < 0.1)
    return values


def _share(name: str, share: float, images: int) -> Population:
    return _population(
        name,
        lambda rng, runs, seeds: rng.binomial(images, share, (runs, ENTRIES, seeds)) / images,
        share,
        images,
    )


def _failing(name: str, fails: Callable[[np.random.Generator, Floats], Floats]) -> Population:
    def draw(rng: np.random.Generator, runs: int, seeds: int) -> Floats:
        z = rng.normal(size=(runs, ENTRIES, seeds))
        return np.where(fails(rng, z), np.nan, MEAN + SPREAD * z)

    return _population(name, draw)


def _by_chance(rng: np.random.Generator, z: Floats) -> Floats:
    return rng.random(z.shape) < 0.1


def _the_worst(rng: np.random.Generator, z: Floats) -> Floats:
    return z < -1.5


@dataclass(frozen=True)
class DigitsSeeds:
    """Trainings on the digits that really ran: shares of shape (labels, seeds)."""

    images: int
    """In the test part."""
    labels: Sequence[str]
    test_last: Floats
    test_best: Floats
    """For the epoch that was best on validation."""
    validation_last: Floats
    validation_best: Floats

    @classmethod
    def read(cls) -> DigitsSeeds:
        told = json.loads(SEEDS_FILE.read_text())
        images, labels = told.pop("images"), told.pop("labels")
        shares = {measure: np.array(counts) / images for measure, counts in told.items()}
        return cls(images, labels, **shares)

    def of(self, labels: Sequence[str]) -> Floats:
        """Test shares of these entries, shape (len(labels), seeds)."""
        return self.test_last[[self.labels.index(label) for label in labels]]


def digits_populations(
    digits: DigitsSeeds, labels: Sequence[str], *, alone: Sequence[str]
) -> list[Population]:
    """Seeds of real trainings drawn anew, so that no difference is true.

    First the six optimizers `labels`, shifted to a common mean; then each of `alone` in place of
    all six.
    """
    known = digits.of(labels)
    centred = known - known.mean(axis=1, keepdims=True) + MEAN

    def same_seeds(rng: np.random.Generator, runs: int, seeds: int) -> Floats:
        """Seeds with replacement, the same for every entry."""
        chosen = rng.integers(known.shape[1], size=(runs, seeds))
        values: Floats = centred[:, chosen].transpose(1, 0, 2)
        return values

    def of_one(values: Floats) -> Draw:
        """Six times the same optimizer, no seed twice in a run."""

        def draw(rng: np.random.Generator, runs: int, seeds: int) -> Floats:
            orders = rng.permuted(np.tile(values, (runs, 1)), axis=1)
            return orders[:, : ENTRIES * seeds].reshape(runs, ENTRIES, seeds)

        return draw

    most = known.shape[1] // ENTRIES
    alike = [
        Population(
            f"digits: {label} against itself",
            of_one(values),
            np.full(ENTRIES, values.mean()),
            digits.images,
            most,
        )
        for label, values in zip(alone, digits.of(alone), strict=True)
    ]
    return [_population("digits: six optimizers, means made equal", same_seeds), *alike]
