"""The sensitivity of optimizers to the learning rate, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from clr_tui.engine.metrics import Metric

PointState = Literal["waiting", "running", "done", "diverged", "failed", "stopped", "ended early"]
"""`diverged` or `failed`: at least one of its trials; `stopped`: at least one was, and none of
these; `ended early`: it could not be the best any more, so the rest was not trained."""


@dataclass(frozen=True)
class RatePoint:
    """One optimizer at one rate."""

    entry: int
    """Its number in the comparison."""
    lr: float
    """The constant rate, or the upper bound."""
    values: dict[int, float]
    """The final value of the primary metric, by seed, of the trials that are done."""
    mean: float | None
    """Over the seeds so far; None without any, and if a trial diverged or failed."""
    low: float | None
    """The 95% t-interval of the mean; None if there is none."""
    high: float | None
    seeds: int
    """Trials planned."""
    lost: int
    """Trials that diverged or failed."""
    state: PointState

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    @property
    def pending(self) -> bool:
        """Whether trials that can still change its mean have not ended."""
        return self.state in ("waiting", "running")


@dataclass(frozen=True)
class AdviceCost:
    """What following one rule of the range test costs, compared with the best rate of the grid."""

    rule: str
    lr: float
    """What the rule says."""
    at: float
    """The nearest rate of the grid, by ratio."""
    lost: float | None
    """By how much the metric is worse there than at the best rate: the mean over the seeds that
    both have; not below 0 unless seeds are missing. None if it cannot be said (see `words`)."""
    half_width: float | None
    """Half the width of its 95% interval, uncorrected."""
    distinguishable: bool | None
    """Whether the difference is significant after correction for the rates that might have come
    out best. None if there is no test."""
    words: str


@dataclass(frozen=True)
class OptimizerSensitivity:
    """One optimizer over the grid."""

    label: str
    points: tuple[RatePoint, ...]
    """In the order of their rates, which increase."""
    best: RatePoint | None
    """The rate with the best mean so far, over the seeds that all rates have; the first of equals.
    No rate with a trial that diverged or failed, nor one that was ended early."""
    plateau: tuple[float, float] | None
    """The lowest and highest rate around the best without a gap whose means are within
    `Sensitivity.tolerance` of it; None while a trial is pending, and without a best."""
    costs: tuple[AdviceCost, ...]
    """By rule, the recommended one first; empty if this optimizer was not swept."""
    flattered: float | None = None
    """By how much the best mean is too high, at most and on average, for having been picked from
    these results: less the mean of each seed's value at the rate that is best on the other seeds.
    None for fewer than two seeds or rates."""
    own_rate: bool = False
    """Whether it finds its own rate, which that of the grid only multiplies (such as Prodigy)."""

    @property
    def pending(self) -> bool:
        """Whether some of its trials have not ended."""
        return any(point.pending for point in self.points)

    @property
    def width(self) -> float | None:
        """The width of the plateau in decades."""
        return None if self.plateau is None else math.log10(self.plateau[1] / self.plateau[0])


@dataclass(frozen=True)
class Sensitivity:
    """All optimizers over the grid."""

    metric: Metric
    measure: str
    """What is compared: "test accuracy, last epoch"."""
    tolerance: float
    """How far below the best mean a rate of the plateau may be, for all optimizers alike: one point
    of a share, else 1 % of the best mean; or half the 95% interval of an optimizer's best mean, by
    the spread of seeds at all rates within two points of it, if that is more."""
    optimizers: tuple[OptimizerSensitivity, ...]
    forgiving: str | None
    """The label of the optimizer with the widest plateau, if it is whichever seed is left out."""
    words: tuple[str, ...]
    """Sentences for the screen and for print."""
    grid: str = ""
    """The grid as text, such as "grid:1e-4..0.1x7"."""

    @property
    def labels(self) -> dict[int, str]:
        """The label of its optimizer for each entry of the grid, by the entry's number."""
        return {point.entry: one.label for one in self.optimizers for point in one.points}

    @property
    def ended_early(self) -> set[int]:
        """The numbers of the entries that ended early."""
        points = [point for one in self.optimizers for point in one.points]
        return {point.entry for point in points if point.state == "ended early"}

    def as_json(self) -> dict[str, Any]:
        """All but the metric, which the report has."""
        return {name: value for name, value in vars(self).items() if name != "metric"}
