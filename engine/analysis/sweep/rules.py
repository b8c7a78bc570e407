"""The published rules for reading a learning rate off a loss curve, as functions of two arrays.

Each takes learning rates and smoothed losses of one sweep, shape (n,), finite, rates rising, and
returns a rate, or None where the curve is too short for it. A sweep is sampled evenly in log LR,
so that a slope per step is a slope per log LR up to a constant; where an imported one is not,
`steepest` still takes it per log LR.
"""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PART = 1 << 16
"""Losses that are Python's numbers at a time."""
SKIP_START = 10
"""Steps that torch-lr-finder leaves out at the start of a curve, by default."""
SKIP_END = 5
"""Steps that torch-lr-finder and fastai leave out at the end."""
SLIDE_WIDTH = 15
"""fastai's `lr_diff`: steps between the two slopes that `slide` compares."""
SLIDE_THRESHOLD = 0.005
"""fastai's `thresh`: loss per step."""


def minimum_tenth(lr: Floats, loss: Floats) -> float | None:
    """A tenth of the rate at which the loss is lowest (the first such).

    On the reference log this is 3.594e-3.
    """
    return float(lr[np.argmin(loss)]) / 10 if len(lr) else None


def steepest(lr: Floats, loss: Floats) -> float | None:
    """Where the loss falls fastest per log LR, by central differences.

    As torch-lr-finder's `LRFinder.plot(suggest_lr=True)`: the first 10 and the last 5 steps are
    left out, and 17 steps are needed. On the reference log: 5.275e-3.
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
    """What fastai's `lr_find` hands to its rules: less the first tenth and the last 5 steps.

    Its tenth is of the planned steps, ours of those taken: a sweep that ended early would lose
    most of its curve otherwise.
    """
    start = len(lr) // 10
    return lr[start:-SKIP_END], loss[start:-SKIP_END]


def valley(lr: Floats, loss: Floats) -> float | None:
    """Half way down the longest valley, fastai's default rule (by ESRI).

    The longest strictly decreasing subsequence of the losses, of length L, that ends first, at
    step e, is the valley; it is taken to begin at b = e - L, as if its steps were neighbours. The
    rate is that of step b + floor(w) + floor(w / 2) with w = (e - b) / 3. Of fastai's part of the
    curve (`fastai_part`). On the reference log: 6.813e-4.

    Published as a double loop over steps; here each length is found by bisection, n log n.
    """
    lr, loss = fastai_part(lr, loss)
    if len(lr) < 3:
        return None
    end, length = _longest_decrease(loss)
    if length < 3:
        return None  # no valley; the formula would leave the curve
    begin, third = end - length, length / 3
    return float(lr[begin + int(third) + int(third / 2)])


def _longest_decrease(loss: Floats) -> tuple[int, int]:
    """End and length of the longest strictly decreasing subsequence that ends first."""
    tails = [math.inf]  # -(largest last value) of a decrease of each length; rising; and an end
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
    """From the end of the curve towards its start, to where the slope settles.

    fastai's rule of that name (by A. Chang, Novetta). g is the slope of the loss per step, by
    central differences; k = 0, 1, 2, ... counts steps back from the last, m. The window from
    m - k - 15 to m - k slides down while |g(m - k) - g(m - k - 15)| > 0.005; the rate is that of
    the left end of the last window that moved on so (of the first window, where none did). Of
    fastai's part of the curve (`fastai_part`). On the reference log: 5.275e-3.

    The threshold is in units of loss per step, so that the answer changes with the scale of the
    loss and with the number of steps.
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
    """The part from `start` to `end` of `np.gradient` of all: it takes neighbours, no more."""
    first, last = max(0, start - 1), min(end + 1, len(loss))
    if last - first < 2:
        first = max(0, first - 1)
    part = slice(first, last)
    slope = np.gradient(loss[part]) if x is None else np.gradient(loss[part], np.log(x[part]))
    return np.asarray(slope[start - first : end - first])


def smith_accuracy(lr: Floats, accuracy: Floats) -> tuple[float, float] | None:
    """base_lr and max_lr from accuracy, after Smith (2017), section 3.3, made precise.

    The paper reads by eye: base_lr "where the accuracy starts to increase", max_lr where it
    "slows, becomes ragged, or starts to fall". Here the floor is the median of the first tenth
    (at least three points), and the rise is what the peak of the accuracy, averaged over three
    neighbours, has above the floor. What comes before that average is first down at the floor, to
    a tenth of the rise, does not count: the running statistics of batch norm have not settled yet.

    - max_lr is the rate of the best accuracy reached before the first fall below that best by
      more than a tenth of the rise; the rate of the peak where there is no such fall.
    - base_lr is the last rate before max_lr with an accuracy at most a tenth of the rise above
      the floor; the first rate where there is none.

    Returns:
        None where there are fewer than five points, or where the rise is not above twice the
        noise between neighbours, or base_lr is not below max_lr.
    """
    if len(lr) < 5:
        return None
    padded = np.concatenate([accuracy[:1], accuracy, accuracy[-1:]])
    mean = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    floor = float(np.median(accuracy[: max(3, len(lr) // 10)]))
    rise = float(mean.max()) - floor
    noise = float(np.median(np.abs(np.diff(accuracy))))
    if rise <= 2 * noise or rise <= 0:
        return None
    lowest = floor + rise / 10
    start = int(np.argmax(mean <= lowest))
    lr, mean = lr[start:], mean[start:]
    best = np.maximum.accumulate(mean)
    # A fall counts from where the rise has begun: before, all is floor.
    fallen = (mean < best - rise / 10) & (best > lowest)
    last = int(np.argmax(fallen)) if fallen.any() else len(lr)
    top = int(np.argmax(mean[:last]))
    low = np.flatnonzero(mean[:top] <= lowest)
    base = int(low[-1]) if len(low) else 0
    return (float(lr[base]), float(lr[top])) if base < top else None
