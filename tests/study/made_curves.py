"""Made loss curves: 200 that deserve no recommendation, and 200 that deserve one.

Each is a `Case` made from its number alone. Even numbers are for choosing rules and limits, odd
ones for reporting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

COUNT = 200
START, END = 1e-7, 1.0


@dataclass(frozen=True)
class Case:
    """A range test with one sweep for each of `losses`; NaN: not finite."""

    kind: str
    losses: tuple[np.ndarray, ...]
    steps: int
    """Of a whole sweep; shorter losses ended early."""
    diverged: bool = False
    outcome: str = "done"
    start: float = START
    end: float = END


def undeserving() -> list[Case]:
    """Curves without a rate to recommend: flat, unfinished, broken."""
    return [_BAD[i % len(_BAD)](np.random.default_rng([11, i])) for i in range(COUNT)]


def deserving() -> list[Case]:
    """Curves with a valley that is deep against their noise, and a rise after it."""
    return [_good(np.random.default_rng([12, i])) for i in range(COUNT)]


def rates(steps: int, start: float = START, end: float = END) -> np.ndarray:
    """The rates of a sweep, see `clr_tui.engine.training.range_test.sweep_lr`."""
    return start * (end / start) ** (np.arange(steps) / steps)


def _steps(rng: np.random.Generator) -> int:
    return int(rng.choice([100, 150, 300, 1000]))


def _top(rng: np.random.Generator) -> float:
    """The loss of a new model: of 2 to 1,000 classes, or a regression's."""
    return float(np.log(rng.choice([2, 5, 10, 100, 1000])))


def _curve(
    rng: np.random.Generator,
    steps: int,
    *,
    top: float,
    depth: float,
    begin: float,
    best: float,
    sharpness: float,
    noise: float,
) -> tuple[np.ndarray, bool]:
    """Raw losses: level up to `begin`, falling by `depth` of `top` to `best`, then rising.

    Ended where their smoothed loss passes four times its best, as the engine does.

    Args:
        sharpness: of the rise, in units of `top` per squared decade.
        noise: standard deviation relative to the loss.

    Returns:
        The losses, shape (n,), and whether they ended early.
    """
    at = np.log10(rates(steps))
    fall = 0.5 * (1 - np.cos(np.pi * np.clip((at - begin) / (best - begin), 0, 1)))
    trend = top * (1 - depth * fall + sharpness * np.clip(at - best, 0, None) ** 2)
    losses = trend * (1 + noise * rng.standard_normal(steps))
    return _ended(losses)


def _ended(losses: np.ndarray) -> tuple[np.ndarray, bool]:
    smoothed, best = float(losses[0]), float("inf")
    for i, loss in enumerate(losses):
        smoothed = 0.05 * float(loss) + 0.95 * smoothed
        best = min(best, smoothed)
        if not smoothed <= 4 * best:
            return losses[: i + 1], True
    return losses, False


def _good(rng: np.random.Generator) -> Case:
    begin = float(rng.uniform(-5.5, -3.5))
    best = begin + float(rng.uniform(1.2, 2.5))
    steps, seeds = _steps(rng), int(rng.choice([1, 3]))
    depth = float(rng.uniform(0.25, 0.9))
    shape = {
        "top": _top(rng),
        "depth": depth,
        "begin": begin,
        "best": best,
        "sharpness": float(rng.uniform(0.5, 3)),
        "noise": float(rng.uniform(0.01, 0.25)) * depth,
    }
    made = [_curve(rng, steps, **shape) for _ in range(seeds)]
    return Case("valley", tuple(losses for losses, _ in made), steps, made[0][1])


def _flat(rng: np.random.Generator) -> Case:
    """Noise about a level, to the end or until it explodes."""
    steps, top = _steps(rng), _top(rng)
    losses = top * (1 + float(rng.uniform(0.005, 0.3)) * rng.standard_normal(steps))
    if rng.random() < 0.5:  # labels at random: no rate learns, high ones diverge
        at = np.log10(rates(steps))
        losses = losses + top * 2 * np.clip(at - float(rng.uniform(-2.5, -0.7)), 0, None) ** 2
    ended, diverged = _ended(losses)
    return Case("flat", (ended,), steps, diverged)


def _drifting(rng: np.random.Generator) -> Case:
    """Noise whose neighbours are alike: batches in the order of their difficulty."""
    steps, top = _steps(rng), _top(rng)
    shared = np.zeros(steps)
    for i, jump in enumerate(rng.standard_normal(steps)):
        shared[i] = 0.9 * shared[i - 1] + jump
    losses = top * (1 + float(rng.uniform(0.005, 0.05)) * shared)
    return Case("drifting noise", (losses,), steps)


def _falling(rng: np.random.Generator) -> Case:
    """Still falling at the end: the sweep does not reach the rates that matter."""
    steps = _steps(rng)
    begin = float(rng.uniform(-3, -1.5))
    losses, diverged = _curve(
        rng,
        steps,
        top=_top(rng),
        depth=float(rng.uniform(0.3, 0.8)),
        begin=begin,
        best=float(rng.uniform(0.2, 1.5)),
        sharpness=0,
        noise=float(rng.uniform(0.01, 0.1)),
    )
    return Case("still falling", (losses,), steps, diverged)


def _stopped(rng: np.random.Generator) -> Case:
    """A good sweep that was stopped before its minimum."""
    begin = float(rng.uniform(-5, -3.5))
    best = begin + 2.0
    steps = _steps(rng)
    losses, _ = _curve(
        rng,
        steps,
        top=_top(rng),
        depth=float(rng.uniform(0.3, 0.8)),
        begin=begin,
        best=best,
        sharpness=1,
        noise=float(rng.uniform(0.01, 0.1)),
    )
    reached = begin + float(rng.uniform(0.1, 0.8)) * (best - begin)
    kept = int((reached + 7) / 7 * steps)
    return Case("stopped", (losses[:kept],), steps, outcome="stopped")


def _too_high(rng: np.random.Generator) -> Case:
    """Starts at a rate that is too high, so that the loss only rises."""
    steps, top = _steps(rng), _top(rng)
    start, end = float(10 ** rng.uniform(-2, -1)), 10.0
    at = np.log10(rates(steps, start, end) / start)
    trend = top * (1 + float(rng.uniform(0.3, 2)) * at)
    losses = trend * (1 + float(rng.uniform(0.02, 0.2)) * rng.standard_normal(steps))
    ended, diverged = _ended(losses)
    return Case("starts too high", (ended,), steps, diverged, start=start, end=end)


def _not_finite(rng: np.random.Generator) -> Case:
    """Not finite from an early step on, whatever the rate."""
    steps, top = _steps(rng), _top(rng)
    losses = top * (1 + 0.05 * rng.standard_normal(steps))
    first = int(rng.integers(0, 18))
    losses[first] = np.nan
    return Case("not finite", (losses[: first + 1],), steps, True)


def _short(rng: np.random.Generator) -> Case:
    """Fewer steps than can tell a fall from noise."""
    steps = int(rng.integers(5, 20))
    losses, diverged = _curve(
        rng, steps, top=2.3, depth=0.6, begin=-5, best=-2, sharpness=1, noise=0.05
    )
    return Case("too short", (losses,), steps, diverged)


def _wandering(rng: np.random.Generator) -> Case:
    """Sweeps of three seeds whose valleys lie more than a decade apart."""
    steps, top = _steps(rng), _top(rng)
    best = float(rng.uniform(-4, -3)) + np.array([0.0, 1.6, 2.9])
    made = [
        _curve(rng, steps, top=top, depth=0.6, begin=b - 1.3, best=b, sharpness=2, noise=0.03)
        for b in best
    ]
    return Case("wandering", tuple(losses for losses, _ in made), steps, made[0][1])


def _spikes(rng: np.random.Generator) -> Case:
    """A level with a few wild losses on both sides, such as of broken samples."""
    steps, top = _steps(rng), _top(rng)
    losses = top * (1 + 0.02 * rng.standard_normal(steps))
    wild = rng.choice(steps, max(2, steps // 30), replace=False)
    losses[wild] = top * rng.uniform(0.2, 3, len(wild))
    ended, diverged = _ended(losses)
    return Case("spikes", (ended,), steps, diverged)


def _learned(rng: np.random.Generator) -> Case:
    """Everything is learned early: the loss is nothing long before rates are too high."""
    steps, top = _steps(rng), _top(rng)
    at = np.log10(rates(steps))
    gone = float(rng.uniform(-5, -3.5))
    trend = top / (1 + 10 ** (3 * (at - gone)))
    trend = trend + top * 0.3 * np.clip(at + float(rng.uniform(0.3, 1)), 0, None) ** 2
    losses = trend * np.exp(0.2 * rng.standard_normal(steps))
    ended, diverged = _ended(losses)
    return Case("learned within the sweep", (ended,), steps, diverged)


_BAD: tuple[Callable[[np.random.Generator], Case], ...] = (
    _flat,
    _falling,
    _stopped,
    _flat,
    _too_high,
    _not_finite,
    _drifting,
    _wandering,
    _spikes,
    _learned,
    _short,
    _falling,
)
