"""Published rules for choosing a learning rate from a loss curve.

Each takes the learning rates (increasing) and smoothed losses (finite) of a sweep, both of shape
(n,), and returns a rate, or None if the curve is too short. A sweep is sampled evenly in log LR,
so that a slope per step is a slope per log LR up to a constant; `steepest` works per log LR even
if an imported sweep is not.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from clr_tui.engine.analysis.arrays import Floats

_PART = 1 << 16
"""Losses processed at a time."""
SKIP_START = 10
"""Steps that torch-lr-finder leaves out at the start of a curve, by default."""
SKIP_END = 5
"""Steps that torch-lr-finder and fastai leave out at the end."""
SLIDE_WIDTH = 15
"""fastai's `lr_diff`: steps between the two slopes that `slide` compares."""
SLIDE_THRESHOLD = 0.005
"""fastai's `thresh`: loss per step."""


def minimum_tenth(lr: Floats, loss: Floats) -> float | None:
    """A tenth of the rate at which the loss is first lowest; 3.594e-3 on the reference log."""
    return float(lr[np.argmin(loss)]) / 10 if len(lr) else None


def steepest(lr: Floats, loss: Floats) -> float | None:
    """Where the loss falls fastest per log LR, by central differences.

    Like torch-lr-finder's `LRFinder.plot(suggest_lr=True)`, it ignores the first 10 and last 5
    steps and needs 17 steps. On the reference log: 5.275e-3.
    """
    if len(lr) < SKIP_START + SKIP_END + 2:
        return None
    lr, loss = lr[SKIP_START:-SKIP_END], loss[SKIP_START:-SKIP_END]
    least, at = math.inf, 0
    for start in range(0, len(lr), _PART):
        slope = _slopes(loss, start, min(start + _PART, len(lr)), lr)
        if (lowest := float(slope.min())) < least:
            least, at = lowest, start + int(slope.argmin())
    return float(lr[at])


def fastai_part(lr: Floats, loss: Floats) -> tuple[Floats, Floats]:
    """What fastai's `lr_find` passes to its rules: all but the first tenth and the last 5 steps.

    fastai drops a tenth of the planned steps, this function a tenth of those made: otherwise a
    sweep that ended early would lose most of its curve.
    """
    start = len(lr) // 10
    return lr[start:-SKIP_END], loss[start:-SKIP_END]


def valley(lr: Floats, loss: Floats) -> float | None:
    """Half way down the longest valley, fastai's default rule (by ESRI).

    The valley is the longest strictly decreasing subsequence of the losses, of length L, that ends
    first, at step e. It is assumed to start at b = e - L, as if its steps were neighbours. The
    result is the rate of step b + floor(w) + floor(w / 2) with w = (e - b) / 3, all within
    `fastai_part` of the curve. On the reference log: 6.813e-4.

    Published as a double loop over steps; bisection makes it n log n here.
    """
    lr, loss = fastai_part(lr, loss)
    if len(lr) < 3:
        return None
    end, length = _longest_decrease(loss)
    if length < 3:
        return None  # no valley; the formula would leave the curve
    start, third = end - length, length / 3
    return float(lr[start + int(third) + int(third / 2)])


def _longest_decrease(loss: Floats) -> tuple[int, int]:
    """End and length of the longest strictly decreasing subsequence that ends first."""
    # -(largest last value) of a decrease of each length, increasing; then a sentinel.
    tails = [math.inf]
    best_end = best = 0
    for start in range(0, len(loss), _PART):
        for i, value in enumerate((-loss[start : start + _PART]).tolist(), start):
            at = bisect_left(tails, value)
            tails[at] = value
            if at == best:
                best_end, best = i, at + 1
                tails.append(math.inf)
    return best_end, best


def slide(lr: Floats, loss: Floats) -> float | None:
    """Slides from the end of the curve towards its start until the slope settles.

    fastai's rule of that name (by A. Chang, Novetta). g is the slope of the loss per step, by
    central differences; k = 0, 1, 2, ... counts steps back from the last, m. The window from
    m - k - 15 to m - k slides down while |g(m - k) - g(m - k - 15)| > 0.005. The result is the
    rate at the left end of the last window that slid on (of the first window, if none did), all
    within `fastai_part` of the curve. On the reference log: 5.275e-3.

    The threshold is a loss per step, so the result depends on the scale of the loss and on the
    number of steps.
    """
    lr, loss = fastai_part(lr, loss)
    if len(lr) <= SLIDE_WIDTH:
        return None
    windows = len(lr) - SLIDE_WIDTH
    moved = windows
    for end in range(windows, 0, -_PART):
        start = max(0, end - _PART)
        slope = _slopes(loss, start, end + SLIDE_WIDTH)
        settled = np.abs(slope[SLIDE_WIDTH:] - slope[:-SLIDE_WIDTH]) <= SLIDE_THRESHOLD
        if settled.any():
            moved = windows - 1 - start - int(np.flatnonzero(settled)[-1])
            break
    return float(lr[windows - 1 - max(0, moved - 1)])


def _slopes(loss: Floats, start: int, end: int, x: Floats | None = None) -> Floats:
    """`np.gradient` of the whole from `start` to `end`: it needs only the neighbours."""
    first, last = max(0, start - 1), min(end + 1, len(loss))
    if last - first < 2:
        first = max(0, first - 1)
    part = slice(first, last)
    slope = np.gradient(loss[part]) if x is None else np.gradient(loss[part], np.log(x[part]))
    return np.asarray(slope[start - first : end - first])


def smith_accuracy(
    lr: Floats, accuracy: Floats, samples: int | None = None
) -> tuple[float, float] | None:
    """base_lr and max_lr from accuracy, after Smith (2017), section 3.3, made precise.

    The paper reads by eye: base_lr "where the accuracy starts to increase", max_lr where it
    "slows, becomes ragged, or starts to fall". Here the accuracy is averaged over three
    neighbours, the floor is the median of the first tenth of the raw values (at least three), and
    the rise is the height of the peak above the floor. Points before the average first comes down
    to the floor, within a tenth of the rise, do not count: there the running statistics of batch
    norm have not settled.

    - max_lr is the rate of the best accuracy before the first fall of more than a tenth of the
      rise below the best so far; the rate of the peak if there is no such fall.
    - base_lr is the last rate before max_lr with an accuracy at most a tenth of the rise above
      the floor; the first rate if there is none.

    Args:
        samples: how many the accuracy is measured on, if known. A share of n of them has a
            standard deviation of up to sqrt(0.25 / n), a difference of two sqrt(2) times as much.

    Returns:
        None if there are fewer than five points, the rise is at most twice the noise between
        neighbours or three standard deviations of a difference, or base_lr is not below max_lr.
    """
    if len(lr) < 5:
        return None
    padded = np.concatenate([accuracy[:1], accuracy, accuracy[-1:]])
    mean = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    floor = float(np.median(accuracy[: max(3, len(lr) // 10)]))
    rise = float(mean.max()) - floor
    noise = float(np.median(np.abs(np.diff(accuracy))))
    chance = 3 * math.sqrt(0.5 / samples) if samples else 0.0
    if rise <= max(2 * noise, chance):
        return None
    lowest = floor + rise / 10
    start = int(np.argmax(mean <= lowest))
    lr, mean = lr[start:], mean[start:]
    best = np.maximum.accumulate(mean)
    # A fall counts only after the rise has started.
    fallen = (mean < best - rise / 10) & (best > lowest)
    last = int(np.argmax(fallen)) if fallen.any() else len(lr)
    top = int(np.argmax(mean[:last]))
    low = np.flatnonzero(mean[:top] <= lowest)
    base = int(low[-1]) if len(low) else 0
    return (float(lr[base]), float(lr[top])) if base < top else None
