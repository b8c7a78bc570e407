"""What a setting's trainings say about its best rate, and what advice costs beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from plan import Results, is_enclosed, is_firm, stored_lines
from points import Line, more_error, points
from suite import SUITE, Setting, rate, step_of

PLATEAU = 1.0
"""Points that a rate of the plateau may lose."""


MOST = 100.0
"""Points that advice loses at most: an error has no upper end, and no setting may decide alone."""


@dataclass(frozen=True)
class Truth:
    """The final metric by rate, in points (see `points`): higher is better."""

    header: Line
    steps: np.ndarray
    """Of the ladder, increasing; shape (n,)."""
    scores: np.ndarray
    """Shape (seeds, n); NaN where a rate was not trained with a seed. A training that failed has
    the lowest score of all, and none is more than `MOST` below the best."""

    @staticmethod
    def of(lines: list[Line]) -> Truth:
        """Reads the trainings of a setting."""
        header, trained = lines[0], [x for x in lines if x["type"] == "training"]
        steps = sorted({round(step_of(x["lr"])) for x in trained})
        scores = np.full((1 + max(x["seed"] for x in trained), len(steps)), np.nan)
        failed = np.zeros(scores.shape, dtype=bool)
        for x in trained:
            at = x["seed"], steps.index(round(step_of(x["lr"])))
            failed[at] = x["value"] is None
            scores[at] = -math.inf if failed[at] else points(header, x["value"])
        # An error has no upper end; what exploded must not decide about the rates beside it.
        scores = np.maximum(scores, _means(scores).max() - MOST)
        scores[failed] = np.nanmin(scores[~failed])
        return Truth(header, np.array(steps), scores)

    @cached_property
    def means(self) -> np.ndarray:
        """Over the seeds that a rate has; shape (n,)."""
        return _means(self.scores)

    @property
    def best_lr(self) -> float:
        """The rate with the highest mean."""
        return rate(int(self.steps[np.argmax(self.means)]))

    @property
    def best(self) -> float:
        """The highest mean, in points."""
        return float(self.means.max())

    @cached_property
    def luck(self) -> float:
        """By how much the best mean is too high because it was chosen by the same trainings.

        Each seed's score at the rate that is best by the other seeds, against the best mean.
        """
        whole = self.scores[:, ~np.isnan(self.scores).any(axis=0)]
        if len(whole) < 2 or not whole.shape[1]:
            return math.nan
        others = (whole.sum(axis=0) - whole) / (len(whole) - 1)
        chosen = others.argmax(axis=1)
        fair = float(np.mean(whole[np.arange(len(whole)), chosen]))
        return float(whole.mean(axis=0).max()) - fair

    def lost(self, lr: float) -> float:
        """Points that training at a rate loses against the best, at most `MOST`.

        Between two rates of the grid it is read off the line between them, over log lr.
        """
        return self.best - float(np.interp(step_of(lr), self.steps, self.means))

    def more_error(self, lr: float) -> float:
        """By how many percent the error at a rate is larger than at the best; NaN for accuracy."""
        return more_error(self.header, self.best, self.best - self.lost(lr))

    @cached_property
    def plateau(self) -> tuple[float, float]:
        """The rates about the best one that lose at most `PLATEAU` points."""
        fine = np.linspace(self.steps[0], self.steps[-1], 1 + 20 * int(np.ptp(self.steps)))
        good = np.interp(fine, self.steps, self.means) >= self.best - PLATEAU
        at = int(np.argmin(np.abs(fine - self.steps[np.argmax(self.means)])))
        low = high = at
        while low > 0 and good[low - 1]:
            low -= 1
        while high < len(fine) - 1 and good[high + 1]:
            high += 1
        return rate_at(fine[low]), rate_at(fine[high])


def rate_at(step: float) -> float:
    """The rate at any place of the ladder."""
    return float(10 ** (step / step_of(10)))


def _means(scores: np.ndarray) -> np.ndarray:
    return np.asarray(np.nanmean(scores, axis=0))


@dataclass(frozen=True)
class Judged:
    """A setting whose best rate is enclosed, with its sweeps."""

    setting: Setting
    truth: Truth
    standard_error: float
    """Of the best rate's mean over seeds, in points."""
    seeds: int
    """Of the trainings at the best rate."""
    is_firm: bool
    """Whether that mean is known well enough to count."""
    sweeps: dict[int, list[Line]]
    """By length in steps."""
    accuracies: list[Line]
    """Accuracy during a sweep, one for each seed."""


def enclosed(folder: Path) -> list[Judged]:
    """All settings whose best rate is enclosed, firm or not, in the order of the suite.

    Raises:
        SystemExit: a file is of a setting defined otherwise.
    """
    found = []
    for setting in SUITE:
        lines = stored_lines(folder / f"{setting.name}.jsonl", setting)
        sweeps: dict[int, list[Line]] = {}
        for line in lines:
            if line["type"] == "sweep":
                sweeps.setdefault(line["steps"], []).append(line)
        if not sweeps or not is_enclosed(known := Results(setting, lines)):
            continue
        best = known.best()
        assert best is not None
        found.append(
            Judged(
                setting=setting,
                truth=Truth.of(lines),
                standard_error=known.standard_error(),
                seeds=len(known.values[best]),
                is_firm=is_firm(known),
                sweeps=sweeps,
                accuracies=[line for line in lines if line["type"] == "accuracy"],
            )
        )
    return found


def judged(folder: Path) -> list[Judged]:
    """The settings that count: their best rate is enclosed, and its mean is firm."""
    return [setting for setting in enclosed(folder) if setting.is_firm]
